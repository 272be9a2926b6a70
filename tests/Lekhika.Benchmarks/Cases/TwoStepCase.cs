using Lekhika.Benchmarks.Harness;

namespace Lekhika.Benchmarks.Cases;

/// <summary>Executions of two steps, the first durable before the second starts; started by POST /execute and by INSERT.</summary>
internal sealed class TwoStepCase : ICase
{
    private const int Clients = 64;

    public string Name => "two-step";

    public async Task RunAsync(Bench bench)
    {
        var count = bench.Options.Scale(20_000);
        var runs = await bench.AlternateAsync(
            Name,
            ("queue", () => Drains.OursAsync(bench, count, flow: Flows.TwoSteps, withInsert: true)),
            ("dbos queue", () => DbosAsync(bench, "queue", Math.Max(100, count / 20))),
            ("api", () => ByApiAsync(bench, count)),
            ("dbos direct", () => DbosAsync(bench, "direct", Math.Max(200, count / 10))));
        foreach (var (form, side, peer) in ((string, string, string)[])[("by queue", "queue", "dbos queue"), ("by API", "api", "dbos direct")])
        {
            bench.Add(new Row
            {
                Case = Name,
                Ours = form,
                OursRuns = runs[side],
                Peer = "aim",
                Unit = "executions/s",
                Aim = "≥ 5 000/s",
                IsMet = static (ours, _, _) => ours >= 5000,
            });
            bench.Add(new Row
            {
                Case = Name,
                Ours = form,
                OursRuns = runs[side],
                Peer = peer.Replace("dbos", "DBOS", StringComparison.Ordinal),
                PeerRuns = runs[peer],
                Unit = "executions/s",
                Aim = "≥ 10 ×",
                IsMet = static (_, _, ratio) => ratio >= 10,
            });
        }
    }

    private static async Task<double> DbosAsync(Bench bench, string mode, int count) =>
        (await NodePeer.RunAsync(bench.Cluster, "dbos.mjs", ("MODE", mode), ("JOBS", count))).GetProperty("rate").GetDouble();

    private static async Task<double> ByApiAsync(Bench bench, int count)
    {
        await using var database = await bench.DatabaseAsync();
        await using var daemon = await BenchDaemon.StartAsync(database, Flows.Wide);
        await daemon.ExecuteAsync(Guid.NewGuid(), Flows.TwoSteps);
        await Shell.UntilAsync(async () => await daemon.CompletedAsync() == 1);
        var (began, left) = (Shell.Time.GetTimestamp(), count);
        await Task.WhenAll(Enumerable.Range(0, Clients).Select(_ => Task.Run(async () =>
        {
            while (Interlocked.Decrement(ref left) >= 0) await daemon.ExecuteAsync(Guid.NewGuid(), Flows.TwoSteps);
        })));
        await Shell.UntilAsync(async () => await daemon.CompletedAsync() >= count + 1, 300, 5);
        return count / Shell.Time.GetElapsedTime(began).TotalSeconds;
    }
}
