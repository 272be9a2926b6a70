using Lekhika.Workflows.Definitions;
using Lekhika.Workflows.Execution;
using Xunit;
using static Lekhika.Workflows.Tests.Execution.Graphs;

namespace Lekhika.Workflows.Tests.Execution;

public sealed class BranchAndJoinTests
{
    [Fact]
    public void A_line_runs_node_by_node_and_ends_with_the_last_output()
    {
        var machine = Machine(Graph("abc", "a-b", "b-c"));
        Assert.Equal("start a#1", machine.Next());
        Assert.Equal("", machine.Next());
        Assert.Equal("start b#1", machine.Next(Done("a")));
        Assert.Equal("start c#1", machine.Next(Done("b")));
        machine.Apply(Done("c", output: """{"x":1}"""));
        var finish = Assert.IsType<FinishRun>(Assert.Single(machine.Advance(Start)));
        Assert.Equal("""{"x":1}""", finish.Result.Output!.Value.GetRawText());
        Assert.Equal(RunStatus.Completed, machine.Status);
        Assert.Equal("", machine.Next());
    }

    [Fact]
    public void Branches_run_in_parallel_and_meet_at_a_join_of_all()
    {
        var machine = Machine(Graph("abcd", "a-b", "a-c", "b-d", "c-d"));
        machine.Next();
        Assert.Equal("start b#1, start c#1", machine.Next(Done("a")));
        Assert.Equal("", machine.Next(Done("c", output: """{"v":3}""")));
        machine.Apply(Done("b", output: """{"v":2}"""));
        var start = Assert.IsType<StartStep>(Assert.Single(machine.Advance(Start)));
        Assert.Equal(["b", "c"], start.Step.Predecessors);
        Assert.Equal("""{"b":{"v":2},"c":{"v":3}}""", machine.PreviousOf(start.Step)!.Value.GetRawText());
        Assert.Null(start.Step.FiredBy);
    }

    [Theory]
    [InlineData("true", "b")]
    [InlineData("TRUE", "b")]
    [InlineData("false", "c")]
    [InlineData("other", "")]
    [InlineData(null, "")]
    public void Labelled_edges_follow_the_branch(string? branch, string started)
    {
        var machine = Machine(Graph("abcd", "a-b:True", "a-c:false", "a-d"));
        machine.Next();
        var expected = string.Join(", ", $"{started}d".Select(id => $"start {id}#1"));
        Assert.Equal(expected, machine.Next(Done("a", branch)));
    }

    [Fact]
    public void Switch_cases_are_told_apart_by_case()
    {
        var machine = Machine(Graph("abc", "a-b:x", "a-c:X"));
        machine.Next();
        Assert.Equal("start c#1", machine.Next(Done("a", "X")));
    }

    [Fact]
    public void Paths_not_taken_are_skipped_through_to_the_join()
    {
        var machine = Machine(Graph("abcxyj", "a-b:true", "a-x:false", "x-y", "b-j", "y-j", "a-c:false", "c-j"));
        machine.Next();
        Assert.Equal("start b#1", machine.Next(Done("a", "true")));
        Assert.Equal("start j#1", machine.Next(Done("b")));
        Assert.Equal(StepStatus.Skipped, machine.Step("y")!.Status);
        Assert.Equal("completed", machine.Next(Done("j")));
    }

    [Fact]
    public void A_join_of_any_is_fired_once_by_the_first_to_arrive()
    {
        var join = Node("j") with { Join = JoinMode.Any };
        var machine = Machine(Graph([Node("a"), Node("b"), join], "a-j", "b-j"));
        machine.Next();
        machine.Apply(Done("b", output: """{"v":2}"""));
        var start = Assert.IsType<StartStep>(Assert.Single(machine.Advance(Start)));
        Assert.Equal("b", start.Step.FiredBy);
        Assert.Equal("""{"v":2}""", machine.PreviousOf(start.Step)!.Value.GetRawText());
        Assert.Equal("", machine.Next(Done("j") with { FiredBy = "b" }));
        Assert.Equal(RunStatus.Advancing, machine.Status);
        Assert.Equal("completed", machine.Next(Done("a")));
    }

    [Fact]
    public void The_recorded_arrival_is_obeyed_on_replay()
    {
        var join = Node("j", "llm") with { Join = JoinMode.Any };
        var machine = Machine(Graph([Node("a"), Node("b"), join], "a-j", "b-j"));
        machine.Apply(Retrying("j", 5) with { FiredBy = "b" });
        machine.Apply(Done("a"));
        machine.Apply(Done("b"));
        var start = Assert.IsType<StartStep>(Assert.Single(machine.Advance(Start.AddSeconds(5))));
        Assert.Equal(("b", 2), (start.Step.FiredBy, start.Attempt));
    }

    [Fact]
    public void A_join_of_any_with_no_edge_taken_is_skipped()
    {
        var join = Node("j") with { Join = JoinMode.Any };
        var machine = Machine(Graph([Node("a"), Node("b"), join], "a-j:x", "b-j:x"));
        Assert.Equal("start a#1, start b#1", machine.Next());
        machine.Apply(Done("a"));
        Assert.Equal("completed", machine.Next(Done("b")));
        Assert.Equal(StepStatus.Skipped, machine.Step("j")!.Status);
    }

    [Fact]
    public void The_result_is_that_of_the_last_output_node()
    {
        var machine = Machine(Graph([Node("a"), Node("o", "output"), Node("p", "output"), Node("z")], "a-o", "a-p", "p-z"));
        foreach (var key in new[] { "p", "o", "z", "a" }) machine.Apply(Done(key, output: $$"""{"from":"{{key}}"}"""));
        var finish = Assert.IsType<FinishRun>(Assert.Single(machine.Advance(Start)));
        Assert.Equal("""{"from":"p"}""", finish.Result.Output!.Value.GetRawText());
    }

    [Fact]
    public void Several_ends_give_an_object_of_their_outputs()
    {
        var machine = Machine(Graph("abcd", "a-b", "a-c:x", "a-d"));
        foreach (var key in new[] { "a", "b", "d" }) machine.Apply(Done(key, output: $$"""{"from":"{{key}}"}"""));
        var finish = Assert.IsType<FinishRun>(Assert.Single(machine.Advance(Start)));
        Assert.Equal("""{"b":{"from":"b"},"d":{"from":"d"}}""", finish.Result.Output!.Value.GetRawText());
    }

    [Fact]
    public void An_empty_graph_completes_with_an_empty_object()
    {
        var finish = Assert.IsType<FinishRun>(Assert.Single(Machine(Graph("")).Advance(Start)));
        Assert.Equal("{}", finish.Result.Output!.Value.GetRawText());
    }
}
