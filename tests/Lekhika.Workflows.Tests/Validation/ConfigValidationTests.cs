using Lekhika.Workflows.Tests.Definitions;
using Lekhika.Workflows.Validation;
using Xunit;

namespace Lekhika.Workflows.Tests.Validation;

public sealed class ConfigValidationTests
{
    [Theory]
    [InlineData("http", "{}", "missing_config", "nodes[0].config.url")]
    [InlineData("http", """{"url":""}""", "missing_config", "nodes[0].config.url")]
    [InlineData("llm", "{}", "missing_config", "nodes[0].config")]
    [InlineData("map", """{"items":[]}""", "missing_config", "nodes[0].config.body")]
    [InlineData("http", """{"url":5}""", "wrong_type", "nodes[0].config.url")]
    [InlineData("http", """{"url":"https://x.example","method":"FETCH"}""", "wrong_value", "nodes[0].config.method")]
    [InlineData("http", """{"url":"https://x.example","timeout":"soon"}""", "wrong_type", "nodes[0].config.timeout")]
    [InlineData("http", """{"url":"https://x.example","headers":[]}""", "wrong_type", "nodes[0].config.headers")]
    [InlineData("llm", """{"prompt":"x","temperature":"0.5"}""", "wrong_type", "nodes[0].config.temperature")]
    [InlineData("llm", """{"prompt":"x","max_tokens":1.5}""", "wrong_type", "nodes[0].config.max_tokens")]
    [InlineData("output", """{"toc":"yes"}""", "wrong_type", "nodes[0].config.toc")]
    [InlineData("condition", """{"expression":true}""", "wrong_type", "nodes[0].config.expression")]
    [InlineData("condition", """{"expression":"{{ inputs.x }} > 1"}""", "wrong_type", "nodes[0].config.expression")]
    [InlineData("merge", """{"inputs":"a"}""", "wrong_type", "nodes[0].config.inputs")]
    [InlineData("output", """{"from":"nowhere"}""", "unknown_node", "nodes[0].config.from")]
    [InlineData("trigger", """{"fields":[{"type":"string"}]}""", "wrong_type", "nodes[0].config.fields[0]")]
    [InlineData("trigger", """{"fields":[{"name":"a"},{"name":"a"}]}""", "duplicate_input", "nodes[0].config.fields[1].name")]
    [InlineData("trigger", """{"fields":[{"name":"a","type":"nmuber"}]}""", "wrong_value", "nodes[0].config.fields[0].type")]
    [InlineData("delay", "{}", "missing_config", "nodes[0].config")]
    public void Wrong_config_is_an_error_in_its_place(string type, string config, string code, string path)
    {
        var problem = Documents.Check($$"""{"nodes":[{"id":"a","type":"{{type}}","config":{{config}}}]}""").Problem(code);
        Assert.Equal(Severity.Error, problem.Severity);
        Assert.Equal(path, problem.Path);
    }

    [Theory]
    [InlineData("llm", """{"prompt":"x","temperature":"{{ inputs.heat }}","max_tokens":"{{ inputs.most }}"}""")]
    [InlineData("delay", """{"for":90}""")]
    [InlineData("http", """{"url":"https://x.example","body":[1,{"a":null}],"expect_status":[200,404]}""")]
    [InlineData("merge", """{"inputs":"{{ [1, 2] }}"}""")]
    [InlineData("llm", """{"prompt":"x","max_tokens":null}""")]
    public void Templates_and_nulls_may_stand_for_any_kind(string type, string config) =>
        Assert.Empty(Documents.Check($$"""{"nodes":[{"id":"a","type":"{{type}}","config":{{config}}}]}""").Errors());

    [Fact]
    public void An_unknown_field_is_a_warning_with_a_suggestion()
    {
        var problem = Documents.Check("""{"nodes":[{"id":"a","type":"llm","config":{"prompt":"x","temprature":1}}]}""").Problem("unknown_config");
        Assert.Equal(Severity.Warning, problem.Severity);
        Assert.Equal("temperature", problem.Suggestion);
    }

    [Fact]
    public void An_unknown_type_says_where_and_what_was_meant()
    {
        var result = Documents.Check("""
            {"nodes":[{"id":"a","type":"noop"},{"id":"b","type":"noop"},{"id":"c","type":"noop"},{"id":"d","type":"sracping"}]}
            """);
        var problem = result.Problem("unknown_node_type");
        Assert.Equal("unknown node type 'sracping' at nodes[3]; did you mean 'scraping'?", problem.Message);
        Assert.Equal("nodes[3].type", problem.Path);
    }

    [Fact]
    public void A_type_that_needs_an_endpoint_names_the_configuration_key() => Assert.Contains(
        "[nodes] scraping = URL",
        Documents.Check("""{"nodes":[{"id":"a","type":"scraping"}]}""").Problem("external_type_not_configured").Message,
        StringComparison.Ordinal);

    [Fact]
    public void Code_is_refused_with_advice() => Assert.Contains(
        "CEL",
        Documents.Check("""{"nodes":[{"id":"a","type":"code"}]}""").Problem("external_type_not_configured").Message,
        StringComparison.Ordinal);

    [Theory]
    [InlineData("llama3:8b", true)]
    [InlineData("llama3", true)]
    [InlineData("mistral:latest", true)]
    [InlineData("fast", true)]
    [InlineData("{{ inputs.model }}", true)]
    [InlineData("llama3:70b", false)]
    public void Models_are_looked_up_among_those_present(string model, bool present)
    {
        var result = Documents.Check(
            $$$"""{"nodes":[{"id":"a","type":"llm","config":{"prompt":"x","model":"{{{model}}}"}}]}""",
            new() { ModelAliases = new Dictionary<string, string> { ["fast"] = "llama3:8b" } },
            new() { PresentModels = ["llama3:8b", "llama3:latest", "mistral"] });
        Assert.Equal(!present, result.Problems.Any(problem => problem.Code == "model_not_present"));
    }
}
