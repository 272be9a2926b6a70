using System.Text.Json;
using Lekhika.Workflows.Catalogue;
using Lekhika.Workflows.Definitions;
using Lekhika.Workflows.Dialects;
using Lekhika.Workflows.Tests.Definitions;
using Xunit;

namespace Lekhika.Workflows.Tests.Dialects;

public sealed class SynthralTests
{
    private static ReadResult Around(string type, string config, ReadOptions? options = null) => Documents.Check(
        $$$$"""
        {"nodes":[{"node_id":"start","node_type":"trigger","config":{}},{"node_id":"ask-1","node_type":"ai_prompt","config":{"prompt":"p"}},
          {"node_id":"n","node_type":"{{{{type}}}}","config":{{{{config}}}}}],
         "edges":[{"from":"start","to":"ask-1"},{"from":"ask-1","to":"n"}],"entry_node_id":"start"}
        """,
        options);

    [Theory]
    [InlineData("http_request", """{"url":"https://x.example/{{trigger.data.id}}","timeout":30}""", "http", """{"url":"https://x.example/{{ inputs.id }}","timeout":"30s"}""")]
    [InlineData("ai-prompt", """{"prompt":"Sum up {{ask-1.result.content}}","system_prompt":"s","model":"llama3:8b","max_tokens":100}""", "llm", """{"model":"llama3:8b","prompt":"Sum up {{ nodes[\"ask-1\"].text }}","system":"s","max_tokens":100}""")]
    [InlineData("if", """{"expression":"${amount} > 3 and {{ask-1.result.tokens_used}} < 5"}""", "condition", """{"expression":"inputs.amount > 3 && (nodes[\"ask-1\"].tokens_in + nodes[\"ask-1\"].tokens_out) < 5"}""")]
    [InlineData("condition", """{"condition":"data.x === 1"}""", "condition", """{"expression":"inputs.x == 1"}""")]
    [InlineData("switch", """{"switch_expression":"data.kind","cases":["a","b"]}""", "switch", """{"expression":"inputs.kind","cases":["a","b"]}""")]
    [InlineData("switch", """{"condition":"x > 1"}""", "condition", """{"expression":"inputs.x > 1"}""")]
    [InlineData("delay", """{"delay_seconds":90}""", "delay", """{"for":"90s"}""")]
    [InlineData("wait", """{"delay_type":"until_time","target_time":"2030-01-01T00:00:00Z"}""", "delay", """{"until":"2030-01-01T00:00:00Z"}""")]
    [InlineData("delay", """{"delay_type":"until_condition","condition_expression":"vars.ready === true"}""", "delay", """{"condition":"vars.ready == true"}""")]
    [InlineData("map", """{"input_array":"{{trigger.data.rows}}","map_expression":"item.total * 2"}""", "set", """{"values":{"items":"{{ inputs.rows.map(item, item.total * 2) }}"}}""")]
    [InlineData("filter", """{"input_array":"trigger.rows","filter_condition":"item.ok == True"}""", "filter", """{"items":"{{ inputs.rows }}","condition":"item.ok == true"}""")]
    [InlineData("reduce", """{"input_array":[1,2],"reduce_function":"sum"}""", "aggregate", """{"items":[1,2],"operation":"sum"}""")]
    [InlineData("merge", """{"merge_strategy":"array","input_sources":["start","ask-1"]}""", "merge", """{"mode":"append","inputs":["{{ nodes[\"start\"] }}","{{ nodes[\"ask-1\"] }}"]}""")]
    [InlineData("split", """{"input_array":"{{trigger.data.rows}}","split_strategy":"by_size","split_config":{"size":3}}""", "split", """{"items":"{{ inputs.rows }}","size":3}""")]
    [InlineData("set_variable", """{"variable_name":"x","variable_value":"{{trigger.a}}","variable_scope":"workflow"}""", "set", """{"values":{"x":"{{ inputs.a }}"}}""")]
    [InlineData("get_variable", """{"variable_name":"x","default_value":5}""", "set", """{"values":{"x":"{{ (\"x\" in vars ? vars.x : 5) }}"}}""")]
    [InlineData("sub-workflow", """{"sub_workflow_id":"w","wait_for_completion":true,"input_data":{"a":"{{trigger.b}}"}}""", "subworkflow", """{"workflow_id":"w","inputs":{"a":"{{ inputs.b }}"},"wait":true}""")]
    [InlineData("human_approval", """{"approval_message":"ok?","timeout_seconds":60,"approval_options":["yes","no"]}""", "approval", """{"message":"ok?","timeout":"1m","options":["yes","no"]}""")]
    [InlineData("notification", """{"channel":"slack","recipient":"https://hooks.example/x","message":"hi"}""", "http", """{"url":"https://hooks.example/x","method":"POST","body":{"text":"hi"}}""")]
    public void Types_of_the_table_become_canonical_ones(string type, string config, string canonical, string expected)
    {
        var result = Around(type, config);
        Assert.Equal(Dialect.SynthralOS, result.Dialect);
        Assert.Empty(result.Errors());
        var node = result.Node("n");
        Assert.Equal(canonical, node.Type);
        Assert.True(JsonElement.DeepEquals(Documents.Json(expected), node.Config), $"expected {expected}\n but was {node.Config.GetRawText()}");
    }

    [Theory]
    [InlineData("code", "CEL")]
    [InlineData("try", "error")]
    [InlineData("catch", "error")]
    [InlineData("break", "while")]
    [InlineData("connector", "[nodes] connector = URL")]
    [InlineData("agent", "[nodes] agent = URL")]
    [InlineData("storage", "[nodes] storage = URL")]
    public void Other_types_are_refused_with_advice(string type, string advice)
    {
        var problem = Around(type, "{}").Problem("external_type_not_configured");
        Assert.Contains(advice, problem.Message, StringComparison.Ordinal);
        Assert.Equal("nodes[2].node_type", problem.Path);
        Assert.Empty(Around(type, "{}", new() { Catalogue = NodeCatalogue.BuiltIn.WithExternal([type]) }).Errors());
    }

    [Fact]
    public void Code_in_reduce_is_refused_with_advice() => Assert.Contains(
        "CEL", Around("reduce", """{"input_array":[1],"reduce_function":"lambda a, b: a * b"}""").Problem("code_not_run").Message, StringComparison.Ordinal);

    [Fact]
    public void Nodes_as_a_map_get_their_edges_from_next()
    {
        var result = Documents.Check("""
            {"nodes":{"t":{"node_type":"trigger","next":"c"},"c":{"node_type":"merge","next":["x","y"]},"x":{"node_type":"merge"},"y":{"node_type":"merge","next":"zz"}}}
            """);
        Assert.Equal(Dialect.SynthralOS, result.Dialect);
        Assert.Equal(["t→c", "c→x", "c→y", "y→zz"], result.Definition!.Edges.Select(edge => $"{edge.From}→{edge.To}"));
        Assert.Equal("nodes.y.next", result.Problem("unknown_edge_end").Path);
    }

    [Fact]
    public void Next_does_not_count_beside_a_list_of_edges() => Assert.Equal(
        [new EdgeDefinition("a", "b")],
        Documents.Read("""{"nodes":{"a":{"node_type":"trigger","next":"c"},"b":{"node_type":"merge"},"c":{"node_type":"merge"}},"edges":[{"from":"a","to":"b"}]}""").Definition!.Edges);

    [Fact]
    public void An_entry_node_that_is_not_there_is_an_error()
    {
        var problem = Documents.Check("""{"graph_config":{"nodes":[{"node_id":"node-1","node_type":"trigger"}],"entry_node_id":"node-l"}}""").Problem("unknown_node");
        Assert.Equal(("graph_config.entry_node_id", "node-1"), (problem.Path, problem.Suggestion));
    }

    [Theory]
    [InlineData("branch")]
    [InlineData("condition")]
    public void Labels_come_from_branch_or_condition(string field) => Assert.Equal(
        "false",
        Assert.Single(Documents.Check($$$"""
            {"nodes":[{"id":"c","type":"condition","config":{"condition":"1 < 2"}},{"id":"x","type":"merge"}],"edges":[{"source":"c","target":"x","{{{field}}}":"false"}]}
            """).Definition!.Edges).When);

    [Fact]
    public void True_path_and_false_path_label_edges_or_make_them()
    {
        var result = Documents.Check("""
            {"nodes":[{"node_id":"c","node_type":"condition","config":{"condition":"1 < 2","true_path":"x","false_path":"y"}},
              {"node_id":"x","node_type":"merge"},{"node_id":"y","node_type":"merge"}],"edges":[{"from":"c","to":"x"}]}
            """);
        Assert.Empty(result.Errors());
        Assert.Equal([new EdgeDefinition("c", "x", "true"), new EdgeDefinition("c", "y", "false")], result.Definition!.Edges);
    }

    [Theory]
    [InlineData("""{"loop_type":"while","condition_expression":"index < 3"}""", "loop", """{"while":"index < 3"}""")]
    [InlineData("""{"repeat_count":"4"}""", "loop", """{"times":4}""")]
    [InlineData("""{"array_expression":"{{trigger.data.rows}}","loop_variable":"row"}""", "map", """{"items":"{{ inputs.rows }}","item":"row","concurrency":1}""")]
    public void Loops_with_an_edge_back_get_their_body(string config, string type, string expected)
    {
        var result = Documents.Check($$$$"""
            {"nodes":[{"node_id":"t","node_type":"trigger"},{"node_id":"l","node_type":"loop","config":{{{{config}}}}},
              {"node_id":"a","node_type":"set_variable","config":{"variable_name":"v","variable_value":"{{row.name}}"}},{"node_id":"z","node_type":"merge"}],
             "edges":[{"from":"t","to":"l"},{"from":"l","to":"a"},{"from":"a","to":"l"},{"from":"l","to":"z"}]}
            """);
        Assert.Empty(result.Errors());
        var loop = result.Node("l");
        Assert.Equal(type, loop.Type);
        Assert.True(JsonElement.DeepEquals(Documents.Json(expected), loop.Config), loop.Config.GetRawText());
        Assert.Equal("a", Assert.Single(loop.Body!.Nodes).Id);
        Assert.Equal([new EdgeDefinition("t", "l"), new EdgeDefinition("l", "z")], result.Definition!.Edges);
    }

    [Fact]
    public void A_loop_that_repeats_nothing_is_an_error_that_says_how_to_draw_one() =>
        Assert.Contains("body", Around("repeat", """{"repeat_count":3}""").Problem("loop_without_body").Message, StringComparison.Ordinal);

    [Fact]
    public void A_null_label_is_no_label() => Assert.Null(
        Assert.Single(Documents.Check("""{"nodes":[{"node_id":"a","node_type":"trigger"},{"node_id":"b","node_type":"merge"}],"edges":[{"from":"a","to":"b","condition":null}]}""")
            .Definition!.Edges).When);
}
