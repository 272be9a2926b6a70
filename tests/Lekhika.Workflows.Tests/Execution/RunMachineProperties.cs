using System.Globalization;
using FsCheck;
using FsCheck.Fluent;
using Lekhika.Workflows.Definitions;
using Lekhika.Workflows.Execution;
using Xunit;
using static Lekhika.Workflows.Tests.Execution.Graphs;

namespace Lekhika.Workflows.Tests.Execution;

/// <summary>What holds for every graph and every order of events. FsCheck prints the seed of a counterexample with it.</summary>
public sealed class RunMachineProperties
{
    private static readonly int Factor =
        int.TryParse(Environment.GetEnvironmentVariable("LEKHIKA_PROPERTY_FACTOR"), CultureInfo.InvariantCulture, out var factor) ? factor : 1;

    [Fact]
    public void Records_in_any_order_give_the_same_state_and_the_same_next_actions() => Hold(400, run =>
    {
        var plan = Plan(run.Definition);
        var whole = Finished(plan, run);
        var random = new Random(run.Schedule);
        for (var i = 0; i < 4; i++)
        {
            var length = random.Next(whole.Log.Count + 1);
            var now = length == 0 ? Start : whole.Log[length - 1].At;
            var records = whole.Log.Take(length).Select(entry => entry.Record).ToArray();
            var inOrder = new Simulation(plan, 0, records, now);
            // Some come twice.
            var shuffled = records.Concat(records.Where(_ => random.Next(10) == 0)).ToArray();
            random.Shuffle(shuffled);
            var outOfOrder = new Simulation(plan, 0, shuffled, now);
            Assert.Equal(Simulation.State(inOrder.Machine), Simulation.State(outOfOrder.Machine));
            Assert.Equal(inOrder.Open, outOfOrder.Open);
            Assert.Equal(inOrder.Result?.ToString(), outOfOrder.Result?.ToString());

            // What a failed graph had got done when it failed depends on which of its records came before the failure, and nothing rests on it.
            if (inOrder.Machine.Steps.All(static step => step.Status is not (StepStatus.Failed or StepStatus.Abandoned)))
            {
                Assert.Equal(inOrder.Machine.Progress, outOfOrder.Machine.Progress, 6);
            }
        }
    });

    [Fact]
    public void A_replayed_machine_is_where_the_living_one_is() => Hold(300, run =>
    {
        var plan = Plan(run.Definition);
        var living = new Simulation(plan, run.Schedule);
        var random = new Random(run.Schedule);
        for (var more = true; more;)
        {
            more = living.Step();
            if (random.Next(6) > 0 && more) continue;
            var replayed = new Simulation(plan, 0, living.Log.Select(entry => entry.Record), living.Now);
            Assert.Equal(Simulation.State(living.Machine), Simulation.State(replayed.Machine));
            Assert.Equal(living.Result?.ToString(), replayed.Result?.ToString());
            if (living.Result is null) Assert.Equal(living.Open, replayed.Open);
        }
    });

    [Fact]
    public void A_run_interrupted_anywhere_ends_in_the_same_result() => Hold(300, run =>
    {
        var plan = Plan(run.Definition);
        var whole = Finished(plan, run);
        var length = new Random(run.Schedule).Next(whole.Log.Count + 1);
        var again = new Simulation(plan, 0, whole.Log.Take(length).Select(entry => entry.Record), length == 0 ? Start : whole.Log[length - 1].At);
        again.Follow(whole, length);
        Assert.Equal(whole.Result!.ToString(), again.Result!.ToString());
        Assert.Equal(Simulation.State(whole.Machine), Simulation.State(again.Machine));
    });

    [Fact]
    public void A_run_interrupted_again_and_again_comes_to_an_end() => Hold(200, run =>
    {
        var plan = Plan(run.Definition);
        var random = new Random(run.Schedule);
        var current = new Simulation(plan, run.Schedule);
        List<StepRecord> log = [];
        for (var lives = 0; current.Result is null; lives++)
        {
            for (var steps = random.Next(1, 6 + lives); steps > 0 && current.Step(); steps--)
            {
            }

            log.AddRange(current.Log.Select(entry => entry.Record));
            if (current.Result is null) current = new Simulation(plan, random.Next(), log, current.Now);
        }

        Assert.True(current.Machine.Status is RunStatus.Completed or RunStatus.Failed);
    });

    [Fact]
    public void Every_node_ends_in_exactly_one_state() => Hold(400, run =>
    {
        var definition = run.Definition;
        var whole = Finished(Plan(definition), run);
        var steps = whole.Machine.Steps.ToList();
        Assert.Equal(steps.Count, steps.Select(step => step.Key).Distinct(StringComparer.Ordinal).Count());
        Assert.All(steps, step => Assert.True(step.Status >= StepStatus.Succeeded, $"{step.Key} is {step.Status}"));
        Assert.Empty(whole.Machine.Waits);
        var finals = Finals(whole);
        Assert.All(finals.Values, final => Assert.NotNull(whole.Machine.Step(final.Key)));
        var oracle = new Oracle(definition, StepKey.Of, finals);
        Assert.Equal(oracle.HasFailed, !whole.Result!.Succeeded);
        foreach (var node in definition.Nodes)
        {
            bool? fate = whole.Machine.Step(StepKey.Of(node.Id))!.Status switch
            {
                StepStatus.Skipped => false,
                StepStatus.Abandoned => null,
                _ => true,
            };
            Assert.Equal(oracle.Fate(node.Id), fate);
            if (whole.Result.Succeeded) Assert.NotNull(fate);
        }
    });

    [Fact]
    public void No_node_starts_before_its_inputs_and_none_is_missed() => Hold(300, run =>
    {
        var definition = run.Definition;
        Simulation? current = null;
        var started = new HashSet<string>(StringComparer.Ordinal);
        var whole = new Simulation(Plan(definition), run.Schedule)
        {
            OnStart = step =>
            {
                var finals = Finals(current!);
                if (step.Scope is { } scope)
                {
                    Assert.False(finals.ContainsKey(scope.LoopStep.Key), $"{step.Key} starts after its scope ended");
                    Assert.Contains(current!.Log, entry => entry.Record.Key == scope.LoopStep.Key && entry.Record.Outcome == StepOutcome.Opened);
                }

                var graph = step.Scope is null ? definition : step.Scope.LoopStep.Node.Definition.Body!;
                var oracle = new Oracle(graph, id => step.Scope is null ? StepKey.Of(id) : StepKey.Of(step.Scope.Key, id), finals);
                Assert.True(oracle.WhyNot(step.Node.Id) is null, $"{step.Key} starts although {oracle.WhyNot(step.Node.Id)}");
                Assert.All(step.Predecessors, key => Assert.True(finals.ContainsKey(key)));
                started.Add(step.Key);
            },
        };
        current = whole;
        foreach (var line in whole.Open.Split('\n').Where(line => line.StartsWith("start ", StringComparison.Ordinal)))
            started.Add(line["start ".Length..line.LastIndexOf('#')]);
        do
        {
            var oracle = new Oracle(definition, StepKey.Of, Finals(whole));
            if (whole.Result is not null) break;
            Assert.All(
                definition.Nodes.Where(node => oracle.WhyNot(node.Id) is null),
                node => Assert.Contains(StepKey.Of(node.Id), started));
        }
        while (whole.Step());
    });

    [Fact]
    public void Progress_stays_in_range_and_never_goes_back() => Hold(300, run =>
    {
        var whole = new Simulation(Plan(run.Definition), run.Schedule);
        var before = whole.Machine.Progress;
        Assert.InRange(before, 0, 100);
        while (whole.Step())
        {
            var after = whole.Machine.Progress;
            Assert.InRange(after, before, 100);
            Assert.Equal(after >= 100, whole.Machine.Status == RunStatus.Completed);
            before = after;
        }
    });

    [Fact]
    public void The_generator_reaches_every_kind_of_run()
    {
        var seen = new HashSet<string>(StringComparer.Ordinal);
        for (var seed = 0; seed < 400; seed++)
        {
            var whole = Finished(Plan(new RunCase(12, seed, seed).Definition), new RunCase(12, seed, seed));
            seen.Add($"run {whole.Machine.Status}");
            foreach (var step in whole.Machine.Steps) seen.Add($"step {step.Status}");
            foreach (var (record, _) in whole.Log)
            {
                seen.Add($"record {record.Outcome}");
                if (record.FiredBy is not null) seen.Add("fired");
                if (record.Key.Count(character => character == '[') - record.Key.Split(@"\[").Length + 1 >= 2) seen.Add("nested");
            }
        }

        string[] wanted =
        [
            "run Completed", "run Failed", "step Succeeded", "step Failed", "step PassedOver", "step Skipped", "step Abandoned",
            "record Succeeded", "record Failed", "record Retrying", "record Waiting", "record Opened", "fired", "nested",
        ];
        Assert.Empty(wanted.Except(seen));
    }

    /// <summary>More tests on request: LEKHIKA_PROPERTY_FACTOR=50 runs fifty times as many.</summary>
    private static void Hold(int tests, Action<RunCase> property) => Check.One(
        Config.QuickThrowOnFailure.WithMaxTest(tests * Factor).WithQuietOnSuccess(true),
        Prop.ForAll(RandomGraphs.Cases(), run =>
        {
            property(run);
            return true;
        }));

    private static Simulation Finished(WorkflowPlan plan, RunCase run)
    {
        var simulation = new Simulation(plan, run.Schedule);
        simulation.RunToEnd();
        return simulation;
    }

    private static Dictionary<string, StepRecord> Finals(Simulation simulation) => simulation.Log
        .Select(entry => entry.Record).Where(record => record.IsFinal).ToDictionary(record => record.Key, StringComparer.Ordinal);
}
