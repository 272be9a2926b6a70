using Lekhika.Workflows.Definitions;
using Lekhika.Workflows.Execution;
using Xunit;
using static Lekhika.Workflows.Tests.Execution.Graphs;

namespace Lekhika.Workflows.Tests.Execution;

public sealed class FailureTests
{
    private static readonly StepError Again = new(ErrorCodes.HttpFailed, "again", Retryable: true);

    [Fact]
    public void A_failure_fails_the_run_and_nothing_new_starts()
    {
        var machine = Machine(Graph("abcd", "a-b", "c-d"));
        machine.Next();
        machine.Apply(Failed("a"));
        machine.Apply(Done("c"));
        var finish = Assert.IsType<FinishRun>(Assert.Single(machine.Advance(Start)));
        Assert.Equal(("a", ErrorCodes.HttpFailed), (finish.Result.FailedStep, finish.Result.Error!.Code));
        Assert.Equal(RunStatus.Failed, machine.Status);
        Assert.Equal(StepStatus.Abandoned, machine.Step("d")!.Status);
        Assert.Equal("", machine.Next());
    }

    [Fact]
    public void Of_several_failures_the_earliest_is_named_whatever_the_order()
    {
        foreach (var order in new[] { "ab", "ba" })
        {
            var machine = Machine(Graph("ab"));
            foreach (var key in order) machine.Apply(Failed(key.ToString(), atSecond: key == 'b' ? 1 : 2));
            Assert.Equal("failed b", machine.Next());
        }
    }

    [Fact]
    public void A_retryable_failure_is_tried_again_when_due_until_the_policy_is_used_up()
    {
        var node = Node("a") with { Retry = new RetryPolicy { MaxAttempts = 2, InitialDelay = TimeSpan.FromSeconds(10), Jitter = 0 } };
        var machine = Machine(Graph([node]));
        var step = ((StartStep)machine.Advance(Start).Single()).Step;
        var first = machine.Fail(step, 1, Again, Start, 0.5, RetryPolicy.None);
        Assert.Equal((StepOutcome.Retrying, Start.AddSeconds(10)), (first.Outcome, first.DueAt));
        Assert.Equal("", machine.Next(first));
        Assert.Equal((RunStatus.Waiting, Start.AddSeconds(10)), (machine.Status, machine.NextDue));
        Assert.Equal("", machine.NextAt(9));
        Assert.Equal("start a#2", machine.NextAt(10));
        Assert.Equal(RunStatus.Advancing, machine.Status);
        var second = machine.Fail(step, 2, Again, Start, 0.5, RetryPolicy.None);
        Assert.Equal(StepOutcome.Failed, second.Outcome);
        Assert.Equal("failed a", machine.NextAt(10, second));
        Assert.Null(machine.NextDue);
    }

    [Fact]
    public void Nodes_without_a_policy_use_the_one_given()
    {
        var machine = Machine(Graph("a"));
        var step = ((StartStep)machine.Advance(Start).Single()).Step;
        Assert.Equal(StepOutcome.Retrying, machine.Fail(step, 1, Again, Start, 0, new RetryPolicy()).Outcome);
        Assert.Equal(StepOutcome.Failed, machine.Fail(step, 1, Again with { Retryable = false }, Start, 0, new RetryPolicy()).Outcome);
    }

    [Fact]
    public void A_wait_between_attempts_uses_up_nothing()
    {
        var machine = Machine(Graph([Node("a") with { Retry = new RetryPolicy { MaxAttempts = 2 } }]));
        var step = ((StartStep)machine.Advance(Start).Single()).Step;
        Assert.Equal("resume a#1", machine.NextAt(5, Waiting("a", 5)));
        Assert.Equal("resume a#2", machine.NextAt(9, Waiting("a", 9, attempt: 2)));
        Assert.Equal(StepOutcome.Retrying, machine.Fail(step, 2, Again, Start, 0, RetryPolicy.None).Outcome);
    }

    [Fact]
    public void An_optional_node_is_passed_over()
    {
        var machine = Machine(Graph([Node("a") with { Optional = true }, Node("b")], "a-b"));
        Assert.Equal("start b#1", machine.Next(Failed("a")));
        Assert.Equal(StepStatus.PassedOver, machine.Step("a")!.Status);
        Assert.Equal("""{"error":{"code":"http_failed","message":"a broke."},"skipped":true}""", machine.OutputOf("a")!.Value.GetRawText());
    }

    [Fact]
    public void With_continue_successors_go_on_with_the_error_as_output()
    {
        var machine = Machine(Graph([Node("a") with { OnError = ErrorMode.Continue }, Node("b"), Node("e")], "a-b", "a-e:error"));
        Assert.Equal("start b#1", machine.Next(Failed("a")));
        Assert.Equal("""{"error":{"code":"http_failed","message":"a broke."}}""", machine.OutputOf("a")!.Value.GetRawText());
    }

    [Fact]
    public void An_error_edge_is_the_only_one_taken()
    {
        var machine = Machine(Graph("abe", "a-b", "a-e:error"));
        machine.Apply(Failed("a"));
        var start = Assert.IsType<StartStep>(Assert.Single(machine.Advance(Start)));
        Assert.Equal("e", start.Step.Key);
        Assert.Equal("http_failed", machine.PreviousOf(start.Step)!.Value.GetProperty("error").GetProperty("code").GetString());
        Assert.Equal("completed", machine.Next(Done("e")));
    }

    [Fact]
    public void An_error_edge_is_not_taken_on_success()
    {
        var machine = Machine(Graph("abe", "a-b", "a-e:error"));
        machine.Next();
        Assert.Equal("start b#1", machine.Next(Done("a", branch: "error")));
    }

    [Fact]
    public void On_error_branch_without_an_error_edge_ends_the_path()
    {
        var machine = Machine(Graph([Node("a") with { OnError = ErrorMode.Branch }, Node("b")], "a-b"));
        Assert.Equal("completed", machine.Next(Failed("a")));
        Assert.Equal(StepStatus.Skipped, machine.Step("b")!.Status);
    }

    [Fact]
    public void A_wait_is_resumed_once_when_due_and_a_signal_wait_never()
    {
        var machine = Machine(Graph("ab"));
        machine.Next();
        Assert.Equal("", machine.Next(Waiting("a", 60), Waiting("b", null)));
        Assert.Equal((RunStatus.Waiting, Start.AddSeconds(60)), (machine.Status, machine.NextDue));
        Assert.Equal(["a", "b"], machine.Waits.Select(wait => wait.Step.Key).Order(StringComparer.Ordinal));
        Assert.Equal("go", machine.Waits.First().Decision!.Value.GetProperty("signal").GetString());
        Assert.Equal("resume a#1", machine.NextAt(60));
        Assert.Equal("", machine.NextAt(61));
        machine.Apply(Done("a"));
        Assert.Equal(RunStatus.Waiting, machine.Status);
        Assert.Null(machine.NextDue);
        Assert.Equal("completed", machine.NextAt(61, Done("b")));
    }

    [Fact]
    public void A_wait_may_be_put_off_within_its_attempt()
    {
        foreach (var order in new[] { new[] { 5, 9 }, [9, 5] })
        {
            var machine = Machine(Graph("a"));
            foreach (var due in order) machine.Apply(Waiting("a", due));
            Assert.Equal("", machine.NextAt(5));
            Assert.Equal("resume a#1", machine.NextAt(9));
        }
    }
}
