using Lekhika.Daemon.Tests.Nodes.Support;
using Xunit;

namespace Lekhika.Daemon.Tests.Nodes;

public sealed class ScopeNodeTests
{
    [Fact]
    public async Task A_map_runs_its_body_for_each_item_and_keeps_their_order()
    {
        await using var run = new WorkflowRun();
        var result = await run.ResultAsync(WorkflowRun.OneNode("map", """
            {"items":"{{ inputs.names }}","item":"name","concurrency":3,"body":{"nodes":[{"id":"hi","type":"set","config":{"values":{"text":"{{ index }}: {{ name }} {{ item }}"}}}],"edges":[]}}
            """), """{"names":["a","b","c"]}""");
        Assert.Equal(3, result.GetProperty("count").GetInt32());
        Assert.Equal(["0: a a", "1: b b", "2: c c"], result.GetProperty("items").EnumerateArray().Select(static item => item.GetProperty("text").GetString()!));
    }

    [Fact]
    public async Task A_map_of_nothing_gives_nothing()
    {
        await using var run = new WorkflowRun();
        var result = await run.ResultAsync(WorkflowRun.OneNode("map", """{"items":[],"body":{"nodes":[{"id":"x","type":"noop"}],"edges":[]}}"""));
        Assert.Equal(0, result.GetProperty("count").GetInt32());
    }

    [Fact]
    public async Task A_list_longer_than_the_limit_fails_the_map()
    {
        await using var run = new WorkflowRun();
        var (code, message) = await run.FailureAsync(
            WorkflowRun.OneNode("map", """{"items":"{{ inputs.list }}","max_items":2,"body":{"nodes":[{"id":"x","type":"noop"}],"edges":[]}}"""), """{"list":[1,2,3]}""");
        Assert.Equal("iteration_limit", code);
        Assert.Contains("raise max_items", message, StringComparison.Ordinal);
    }

    [Fact]
    public async Task What_is_no_list_fails_the_map()
    {
        await using var run = new WorkflowRun();
        var (code, message) = await run.FailureAsync(
            WorkflowRun.OneNode("map", """{"items":"{{ inputs.list }}","body":{"nodes":[{"id":"x","type":"noop"}],"edges":[]}}"""), """{"list":"abc"}""");
        Assert.Equal("expression_failed", code);
        Assert.Contains("must give a list", message, StringComparison.Ordinal);
    }

    [Fact]
    public async Task A_loop_runs_a_number_of_times_and_tells_its_last_pass()
    {
        await using var run = new WorkflowRun();
        var result = await run.ResultAsync(WorkflowRun.OneNode("loop", """
            {"times":"{{ inputs.n }}","body":{"nodes":[{"id":"x","type":"set","config":{"values":{"pass":"{{ index }}"}}}],"edges":[]}}
            """), """{"n":3}""");
        Assert.Equal(3, result.GetProperty("count").GetInt32());
        Assert.Equal(2, result.GetProperty("last").GetProperty("pass").GetInt32());
    }

    [Fact]
    public async Task A_loop_goes_on_while_its_expression_holds_for_the_pass_before()
    {
        await using var run = new WorkflowRun();
        var result = await run.ResultAsync(WorkflowRun.OneNode("loop", """
            {"while":"index == 0 || previous.n < 16","body":{"nodes":[{"id":"x","type":"set","config":{"values":{"n":"{{ index == 0 ? 1 : previous.n * 2 }}"}}}],"edges":[]}}
            """));
        Assert.Equal(5, result.GetProperty("count").GetInt32());
        Assert.Equal(16, result.GetProperty("last").GetProperty("n").GetInt32());
    }

    [Fact]
    public async Task A_loop_that_does_not_end_fails_at_its_limit()
    {
        await using var run = new WorkflowRun();
        var (code, _) = await run.FailureAsync(
            WorkflowRun.OneNode("loop", """{"while":"true","max_iterations":4,"body":{"nodes":[{"id":"x","type":"noop"}],"edges":[]}}"""));
        Assert.Equal("iteration_limit", code);
    }

    [Fact]
    public async Task A_condition_of_a_loop_that_is_neither_true_nor_false_fails_it()
    {
        await using var run = new WorkflowRun();
        var (code, message) = await run.FailureAsync(
            WorkflowRun.OneNode("loop", """{"while":"1 + 1","body":{"nodes":[{"id":"x","type":"noop"}],"edges":[]}}"""));
        Assert.Equal("expression_failed", code);
        Assert.Contains("must give true or false", message, StringComparison.Ordinal);
    }
}
