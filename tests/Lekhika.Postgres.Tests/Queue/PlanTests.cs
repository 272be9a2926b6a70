using Lekhika.Tests.Support;
using Npgsql;
using Xunit;

namespace Lekhika.Postgres.Tests.Queue;

/// <summary>
/// A daemon's sessions plan their statements while the tables are empty and keep those plans when a hundred thousand rows arrive. Nothing that
/// runs in the loop may read a large table, or an index of one, from end to end then. That they are empty may be a guess of the planner, for tables that
/// were never vacuumed, or what it knows.
/// </summary>
public sealed class PlanTests(PostgresCluster cluster)
{
    private const int Rows = 200_000;
    private const int Most = 5_000;

    private static readonly string[] Tables = ["ready", "held", "parked", "commands", "workflow_executions", "workflow_execution_steps"];

    private static CancellationToken Token => TestContext.Current.CancellationToken;

    [Theory]
    [InlineData(false)]
    [InlineData(true)]
    public async Task No_statement_of_the_loop_reads_a_large_table_from_end_to_end(bool vacuumed)
    {
        await using var engine = await Engine.CreateAsync(cluster);
        foreach (var table in Tables) await engine.ExecuteAsync($"ALTER TABLE lekhika.{table} SET (autovacuum_enabled = off)");
        if (vacuumed) await engine.ExecuteAsync("VACUUM (ANALYZE)");

        var worker = await engine.EnlistAsync();
        await using var connection = await engine.Db.Sql.OpenConnectionAsync(Token);
        (string Name, string Sql)[] calls =
        [
            ("claim", $"SELECT count(*) FROM lekhika.claim({worker}, 100, NULL, NULL, NULL, NULL, NULL)"),
            ("claim from lists", $"SELECT count(*) FROM lekhika.claim({worker}, 100, '{{1}}', '{{0}}', '{{0}}', '{{0}}', '{{100}}')"),
            ("lists", "SELECT count(*) FROM lekhika.lists(100, '-32768', '-32768', '-2147483648')"),
            ("admit", "SELECT more FROM lekhika.admit(10, '{1}', '{0}', '{0}', '{0}', '{10}', 5, 100, '1 minute', 5, 100, '1 minute')"),
            ("admit without room", "SELECT more FROM lekhika.admit(10, '{1}', '{0}', '{0}', '{0}', '{10}', 1, NULL, NULL, 1, NULL, NULL)"),
            ("reconcile", "SELECT placed FROM lekhika.reconcile(0, 100)"),
            ("match_events", "SELECT moved FROM lekhika.match_events('{1,2,3}', 0, 100)"),
            ("count_claims", "SELECT lekhika.count_claims('{1,2,3}', '{t,t,t}', true, true, true, true)"),
            ("wake_due", "SELECT moved FROM lekhika.wake_due(100)"),
            ("obey", "SELECT lekhika.obey(100)"),
            ("flush", Flush(worker)),
            ("claim and append", Claim(worker) + Flush(worker)),
            ("claim and park", Claim(worker) + Flush(worker, kind: 3, why: "'wait'::text")),
            ("claim and finish", Claim(worker) + Flush(worker, kind: 4, status: "'failed'::text")),
            ("claim and release", Claim(worker) + Flush(worker, kind: 5)),
            ("standing", "SELECT count(*) FROM unnest('{1,2,3}'::bigint[], '{1,1,1}'::int[]) AS h (exec, run) LEFT JOIN lekhika.workflow_executions e ON e.seq = h.exec WHERE e.run <> h.run"),
        ];
        await engine.ExecuteAsync("INSERT INTO lekhika.workflow_executions (definition) SELECT '[]' FROM generate_series(1, 100)");
        foreach (var (_, sql) in calls)
        {
            for (var i = 0; i < 7; i++)
            {
                await using var attempt = await connection.BeginTransactionAsync(Token);
                await ScalarAsync(connection, sql);
                await attempt.RollbackAsync(Token);
            }
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
        var found = new List<string>();
        foreach (var (name, sql) in calls) found.AddRange(await LongReadsAsync(connection, name, sql));
        Assert.Equal("", string.Join("\n", found));
    }

    [Theory]
    [InlineData(false)]
    [InlineData(true)]
    public async Task What_waits_for_its_time_is_not_looked_at_before_it(bool vacuumed)
    {
        await using var engine = await Engine.CreateAsync(cluster);
        await engine.ExecuteAsync("ALTER TABLE lekhika.parked SET (autovacuum_enabled = off)");
        if (vacuumed) await engine.ExecuteAsync("VACUUM (ANALYZE)");
        const string Wake = "SELECT moved FROM lekhika.wake_due(100)";
        await using var connection = await engine.Db.Sql.OpenConnectionAsync(Token);
        for (var i = 0; i < 7; i++) await ScalarAsync(connection, Wake);
        await engine.ExecuteAsync(
            $"INSERT INTO lekhika.parked (exec, epoch, run, tenant, pri, rescues, due_at, why) SELECT i, 1, 1, 0, 0, 0, now() + interval '1 day', 'wait' FROM generate_series(1, {Rows}) i");
        Assert.Equal("", string.Join("\n", await LongReadsAsync(connection, "wake_due", Wake)));
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

    private static string Claim(long worker) => $"SELECT count(*) FROM lekhika.claim({worker}, 100, NULL, NULL, NULL, NULL, NULL); ";

    private static string Flush(long worker, int kind = 1, string status = "NULL::text", string why = "NULL::text") =>
        $"""
        SELECT count(*) FROM (SELECT array_agg(i) AS e, array_agg(1) AS one, array_agg(i::int) AS item, array_agg(NULL::text) AS t, array_agg(NULL::jsonb) AS j,
                                     array_agg(0::bigint) AS n, array_agg(NULL::timestamptz) AS z FROM generate_series(1::bigint, 100) i) a,
             LATERAL lekhika.flush({worker}, 'w', a.e, a.one, a.one, array_fill({kind}::smallint, ARRAY[100]), array_fill({status}, ARRAY[100]), a.t, a.j, a.t, a.j, a.n, a.n, a.n, a.z, a.z,
                                   array_fill({why}, ARRAY[100]), a.j, a.j,
                                   a.item, array_fill('a'::text, ARRAY[100]), a.one, a.one, array_fill('succeeded'::text, ARRAY[100]), a.t, a.t, a.z, a.z, a.z, a.j, a.j, a.j, a.j, a.j)
        """;

    private static async Task<List<string>> LongReadsAsync(NpgsqlConnection connection, string name, string sql)
    {
        var found = new List<string>();
        var before = await IndexReadsAsync(connection);
        await using (var transaction = await connection.BeginTransactionAsync(Token))
        {
            await ScalarAsync(connection, sql);
            foreach (var table in Tables)
            {
                var read = await SequentialReadsAsync(connection, table);
                if (read > Most) found.Add($"{name} read {read} rows of {table} one after the other");
            }

            await transaction.RollbackAsync(Token);
        }

        foreach (var (index, read) in await IndexReadsAsync(connection))
        {
            if (read - before[index] is > Most and var more) found.Add($"{name} read {more} entries of {index}");
        }

        return found;
    }

    /// <summary>Entries read of each index, in all sessions, up to now.</summary>
    private static async Task<Dictionary<string, long>> IndexReadsAsync(NpgsqlConnection connection)
    {
        // A server before 15 tells it some time later only; there the tables alone are looked at.
        if (connection.PostgreSqlVersion.Major < 15) return [];
        await ScalarAsync(connection, "SELECT pg_stat_force_next_flush()");
        await using var command = new NpgsqlCommand("SELECT indexrelname, idx_tup_read FROM pg_stat_user_indexes WHERE schemaname = 'lekhika'", connection);
        await using var reader = await command.ExecuteReaderAsync(Token);
        var reads = new Dictionary<string, long>(StringComparer.Ordinal);
        while (await reader.ReadAsync(Token)) reads.Add(reader.GetString(0), reader.GetInt64(1));
        return reads;
    }

    private static async Task<long> SequentialReadsAsync(NpgsqlConnection connection, string table) =>
        (long)(await ScalarAsync(connection, $"SELECT seq_tup_read FROM pg_stat_xact_user_tables WHERE schemaname = 'lekhika' AND relname = '{table}'"))!;

    private static async Task<object?> ScalarAsync(NpgsqlConnection connection, string sql)
    {
        await using var command = new NpgsqlCommand(sql, connection) { CommandTimeout = 120 };
        return await command.ExecuteScalarAsync(Token);
    }
}
