using Lekhika.Benchmarks.Harness;

namespace Lekhika.Benchmarks.Cases;

/// <summary>From just before the commit of an insert to the start of its node, in an idle system and under half of what it can drain.</summary>
internal sealed class LatencyCase : ICase
{
    public string Name => "latency";

    public async Task RunAsync(Bench bench)
    {
        var count = bench.Options.Scale(1000, 50);
        // Half of what each drains when it has nothing else to do, found out once.
        var (oursLoad, graphileLoad) = (await Drains.OursAsync(bench, 10_000) / 2, await Drains.GraphileAsync(bench, 10_000, workers: 1) / 2);
        var sides = new (string Side, Func<Task<List<double>>> Run)[]
        {
            ("ours idle", () => OursAsync(bench, count, 0)),
            ("graphile idle", () => PeerAsync(bench, "graphile.mjs", count, ("BATCHED", 0))),
            ("graphile batched idle", () => PeerAsync(bench, "graphile.mjs", count, ("BATCHED", 1))),
            ("pg-boss idle", () => PeerAsync(bench, "pgboss.mjs", count)),
            ("dbos idle", () => PeerAsync(bench, "dbos.mjs", count)),
            ("ours loaded", () => OursAsync(bench, count, oursLoad)),
            ("graphile batched loaded", () => PeerAsync(bench, "graphile.mjs", count, ("BATCHED", 1), ("RATE", (int)graphileLoad))),
        };
        var all = sides.ToDictionary(static side => side.Side, static _ => new List<List<double>>(), StringComparer.Ordinal);
        await bench.AlternateAsync(Name, [.. sides.Select(side => (side.Side, (Func<Task<double>>)(async () =>
        {
            var times = await side.Run();
            all[side.Side].Add(times);
            return times.Percentile(0.5);
        })))]);

        foreach (var (share, name, idle) in ((double, string, double)[])[(0.5, "p50", 1), (0.99, "p99", 5)])
        {
            List<double> Of(string side) => [.. all[side].Select(times => times.Percentile(share))];
            Add($"{name} idle", Of("ours idle"), "aim", [], $"< {idle} ms", (ours, _, _) => ours < idle);
            Add($"{name} idle", Of("ours idle"), "graphile-worker", Of("graphile idle"));
            Add($"{name} idle", Of("ours idle"), "graphile-worker batched", Of("graphile batched idle"));
            Add($"{name} idle", Of("ours idle"), "pg-boss, polling each 0.5 s", Of("pg-boss idle"));
            Add($"{name} idle", Of("ours idle"), "DBOS queue", Of("dbos idle"));
            Add($"{name} at half load", Of("ours loaded"), "graphile-worker batched at half its load", Of("graphile batched loaded"));
        }

        void Add(string form, List<double> ours, string peer, List<double> theirs, string aim = "", Func<double, double, double, bool>? met = null) => bench.Add(new Row
        {
            Case = Name,
            Ours = form,
            OursRuns = ours,
            Peer = peer,
            PeerRuns = theirs,
            Unit = "ms",
            LessIsBetter = true,
            Aim = aim,
            IsMet = met,
        });
    }

    private static async Task<List<double>> PeerAsync(Bench bench, string script, int count, params (string, object)[] more)
    {
        var said = await NodePeer.RunAsync(bench.Cluster, script, [("MODE", "latency"), ("JOBS", count), .. more]);
        return [.. said.GetProperty("times").EnumerateArray().Select(static time => time.GetDouble())];
    }

    private static async Task<List<double>> OursAsync(Bench bench, int count, double load)
    {
        await using var database = await bench.DatabaseAsync();
        var workflow = await database.WorkflowAsync(Flows.Trivial);
        await using var daemon = await BenchDaemon.StartAsync(database, load > 0 ? Flows.Wide : []);
        using var stop = new CancellationTokenSource();
        var pacing = load > 0 ? Task.Run(() => PaceAsync(database, workflow, load, stop.Token)) : Task.CompletedTask;
        await using var connection = await database.OpenAsync();
        var probes = new List<(Guid Id, DateTimeOffset At)>();
        for (var i = 0; i < count; i++)
        {
            var id = Guid.NewGuid();
            await using var transaction = await connection.BeginTransactionAsync(CancellationToken.None);
            await using (var insert = connection.CreateCommand())
            {
                insert.CommandText = "INSERT INTO lekhika.workflow_executions (id, workflow_id, inputs) VALUES ($1, $2, '{}')";
                insert.Parameters.AddWithValue(id);
                insert.Parameters.AddWithValue(workflow);
                await insert.ExecuteNonQueryAsync(CancellationToken.None);
            }

            probes.Add((id, Shell.Time.GetUtcNow()));
            await transaction.CommitAsync(CancellationToken.None);
            await Shell.PauseAsync(0.005 + (Random.Shared.NextDouble() * 0.015));
        }

        await stop.CancelAsync();
        await pacing;
        await Shell.UntilAsync(async () => await database.ScalarAsync<long>(
            "SELECT count(*) FROM lekhika.workflow_executions WHERE id = ANY ($1) AND status = 'completed'", probes.Select(static probe => probe.Id).ToArray()) == count);
        var times = new List<double>();
        foreach (var (id, at) in probes)
        {
            var started = await database.ScalarAsync<DateTime>("SELECT min(started_at) FROM lekhika.execution_steps WHERE execution_id = $1", id);
            times.Add((started - at.UtcDateTime).TotalMilliseconds);
        }

        return times;
    }

    /// <summary>Inserts at a steady rate, in small batches.</summary>
    private static async Task PaceAsync(BenchDatabase database, Guid workflow, double rate, CancellationToken stop)
    {
        var (began, sent) = (Shell.Time.GetTimestamp(), 0);
        while (!stop.IsCancellationRequested)
        {
            var due = (int)(Shell.Time.GetElapsedTime(began).TotalSeconds * rate) - sent;
            if (due > 0) await database.InsertAsync(workflow, due);
            sent += Math.Max(0, due);
            await Shell.PauseAsync(0.005);
        }
    }
}
