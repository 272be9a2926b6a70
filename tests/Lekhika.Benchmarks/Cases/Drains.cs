using Lekhika.Benchmarks.Harness;

namespace Lekhika.Benchmarks.Cases;

/// <summary>
/// Draining, as several cases measure it: the workers have done a little (nobody's connections and code are cold) and are idle, the work is committed in one
/// transaction, and the clock runs from there until all is done.
/// </summary>
internal static class Drains
{
    // Of the peers: WARM in their scripts.
    private const int Warm = 2000;

    /// <summary>Executions a second with our daemons.</summary>
    /// <param name="bench">The bench.</param>
    /// <param name="count">Executions.</param>
    /// <param name="daemons">Daemons.</param>
    /// <param name="flow">What is executed.</param>
    /// <param name="before">Done to the database before the daemons start.</param>
    /// <param name="insert">How the work is inserted; null for plainly.</param>
    /// <param name="settings">Of the daemons; null for those of throughput.</param>
    /// <param name="withInsert">Whether the clock runs from before the insert: for peers whose work cannot be put in at once.</param>
    public static async Task<double> OursAsync(
        Bench bench, int count, int daemons = 1, string? flow = null, Func<BenchDatabase, Task<IAsyncDisposable?>>? before = null,
        Func<BenchDatabase, Guid, Task>? insert = null, (string, string)[]? settings = null, bool withInsert = false)
    {
        await using var database = await bench.DatabaseAsync();
        var workflow = await database.WorkflowAsync(flow ?? Flows.Trivial);
        await using var beside = before is null ? null : await before(database);
        var running = new List<BenchDaemon>();
        try
        {
            for (var i = 0; i < daemons; i++) running.Add(await BenchDaemon.StartAsync(database, settings ?? Flows.Wide));
            await database.InsertAsync(workflow, Warm);
            await Shell.UntilAsync(async () => await CompletedAsync(running) >= Warm, 60, 20, "the end of the warm-up");
            var done = await CompletedAsync(running);
            var began = Shell.Time.GetTimestamp();
            await (insert?.Invoke(database, workflow) ?? database.InsertAsync(workflow, count));
            if (!withInsert) began = Shell.Time.GetTimestamp();
            await Shell.UntilAsync(async () => await CompletedAsync(running) - done >= count, 600, 20, "the end of a drain");
            var seconds = Shell.Time.GetElapsedTime(began).TotalSeconds;
            var completed = await database.ScalarAsync<long>("SELECT count(*) FROM lekhika.workflow_executions WHERE status = 'completed' AND workflow_id = $1", workflow);
            return completed >= count ? count / seconds : throw new InvalidOperationException($"{completed} of {count} executions are completed");
        }
        finally
        {
            foreach (var daemon in running) await daemon.DisposeAsync();
        }
    }

    public static async Task<double> GraphileAsync(Bench bench, int count, bool batched = true, int workers = 2, bool snapshot = false) =>
        (await NodePeer.RunAsync(
            bench.Cluster, "graphile.mjs", ("MODE", "drain"), ("WARM", Warm), ("JOBS", count), ("BATCHED", batched ? 1 : 0), ("WORKERS", workers), ("SNAPSHOT", snapshot ? 1 : 0)))
        .GetProperty("rate").GetDouble();

    public static async Task<double> PgBossAsync(Bench bench, int count, bool snapshot = false) =>
        (await NodePeer.RunAsync(bench.Cluster, "pgboss.mjs", ("MODE", "drain"), ("WARM", Warm), ("JOBS", count), ("BATCH", 500), ("SNAPSHOT", snapshot ? 1 : 0)))
        .GetProperty("rate").GetDouble();

    private static async Task<long> CompletedAsync(List<BenchDaemon> daemons)
    {
        var sum = 0L;
        foreach (var daemon in daemons) sum += await daemon.CompletedAsync();
        return sum;
    }
}
