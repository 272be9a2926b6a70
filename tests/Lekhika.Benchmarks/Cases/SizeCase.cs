using Lekhika.Benchmarks.Harness;

namespace Lekhika.Benchmarks.Cases;

/// <summary>Large workflows: a graph of 2 000 nodes and a map of 10 000 items, beside smaller ones; the time of a node or item should not grow.</summary>
internal sealed class SizeCase : ICase
{
    public string Name => "size";

    public async Task RunAsync(Bench bench)
    {
        var runs = await bench.AlternateAsync(
            Name,
            ("250 nodes", () => TimeAsync(bench, Flows.Chain(250), "{}", 250)),
            ("500 nodes", () => TimeAsync(bench, Flows.Chain(500), "{}", 500)),
            ("2 000 nodes", () => TimeAsync(bench, Flows.Chain(2000), "{}", 2000)),
            ("1 000 items", () => TimeAsync(bench, Flows.Map, Items(1000), 1000)),
            ("5 000 items", () => TimeAsync(bench, Flows.Map, Items(5000), 5000)),
            ("10 000 items", () => TimeAsync(bench, Flows.Map, Items(10_000), 10_000)));
        foreach (var (large, small, unit) in ((string, string, string)[])
            [("500 nodes", "250 nodes", "node"), ("2 000 nodes", "250 nodes", "node"), ("5 000 items", "1 000 items", "item"), ("10 000 items", "1 000 items", "item")])
        {
            bench.Add(new Row
            {
                Case = Name,
                Ours = large,
                OursRuns = runs[large],
                Peer = small,
                PeerRuns = runs[small],
                Unit = $"µs/{unit}",
                LessIsBetter = true,
                Aim = "linear (≤ 1.5 ×)",
                IsMet = static (_, _, ratio) => ratio >= 1 / 1.5,
            });
        }
    }

    private static string Items(int count) => $$"""{"items":[{{string.Join(',', Enumerable.Range(0, count))}}]}""";

    /// <summary>Microseconds for each node or item, from the insert to the end.</summary>
    private static async Task<double> TimeAsync(Bench bench, string flow, string inputs, int parts)
    {
        await using var database = await bench.DatabaseAsync();
        await using var daemon = await BenchDaemon.StartAsync(database, ("limits.loop_iterations", "10000"));
        var workflow = await database.WorkflowAsync(flow);
        var began = Shell.Time.GetTimestamp();
        await database.ExecuteAsync("INSERT INTO lekhika.workflow_executions (workflow_id, inputs) VALUES ($1, $2::jsonb)", workflow, inputs);
        await Shell.UntilAsync(
            async () => await database.ScalarAsync<string>("SELECT status FROM lekhika.workflow_executions") is "completed" or "failed", 120, 2, "the end of a large workflow");
        var time = Shell.Time.GetElapsedTime(began);
        var error = await database.ScalarAsync<string>("SELECT coalesce(error, '') FROM lekhika.workflow_executions");
        return error.Length == 0 ? time.TotalMicroseconds / parts : throw new InvalidOperationException(error);
    }
}
