using Lekhika.Workflows.Definitions;
using Lekhika.Workflows.Dialects;
using Lekhika.Workflows.Tests.Definitions;
using Xunit;

namespace Lekhika.Workflows.Tests.Dialects;

public sealed class LekhikaTests
{
    private const string Input = """{"id":"in","type":"input","position":{"x":0,"y":0},"data":{"inputFields":[{"name":"Topic Name","variable":"topic","type":"text","required":true},{"name":"kind","type":"select","options":["a",{"value":"b"}]},{"name":"tones","type":"select","optionsSource":"tones"}]}}""";

    private static ReadResult Flow(string nodes, string edges = "", ReadOptions? options = null) =>
        Documents.Check($$"""{"nodes":[{{Input}},{{nodes}}],"edges":[{{edges}}]}""", options);

    private static string Node(string id, string type, string data, double x = 0, double y = 0) =>
        $$$"""{"id":"{{{id}}}","type":"{{{type}}}","position":{"x":{{{x}}},"y":{{{y}}}},"data":{{{data}}}}""";

    [Fact]
    public void Input_fields_become_the_inputs_of_the_trigger()
    {
        var fields = Flow(Node("p", "process", "{}", 1)).Node("in").Text("fields");
        Assert.Equal(
            """[{"name":"topic","type":"text","required":true,"aliases":["Topic Name"]},{"name":"kind","type":"select","options":["a","b"]},{"name":"tones","type":"text"}]""",
            fields);
    }

    [Theory]
    [InlineData("content_writer", "chapters")]
    [InlineData("technical_writer", "chapters")]
    [InlineData("copywriter", "chapters")]
    [InlineData("editor", "refine")]
    [InlineData("image_generator", "image")]
    [InlineData("ecover_generator", "image")]
    [InlineData("researcher", "llm")]
    [InlineData("content_architect", "llm")]
    [InlineData("fact_checker", "llm")]
    public void Roles_decide_what_a_process_node_is(string role, string type)
    {
        var result = Flow(Node("p", "process", $$"""{"role":"{{role}}"}""", 1));
        Assert.Empty(result.Errors());
        Assert.Equal(type, result.Node("p").Type);
        Assert.NotNull(result.Node("p").Text("prompt"));
        Assert.Equal(type == "image", result.Node("p").Optional);
    }

    [Theory]
    [InlineData("Narrative Writer", "chapters")]
    [InlineData("Final Editor", "refine")]
    [InlineData("Story Architect", "llm")]
    [InlineData("Helper", "llm")]
    public void Without_a_role_the_label_decides(string label, string type) =>
        Assert.Equal(type, Flow(Node("p", "process", $$"""{"label":"{{label}}"}""", 1)).Node("p").Type);

    [Theory]
    [InlineData("About {topic}.", "About {{ ([\"topic\", \"Topic Name\"].filter(key, key in inputs && inputs[key] != null).map(key, inputs[key]) + [\"[topic not provided]\"])[0] }}.")]
    [InlineData("{kind}", "{{ (\"kind\" in inputs && inputs.kind != null ? inputs.kind : \"[kind not provided]\") }}")]
    [InlineData("{{kind}}", "{{ (\"kind\" in inputs && inputs.kind != null ? inputs.kind : \"[kind not provided]\") }}")]
    [InlineData("{user_input_data}", "{{ inputs }}")]
    [InlineData("Reply {\"a\": [1, {\"b\": 2}], \"c\": {}}", "Reply {\"a\": [1, {\"b\": 2}], \"c\": {}}")]
    [InlineData("{title, author}", "{title, author}")]
    [InlineData("{\"x\":{\"y\":1}}", "{\"x\":{\"y\":1}}")]
    [InlineData("{{\"x\":1}}", "{{ \"{\" }}{\"x\":1}}")]
    [InlineData("{\"k\": {kind}}", "{\"k\": {{ (\"kind\" in inputs && inputs.kind != null ? inputs.kind : \"[kind not provided]\") }}}")]
    [InlineData("{ unclosed", "{ unclosed")]
    public void Single_braces_become_templates_and_JSON_stays_JSON(string prompt, string expected)
    {
        var quoted = System.Text.Json.JsonEncodedText.Encode(prompt);
        Assert.Equal(expected, Flow(Node("p", "process", $$"""{"role":"helper","userPrompt":"{{quoted}}"}""", 1)).Node("p").Text("prompt"));
    }

    [Theory]
    [InlineData("Word Count")]
    [InlineData("wordCount")]
    [InlineData("target_length")]
    public void Names_are_tried_under_every_spelling_they_go_by(string name)
    {
        var prompt = Flow(Node("p", "process", $$$"""{"role":"helper","userPrompt":"{{{{name}}}}"}""".Replace("{{" + name + "}}", "{" + name + "}", StringComparison.Ordinal), 1)).Node("p").Text("prompt")!;
        foreach (var key in new[] { name, "word_count", "Word Count", "wordCount" }) Assert.Contains($"\"{key}\"", prompt, StringComparison.Ordinal);
        Assert.Contains($"[{name} not provided]", prompt, StringComparison.Ordinal);
    }

    [Fact]
    public void A_name_may_speak_of_an_earlier_node()
    {
        var result = Flow(
            $"{Node("research-1", "process", """{"role":"researcher","label":"Research Node"}""", 1)},{Node("w", "process", """{"role":"helper","userPrompt":"Use {research_data} and {previous_node_output}"}""", 2)}");
        Assert.Equal(2, result.Node("w").Text("prompt")!.Split("nodes[\"research-1\"].text").Length - 1);
    }

    [Fact]
    public void Text_of_the_step_before_is_added_where_the_prompt_does_not_name_it()
    {
        var result = Flow($"{Node("a", "process", """{"role":"researcher","userPrompt":"one"}""", 1)},{Node("b", "process", """{"role":"helper","userPrompt":"two"}""", 2)}");
        Assert.Equal("one", result.Node("a").Text("prompt"));
        Assert.EndsWith("{{ (\"a\" in nodes ? nodes[\"a\"].text : \"\") }}", result.Node("b").Text("prompt"), StringComparison.Ordinal);
    }

    [Fact]
    public void A_writer_knows_the_chapter_it_writes_and_a_plan_beyond_the_next_node()
    {
        var result = Flow(
            $"{Node("arch", "process", """{"role":"content_architect"}""", 1)},{Node("mid", "process", """{"role":"researcher"}""", 2)},"
            + Node("w", "process", """{"role":"content_writer","userPrompt":"Chapter {currentChapter} of {totalChapters} after {previousChapterSummary}"}""", 3));
        Assert.Empty(result.Errors());
        Assert.Equal("Chapter {{ item.number }} of {{ item.total }} after {{ item.previous_summary }}", result.Node("w").Text("prompt"));
        Assert.Contains("nodes[\"arch\"].text", result.Node("w").Text("structure"), StringComparison.Ordinal);
        Assert.Contains("nodes[\"mid\"].text", result.Node("w").Text("context"), StringComparison.Ordinal);
        Assert.Contains("\"Number of Chapters\"", result.Node("w").Text("chapters"), StringComparison.Ordinal);
        Assert.Contains("words <= 2000 ? 3 : words <= 5000 ? 4 : words <= 10000 ? 6 : 8", result.Node("w").Text("chapters"), StringComparison.Ordinal);
    }

    [Fact]
    public void Chapter_names_outside_a_writer_are_visibly_missing() => Assert.Contains(
        "[currentChapter not provided]", Flow(Node("p", "process", """{"role":"helper","userPrompt":"{currentChapter}"}""", 1)).Node("p").Text("prompt"), StringComparison.Ordinal);

    [Fact]
    public void Without_edges_nodes_run_in_rows_from_left_to_right_and_output_last()
    {
        var result = Flow(
            $"{Node("out", "output", "{}", 0, 10)},{Node("d", "process", "{}", 10, 300)},{Node("b", "process", "{}", 300, 0)},{Node("c", "process", "{}", 400, 49)},{Node("a", "process", "{}", 200, 30)}");
        Assert.Equal(["in→a", "a→b", "b→c", "c→d", "d→out"], result.Definition!.Edges.Select(edge => $"{edge.From}→{edge.To}"));
        Assert.Empty(result.Errors());
    }

    [Fact]
    public void Nodes_that_edges_leave_out_follow_the_node_before_them()
    {
        var result = Flow(
            $"{Node("a", "process", "{}", 1)},{Node("b", "process", "{}", 2)},{Node("out", "output", "{}", 3)}", """{"source":"in","target":"a"}""");
        Assert.Equal(["in→a", "a→b", "b→out"], result.Definition!.Edges.Select(edge => $"{edge.From}→{edge.To}"));
    }

    [Fact]
    public void Several_conditions_hold_together_and_each_is_of_the_input_or_null()
    {
        var result = Flow(Node("c", "condition", """{"conditions":[{"field":"kind","operator":"exists"},{"field":"kind","operator":"not_equals","value":"A"}]}""", 1));
        Assert.Empty(result.Errors());
        const string Subject = "(\"kind\" in inputs && inputs.kind != null ? inputs.kind : null)";
        Assert.Equal(
            $"!([null, \"\"].exists(nothing, nothing == {Subject})) && ![{Subject}].exists(value, value != null && [\"%s\".format([value]).lowerAscii()].exists(text, text == \"a\"))",
            result.Node("c").Text("expression"));
    }

    [Fact]
    public void An_unknown_operator_is_an_error_in_its_place()
    {
        var problem = Flow(Node("c", "condition", """{"conditions":[{"field":"kind","operator":"equls","value":1}]}""", 1)).Problem("wrong_value");
        Assert.Equal(("nodes[1].data.conditions[0].operator", "equals"), (problem.Path, problem.Suggestion));
    }

    [Fact]
    public void A_condition_leads_where_its_actions_say()
    {
        var result = Flow(
            $"{Node("c", "condition", """{"conditions":[{"field":"kind","operator":"exists","trueAction":{"type":"skip_to","target":"y"},"falseAction":{"type":"skip_to","target":"z"}}]}""", 1)},{Node("y", "process", "{}", 2)},{Node("z", "process", "{}", 3)}",
            """{"source":"in","target":"c"},{"source":"c","target":"y"},{"source":"c","target":"z"}""");
        Assert.Empty(result.Problems);
        Assert.Equal(["", "true", "false"], result.Definition!.Edges.Select(edge => edge.When ?? ""));
    }

    [Fact]
    public void Output_compiles_the_book_and_names_formats_that_are_not_made()
    {
        var result = Flow(
            $"{Node("w", "process", """{"role":"content_writer"}""", 1)},{Node("blurb", "process", """{"role":"marketer"}""", 2)},{Node("out", "output", """{"outputFormat":"md","exportFormats":["html","epub"],"includeTOC":true}""", 3)}");
        var output = result.Node("out");
        Assert.Equal(("w", "markdown", "true"), (output.Text("from"), output.Text("format"), output.Text("toc")));
        Assert.Contains("[[\"markdown\", \"html\"]]", output.Text("formats"), StringComparison.Ordinal);
        Assert.Contains("epub", result.Problem("format_not_made").Message, StringComparison.Ordinal);
    }

    [Fact]
    public void A_node_with_AI_switched_off_is_refused() =>
        Assert.Equal("nodes[1].data.aiEnabled", Flow(Node("p", "process", """{"role":"helper","aiEnabled":false}""", 1)).Problem("ai_disabled").Path);

    [Fact]
    public void Models_and_settings_come_along()
    {
        var result = Flow(Node("p", "process", """{"role":"helper","selectedModels":["LOCAL-1:llama3:8b"],"temperature":"0.4","maxTokens":500,"systemPrompt":"You are {kind}"}""", 1));
        var node = result.Node("p");
        Assert.Equal(("llama3:8b", "0.4", "500"), (node.Text("model"), node.Text("temperature"), node.Text("max_tokens")));
        Assert.StartsWith("You are {{ ", node.Text("system"), StringComparison.Ordinal);
    }

    [Fact]
    public void A_preview_waits_for_approval_before_the_flow_goes_on()
    {
        var result = Flow(
            $"{Node("v", "preview", """{"label":"Look"}""", 1)},{Node("p", "process", "{}", 2)}", """{"source":"in","target":"v"},{"source":"v","target":"p"}""");
        Assert.Equal("approval", result.Node("v").Type);
        Assert.Equal(new EdgeDefinition("v", "p", "approve"), result.Definition!.Edges[1]);
    }

    [Fact]
    public void An_unknown_type_and_a_dangling_edge_are_placed_in_the_document()
    {
        var result = Flow(Node("p", "proces", """{"role":"x"}""", 1), """{"source":"in","target":"gone"}""");
        Assert.Equal(("nodes[1].type", "process"), (result.Problem("unknown_node_type").Path, result.Problem("unknown_node_type").Suggestion));
        Assert.Equal("edges[0]", result.Problem("unknown_edge_end").Path);
    }
}
