using Lekhika.Tests.Support;
using Npgsql;
using Xunit;

namespace Lekhika.Postgres.Tests.Feed;

public sealed class FeedTests(PostgresCluster cluster)
{
    private static CancellationToken Token => TestContext.Current.CancellationToken;

    [Theory]
    [InlineData("pending", "ready")]
    [InlineData("running", "ready")]
    [InlineData("waiting", "ready")]
    [InlineData("paused", "parked (paused)")]
    [InlineData("completed", "none")]
    [InlineData("failed", "none")]
    [InlineData("cancelled", "none")]
    public async Task A_row_gets_the_place_its_status_asks_for(string status, string place)
    {
        await using var engine = await Engine.CreateAsync(cluster);
        var exec = await engine.InsertAsync(status);
        Assert.Equal(place, await engine.PlaceAsync(exec));
        Assert.Equal(status, await engine.StatusAsync(exec));
    }

    [Fact]
    public async Task Thousands_of_rows_in_one_statement_are_queued_in_the_order_of_their_numbers()
    {
        await using var engine = await Engine.CreateAsync(cluster);
        var execs = await engine.InsertAsync(5000);
        Assert.Equal(execs, await engine.ListAsync<long>("SELECT exec FROM lekhika.ready ORDER BY class, pri, tenant, seq"));
        await Invariants.AssertPlacesAsync(engine.Db, settled: true, Token);
    }

    [Fact]
    public async Task COPY_feeds_the_queue_like_INSERT()
    {
        await using var engine = await Engine.CreateAsync(cluster);
        await using (var connection = await engine.Db.Sql.OpenConnectionAsync(Token))
        await using (var copy = await connection.BeginTextImportAsync(
            "COPY lekhika.workflow_executions (status, priority, user_id, run_at) FROM STDIN (FORMAT csv, NULL '')", Token))
        {
            for (var i = 0; i < 1000; i++) await copy.WriteLineAsync("pending,5,u1,");
            await copy.WriteLineAsync("pending,5,u1,2999-01-01");
        }

        Assert.Equal(1000, await engine.ScalarAsync<long>("SELECT count(*) FROM lekhika.ready WHERE pri = -5 AND tenant = lekhika.tenant_of('u1')"));
        Assert.Equal(1, await engine.ScalarAsync<long>("SELECT count(*) FROM lekhika.parked WHERE why = 'run_at'"));
    }

    [Fact]
    public async Task A_future_run_at_waits_and_a_past_one_does_not()
    {
        await using var engine = await Engine.CreateAsync(cluster);
        await engine.ExecuteAsync("INSERT INTO lekhika.workflow_executions (run_at) VALUES (now() + interval '1 hour'), (now() - interval '1 hour')");
        Assert.Equal(["parked", "ready"], [await engine.PlaceAsync(1), await engine.PlaceAsync(2)]);

        Assert.Equal(0, (await engine.Queue.WakeDueAsync(10, Token)).Moved);
        await engine.ExecuteAsync("UPDATE lekhika.parked SET due_at = now()");
        Assert.Equal(1, (await engine.Queue.WakeDueAsync(10, Token)).Moved);
        Assert.Equal("ready", await engine.PlaceAsync(1));
    }

    [Fact]
    public async Task A_paused_row_with_a_future_run_at_waits_for_both()
    {
        await using var engine = await Engine.CreateAsync(cluster);
        await engine.ExecuteAsync("INSERT INTO lekhika.workflow_executions (status, run_at) VALUES ('paused', now() + interval '1 hour')");
        await engine.SetStatusAsync(1, "pending");
        await engine.ObeyAsync();
        Assert.Equal("parked", await engine.PlaceAsync(1));

        await engine.SetStatusAsync(1, "paused");
        await engine.ObeyAsync();
        await engine.ExecuteAsync("UPDATE lekhika.parked SET due_at = now()");
        Assert.Equal(0, (await engine.Queue.WakeDueAsync(10, Token)).Moved);
        Assert.Equal("parked (paused)", await engine.PlaceAsync(1));

        await engine.SetStatusAsync(1, "pending");
        await engine.ObeyAsync();
        Assert.Equal(1, (await engine.Queue.WakeDueAsync(10, Token)).Moved);
    }

    [Fact]
    public async Task Priorities_beyond_the_range_are_held_to_it()
    {
        await using var engine = await Engine.CreateAsync(cluster);
        await engine.ExecuteAsync("INSERT INTO lekhika.workflow_executions (priority) VALUES (2147483647), (-2147483648)");
        Assert.Equal([-1000, 1000], (await engine.ListAsync<short>("SELECT pri FROM lekhika.ready ORDER BY exec")).Select(pri => (int)pri));
    }

    [Fact]
    public async Task Rows_of_an_insert_that_is_rolled_back_leave_no_place()
    {
        await using var engine = await Engine.CreateAsync(cluster);
        await using (var session = await engine.BeginAsync("INSERT INTO lekhika.workflow_executions DEFAULT VALUES")) await session.RollbackAsync();
        Assert.Equal(0, await engine.ScalarAsync<long>("SELECT count(*) FROM lekhika.ready"));
    }

    [Fact]
    public async Task A_role_that_may_only_insert_executions_can()
    {
        await using var engine = await Engine.CreateAsync(cluster);
        var role = "producer_" + Guid.NewGuid().ToString("N")[..8];
        await engine.ExecuteAsync($"CREATE ROLE {role} LOGIN; GRANT USAGE ON SCHEMA lekhika TO {role}; GRANT INSERT ON lekhika.workflow_executions TO {role}");
        var asProducer = new NpgsqlConnectionStringBuilder(engine.Db.ConnectionString) { Username = role, Pooling = false }.ConnectionString;
        await PostgresCluster.ExecuteAsync(asProducer, "INSERT INTO lekhika.workflow_executions (status, run_at) VALUES ('pending', NULL), ('pending', '2999-01-01')");

        Assert.Equal(1, await engine.ScalarAsync<long>("SELECT count(*) FROM lekhika.ready"));
        Assert.Equal(1, await engine.ScalarAsync<long>("SELECT count(*) FROM lekhika.parked"));
        await Assert.ThrowsAsync<PostgresException>(() => PostgresCluster.ExecuteAsync(asProducer, "DELETE FROM lekhika.ready"));
    }

    [Fact]
    public async Task A_hostile_search_path_does_not_reach_the_triggers()
    {
        await using var engine = await Engine.CreateAsync(cluster);
        await engine.ExecuteAsync(
            """
            CREATE SCHEMA evil;
            CREATE FUNCTION evil.now() RETURNS timestamptz LANGUAGE plpgsql AS $$ BEGIN RAISE EXCEPTION 'evil'; END $$;
            CREATE FUNCTION evil.hashtext(text) RETURNS int LANGUAGE plpgsql AS $$ BEGIN RAISE EXCEPTION 'evil'; END $$
            """);
        await engine.ExecuteAsync("SET search_path = evil, pg_catalog; INSERT INTO lekhika.workflow_executions (user_id) VALUES ('u')");
        Assert.Equal(1, await engine.ScalarAsync<long>("SELECT count(*) FROM lekhika.ready"));
    }
}
