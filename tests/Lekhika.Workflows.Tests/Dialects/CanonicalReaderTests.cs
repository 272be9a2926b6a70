using System.Text.Json;
using Lekhika.Workflows.Definitions;
using Lekhika.Workflows.Tests.Definitions;
using Lekhika.Workflows.Validation;
using Xunit;

namespace Lekhika.Workflows.Tests.Dialects;

public sealed class CanonicalReaderTests
{
    [Fact]
    public void Every_field_of_the_canonical_form_is_read()
    {
        var result = Documents.Read("""
            {"name":"Book","nodes":[
              {"id":"start","type":"trigger","config":{"fields":[{"name":"topic","type":"string"}]}},
              {"id":"write","type":"llm","name":"Writer","config":{"prompt":"{{ inputs.topic }}"},"join":"any",
               "retry":{"max_attempts":5,"initial_delay":"100ms","backoff":3,"max_delay":60,"jitter":0},
               "timeout":"10m","on_error":"branch","optional":true}],
             "edges":[{"from":"start","to":"write","when":"error"}]}
            """);
        Assert.Empty(result.Problems);
        Assert.Equal("Book", result.Definition!.Name);
        var node = result.Node("write");
        Assert.Equal("Writer", node.DisplayName);
        Assert.Equal(JoinMode.Any, node.Join);
        Assert.Equal(ErrorMode.Branch, node.OnError);
        Assert.True(node.Optional);
        Assert.Equal(TimeSpan.FromMinutes(10), node.Timeout);
        var expected = new RetryPolicy
        {
            MaxAttempts = 5,
            InitialDelay = TimeSpan.FromMilliseconds(100),
            Backoff = 3,
            MaxDelay = TimeSpan.FromMinutes(1),
            Jitter = 0,
        };
        Assert.Equal(expected, node.Retry);
        Assert.Equal(new EdgeDefinition("start", "write", "error"), Assert.Single(result.Definition.Edges));
    }

    [Fact]
    public void Bodies_of_map_and_loop_are_read_and_leave_the_config()
    {
        var result = Documents.Read("""
            {"nodes":[{"id":"each","type":"map","config":{"items":[1,2],"body":{"nodes":[
              {"id":"again","type":"loop","config":{"times":2,"body":{"nodes":[{"id":"x","type":"noop"}],"edges":[]}}}],"edges":[]}}}],"edges":[]}
            """);
        Assert.Empty(result.Problems);
        var map = result.Node("each");
        Assert.False(map.Config.TryGetProperty("body", out _));
        var loop = Assert.Single(map.Body!.Nodes);
        Assert.Equal("x", Assert.Single(loop.Body!.Nodes).Id);
    }

    [Fact]
    public void A_definition_outlives_the_document_it_was_read_from()
    {
        WorkflowDefinition definition;
        using (var document = JsonDocument.Parse("""{"nodes":[{"id":"a","type":"llm","config":{"prompt":"hello"}}],"edges":[]}"""))
        {
            definition = Lekhika.Workflows.Dialects.WorkflowReader.Read(document.RootElement, new()).Definition!;
        }

        Assert.Equal("hello", definition.Nodes[0].Text("prompt"));
    }

    [Theory]
    [InlineData("""{"nodes":[{"id":"a","type":"noop","retry":{"max_attempts":0}}]}""", "nodes[0].retry.max_attempts")]
    [InlineData("""{"nodes":[{"id":"a","type":"noop","timeout":"soon"}]}""", "nodes[0].timeout")]
    [InlineData("""{"nodes":[{"id":"a","type":"noop","join":"some"}]}""", "nodes[0].join")]
    [InlineData("""{"nodes":[{"id":"a","type":"noop","optional":"yes"}]}""", "nodes[0].optional")]
    [InlineData("""{"nodes":[{"id":"a","type":"noop","config":[]}]}""", "nodes[0].config")]
    [InlineData("""{"nodes":[{"id":7,"type":"noop"}]}""", "nodes[0].id")]
    [InlineData("""{"nodes":[5]}""", "nodes[0]")]
    [InlineData("""{"nodes":[],"edges":{}}""", "edges")]
    [InlineData("""{"nodes":[],"edges":[7]}""", "edges[0]")]
    [InlineData("""{"nodes":[],"edges":[{"from":"a","to":"b","when":{}}]}""", "edges[0].when")]
    [InlineData("""{"nodes":7}""", "nodes")]
    [InlineData("[]", "")]
    [InlineData("null", "")]
    public void Wrong_shapes_are_errors_with_their_place(string json, string path) =>
        Assert.Contains(Documents.Read(json).Problems, problem => problem.Severity == Severity.Error && problem.Path == path);

    [Fact]
    public void Unknown_fields_are_warned_about_with_a_suggestion()
    {
        var problem = Documents.Read("""{"nodes":[{"id":"a","type":"noop","time_out":"1s"}]}""").Problem("unknown_field");
        Assert.Equal(Severity.Warning, problem.Severity);
        Assert.Equal("nodes[0].time_out", problem.Path);
        Assert.Equal("timeout", problem.Suggestion);
    }

    [Fact]
    public void All_wrong_shapes_are_reported_at_once()
    {
        var result = Documents.Read("""{"nodes":[{"id":"a","type":"noop","join":"x","timeout":"y","on_error":"z"}],"edges":[1,2]}""");
        Assert.Equal(5, result.Problems.Count);
    }

    [Theory]
    [InlineData("""{"nodes":[{"id":"\ud800","type":"noop"}]}""")]
    [InlineData("""{"nodes":[{"id":"a","type":"noop","config":{"\udc00":1}}]}""")]
    [InlineData("""{"nodes":[{"id":"a\u0000","type":"noop"}]}""")]
    public void Text_that_cannot_be_stored_is_an_error_and_not_an_exception(string json) =>
        Assert.Equal("invalid_text", Assert.Single(Documents.Read(json).Problems).Code);
}
