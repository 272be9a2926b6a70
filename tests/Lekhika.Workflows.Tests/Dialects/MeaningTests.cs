using System.Text.Json;
using Lekhika.Workflows.Definitions;
using Lekhika.Workflows.Dialects;
using Lekhika.Workflows.Expressions;
using Lekhika.Workflows.Templates;
using Lekhika.Workflows.Tests.Definitions;
using Xunit;

namespace Lekhika.Workflows.Tests.Dialects;

/// <summary>What the readers emit, evaluated: old conditions and templates give what their authors meant.</summary>
public sealed class MeaningTests
{
    private const string Inputs =
        """{"kind":"Report","n":7,"text_n":"1,200","empty":"","none":null,"yes":true,"no":false,"tags":["a","B"],"deep":{"a":{"b":2}},"items":[{"q":1},{"q":5}],"name":"Ann"}""";

    [Theory]
    [InlineData("kind", "equals", "\"report\"", true)]
    [InlineData("kind", "equals", "\"reports\"", false)]
    [InlineData("missing", "equals", "\"x\"", false)]
    [InlineData("missing", "not_equals", "\"x\"", true)]
    [InlineData("yes", "equals", "true", true)]
    [InlineData("n", "equals", "\"7\"", true)]
    [InlineData("kind", "contains", "\"POR\"", true)]
    [InlineData("tags", "contains", "\"b\"", true)]
    [InlineData("tags", "not_contains", "\"z\"", true)]
    [InlineData("missing", "contains", "\"x\"", false)]
    [InlineData("n", "greater_than", "\"5\"", true)]
    [InlineData("n", "less_than", "5", false)]
    [InlineData("text_n", "greater_than", "1000", true)]
    [InlineData("kind", "greater_than", "5", false)]
    [InlineData("missing", "greater_than", "5", false)]
    [InlineData("tags", "less_than", "5", false)]
    [InlineData("kind", "exists", "null", true)]
    [InlineData("empty", "exists", "null", false)]
    [InlineData("missing", "exists", "null", false)]
    [InlineData("none", "not_exists", "null", true)]
    [InlineData("no", "exists", "null", true)]
    public void Field_operator_and_value_mean_the_same_in_both_dialects(string field, string word, string value, bool expected)
    {
        var condition = $$$"""{"field":"{{{field}}}","operator":"{{{word}}}","value":{{{value}}}}""";
        var lekhika = Documents.Check(
            $$$"""{"nodes":[{"id":"in","type":"input","data":{"inputFields":[]}},{"id":"c","type":"condition","data":{"conditions":[{{{condition}}}]} }],"edges":[{"source":"in","target":"c"}]}""");
        var ctrl = Documents.Check(
            $$$"""{"nodes":[{"id":"in","type":"webhook","config":{}},{"id":"c","type":"if_else","config":{"conditions":[{{{condition}}}]} }],"edges":[{"source":"in","target":"c","sourceHandle":"output"}]}""");
        Assert.Empty(lekhika.Errors());
        Assert.Empty(ctrl.Errors());
        Assert.Equal(expected, Evaluate(lekhika.Node("c").Text("expression")!));
        Assert.Equal(expected, Evaluate(ctrl.Node("c").Text("expression")!));
    }

    [Theory]
    [InlineData("{{trigger.data.yes}}", true)]
    [InlineData("{{trigger.data.no}}", false)]
    [InlineData("!{{trigger.data.no}}", true)]
    [InlineData("{{trigger.data.missing}}", false)]
    [InlineData("!trigger.data.missing.deeper", true)]
    [InlineData("trigger.data.kind", true)]
    [InlineData("{{trigger.data.empty}}", false)]
    [InlineData("trigger.data.items.1.q", true)]
    [InlineData("trigger.data.items.7.q", false)]
    [InlineData("{{trigger.data.n}} > 5 and not {{trigger.data.no}}", true)]
    [InlineData("${n} == 7", true)]
    [InlineData("trigger.data.tags.includes('a') && trigger.data.kind.includes('port')", true)]
    [InlineData("trigger.data.items.filter(x => x.q > 3).length === 1", true)]
    [InlineData("trigger.data.items.some(x => x.q > trigger.data.n)", false)]
    [InlineData("trigger.data.kind.toLowerCase() === 'report'", true)]
    [InlineData("'{{trigger.data.kind}}' == 'Report'", true)]
    [InlineData("len(trigger.data.tags) == 2", true)]
    [InlineData("Math.max(trigger.data.n, 3) == 7", true)]
    public void Conditions_of_SynthralOS_hold_when_they_held_there(string condition, bool expected)
    {
        var quoted = JsonEncodedText.Encode(condition);
        var result = Documents.Check(
            $$$"""{"nodes":[{"node_id":"t","node_type":"trigger"},{"node_id":"c","node_type":"condition","config":{"condition":"{{{quoted}}}"} }],"edges":[{"from":"t","to":"c"}]}""");
        Assert.Empty(result.Errors());
        Assert.Equal(expected, Evaluate(result.Node("c").Text("expression")!));
    }

    [Theory]
    [InlineData("$.deep.a.b", true)]
    [InlineData("$.deep.x.b", false)]
    [InlineData("empty", false)]
    public void A_JSON_path_condition_holds_for_what_is_there(string path, bool expected)
    {
        var result = Documents.Check(
            $$$"""{"nodes":[{"node_id":"c","node_type":"condition","config":{"condition_type":"jsonpath","condition":"{{{path}}}"} }],"edges":[]}""");
        Assert.Empty(result.Errors());
        Assert.Equal(expected, Evaluate(result.Node("c").Text("expression")!));
    }

    [Theory]
    [InlineData("Dear {{input.name || 'friend'}},", "Dear Ann,")]
    [InlineData("Dear {{input.missing || 'friend'}},", "Dear friend,")]
    [InlineData("Dear {{input.missing.deeper ?? input.name}},", "Dear Ann,")]
    [InlineData("{{input.deep.a.b}} of {{input.items.length}}", "2 of 2")]
    [InlineData("{{input.yes ? 'on' : 'off'}}", "on")]
    [InlineData("{\"q\": {{input.n}}}", "{\"q\": 7}")]
    public void Templates_of_CtrlChecks_say_what_they_said(string template, string expected)
    {
        var quoted = JsonEncodedText.Encode(template);
        var result = Documents.Check(
            $$$"""{"nodes":[{"id":"in","type":"webhook","config":{}},{"id":"f","type":"log_output","config":{"message":"{{{quoted}}}"} }],"edges":[{"source":"in","target":"f","sourceHandle":"output"}]}""");
        Assert.Empty(result.Errors());
        Assert.Equal(expected, TextTemplate.Compile(result.Node("f").Text("message")!).Render(Bindings()));
    }

    [Theory]
    [InlineData("{topic}", "{}", "[topic not provided]")]
    [InlineData("{topic}", """{"topic":null}""", "[topic not provided]")]
    [InlineData("{topic}", """{"Topic":"rain"}""", "rain")]
    [InlineData("{Book Title} by {author}", """{"bookTitle":"T","Author Name":"A"}""", "T by A")]
    [InlineData("{word_count} words, {\"a\": {topic}}", """{"Target Length":500,"topic":"x"}""", "500 words, {\"a\": x}")]
    [InlineData("after {previous_node_output}", "{}", "after [previous_node_output not provided]")]
    public void Single_braces_take_an_input_under_any_of_its_names_or_say_that_it_is_missing(string prompt, string inputs, string expected)
    {
        var quoted = JsonEncodedText.Encode(prompt);
        var result = Documents.Check(
            $$$"""{"nodes":[{"id":"in","type":"input","data":{"inputFields":[]}},{"id":"p","type":"process","data":{"role":"helper","userPrompt":"{{{quoted}}}"} }],"edges":[{"source":"in","target":"p"}]}""");
        Assert.Empty(result.Errors());
        Assert.Equal(expected, TextTemplate.Compile(result.Node("p").Text("prompt")!).Render(Bindings(inputs)));
    }

    [Theory]
    [InlineData("""{"research-1":{"text":"facts"}}""", "Use facts")]
    [InlineData("{}", "Use [research_data not provided]")]
    public void A_node_that_did_not_run_is_said_to_be_missing(string nodes, string expected)
    {
        var result = Documents.Check("""
            {"nodes":[{"id":"in","type":"input","data":{"inputFields":[]}},{"id":"research-1","type":"process","data":{"role":"researcher"}},
              {"id":"p","type":"process","data":{"role":"helper","userPrompt":"Use {research_data}"}}],
             "edges":[{"source":"in","target":"research-1"},{"source":"research-1","target":"p"}]}
            """);
        Assert.Empty(result.Errors());
        Assert.Equal(expected, TextTemplate.Compile(result.Node("p").Text("prompt")!).Render(Bindings("{}", nodes)));
    }

    [Theory]
    [InlineData("""{"chapter_count":5}""", 5)]
    [InlineData("""{"Number of Chapters":"6-8"}""", 8)]
    [InlineData("""{"word_count":"2,000"}""", 3)]
    [InlineData("""{"word_count":"3000-5000 words"}""", 4)]
    [InlineData("""{"word_count":9000}""", 6)]
    [InlineData("{}", 6)]
    [InlineData("""{"chapter_count":"many","word_count":1000}""", 3)]
    public void Chapters_count_from_the_inputs(string inputs, long expected)
    {
        var result = Documents.Check(
            """{"nodes":[{"id":"in","type":"input","data":{"inputFields":[]}},{"id":"w","type":"process","data":{"role":"content_writer"}}],"edges":[{"source":"in","target":"w"}]}""");
        Assert.Empty(result.Errors());
        var value = TextTemplate.Compile(result.Node("w").Text("chapters")!).Evaluate(Bindings(inputs));
        Assert.Equal(expected, value.ToJson().GetInt64());
    }

    [Theory]
    [InlineData("lekhika-four-nodes.json")]
    [InlineData("lekhika-transcript-to-book.json")]
    [InlineData("synthralos-conditional.json")]
    [InlineData("ctrlchecks-if-else.json")]
    public void Every_expression_of_a_sample_compiles_and_gives_a_value(string name)
    {
        var definition = Documents.Read(Documents.Sample(name)).Definition!;
        var bindings = Bindings(
            """{"topic":"rain","word_count":"2000","url":"u","amount":1}""",
            """
            {"research-1":{"text":"r"},"content-1":{"text":"c","chapters":[]},"extractor-1":{"text":"e"},"architect-1":{"text":"a"},"writer-1":{"text":"w"},
             "editor-1":{"text":"d"},"scrape-1":{"result":{"content":"abc"}},"js_1":{"approved":true,"reason":"fine"}}
            """);
        foreach (var node in definition.Nodes)
        {
            if (node.Type is "condition") Assert.NotEqual(CelKind.Null, CelExpression.Compile(node.Text("expression")!).Evaluate(bindings).Kind);
            var config = ConfigTemplate.Compile(node.Config, leaveRaw: field => field is "expression" or "from");
            Assert.DoesNotContain("{{", config.Render(bindings).GetRawText(), StringComparison.Ordinal);
        }
    }

    private static bool Evaluate(string expression)
    {
        var value = CelExpression.Compile(expression).Evaluate(Bindings());
        Assert.Equal(CelKind.Bool, value.Kind);
        return value.ToJson().GetBoolean();
    }

    private static CelBindings Bindings(string inputs = Inputs, string nodes = "{}") => new()
    {
        { "inputs", CelValue.FromJson(Documents.Json(inputs)) },
        { "nodes", CelValue.FromJson(Documents.Json(nodes)) },
        { "item", CelValue.FromJson(Documents.Json("""{"number":1,"total":3,"title":"t","outline":"o","previous_titles":[],"previous_summary":"","text":"x"}""")) },
    };
}
