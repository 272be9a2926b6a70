using Lekhika.Workflows.Catalogue;
using Lekhika.Workflows.Definitions;
using Lekhika.Workflows.Dialects;
using Lekhika.Workflows.Tests.Definitions;
using Xunit;

namespace Lekhika.Workflows.Tests.Dialects;

public sealed class SampleTests
{
    [Theory]
    [InlineData("lekhika-four-nodes.json", "chapters")]
    [InlineData("lekhika-transcript-to-book.json", "refine")]
    public void Both_Lekhika_flows_read(string name, string compiled)
    {
        var options = new ReadOptions { ModelAliases = new Dictionary<string, string> { ["OPENA-01-first:gpt-4o"] = "llama3:8b" } };
        var result = Documents.Check(Documents.Sample(name), options);
        Assert.Equal(Dialect.Lekhika, result.Dialect);
        Assert.Empty(result.Problems);
        Assert.Empty(result.ExternalTypes);
        Assert.Equal(compiled, result.Node(result.Node("output-1").Text("from")!).Type);
    }

    [Fact]
    public void The_architect_reaches_the_writer()
    {
        var result = Documents.Check(Documents.Sample("lekhika-transcript-to-book.json"));
        Assert.Contains("nodes[\"architect-1\"].text", result.Node("writer-1").Text("structure"), StringComparison.Ordinal);
        Assert.Contains("nodes[\"extractor-1\"].text", result.Node("writer-1").Text("context"), StringComparison.Ordinal);
    }

    [Fact]
    public void An_edge_to_a_missing_node_refuses_the_native_flow()
    {
        var result = Documents.Check(Documents.Sample("synthralos-native.json"));
        Assert.Equal(Dialect.SynthralOS, result.Dialect);
        Assert.False(result.Ok);
        Assert.Contains("node-2", Assert.Single(result.Errors()), StringComparison.Ordinal);
        Assert.Equal("edges[0]", result.Problem("unknown_edge_end").Path);
    }

    [Theory]
    [InlineData("synthralos-conditional.json", "connector,rag_switch,scraping")]
    [InlineData("ctrlchecks-if-else.json", "javascript")]
    public void Flows_that_need_endpoints_are_refused_by_name_until_those_are_configured(string name, string types)
    {
        var document = Documents.Sample(name);
        var needed = types.Split(',');
        var refused = Documents.Check(document);
        Assert.False(refused.Ok);
        Assert.Equal(needed, refused.ExternalTypes);
        Assert.Equal(needed.Length, refused.Errors().Length);
        Assert.All(needed, type => Assert.Contains(refused.Errors(), error => error.Contains($"[nodes] {type} = URL", StringComparison.Ordinal)));

        var accepted = Documents.Check(document, new ReadOptions { Catalogue = NodeCatalogue.BuiltIn.WithExternal(needed) });
        Assert.Empty(accepted.Problems);
        Assert.Equal(needed, accepted.ExternalTypes);
    }

    [Fact]
    public void The_old_expressions_of_the_samples_are_CEL()
    {
        Assert.Equal(
            "(size((\"result\" in nodes[\"scrape-1\"] ? nodes[\"scrape-1\"].result : nodes[\"scrape-1\"]).content)) > 1000",
            Documents.Read(Documents.Sample("synthralos-conditional.json")).Node("condition-1").Text("expression"));
        Assert.Equal(
            "(\"approved\" in nodes[\"js_1\"] ? nodes[\"js_1\"].approved : inputs.approved) == true",
            Documents.Read(Documents.Sample("ctrlchecks-if-else.json")).Node("ifelse_1").Text("expression"));
    }

    [Theory]
    [InlineData("synthralos-conditional.json")]
    [InlineData("ctrlchecks-if-else.json")]
    [InlineData("lekhika-four-nodes.json")]
    [InlineData("lekhika-transcript-to-book.json")]
    public void What_was_read_is_the_same_when_written_in_canonical_form_and_read_again(string name)
    {
        var first = Documents.Read(Documents.Sample(name)).Definition!;
        var again = WorkflowReader.Read(DefinitionWriter.ToElement(first), new ReadOptions());
        Assert.Equal(Dialect.Canonical, again.Dialect);
        Assert.Equal(Documents.Canonical(first), Documents.Canonical(again.Definition!));
    }
}
