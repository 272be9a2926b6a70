using Lekhika.Benchmarks.Harness;

namespace Lekhika.Benchmarks.Cases;

/// <summary>Time of a claim while the history of finished executions grows: 1 000, 10 000, 100 000, a million.</summary>
internal sealed class HistoryCase : ICase
{
    private const int Probes = 20_000;

    public string Name => "history";

    public async Task RunAsync(Bench bench)
    {
        var sizes = new[] { 1_000, 10_000, 100_000, 1_000_000 }.Where(size => !bench.Options.Quick || size <= 10_000).ToArray();
        var runs = await bench.AlternateAsync(
            Name, [.. sizes.Select(size => (FormattableString.Invariant($"{size:#,0}"), (Func<Task<double>>)(() => ClaimAsync(bench, size))))]);
        var first = runs.First();
        foreach (var (size, times) in runs.Skip(1))
        {
            bench.Add(new Row
            {
                Case = Name,
                Ours = $"claim with {size} finished",
                OursRuns = times,
                Peer = $"with {first.Key}",
                PeerRuns = first.Value,
                Unit = "µs/execution",
                LessIsBetter = true,
                Aim = "flat (≤ 1.25 ×)",
                IsMet = static (_, _, ratio) => ratio >= 1 / 1.25,
            });
        }
    }

    private static async Task<double> ClaimAsync(Bench bench, int history)
    {
        await using var database = await bench.DatabaseAsync();
        await database.ExecuteAsync("CREATE EXTENSION IF NOT EXISTS pg_stat_statements");
        var workflow = await database.WorkflowAsync(Flows.Trivial);
        // Finished rows as a daemon leaves them, with a step each; made by SQL, for a million by way of the queue would be most of the benchmark.
        await database.ExecuteAsync(
            "SET session_replication_role = replica; "
            + "INSERT INTO lekhika.workflow_executions (workflow_id, inputs, status, result, started_at, finished_at) "
            + $"SELECT '{workflow}', '{{}}', 'completed', '{{\"x\":1}}', now(), now() FROM generate_series(1, {history}); "
            + "INSERT INTO lekhika.workflow_execution_steps (seq, run, ordinal, attempt, step_key, outcome, output) "
            + "SELECT seq, 1, 0, 1, 'a', 'succeeded', '{\"x\":1}' FROM lekhika.workflow_executions; RESET session_replication_role");
        await database.ExecuteAsync("VACUUM ANALYZE");
        await using var daemon = await BenchDaemon.StartAsync(database, Flows.Wide);
        await database.ExecuteAsync("SELECT pg_stat_statements_reset(0, (SELECT oid FROM pg_database WHERE datname = current_database()), 0)");
        var count = bench.Options.Scale(Probes);
        await database.InsertAsync(workflow, count);
        await Shell.UntilAsync(async () => await daemon.CompletedAsync() >= count, 300);
        return await database.ScalarAsync<double>(
            "SELECT 1000 * sum(total_exec_time) / $1 FROM pg_stat_statements WHERE dbid = (SELECT oid FROM pg_database WHERE datname = current_database()) AND toplevel "
            + "AND query ~ '\\.claim\\('", (double)count);
    }
}
