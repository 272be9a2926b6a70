using System.Text;
using Lekhika.Workflows.Catalogue;
using Lekhika.Workflows.Definitions;
using Lekhika.Workflows.Tests.Definitions;
using Lekhika.Workflows.Validation;
using Xunit;

namespace Lekhika.Workflows.Tests.Catalogue;

public sealed class NodeCatalogueTests
{
    [Theory]
    [InlineData("trigger", EffectClass.Pure)]
    [InlineData("llm", EffectClass.Effect)]
    [InlineData("chapters", EffectClass.Effect)]
    [InlineData("refine", EffectClass.Effect)]
    [InlineData("image", EffectClass.Effect)]
    [InlineData("http", EffectClass.Effect)]
    [InlineData("condition", EffectClass.Pure)]
    [InlineData("switch", EffectClass.Pure)]
    [InlineData("map", EffectClass.Scope)]
    [InlineData("loop", EffectClass.Scope)]
    [InlineData("merge", EffectClass.Pure)]
    [InlineData("set", EffectClass.Pure)]
    [InlineData("delay", EffectClass.Wait)]
    [InlineData("approval", EffectClass.Wait)]
    [InlineData("subworkflow", EffectClass.Wait)]
    [InlineData("output", EffectClass.Pure)]
    [InlineData("noop", EffectClass.Pure)]
    [InlineData("stop_and_error", EffectClass.Pure)]
    [InlineData("log_output", EffectClass.Pure)]
    [InlineData("respond_to_webhook", EffectClass.Pure)]
    public void Every_type_of_the_language_is_there_with_its_effect(string name, EffectClass effect) =>
        Assert.Equal(effect, NodeCatalogue.BuiltIn.Find(name)?.Effect);

    [Fact]
    public void Every_type_is_described_and_its_example_validates()
    {
        foreach (var type in NodeCatalogue.BuiltIn.Types)
        {
            Assert.NotEmpty(type.Description);
            Assert.NotEqual("external", type.Category);
            Assert.All(type.Fields, field => Assert.NotEmpty(field.Description));
            Assert.True(type.Example is not null, type.Name);
            var result = Documents.Check($$"""{"nodes":[{"id":"write","type":"{{type.Name}}","config":{{type.Example}}}]}""");
            Assert.Empty(result.Errors());
            Assert.DoesNotContain(result.Problems, problem => problem.Code == "unknown_config");
        }
    }

    [Fact]
    public void Defaults_and_options_agree_with_the_kind_of_their_field()
    {
        foreach (var field in NodeCatalogue.BuiltIn.Types.SelectMany(type => type.Fields))
        {
            Assert.Equal(field.Kind == FieldKind.Enum, field.Options.Length > 0);
            if (field.Kind == FieldKind.Enum && field.Default is { } standard) Assert.Contains(standard.GetString(), field.Options);
        }
    }

    [Theory]
    [InlineData("ctrlchecks", "if_else", "condition")]
    [InlineData("ctrlchecks", "slack_message", "http")]
    [InlineData("synthralos", "ai-prompt", "llm")]
    [InlineData("lekhika", "input", "trigger")]
    [InlineData("canonical", "human_approval", "approval")]
    public void Aliases_belong_to_their_dialect(string dialect, string alias, string type) =>
        Assert.Equal(type, NodeCatalogue.BuiltIn.FindAlias(dialect, alias)?.Name);

    [Fact]
    public void Nothing_is_both_built_in_and_foreign() =>
        Assert.DoesNotContain(NodeCatalogue.BuiltIn.Foreign.Keys, name => NodeCatalogue.BuiltIn.Find(name) is not null);

    [Fact]
    public void An_external_type_accepts_any_config_and_any_branch()
    {
        var catalogue = NodeCatalogue.BuiltIn.WithExternal(["scraping", "my_own"]);
        Assert.True(catalogue.Find("my_own")!.External);
        var result = Documents.Check(
            """{"nodes":[{"id":"a","type":"scraping","config":{"url":5}},{"id":"b","type":"noop"}],"edges":[{"from":"a","to":"b","when":"found"}]}""",
            new() { Catalogue = catalogue });
        Assert.Empty(result.Errors());
        Assert.Equal(["scraping"], result.ExternalTypes);
    }

    [Fact]
    public void A_built_in_type_cannot_be_replaced() =>
        Assert.Throws<ArgumentException>(() => NodeCatalogue.BuiltIn.WithExternal(["llm"]));

    [Fact]
    public void An_operator_can_describe_types_in_a_file()
    {
        var catalogue = NodeCatalogue.BuiltIn.WithFile(Encoding.UTF8.GetBytes("""
            {"types":[{"name":"scraping","effect":"effect","fields":[{"name":"url","type":"string","required":true},{"name":"key","secret":true}]}]}
            """)).WithExternal(["scraping"]);
        var type = catalogue.Find("scraping")!;
        Assert.True(type.External);
        Assert.Equal(["key"], type.SecretFields);
        var problems = WorkflowValidator.Validate(
            Documents.Read("""{"nodes":[{"id":"a","type":"scraping","config":{}}]}""", new() { Catalogue = catalogue }).Definition!,
            new() { Catalogue = catalogue });
        Assert.Contains(problems, problem => problem.Code == "missing_config" && problem.Path == "nodes[0].config.url");
    }

    [Theory]
    [InlineData("{", "not JSON")]
    [InlineData("{}", "types")]
    [InlineData("""{"types":[{}]}""", "types[0]")]
    [InlineData("""{"types":[{"name":"a","effect":"odd"}]}""", "types[0].effect")]
    [InlineData("""{"types":[{"name":"a","fields":[{"name":"b","type":"odd"}]}]}""", "types[0].fields[0].type")]
    [InlineData("""{"types":[{"name":"a"},{"name":"a"}]}""", "second time")]
    public void A_bad_catalogue_is_refused_with_the_place(string json, string expected) =>
        Assert.Contains(expected, Assert.Throws<FormatException>(() => NodeCatalogue.BuiltIn.WithFile(Encoding.UTF8.GetBytes(json))).Message, StringComparison.Ordinal);

    [Fact]
    public void Fields_that_nobody_renders_beforehand_are_known()
    {
        Assert.Equal(["expression"], NodeCatalogue.BuiltIn.Find("condition")!.RawFields);
        Assert.Equal(["prompt", "system"], NodeCatalogue.BuiltIn.Find("chapters")!.RawFields.Order());
        Assert.Equal(["format"], NodeCatalogue.BuiltIn.Find("llm")!.RawFields);
        Assert.Equal(["body", "headers", "query", "url"], NodeCatalogue.BuiltIn.Find("http")!.SecretFields.Order());
    }
}
