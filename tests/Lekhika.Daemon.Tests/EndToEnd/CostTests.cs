using Lekhika.Daemon.Tests.EndToEnd.Support;
using Npgsql;
using Xunit;

namespace Lekhika.Daemon.Tests.EndToEnd;

/// <summary>What an execution costs the database (design law 4), as the server itself counts it.</summary>
public sealed class CostTests(Servers servers)
{
    // What goes on whether or not there is work: heartbeat, monitor, housekeeping.
    private const string Idle = @"\.(beat|rescue|wake_due|obey|holdings|lists|evict|match_events|drop_events|clear_removed|has_limits|retain|sweep_definitions|reconcile|retry_hooks|generation_adopt)\(|schema_version|workflow_schedules|hook_queue|to_regclass|clock_timestamp\(\)$|count\(\*\) FROM|AS h \(exec, run\)";

    private static CancellationToken Cancellation => TestContext.Current.CancellationToken;

    [Fact]
    public async Task One_execution_of_one_node_alone_costs_three_statements()
    {
        await using var scene = await Scene.BeginAsync(servers);
        await PostgresExtensionAsync(scene);
        var workflow = await scene.WorkflowAsync(Flows.Trivial);
        var daemon = await scene.DaemonAsync(static setup => setup.Settings["worker.poll_interval"] = "1m");
        // One before, so that connections are open and statements prepared, and the claim that finds nothing has been made.
        await scene.EndAsync(await scene.InsertAsync(workflow: workflow));
        await daemon.LogAsync(Cancellation, "completed in");
        await QuietAsync(scene);

        await scene.Database.ExecuteAsync("SELECT pg_stat_statements_reset(0, (SELECT oid FROM pg_database WHERE datname = current_database()), 0)", Cancellation);
        var mark = daemon.Mark;
        var id = await scene.InsertAsync(workflow: workflow);
        await daemon.LogFromAsync(mark, Cancellation, "completed in");
        await QuietAsync(scene);
        Assert.Equal("completed", (await scene.RowAsync(id)).Status);

        var spent = await StatementsAsync(scene);
        var (total, text) = (spent.Sum(static one => one.Calls), string.Join('\n', spent.Select(static one => $"{one.Calls} × {one.Query}")));
        Assert.True(total <= 3, $"{total} statements:\n{text}");
        Assert.Contains("claim", text, StringComparison.Ordinal);
        Assert.Contains("flush", text, StringComparison.Ordinal);
    }

    [Fact]
    public async Task Under_load_an_execution_costs_far_less_than_one_commit()
    {
        await using var scene = await Scene.BeginAsync(servers);
        var workflow = await scene.WorkflowAsync(Flows.Trivial);
        await scene.DaemonAsync(static setup => setup.Settings["worker.concurrency"] = "500");
        await scene.EndAsync(await scene.InsertAsync(workflow: workflow));
        var before = await CommitsAsync(scene);
        await scene.Database.ExecuteAsync(
            "INSERT INTO lekhika.workflow_executions (workflow_id) SELECT $1 FROM generate_series(1, 2000)", Cancellation, workflow);
        await scene.UntilSqlAsync<bool>("SELECT NOT EXISTS (SELECT FROM lekhika.ready) AND NOT EXISTS (SELECT FROM lekhika.held)", static empty => empty);
        Assert.Equal(2001, await scene.Database.ScalarAsync<long>("SELECT count(*) FROM lekhika.workflow_executions WHERE status = 'completed'", Cancellation));
        var commits = await CommitsAsync(scene) - before;
        Assert.True(commits / 2000.0 <= 0.05, $"{commits} commits for 2000 executions");
    }

    [Fact]
    public async Task Under_load_an_execution_costs_little_more_than_a_kilobyte_of_log()
    {
        const int Count = 2000;
        await using var scene = await Scene.BeginAsync(servers);
        await scene.Database.ExecuteAsync("CREATE EXTENSION IF NOT EXISTS pg_walinspect", Cancellation);
        var workflow = await scene.WorkflowAsync(Flows.Trivial);
        await scene.DaemonAsync(static setup => setup.Settings["worker.concurrency"] = "500");
        await scene.EndAsync(await scene.InsertAsync(workflow: workflow));

        // The log is the cluster's, and other tests use it too: what counts is what was written into tables of this database. The least of several,
        // for a checkpoint or a vacuum between.
        var least = double.MaxValue;
        for (var round = 1; round <= 4; round++)
        {
            var from = await scene.Database.ScalarAsync<string>("SELECT pg_current_wal_flush_lsn()::text", Cancellation);
            await scene.Database.ExecuteAsync(
                "INSERT INTO lekhika.workflow_executions (workflow_id) SELECT $1 FROM generate_series(1, $2)", Cancellation, workflow, Count);
            await scene.UntilSqlAsync<bool>("SELECT NOT EXISTS (SELECT FROM lekhika.ready) AND NOT EXISTS (SELECT FROM lekhika.held)", static empty => empty);
            var bytes = await scene.Database.ScalarAsync<double>(
                "SELECT coalesce(sum(record_length - fpi_length), 0)::float8 FROM pg_get_wal_records_info($1::pg_lsn, pg_current_wal_flush_lsn()) "
                + "WHERE block_ref LIKE '%/' || (SELECT oid FROM pg_database WHERE datname = current_database()) || '/%'",
                Cancellation, from!);
            least = Math.Min(least, bytes / Count);
        }

        // 1.3 KB of ours, and the backend's own insert with its place in the queue.
        TestContext.Current.TestOutputHelper?.WriteLine($"{least:0} bytes for each execution");
        Assert.InRange(least, 300, 1300 + 700);
    }

    /// <summary>Commits of the daemon's statements that do work: claims and flushes, each a transaction of its own.</summary>
    private static async Task<long> CommitsAsync(Scene scene)
    {
        await PostgresExtensionAsync(scene);
        return (await StatementsAsync(scene)).Where(static one => one.Query.Contains("claim", StringComparison.Ordinal)
            || one.Query.Contains("flush", StringComparison.Ordinal)).Sum(static one => one.Calls);
    }

    private static Task PostgresExtensionAsync(Scene scene) => scene.Database.ExecuteAsync("CREATE EXTENSION IF NOT EXISTS pg_stat_statements", Cancellation);

    /// <summary>Waits until the claim that finds nothing has been made too: nothing tells of it but the count, which has then stood for a while.</summary>
    private static async Task QuietAsync(Scene scene)
    {
        var (calls, same) = (-1L, 0);
        await scene.UntilSqlAsync<long>(
            "SELECT coalesce(sum(calls), 0)::bigint FROM pg_stat_statements WHERE query ~ '\\.claim\\(' AND dbid = (SELECT oid FROM pg_database WHERE datname = current_database())",
            now =>
            {
                same = now == calls ? same + 1 : 0;
                calls = now;
                return same >= 20;
            });
    }

    private static async Task<List<(long Calls, string Query)>> StatementsAsync(Scene scene)
    {
        var statements = new List<(long, string)>();
        await using var command = scene.Database.Sql.CreateCommand(
            "SELECT calls, query FROM pg_stat_statements WHERE dbid = (SELECT oid FROM pg_database WHERE datname = current_database()) AND toplevel "
            // The tests write the schema's name without quotation marks, and give their connections back with a DISCARD ALL, which the daemon, having
            // prepared statements, never could. A connection that is opened asks for its process once.
            + "AND query !~ $1 AND query !~ 'lekhika\\.|pg_stat|pg_backend_pid|^DISCARD ALL$' ORDER BY calls DESC");
        command.Parameters.Add(new NpgsqlParameter<string> { TypedValue = Idle });
        await using var reader = await command.ExecuteReaderAsync(Cancellation);
        while (await reader.ReadAsync(Cancellation)) statements.Add((reader.GetInt64(0), reader.GetString(1)));
        return statements;
    }

    [Fact]
    public async Task An_idle_daemon_leaves_the_database_in_peace()
    {
        await using var scene = await Scene.BeginAsync(servers);
        await PostgresExtensionAsync(scene);
        await scene.DaemonAsync();
        await scene.UntilSqlAsync<bool>("SELECT coalesce(bool_and(idle), false) FROM lekhika.workers WHERE NOT revoked", static idle => idle);
        const string Claims = "SELECT coalesce(sum(calls), 0)::bigint FROM pg_stat_statements WHERE query ~ '\\.claim\\(' AND dbid = (SELECT oid FROM pg_database WHERE datname = current_database())";
        var before = await scene.Database.ScalarAsync<long>(Claims, Cancellation);
        await Task.Delay(TimeSpan.FromSeconds(3), TimeProvider.System, Cancellation); // what is measured is a rate
        var made = await scene.Database.ScalarAsync<long>(Claims, Cancellation) - before;
        Assert.True(made <= 5, $"{made} claims in three seconds");
    }
}
