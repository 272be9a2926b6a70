using System.Diagnostics;
using System.Globalization;
using Lekhika.Workflows.Definitions;
using Lekhika.Workflows.Execution;
using Xunit;
using static Lekhika.Workflows.Tests.Execution.Graphs;

namespace Lekhika.Workflows.Tests.Execution;

public sealed class SizeTests
{
    [Fact]
    public void A_graph_of_2000_nodes_compiles_and_starts_in_under_50_ms()
    {
        var definition = Wide(2000);
        var best = Best(20, () => new RunMachine(Plan(definition), 1).Advance(Start));
        Assert.True(best < TimeSpan.FromMilliseconds(50), $"It took {best.TotalMilliseconds} ms.");
    }

    [Fact]
    public void A_chain_as_long_as_you_like_replays_backwards()
    {
        const int Count = 50_000;
        var nodes = Enumerable.Range(0, Count).Select(i => Node(Id(i))).ToArray();
        var edges = Enumerable.Range(0, Count - 1).Select(i => new EdgeDefinition(Id(i), Id(i + 1))).ToArray();
        var machine = new RunMachine(Plan(new WorkflowDefinition { Nodes = [.. nodes], Edges = [.. edges] }), 1);
        for (var i = Count - 1; i >= 0; i--) machine.Apply(Done(Id(i)));
        Assert.Equal("completed", machine.Next());
    }

    [Fact]
    public void A_map_costs_in_proportion_to_its_items()
    {
        AssertProportional(() => RunMap(500), () => RunMap(4_000));
    }

    [Fact]
    public void A_map_of_10_000_items_runs_to_its_end() => RunMap(10_000);

    [Fact]
    public void Advancing_a_large_graph_costs_what_has_changed()
    {
        AssertProportional(() => RunThrough(Wide(500)), () => RunThrough(Wide(4_000)));
    }

    /// <summary>Layers of ten nodes, each node after three of the layer before.</summary>
    private static WorkflowDefinition Wide(int count)
    {
        List<EdgeDefinition> edges = [];
        for (var i = 10; i < count; i++)
        {
            for (var j = 0; j < 3; j++) edges.Add(new EdgeDefinition(Id((i / 10 * 10) - 10 + ((i + (j * 3)) % 10)), Id(i)));
        }

        return new WorkflowDefinition { Nodes = [.. Enumerable.Range(0, count).Select(i => Node(Id(i)))], Edges = [.. edges] };
    }

    private static void RunThrough(WorkflowDefinition definition)
    {
        var machine = new RunMachine(Plan(definition), 1);
        var todo = new Queue<RunAction>(machine.Advance(Start));
        var ended = false;
        while (todo.TryDequeue(out var action))
        {
            if (action is StartStep start) machine.Apply(Done(start.Step.Key));
            ended |= action is FinishRun { Result.Succeeded: true };
            Assert.InRange(machine.Progress, 0, 100);
            foreach (var next in machine.Advance(Start)) todo.Enqueue(next);
        }

        Assert.True(ended);
    }

    private static void RunMap(int count)
    {
        var machine = Machine(Graph([Scope("m", "map", Graph("xy", "x-y"), """{"concurrency":8}""")]));
        machine.Apply(Opened("m", $$"""{"items":[{{string.Join(',', Enumerable.Range(0, count))}}]}"""));
        var todo = new Queue<RunAction>(machine.Advance(Start));
        CloseScope? close = null;
        while (todo.TryDequeue(out var action))
        {
            if (action is StartStep start) machine.Apply(Done(start.Step.Key));
            close ??= action as CloseScope;
            Assert.InRange(machine.Progress, 0, 100);
            foreach (var next in machine.Advance(Start)) todo.Enqueue(next);
        }

        Assert.Equal(count, close!.Output.GetProperty("count").GetInt32());
    }

    /// <summary>
    /// Eight times the work should take about eight times as long; were each step to cost a walk over the whole it would be 64 times.
    /// Other work on the machine only ever makes the figures worse, so one good comparison is enough.
    /// </summary>
    private static void AssertProportional(Action once, Action eightTimes)
    {
        double ratio = double.MaxValue;
        for (var tries = 0; tries < 6 && ratio >= 30; tries++) ratio = Best(3, eightTimes) / Best(3, once);
        Assert.True(ratio < 30, $"Eight times the work takes {ratio} times as long.");
    }

    private static TimeSpan Best(int times, Action work)
    {
        work();
        var best = TimeSpan.MaxValue;
        for (var i = 0; i < times; i++)
        {
            var watch = Stopwatch.StartNew();
            work();
            if (watch.Elapsed < best) best = watch.Elapsed;
        }

        return best;
    }

    private static string Id(int number) => "n" + number.ToString(CultureInfo.InvariantCulture);
}
