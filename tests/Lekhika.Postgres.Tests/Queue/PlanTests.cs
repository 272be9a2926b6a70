using Lekhika.Tests.Support;
using Npgsql;
using Xunit;

namespace Lekhika.Postgres.Tests.Queue;

/// <summary>
/// A daemon's sessions plan their statements while the tables are empty and keep those plans when a hundred thousand rows arrive. Nothing that
/// runs in the loop may read a large table from end to end then.
/// </summary>
public sealed class PlanTests(PostgresCluster cluster)
{
    private const int Rows = 200_000;

    private static CancellationToken Token => TestContext.Current.CancellationToken;

    [Fact]
    public async Task No_statement_of_the_loop_reads_a_large_table_from_end_to_end()
    {
        await using var engine = await Engine.CreateAsync(cluster);
        foreach (var table in new[] { "ready", "held", "parked", "commands", "workflow_executions", "workflow_execution_steps" })
        {
            await engine.ExecuteAsync($"ALTER TABLE lekhika.{table} SET (autovacuum_enabled = off)");
        }

        var worker = await engine.EnlistAsync();
        await using var connection = await engine.Db.Sql.OpenConnectionAsync(Token);
        (string Name, string Sql)[] calls =
        [
            ("claim", $"SELECT count(*) FROM lekhika.claim({worker}, 100, NULL, NULL, NULL, NULL, NULL)"),
            ("claim from lists", $"SELECT count(*) FROM lekhika.claim({worker}, 100, '{{1}}', '{{0}}', '{{0}}', '{{0}}', '{{100}}')"),
            ("lists", "SELECT count(*) FROM lekhika.lists(100, '-32768', '-32768', '-2147483648')"),
            ("admit", "SELECT more FROM lekhika.admit(10, '{1}', '{0}', '{0}', '{0}', '{10}', 5, 100, '1 minute', 5, 100, '1 minute')"),
            ("wake_due", "SELECT moved FROM lekhika.wake_due(100)"),
            ("obey", "SELECT lekhika.obey(100)"),
            ("flush", Flush(worker)),
            ("standing", "SELECT count(*) FROM unnest('{1,2,3}'::bigint[], '{1,1,1}'::int[]) AS h (exec, run) LEFT JOIN lekhika.workflow_executions e ON e.seq = h.exec WHERE e.run <> h.run"),
        ];
        foreach (var (_, sql) in calls)
        {
            for (var i = 0; i < 7; i++) await ScalarAsync(connection, sql);
        }

        await engine.ExecuteAsync(
            $"""
            INSERT INTO lekhika.workflow_executions (definition, inputs) SELECT '[]', jsonb_build_object('i', i) FROM generate_series(1, {Rows}) i;
            INSERT INTO lekhika.held SELECT seq + 1000000, {worker}, 1, 1, 0, 0, 0 FROM lekhika.workflow_executions;
            INSERT INTO lekhika.parked (exec, epoch, run, tenant, pri, rescues, due_at, why) SELECT seq + 2000000, 1, 1, 0, 0, 0, now(), 'retry' FROM lekhika.workflow_executions;
            INSERT INTO lekhika.workflow_execution_steps (seq, run, ordinal, attempt, step_key, outcome) SELECT seq, 1, 0, 1, 'a', 'succeeded' FROM lekhika.workflow_executions;
            """);
        await engine.ExecuteAsync($"UPDATE lekhika.workflow_executions SET status = 'failed', rev = rev + 1 WHERE seq > {Rows - 2000}");
        await engine.ExecuteAsync($"DELETE FROM lekhika.ready WHERE exec > {Rows - 2000}");
        await engine.ExecuteAsync($"UPDATE lekhika.workflow_executions SET status = 'pending' WHERE seq > {Rows - 2000}");
        foreach (var (name, sql) in calls) await AssertWalksIndexesAsync(connection, name, sql);
    }

    [Fact]
    public async Task Revoked_incarnations_by_the_hundred_do_not_each_read_what_is_held()
    {
        await using var engine = await Engine.CreateAsync(cluster);
        var worker = await engine.EnlistAsync();
        await engine.ExecuteAsync("INSERT INTO lekhika.workers (inc, worker_id, host, version, slots, revoked, expires_at) SELECT 1000 + i, 'w', 'h', '', 1, true, now() FROM generate_series(1, 500) i");
        await using var connection = await engine.Db.Sql.OpenConnectionAsync(Token);
        for (var i = 0; i < 7; i++) await ScalarAsync(connection, $"SELECT lekhika.rescue({worker})");
        await engine.ExecuteAsync($"INSERT INTO lekhika.held SELECT i, {worker}, 1, 1, 0, 0, 0 FROM generate_series(1, 20000) i");
        await using var transaction = await connection.BeginTransactionAsync(Token);
        await ScalarAsync(connection, $"SELECT lekhika.rescue({worker})");
        Assert.InRange(await SequentialReadsAsync(connection, "held"), 0, 40_000);
    }

    private static string Flush(long worker) =>
        $"""
        SELECT count(*) FROM (SELECT array_agg(i) AS e, array_agg(1) AS one, array_agg(i::int) AS item, array_agg(NULL::text) AS t, array_agg(NULL::jsonb) AS j,
                                     array_agg(0::bigint) AS n, array_agg(NULL::timestamptz) AS z FROM generate_series(1::bigint, 100) i) a,
             LATERAL lekhika.flush({worker}, 'w', a.e, a.one, a.one, a.one::smallint[], a.t, a.t, a.j, a.t, a.j, a.n, a.n, a.n, a.z, a.z, a.t, a.j, a.j,
                                   a.item, array_fill('a'::text, ARRAY[100]), a.one, a.one, array_fill('succeeded'::text, ARRAY[100]), a.t, a.t, a.z, a.z, a.z, a.j, a.j, a.j, a.j, a.j)
        """;

    private static async Task AssertWalksIndexesAsync(NpgsqlConnection connection, string name, string sql)
    {
        await using var transaction = await connection.BeginTransactionAsync(Token);
        await ScalarAsync(connection, sql);
        foreach (var table in new[] { "ready", "held", "parked", "commands", "workflow_executions", "workflow_execution_steps" })
        {
            var read = await SequentialReadsAsync(connection, table);
            Assert.True(read < 5000, $"{name} read {read} rows of {table} one after the other");
        }

        await transaction.RollbackAsync(Token);
    }

    private static async Task<long> SequentialReadsAsync(NpgsqlConnection connection, string table) =>
        (long)(await ScalarAsync(connection, $"SELECT seq_tup_read FROM pg_stat_xact_user_tables WHERE schemaname = 'lekhika' AND relname = '{table}'"))!;

    private static async Task<object?> ScalarAsync(NpgsqlConnection connection, string sql)
    {
        await using var command = new NpgsqlCommand(sql, connection) { CommandTimeout = 120 };
        return await command.ExecuteScalarAsync(Token);
    }
}
