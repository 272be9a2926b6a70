using System.Text.Json;
using Lekhika.Daemon.Tests.Diagnostics;
using Lekhika.Daemon.Tests.Nodes.Support;
using Xunit;

namespace Lekhika.Daemon.Tests.Nodes;

public sealed class DataNodeTests
{
    private const string Orders = """{"orders":[{"id":1,"total":50,"who":{"city":"Pune"}},{"id":2,"total":200,"who":{"city":"Goa"}},{"id":3,"total":120,"who":{"city":"Pune"}}]}""";

    [Theory]
    [InlineData("filter", """{"items":"{{ inputs.orders }}","condition":"item.total > 100 && index > 0"}""", """{"items":[2,3],"count":2}""")]
    [InlineData("sort", """{"items":"{{ inputs.orders }}","by":"item.total","direction":"desc"}""", """{"items":[2,3,1],"count":3}""")]
    [InlineData("sort", """{"items":"{{ inputs.orders }}","by":"item.who.city"}""", """{"items":[2,1,3],"count":3}""")]
    [InlineData("limit", """{"items":"{{ inputs.orders }}","count":1,"from":1}""", """{"items":[2],"count":1}""")]
    public async Task Lists_are_filtered_sorted_and_cut(string type, string config, string expected)
    {
        await using var run = new WorkflowRun();
        var result = await run.ResultAsync(WorkflowRun.OneNode(type, config), Orders);
        using var document = JsonDocument.Parse(expected);
        Assert.Equal(
            document.RootElement.GetProperty("items").EnumerateArray().Select(static id => id.GetInt32()),
            result.GetProperty("items").EnumerateArray().Select(static item => item.GetProperty("id").GetInt32()));
        Assert.Equal(document.RootElement.GetProperty("count").GetInt32(), result.GetProperty("count").GetInt32());
    }

    [Theory]
    [InlineData("aggregate", """{"items":"{{ inputs.orders }}","operation":"sum","field":"total"}""", """{"result":370,"count":3}""")]
    [InlineData("aggregate", """{"items":"{{ inputs.orders }}","operation":"avg","field":"total","group_by":"who.city"}""", """{"result":123.33333333333333,"groups":{"Pune":85,"Goa":200},"count":3}""")]
    [InlineData("aggregate", """{"items":"{{ inputs.orders }}","operation":"max","field":"total"}""", """{"result":200,"count":3}""")]
    [InlineData("aggregate", """{"items":"{{ inputs.orders }}","operation":"join","field":"who.city","separator":", "}""", """{"result":"Pune, Goa, Pune","count":3}""")]
    [InlineData("aggregate", """{"items":"{{ inputs.orders }}","operation":"collect","field":"id"}""", """{"result":[1,2,3],"count":3}""")]
    [InlineData("aggregate", """{"items":[],"operation":"avg"}""", """{"result":null,"count":0}""")]
    [InlineData("split", """{"items":[1,2,3],"size":2}""", """{"items":[[1,2],[3]],"count":2}""")]
    [InlineData("split", """{"items":"a,b,cde","separator":",","size":2}""", """{"items":["a","b","cd","e"],"count":4}""")]
    [InlineData("parse_json", """{"text":"Here it is:\n```json\n{\"a\":[1,2]}\n```\nDone."}""", """{"value":{"a":[1,2]}}""")]
    [InlineData("parse_json", """{"text":"It is {\"a\":{\"b\":5}} as asked","select":"item.a.b + 1"}""", """{"value":6}""")]
    [InlineData("merge", """{"mode":"deep","inputs":[{"a":{"x":1},"b":1,"c":"ü"},{"a":{"y":2},"b":2,"d":null}]}""", """{"a":{"x":1,"y":2},"b":2,"c":"ü","d":null}""")]
    [InlineData("merge", """{"mode":"concat","inputs":[[1],{"items":[2,3]},4]}""", """{"items":[1,2,3,4],"count":4}""")]
    [InlineData("merge", """{"mode":"by_key","key":"id","inputs":[[{"id":1,"a":1},{"id":2,"a":2}],[{"id":1,"b":9}]]}""", """{"items":[{"id":1,"a":1,"b":9},{"id":2,"a":2}],"count":2}""")]
    [InlineData("merge", """{"mode":"first","inputs":[{"a":1},{"b":2}]}""", """{"a":1}""")]
    [InlineData("respond_to_webhook", """{"status":201,"headers":{"X-A":"b"},"body":{"ok":true}}""", """{"status":201,"headers":{"X-A":"b"},"body":{"ok":true}}""")]
    [InlineData("log_output", """{"message":"got {{ size(inputs.orders) }}","level":"warn"}""", """{"message":"got 3","level":"warn"}""")]
    public async Task Values_are_computed(string type, string config, string expected)
    {
        await using var run = new WorkflowRun();
        var result = await run.ResultAsync(WorkflowRun.OneNode(type, config), Orders);
        using var document = JsonDocument.Parse(expected);
        Assert.True(JsonElement.DeepEquals(document.RootElement, result), result.GetRawText());
    }

    [Theory]
    [InlineData("filter", """{"items":"{{ inputs.orders }}","condition":"item.total"}""", "expression_failed", "must give true or false")]
    [InlineData("filter", """{"items":"{{ inputs.orders[0] }}","condition":"true"}""", "expression_failed", "gave an object")]
    [InlineData("aggregate", """{"items":"{{ inputs.orders }}","operation":"sum","field":"who"}""", "expression_failed", "needs numbers in 'who'")]
    [InlineData("parse_json", """{"text":"no json here"}""", "invalid_input", "there is no JSON in the text")]
    [InlineData("stop_and_error", """{"message":"No orders today","code":"NO_ORDERS"}""", "stopped_by_workflow", "No orders today")]
    public async Task What_cannot_be_computed_says_why(string type, string config, string code, string message)
    {
        await using var run = new WorkflowRun();
        var failure = await run.FailureAsync(WorkflowRun.OneNode(type, config), Orders);
        Assert.Equal(code, failure.Code);
        Assert.Contains(message, failure.Message, StringComparison.Ordinal);
    }

    [Fact]
    public async Task A_line_reaches_the_log_with_the_execution_and_the_node()
    {
        var logger = new RecordingLogger();
        await using var run = new WorkflowRun(logger: logger);
        await run.ResultAsync(WorkflowRun.OneNode("log_output", """{"message":"Got {{ inputs.topic }}"}"""), """{"topic":"Tea"}""");
        Assert.Equal("Execution 0190f0de-0000-7000-8000-000000000001: node it says: Got Tea", Assert.Single(logger.Messages));
    }

    [Fact]
    public async Task A_list_comes_from_the_node_before_where_none_is_given()
    {
        await using var run = new WorkflowRun();
        var result = await run.ResultAsync("""
            {"nodes":[{"id":"start","type":"trigger"},{"id":"cut","type":"split","config":{"items":"c b a","separator":" "}},{"id":"order","type":"sort","config":{}}],
             "edges":[{"from":"start","to":"cut"},{"from":"cut","to":"order"}]}
            """);
        Assert.Equal(["a", "b", "c"], result.GetProperty("items").EnumerateArray().Select(static item => item.GetString()!));
    }
}
