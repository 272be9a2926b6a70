using Lekhika.Workflows.Dialects;
using Lekhika.Workflows.Tests.Definitions;
using Xunit;

namespace Lekhika.Workflows.Tests.Dialects;

public sealed class DetectionTests
{
    [Theory]
    [InlineData("""{"nodes":[{"id":"a","type":"llm","config":{}}],"edges":[]}""", Dialect.Canonical)]
    [InlineData("""{"nodes":[]}""", Dialect.Canonical)]
    [InlineData("""{"nodes":[{"id":"a","type":"condition","config":{}},{"id":"b","type":"merge"}],"edges":[{"from":"a","to":"b","when":"true"}]}""", Dialect.Canonical)]
    [InlineData("""{"nodes":[{"id":"a","type":"input","data":{"inputFields":[]}}]}""", Dialect.Lekhika)]
    [InlineData("""{"nodes":[{"id":"a","type":"process","role":"editor"}]}""", Dialect.Lekhika)]
    [InlineData("""{"graph_config":{"nodes":[]}}""", Dialect.SynthralOS)]
    [InlineData("""{"nodes":{"a":{"node_type":"trigger"}}}""", Dialect.SynthralOS)]
    [InlineData("""{"nodes":[{"node_id":"a","node_type":"trigger"}]}""", Dialect.SynthralOS)]
    [InlineData("""{"nodes":[{"id":"a","type":"condition"}],"edges":[{"source":"a","target":"b","condition":"true"}]}""", Dialect.SynthralOS)]
    [InlineData("""{"nodes":[{"id":"a","type":"trigger"},{"id":"b","type":"scraping"}],"edges":[{"source":"a","target":"b"}]}""", Dialect.SynthralOS)]
    [InlineData("""{"nodes":[{"id":"a","type":"custom","data":{"type":"if_else","config":{}}}]}""", Dialect.CtrlChecks)]
    [InlineData("""{"nodes":[{"id":"a","type":"if_else","config":{}}],"edges":[{"source":"a","target":"b","sourceHandle":"true"}]}""", Dialect.CtrlChecks)]
    [InlineData("""{"nodes":[{"id":"a","type":"manual_trigger"},{"id":"b","type":"text_formatter"}],"edges":[{"source":"a","target":"b"}]}""", Dialect.CtrlChecks)]
    public void Dialects_are_told_by_shape(string json, Dialect dialect) => Assert.Equal(dialect, Documents.Read(json).Dialect);

    [Fact]
    public void Nodes_and_edges_kept_as_JSON_in_a_text_are_opened()
    {
        var result = Documents.Read("""
            {"nodes":"[{\"node_id\":\"a\",\"node_type\":\"trigger\"},{\"node_id\":\"b\",\"node_type\":\"merge\"}]","edges":"[{\"from\":\"a\",\"to\":\"b\"}]"}
            """);
        Assert.Equal(Dialect.SynthralOS, result.Dialect);
        Assert.Equal(2, result.Definition!.Nodes.Length);
        Assert.Single(result.Definition.Edges);
    }
}
