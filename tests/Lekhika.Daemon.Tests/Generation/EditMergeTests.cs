using System.Text.Json;
using Lekhika.Daemon.Generation;
using Xunit;

namespace Lekhika.Daemon.Tests.Generation;

/// <summary>What a change leaves alone.</summary>
public sealed class EditMergeTests
{
    private const string Current = """
        {"name":"Mine","nodes":[{"id":"a","type":"trigger"},{"id":"b","type":"llm","config":{"prompt":"p"}},{"id":"c","type":"output"}],
         "edges":[{"id":"e1","from":"a","to":"b"},{"id":"e2","from":"b","to":"c"}]}
        """;

    [Fact]
    public void A_node_put_between_two_takes_the_place_of_their_edge()
    {
        var merged = Merge("""{"nodes":[{"id":"x","type":"set","config":{"values":{}}}],"edges":[{"from":"a","to":"x"},{"from":"x","to":"b"}]}""", "add a set node");
        Assert.Equal(["a", "b", "c", "x"], Ids(merged));
        Assert.Equal(["a>x", "b>c", "x>b"], Edges(merged));
    }

    [Fact]
    public void Nodes_that_were_only_left_out_stay()
    {
        var merged = Merge("""{"nodes":[{"id":"b","type":"llm","config":{"prompt":"q"}}],"edges":[]}""", "ask q instead of nothing");
        Assert.Equal(["a", "b", "c"], Ids(merged));
        Assert.Equal(["a>b", "b>c"], Edges(merged));
        Assert.Equal("Mine", merged.GetProperty("name").GetString());
    }

    [Fact]
    public void Removed_nodes_go_with_their_edges_and_the_rest_is_joined()
    {
        var merged = Merge("""{"nodes":[],"edges":[],"removed":["b"]}""", "take the model out");
        Assert.Equal(["a", "c"], Ids(merged));
        Assert.Equal(["a>c"], Edges(merged));
    }

    [Fact]
    public void A_whole_reply_without_the_node_that_was_to_go_removes_it()
    {
        var merged = Merge(
            """{"nodes":[{"id":"a","type":"trigger"},{"id":"c","type":"output"}],"edges":[{"from":"a","to":"c"}]}""", "Remove the llm node");
        Assert.Equal(["a", "c"], Ids(merged));
        Assert.Equal(["a>c"], Edges(merged));
    }

    [Fact]
    public void A_node_under_data_is_changed_where_it_is()
    {
        const string hydrated = """{"nodes":[{"id":"b","type":"custom","data":{"type":"ollama","label":"Ask","config":{"prompt":"p","model":"m"}}}],"edges":[]}""";
        var merged = EditMerge.Apply(Parse(hydrated), Parse("""{"nodes":[{"id":"b","type":"ollama","config":{"prompt":"q"}}],"edges":[]}"""), "ask q", EdgeForm.Editor);
        var node = merged.GetProperty("nodes")[0];
        Assert.Equal("custom", node.GetProperty("type").GetString());
        Assert.Equal("q", node.GetProperty("data").GetProperty("config").GetProperty("prompt").GetString());
        Assert.Equal("m", node.GetProperty("data").GetProperty("config").GetProperty("model").GetString());
    }

    private static JsonElement Merge(string reply, string prompt) => EditMerge.Apply(Parse(Current), Parse(reply), prompt, EdgeForm.Canonical);

    private static IEnumerable<string> Ids(JsonElement workflow) => workflow.GetProperty("nodes").EnumerateArray().Select(static node => node.GetProperty("id").GetString()!);

    private static IEnumerable<string> Edges(JsonElement workflow) => workflow.GetProperty("edges").EnumerateArray()
        .Select(static edge => $"{edge.GetProperty("from").GetString()}>{edge.GetProperty("to").GetString()}").Order(StringComparer.Ordinal);

    private static JsonElement Parse(string json)
    {
        using var document = JsonDocument.Parse(json);
        return document.RootElement.Clone();
    }
}
