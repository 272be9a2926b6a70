using Lekhika.Benchmarks.Harness;

namespace Lekhika.Benchmarks.Cases;

/// <summary>What an execution costs the database: statements when it is alone, commits and write-ahead log under load.</summary>
internal sealed class WalCase : ICase
{
    // What goes on whether or not there is work.
    private const string Idle = @"\.(beat|rescue|wake_due|obey|holdings|lists|evict|model_turn|has_limits|match_events|drop_events|clear_removed|reconcile)\(|workflow_schedules|schema_version|to_regclass|clock_timestamp\(\)$|count\(\*\) FROM|AS h \(exec, run\)";

    public string Name => "wal";

    public async Task RunAsync(Bench bench)
    {
        var statements = new List<double>();
        var (commits, bytes) = (new List<double>(), new List<double>());
        await bench.AlternateAsync(
            Name,
            ("statements alone", async () =>
            {
                statements.Add(await StatementsAsync(bench));
                return statements[^1];
            }
        ),
            ("log bytes under load", async () =>
            {
                var (commit, log) = await LoadAsync(bench, bench.Options.Scale(50_000));
                commits.Add(commit);
                bytes.Add(log);
                return log;
            }
        ));
        Add("statements of one alone, heartbeat apart", statements, "statements", "≤ 3", 3);
        Add("commits under load", commits, "commits", "≤ 0.05", 0.05);
        Add("log under load, without page images", bytes, "bytes", "≤ 1.3 KB", 1300);

        void Add(string form, List<double> runs, string unit, string aim, double most) => bench.Add(new Row
        {
            Case = Name,
            Ours = form,
            OursRuns = runs,
            Peer = "aim",
            Unit = unit + "/execution",
            LessIsBetter = true,
            Aim = aim,
            IsMet = (ours, _, _) => ours <= most,
        });
    }

    private static async Task<double> StatementsAsync(Bench bench)
    {
        await using var database = await bench.DatabaseAsync();
        await database.ExecuteAsync("CREATE EXTENSION IF NOT EXISTS pg_stat_statements");
        var workflow = await database.WorkflowAsync(Flows.Trivial);
        await using var daemon = await BenchDaemon.StartAsync(database, ("worker.poll_interval", "1m"));
        await database.InsertAsync(workflow, 1);
        await Shell.UntilAsync(async () => await daemon.CompletedAsync() == 1);
        await Shell.PauseAsync(2);
        await database.ExecuteAsync("SELECT pg_stat_statements_reset(0, (SELECT oid FROM pg_database WHERE datname = current_database()), 0)");
        await database.InsertAsync(workflow, 1);
        await Shell.UntilAsync(async () => await daemon.CompletedAsync() == 2);
        await Shell.PauseAsync(2);
        return await database.ScalarAsync<long>(
            "SELECT coalesce(sum(calls), 0)::bigint FROM pg_stat_statements WHERE dbid = (SELECT oid FROM pg_database WHERE datname = current_database()) AND toplevel "
            + "AND query !~ $1 AND query !~ 'lekhika\\.|pg_stat|^DISCARD ALL$|CHECKPOINT'", Idle);
    }

    private static async Task<(double Commits, double Bytes)> LoadAsync(Bench bench, int count)
    {
        await using var database = await bench.DatabaseAsync();
        await database.ExecuteAsync("CREATE EXTENSION IF NOT EXISTS pg_stat_statements; CREATE EXTENSION IF NOT EXISTS pg_walinspect");
        var workflow = await database.WorkflowAsync(Flows.Trivial);
        await using var daemon = await BenchDaemon.StartAsync(database, Flows.Wide);
        await database.ExecuteAsync("SELECT pg_stat_statements_reset(0, (SELECT oid FROM pg_database WHERE datname = current_database()), 0)");
        var before = await database.ScalarAsync<string>("SELECT pg_current_wal_flush_lsn()::text");
        await database.InsertAsync(workflow, count);
        await Shell.UntilAsync(async () => await daemon.CompletedAsync() >= count, 300);
        var after = await database.ScalarAsync<string>("SELECT pg_current_wal_flush_lsn()::text");
        var commits = await database.ScalarAsync<long>(
            "SELECT coalesce(sum(calls), 0)::bigint FROM pg_stat_statements WHERE dbid = (SELECT oid FROM pg_database WHERE datname = current_database()) AND toplevel "
            + "AND query ~ '\\.(claim|flush)\\('");
        const string Log = "SELECT sum(record_size)::float8 FROM pg_get_wal_stats($1::text::pg_lsn, $2::text::pg_lsn)";
        // Claims begin as soon as the insert is committed, so the insert's own part is measured apart, without the daemon's.
        var all = await database.ScalarAsync<double>(Log, before, after);
        return (commits / (double)count, (all - await InsertBytesAsync(bench, count)) / count);
    }

    /// <summary>The log of the insert itself, which is the backend's and not ours.</summary>
    private static async Task<double> InsertBytesAsync(Bench bench, int count)
    {
        await using var database = await bench.DatabaseAsync();
        await database.ExecuteAsync("CREATE EXTENSION IF NOT EXISTS pg_walinspect");
        var workflow = await database.WorkflowAsync(Flows.Trivial);
        var before = await database.ScalarAsync<string>("SELECT pg_current_wal_flush_lsn()::text");
        await database.InsertAsync(workflow, count);
        return await database.ScalarAsync<double>(
            "SELECT sum(record_size)::float8 FROM pg_get_wal_stats($1::text::pg_lsn, pg_current_wal_flush_lsn())", before);
    }
}
