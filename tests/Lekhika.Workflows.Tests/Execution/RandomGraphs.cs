using FsCheck;
using FsCheck.Fluent;
using Lekhika.Workflows.Definitions;
using static Lekhika.Workflows.Tests.Execution.Graphs;

namespace Lekhika.Workflows.Tests.Execution;

/// <summary>A generated workflow with the order in which its steps happen to finish.</summary>
/// <param name="Size">Nodes in each graph, at most.</param>
/// <param name="Shape">Seed of the graph.</param>
/// <param name="Schedule">Seed of the order of events.</param>
public sealed record RunCase(int Size, int Shape, int Schedule)
{
    public WorkflowDefinition Definition => RandomGraphs.Make(Size, new Random(Shape), depth: 0);
}

internal static class RandomGraphs
{
    private static readonly string[] Ids = ["a", "b", "c", "d", "e.e", "f[0]", @"g\", "h]", "i", "j", "k", "l", "m", "n", "o", "p", "q", "r"];

    public static Arbitrary<RunCase> Cases(int maxSize = 14)
    {
        var cases =
            from size in Gen.Choose(1, maxSize)
            from shape in Gen.Choose(0, int.MaxValue - 1)
            from schedule in Gen.Choose(0, int.MaxValue - 1)
            select new RunCase(size, shape, schedule);
        return Arb.From(cases, Smaller);
    }

    public static WorkflowDefinition Make(int size, Random random, int depth)
    {
        // Author's order is shuffled, so that it says nothing about graph order.
        var ids = Ids.Take(Math.Min(size, Ids.Length)).ToArray();
        random.Shuffle(ids);
        var nodes = ids.Select(id => MakeNode(id, size, random, depth)).ToArray();
        List<EdgeDefinition> edges = [];
        for (var to = 1; to < nodes.Length; to++)
        {
            for (var from = 0; from < to; from++)
            {
                if (random.Next(nodes.Length) >= 2) continue;
                edges.Add(new EdgeDefinition(nodes[from].Id, nodes[to].Id, Label(nodes[from], random)));
                if (random.Next(12) == 0) edges.Add(new EdgeDefinition(nodes[from].Id, nodes[to].Id, Label(nodes[from], random)));
            }
        }

        random.Shuffle(nodes);
        return new WorkflowDefinition { Nodes = [.. nodes], Edges = [.. edges] };
    }

    private static NodeDefinition MakeNode(string id, int size, Random random, int depth)
    {
        var kind = random.Next(depth < 2 ? 12 : 9);
        var type = kind switch { < 3 => "llm", < 5 => "noop", < 7 => "condition", < 8 => "delay", < 9 => "output", < 11 => "map", _ => "loop" };
        var node = Node(id, type, $$"""{"concurrency":{{random.Next(1, 4)}},"max_iterations":3}""") with
        {
            Join = random.Next(3) == 0 ? JoinMode.Any : JoinMode.All,
            Optional = random.Next(10) == 0,
            OnError = random.Next(8) switch { 0 => ErrorMode.Branch, 1 or 2 => ErrorMode.Continue, _ => ErrorMode.Fail },
            Retry = random.Next(2) == 0 ? null : new RetryPolicy { MaxAttempts = random.Next(1, 5), InitialDelay = TimeSpan.FromSeconds(random.Next(3)) },
        };
        return kind < 9 ? node : node with { Body = Make(random.Next(0, Math.Max(2, size / 3) + 1), random, depth + 1) };
    }

    private static string? Label(NodeDefinition from, Random random) => random.Next(from.Type == "condition" ? 4 : 12) switch
    {
        0 => null,
        1 => "true",
        2 => from.Type == "condition" ? "False" : "error",
        3 => "error",
        _ => null,
    };

    private static IEnumerable<RunCase> Smaller(RunCase run)
    {
        for (var size = 1; size < run.Size; size++) yield return run with { Size = size };
        if (run.Schedule > 0) yield return run with { Schedule = run.Schedule / 2 };
    }
}
