using Lekhika.Workflows.Dialects;
using Lekhika.Workflows.Validation;
using Xunit;

namespace Lekhika.Workflows.Tests.Dialects;

public sealed class ModelNameTests
{
    [Theory]
    [InlineData("OPENA-01-first:gpt-4o", "first:1b")]
    [InlineData("OPENA-02:gpt-4o", "any4o:7b")]
    [InlineData("gpt-4o", "any4o:7b")]
    [InlineData("GPT-4O", "any4o:7b")]
    [InlineData("MISTR-01:mistral-large", "standard:3b")]
    [InlineData("claude-3-5-sonnet", "standard:3b")]
    [InlineData("llama3:8b", "llama3:8b")]
    [InlineData("mistral:7b", "mistral:7b")]
    [InlineData("OLLAMA-01:llama3:8b", "llama3:8b")]
    [InlineData("ollama:qwen2.5:7b-instruct-q4_K_M", "qwen2.5:7b-instruct-q4_K_M")]
    [InlineData("hf.co/bartowski/Llama-3.2:Q4", "hf.co/bartowski/Llama-3.2:Q4")]
    [InlineData("{{ inputs.model }}", "{{ inputs.model }}")]
    [InlineData("", null)]
    [InlineData(null, null)]
    public void Models_are_found_by_alias_by_tag_or_by_default(string? said, string? model)
    {
        var options = new ReadOptions
        {
            ModelAliases = new Dictionary<string, string> { ["OPENA-01-first:gpt-4o"] = "first:1b", ["gpt-4o"] = "any4o:7b" },
            DefaultModel = "standard:3b",
        };
        Assert.Equal(model, new ModelNames(options, new ProblemList()).Resolve(said, "x"));
    }

    [Fact]
    public void A_hosted_model_without_alias_is_warned_about_with_the_key_to_set()
    {
        var problems = new ProblemList();
        Assert.Equal("gpt-4o", new ModelNames(new ReadOptions(), problems).Resolve("OPENA-01:gpt-4o", "nodes[1].data.selectedModels"));
        var problem = Assert.Single(problems.Items);
        Assert.Contains("[models] OPENA-01:gpt-4o = NAME", problem.Message, StringComparison.Ordinal);
        Assert.Equal(Severity.Warning, problem.Severity);
    }
}
