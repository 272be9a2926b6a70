using System.Text.Json;
using Lekhika.Workflows.Catalogue;
using Lekhika.Workflows.Definitions;
using Lekhika.Workflows.Dialects;
using Lekhika.Workflows.Tests.Definitions;
using Xunit;

namespace Lekhika.Workflows.Tests.Dialects;

public sealed class CtrlChecksTests
{
    /// <summary>A trigger, an HTTP request, the node under test, and an edge with a handle so that the dialect is plain.</summary>
    private static ReadResult Around(string type, string config, ReadOptions? options = null) => Documents.Check(
        $$$$"""
        {"nodes":[{"id":"start","type":"manual_trigger","config":{}},{"id":"get","type":"http_request","config":{"url":"https://x.example"}},
          {"id":"n","type":"{{{{type}}}}","config":{{{{config}}}}},{"id":"last","type":"noop","config":{}}],
         "edges":[{"source":"start","target":"get"},{"source":"get","target":"n","sourceHandle":"output"},{"source":"n","target":"last"}]}
        """,
        options);

    [Theory]
    [InlineData("if_else", """{"condition":"{{input.qty}} < 5"}""", "condition", """{"expression":"nodes[\"get\"].json.qty < 5"}""")]
    [InlineData("if_else", """{"condition":"input.state === 'open' && input.items.length > 2"}""", "condition", """{"expression":"nodes[\"get\"].json.state == 'open' && size(nodes[\"get\"].json.items) > 2"}""")]
    [InlineData("switch", """{"expression":"{{input.kind}}","cases":"[{\"value\":\"a\",\"label\":\"A\"},{\"value\":\"b\"}]"}""", "switch", """{"expression":"nodes[\"get\"].json.kind","cases":["a","b"]}""")]
    [InlineData("filter", """{"array":"{{input.rows}}","condition":"item.total > 3"}""", "filter", """{"items":"{{ nodes[\"get\"].json.rows }}","condition":"item.total > 3"}""")]
    [InlineData("filter", """{"array":"input.rows","condition":"{{item.total}} !== 3"}""", "filter", """{"items":"{{ nodes[\"get\"].json.rows }}","condition":"item.total != 3"}""")]
    [InlineData("merge", """{"mode":"key_based","mergeKey":"id"}""", "merge", """{"mode":"by_key","key":"id"}""")]
    [InlineData("wait", """{"duration":1500}""", "delay", """{"for":"1500ms"}""")]
    [InlineData("split_in_batches", """{"array":"{{input}}","batchSize":"20"}""", "split", """{"items":"{{ nodes[\"get\"] }}","size":20}""")]
    [InlineData("stop_and_error", """{"errorMessage":"No {{input.x}}","errorCode":"E"}""", "stop_and_error", """{"message":"No {{ nodes[\"get\"].json.x }}","code":"E"}""")]
    [InlineData("set", """{"fields":"{\"a\":\"{{input.x}}\",\"b\":2}"}""", "set", """{"values":{"a":"{{ nodes[\"get\"].json.x }}","b":2}}""")]
    [InlineData("set_variable", """{"name":"v","value":"{{trigger.y}}"}""", "set", """{"values":{"v":"{{ inputs.y }}"}}""")]
    [InlineData("rename_keys", """{"mappings":{"old":"new"}}""", "set", """{"values":{"new":"{{ nodes[\"get\"].json.old }}"},"keep":true,"remove":["old"]}""")]
    [InlineData("edit_fields", """{"operations":"[{\"operation\":\"set\",\"field\":\"a\",\"value\":\"1\"},{\"operation\":\"remove\",\"field\":\"b\"}]"}""", "set", """{"values":{"a":"1"},"keep":true,"remove":["b"]}""")]
    [InlineData("json_parser", """{"expression":"$.a.b"}""", "parse_json", """{"text":"{{ nodes[\"get\"] }}","select":"item.a.b"}""")]
    [InlineData("sort", """{"field":"a.b","direction":"desc","type":"number"}""", "sort", """{"by":"item.a.b","direction":"desc","as":"number"}""")]
    [InlineData("limit", """{"limit":"5"}""", "limit", """{"count":5}""")]
    [InlineData("aggregate", """{"operation":"sum","field":"x","groupBy":"y"}""", "aggregate", """{"operation":"sum","field":"x","group_by":"y"}""")]
    [InlineData("log_output", """{"message":"ok","level":"warn"}""", "log_output", """{"message":"ok","level":"warn"}""")]
    [InlineData("slack_message", """{"webhookUrl":"{{env.SLACK}}","message":"Low: {{input.qty}}"}""", "http", """{"url":"{{ secrets.SLACK }}","method":"POST","body":{"text":"Low: {{ nodes[\"get\"].json.qty }}"}}""")]
    [InlineData("discord_webhook", """{"webhookUrl":"https://d.example","content":"hi","avatarUrl":"u"}""", "http", """{"url":"https://d.example","method":"POST","body":{"content":"hi","avatar_url":"u"}}""")]
    [InlineData("http_post", """{"url":"https://p.example","headers":"{\"A\":\"b\"}","bodyTemplate":"{\"x\":\"{{input.q}}\"}"}""", "http", """{"url":"https://p.example","headers":{"A":"b"},"method":"POST","body":{"x":"{{ nodes[\"get\"].json.q }}"}}""")]
    [InlineData("http_request", """{"url":"https://p.example","method":"PUT","timeout":2000}""", "http", """{"url":"https://p.example","method":"PUT","timeout":"2s"}""")]
    [InlineData("human_approval", """{"approvers":["a"],"approvalType":"single","timeout":3600,"defaultAction":"reject"}""", "approval", """{"approvers":["a"],"timeout":"1h","default":"reject"}""")]
    [InlineData("respond_to_webhook", """{"statusCode":"201","responseBody":{"ok":true}}""", "respond_to_webhook", """{"status":201,"body":{"ok":true}}""")]
    [InlineData("ollama", """{"serverUrl":"http://localhost:11434","model":"llama3:8b","prompt":"{{input.body}}","temperature":0.2}""", "llm", """{"model":"llama3:8b","prompt":"{{ nodes[\"get\"].body }}","temperature":0.2}""")]
    public void Core_types_become_canonical_ones(string type, string config, string canonical, string expected)
    {
        var result = Around(type, config);
        Assert.Equal(Dialect.CtrlChecks, result.Dialect);
        Assert.Empty(result.Errors());
        var node = result.Node("n");
        Assert.Equal(canonical, node.Type);
        Assert.True(JsonElement.DeepEquals(Documents.Json(expected), node.Config), $"expected {expected}\n but was {node.Config.GetRawText()}");
    }

    [Fact]
    public void Hydrated_and_bare_nodes_read_alike()
    {
        var bare = Documents.Read("""{"nodes":[{"id":"a","type":"if_else","config":{"condition":"true"}}],"edges":[{"source":"a","target":"a","sourceHandle":"true"}]}""");
        var hydrated = Documents.Read("""
            {"nodes":[{"id":"a","type":"custom","data":{"type":"if_else","category":"logic","config":{"condition":"true"}}}],
             "edges":[{"source":"a","target":"a","sourceHandle":"true"}]}
            """);
        Assert.Equal(Documents.Canonical(bare.Definition!), Documents.Canonical(hydrated.Definition!));
    }

    [Fact]
    public void Input_means_what_the_trigger_gave_where_nothing_else_came_before() => Assert.Equal(
        "inputs.amount > 10",
        Documents.Read("""
            {"nodes":[{"id":"t","type":"webhook","config":{"method":"POST"}},{"id":"c","type":"if_else","config":{"condition":"{{input.amount}} > 10"}}],
             "edges":[{"source":"t","target":"c","sourceHandle":"output"}]}
            """).Node("c").Text("expression"));

    [Fact]
    public void Input_behind_a_join_is_whichever_branch_ran()
    {
        var text = Documents.Check("""
            {"nodes":[{"id":"t","type":"webhook","config":{"method":"POST"}},{"id":"c","type":"if_else","config":{"condition":"input.x > 1"}},
              {"id":"p","type":"text_formatter","config":{"template":"p"}},{"id":"q","type":"text_formatter","config":{"template":"q"}},
              {"id":"end","type":"log_output","config":{"message":"{{input.text}}"}}],
             "edges":[{"source":"t","target":"c"},{"source":"c","target":"p","sourceHandle":"true"},{"source":"c","target":"q","sourceHandle":"false"},
              {"source":"p","target":"end"},{"source":"q","target":"end"}]}
            """).Node("end").Text("message");
        Assert.Equal("{{ (\"p\" in nodes ? nodes[\"p\"].text : nodes[\"q\"].text) }}", text);
    }

    [Theory]
    [InlineData("b", "b")]
    [InlineData("case_1", "b")]
    [InlineData("default", "default")]
    public void Handles_of_a_switch_are_its_cases(string handle, string label)
    {
        var result = Documents.Check($$$"""
            {"nodes":[{"id":"s","type":"switch","config":{"expression":"input.k","cases":[{"value":"a"},{"value":"b"}]}},{"id":"x","type":"noop","config":{}}],
             "edges":[{"source":"s","target":"x","sourceHandle":"{{{handle}}}"}]}
            """);
        Assert.Empty(result.Errors());
        Assert.Equal(label, Assert.Single(result.Definition!.Edges).When);
    }

    [Fact]
    public void A_loop_with_an_edge_back_gets_its_body()
    {
        var result = Documents.Check("""
            {"nodes":[{"id":"t","type":"manual_trigger","config":{}},{"id":"l","type":"loop","config":{"array":"{{input.rows}}","maxIterations":50}},
              {"id":"a","type":"text_formatter","config":{"template":"Row {{input.name}}"}},{"id":"b","type":"log_output","config":{"message":"{{a.text}}"}},
              {"id":"end","type":"noop","config":{}}],
             "edges":[{"source":"t","target":"l"},{"source":"l","target":"a","sourceHandle":"loop"},{"source":"a","target":"b"},{"source":"b","target":"l"},
              {"source":"l","target":"end","sourceHandle":"done"}]}
            """);
        Assert.Empty(result.Errors());
        var loop = result.Node("l");
        Assert.Equal("map", loop.Type);
        Assert.Equal(["a", "b"], loop.Body!.Nodes.Select(node => node.Id));
        Assert.Equal("Row {{ item.name }}", loop.Body.Nodes[0].Config.GetProperty("values").GetProperty("text").GetString());
        Assert.Equal([new EdgeDefinition("a", "b")], loop.Body.Edges);
        Assert.Equal([new EdgeDefinition("t", "l"), new EdgeDefinition("l", "end")], result.Definition!.Edges);
    }

    [Fact]
    public void A_loop_that_repeats_nothing_passes_its_list_on_with_a_warning()
    {
        var result = Around("loop", """{"array":"{{input.rows}}","maxIterations":7}""");
        Assert.Equal("limit", result.Node("n").Type);
        Assert.Equal("7", result.Node("n").Text("count"));
        Assert.Equal("nodes[2]", result.Problem("loop_without_body").Path);
    }

    [Fact]
    public void Problems_are_placed_in_the_hydrated_document()
    {
        var result = Documents.Check("""
            {"nodes":[{"id":"a","type":"custom","data":{"type":"http_request","config":{"method":"FETCH"}}},{"id":"b","type":"custom","data":{"type":"if_esle","config":{}}}]}
            """);
        Assert.Equal("nodes[0].data.config.method", result.Problem("wrong_value").Path);
        Assert.Equal("nodes[0].data.config", result.Problem("missing_config").Path);
        var unknown = result.Problem("unknown_node_type");
        Assert.Equal(("nodes[1].data.type", "if_else"), (unknown.Path, unknown.Suggestion));
    }

    [Fact]
    public void An_agent_with_tools_is_refused_and_one_without_is_a_model_call()
    {
        Assert.Equal("tools_not_supported", Around("ai_agent", """{"apiKey":"k","model":"gpt-4o","prompt":"p","tools":[{"name":"x"}]}""").Problem("tools_not_supported").Code);
        var result = Around("ai_agent", """{"apiKey":"k","model":"gpt-4o","prompt":"p","tools":[]}""", new() { DefaultModel = "llama3:8b" });
        Assert.Empty(result.Errors());
        Assert.Equal("llama3:8b", result.Node("n").Text("model"));
        Assert.DoesNotContain("apiKey", result.Node("n").Config.GetRawText(), StringComparison.Ordinal);
    }

    [Fact]
    public void An_external_type_keeps_its_config_with_templates_translated()
    {
        var result = Around("google_sheets", """{"operation":"append","data":[["{{input.q}}"]]}""", new() { Catalogue = NodeCatalogue.BuiltIn.WithExternal(["google_sheets"]) });
        Assert.Empty(result.Errors());
        Assert.Equal("""{"operation":"append","data":[["{{ nodes[\"get\"].json.q }}"]]}""", result.Node("n").Config.GetRawText());
    }

    [Fact]
    public void An_operator_can_take_over_a_type_that_would_otherwise_be_translated()
    {
        var result = Around("slack_message", """{"message":"x"}""", new() { Catalogue = NodeCatalogue.BuiltIn.WithExternal(["slack_message"]) });
        Assert.Empty(result.Errors());
        Assert.Equal("slack_message", result.Node("n").Type);
    }
}
