using Lekhika.Workflows.Definitions;
using Lekhika.Workflows.Execution;
using Xunit;
using static Lekhika.Workflows.Tests.Execution.Graphs;

namespace Lekhika.Workflows.Tests.Execution;

public sealed class ScopeTests
{
    private static WorkflowDefinition Map(string config = "{}", ErrorMode onError = ErrorMode.Fail) =>
        Graph([Scope("m", "map", Graph("xy", "x-y"), config) with { OnError = onError }, Node("z")], "m-z");

    [Fact]
    public void A_map_runs_its_body_per_item_in_turn_and_closes_with_the_results()
    {
        var machine = Machine(Map());
        Assert.Equal("start m#1", machine.Next());
        machine.Apply(Opened("m", """{"items":["p","q"]}"""));
        var start = Assert.IsType<StartStep>(Assert.Single(machine.Advance(Start)));
        Assert.Equal("m[0].x", start.Step.Key);
        Assert.Equal(("m", 0, "p"), (start.Step.Scope!.LoopStep.Key, start.Step.Scope.Index, start.Step.Scope.Item!.Value.GetString()));
        Assert.Equal("p", machine.PreviousOf(start.Step)!.Value.GetString());
        Assert.Equal("start m[0].y#1", machine.Next(Done("m[0].x")));
        Assert.Equal("start m[1].x#1", machine.Next(Done("m[0].y", output: """{"r":0}""")));
        Assert.Equal("start m[1].y#1", machine.Next(Done("m[1].x")));
        machine.Apply(Done("m[1].y", output: """{"r":1}"""));
        var close = Assert.IsType<CloseScope>(Assert.Single(machine.Advance(Start)));
        Assert.Equal("""{"items":[{"r":0},{"r":1}],"count":2}""", close.Output.GetRawText());
        Assert.Equal("start z#1", machine.Next(Done("m", output: close.Output.GetRawText())));
        Assert.Equal("completed", machine.Next(Done("z")));
    }

    [Fact]
    public void Iterations_run_as_many_at_a_time_as_the_node_and_the_daemon_allow()
    {
        var items = Opened("m", """{"items":[1,2,3,4,5]}""");
        Assert.Equal("start m[0].x#1, start m[1].x#1", Machine(Map("""{"concurrency":2}""")).Next(items));
        Assert.Equal("start m[0].x#1, start m[1].x#1, start m[2].x#1",
            Machine(Map("""{"concurrency":9}"""), new RunMachineOptions { MaxConcurrency = 3 }).Next(items));
        var machine = Machine(Map("""{"concurrency":2}"""));
        machine.Next(items);
        machine.Next(Done("m[1].x"));
        Assert.Equal("start m[2].x#1", machine.Next(Done("m[1].y")));
    }

    [Fact]
    public void An_empty_list_closes_at_once()
    {
        var machine = Machine(Map());
        machine.Apply(Opened("m", """{"items":[]}"""));
        var close = Assert.IsType<CloseScope>(Assert.Single(machine.Advance(Start)));
        Assert.Equal("""{"items":[],"count":0}""", close.Output.GetRawText());
    }

    [Fact]
    public void An_empty_body_gives_empty_results_for_any_number_of_items()
    {
        var machine = Machine(Graph([Scope("m", "map", Graph(""))]));
        Assert.Equal("close m", machine.Next(Opened("m", $$"""{"items":[{{string.Join(',', Enumerable.Range(0, 50_000))}}]}""")));
    }

    [Fact]
    public void More_items_than_allowed_fail_the_map()
    {
        var machine = Machine(Map("""{"max_items":2}"""));
        machine.Apply(Opened("m", """{"items":[1,2,3]}"""));
        var fail = Assert.IsType<FailScope>(Assert.Single(machine.Advance(Start)));
        Assert.Equal(ErrorCodes.IterationLimit, fail.Error.Code);
        var record = machine.Fail(fail.Step, fail.Attempt, fail.Error, Start, 0, new RetryPolicy());
        Assert.Equal("failed m", machine.Next(record));
    }

    [Fact]
    public void A_failed_iteration_fails_the_map_for_good_and_aborts_the_others()
    {
        var machine = Machine(Map("""{"concurrency":2}"""));
        machine.Next();
        machine.Next(Opened("m", """{"items":[1,2,3]}"""));
        machine.Apply(Failed("m[1].x"));
        var actions = machine.Advance(Start);
        Assert.Equal(["abort m[0].x", "fail m"], actions.Select(action => action.Text()));
        var fail = (FailScope)actions[1];
        Assert.Equal(ErrorCodes.HttpFailed, fail.Error.Code);
        Assert.Contains("m[1].x", fail.Error.Message, StringComparison.Ordinal);
        Assert.Equal("", machine.Next(Done("m[0].x")));
        Assert.Equal(StepOutcome.Failed, machine.Fail(fail.Step, 1, fail.Error with { Retryable = true }, Start, 0, new RetryPolicy()).Outcome);
        Assert.Equal("failed m", machine.Next(machine.Fail(fail.Step, 1, fail.Error, Start, 0, new RetryPolicy())));
    }

    [Fact]
    public void Waits_in_the_other_iterations_are_abandoned_with_the_failed_one_and_by_every_replay()
    {
        var plan = Map("""{"concurrency":2}""");
        var opened = Opened("m", """{"items":[1,2,3]}""");
        StepRecord[] records = [opened, Waiting("m[0].x", null), Failed("m[1].x")];
        var machine = Machine(plan);
        machine.Next(records[0]);
        machine.Next(records[1]);
        Assert.Equal("abandon m[0].x, fail m", machine.Next(records[2]));
        // A wait that is recorded behind the failure is of no more use either, and a fresh machine says so in any order.
        Assert.Equal("abandon m[0].x, fail m", Machine(plan).Next([records[0], records[2], records[1]]));
        Assert.Equal("abandon m[0].x, fail m", Machine(plan).Next([records[2], records[1], records[0]]));
    }

    [Fact]
    public void With_continue_failed_iterations_are_collected()
    {
        var machine = Machine(Map(onError: ErrorMode.Continue));
        machine.Apply(Opened("m", """{"items":[1,2]}"""));
        Assert.Equal("start m[1].x#1", machine.Next(Failed("m[0].x")));
        machine.Apply(Done("m[1].x"));
        machine.Apply(Done("m[1].y", output: """{"r":1}"""));
        var close = Assert.IsType<CloseScope>(Assert.Single(machine.Advance(Start)));
        Assert.Equal("""{"items":[{"error":{"code":"http_failed","message":"m[0].x broke."}},{"r":1}],"count":2}""", close.Output.GetRawText());
    }

    [Fact]
    public void A_loop_runs_so_many_times_one_pass_after_the_other()
    {
        var machine = Machine(Graph([Scope("l", "loop", Graph("y"), """{"concurrency":5}""")]));
        Assert.Equal("start l[0].y#1", machine.Next(Opened("l", """{"times":2}""")));
        machine.Apply(Done("l[0].y", output: """{"r":0}"""));
        var start = Assert.IsType<StartStep>(Assert.Single(machine.Advance(Start)));
        Assert.Equal("l[1].y", start.Step.Key);
        Assert.Equal("""{"r":0}""", machine.PreviousOf(start.Step)!.Value.GetRawText());
        Assert.Equal("close l", machine.Next(Done("l[1].y")));
    }

    [Fact]
    public void A_while_loop_asks_before_each_pass()
    {
        var machine = Machine(Graph([Scope("l", "loop", Graph("y"))]));
        Assert.Equal("decide l[0]", machine.Next(Opened("l", """{"while":true}""")));
        Assert.Equal("", machine.Next());
        Assert.Equal(RunStatus.Advancing, machine.Status);
        Assert.Equal("start l[0].y#1", machine.Next(Opened("l[0]", "true")));
        Assert.Equal("decide l[1]", machine.Next(Done("l[0].y")));
        Assert.Equal("close l", machine.Next(Opened("l[1]", "false")));
    }

    [Fact]
    public void A_while_loop_past_its_limit_fails_with_a_code()
    {
        var machine = Machine(Graph([Scope("l", "loop", Graph("y"), """{"max_iterations":1}""")]));
        machine.Next(Opened("l", """{"while":true}"""), Opened("l[0]", "true"));
        Assert.Equal("decide l[1]", machine.Next(Done("l[0].y")));
        machine.Apply(Opened("l[1]", "true"));
        var fail = Assert.IsType<FailScope>(Assert.Single(machine.Advance(Start)));
        Assert.Equal(ErrorCodes.IterationLimit, fail.Error.Code);
    }

    [Fact]
    public void A_counted_loop_past_its_limit_fails_before_it_starts() =>
        Assert.Equal("fail l", Machine(Graph([Scope("l", "loop", Graph("y"))]), new RunMachineOptions { MaxIterations = 2 })
            .Next(Opened("l", """{"times":3}""")));

    [Fact]
    public void Nested_steps_see_the_outputs_around_them()
    {
        var inner = Graph([Node("x"), Scope("n", "map", Graph("ax"))], "x-n");
        var machine = Machine(Graph([Node("a"), Scope("m", "map", inner)], "a-m"));
        machine.Next(Done("a", output: """{"v":"outer a"}"""), Opened("m", "{\"items\":[1]}"), Done("m[0].x", output: """{"v":"middle x"}"""));
        machine.Apply(Opened("m[0].n", """{"items":[[1]],"concurrency":1}"""));
        machine.Apply(Done("m[0].n[0].a", output: """{"v":"inner a"}"""));
        var step = ((StartStep)machine.Advance(Start).Single(action => action.Text() == "start m[0].n[0].x#1")).Step;
        Assert.Equal("inner a", machine.VisibleOutput(step, "a")!.Value.GetProperty("v").GetString());
        Assert.Null(machine.VisibleOutput(step, "x"));
        Assert.Null(machine.VisibleOutput(step, "m"));
        Assert.Equal(["a"], machine.VisibleOutputs(step).Keys);
        Assert.Equal("m[0]", step.Scope!.LoopStep.Scope!.Key);
        Assert.Equal("outer a", machine.VisibleOutput(step.Scope.LoopStep.Scope.LoopStep, "a")!.Value.GetProperty("v").GetString());
    }

    [Fact]
    public void Records_inside_may_come_before_the_map_is_opened_and_in_any_order()
    {
        var records = new[]
        {
            Opened("m", """{"items":[1,2,3],"concurrency":2}"""),
            Done("m[0].x"), Done("m[0].y"), Done("m[1].x"), Done("m[1].y"), Waiting("m[2].x", 5),
        };
        var machine = Machine(Map());
        Assert.Equal("", machine.Next([.. records.Reverse()]));
        Assert.Equal("m[2].x", Assert.Single(machine.Waits).Step.Key);
        Assert.Equal(RunStatus.Waiting, machine.Status);
    }

    [Fact]
    public void The_failure_of_a_run_drops_the_waits_inside()
    {
        var machine = Machine(Graph([Node("a"), Scope("m", "map", Graph("x"))]));
        machine.Next(Opened("m", """{"items":[1]}"""), Waiting("m[0].x", 5));
        Assert.Equal("failed a", machine.Next(Failed("a")));
        Assert.Empty(machine.Waits);
        Assert.Null(machine.NextDue);
        Assert.Equal(StepStatus.Abandoned, machine.Step("m[0].x")!.Status);
    }
}
