using Lekhika.Postgres.Executions;
using Lekhika.Postgres.Upkeep;
using Lekhika.Tests.Support;
using Xunit;

namespace Lekhika.Postgres.Tests.Upkeep;

/// <summary>Retention: what goes, what stays, and what is remembered of it.</summary>
public sealed class RetentionTests(PostgresCluster cluster)
{
    private static readonly RetentionAges Ages = new(TimeSpan.FromDays(30), TimeSpan.FromDays(90), null);

    private static CancellationToken Token => TestContext.Current.CancellationToken;

    /// <summary>An execution that ended so many days ago, with a step.</summary>
    private static async Task<long> EndedAsync(Engine engine, long worker, string status, int days, string? key = null)
    {
        var exec = await engine.ScalarAsync<long>(
            "INSERT INTO lekhika.workflow_executions (idempotency_key) VALUES (nullif($1, '')) RETURNING seq", key ?? "");
        var fence = (await engine.ClaimAsync(worker)).Single().Fence;
        await engine.FlushAsync(worker, Engine.Finish(fence, status, Engine.Step("a")));
        await engine.ExecuteAsync(
            "UPDATE lekhika.workflow_executions SET finished_at = now() - make_interval(days => $2), created_at = now() - make_interval(days => $2 + 1) WHERE seq = $1",
            exec, days);
        return exec;
    }

    private static async Task<int> PassAsync(Engine engine, RetentionAges ages, int walk = 500)
    {
        var retention = new Retention(engine.Db.Database);
        var all = 0;
        while (true)
        {
            await engine.ExecuteAsync("UPDATE lekhika.retention_walk SET next_at = clock_timestamp()");
            var (removed, nextIn) = await retention.RetainAsync(ages, walk, Token);
            all += removed;
            if (nextIn >= TimeSpan.FromSeconds(1)) break;
        }

        while (await retention.ClearAsync(3, Token) >= 3)
        {
        }

        return all;
    }

    [Fact]
    public async Task What_is_old_enough_for_its_status_goes_with_all_that_belongs_to_it()
    {
        await using var engine = await Engine.CreateAsync(cluster);
        var worker = await engine.EnlistAsync();
        var oldCompleted = await EndedAsync(engine, worker, "completed", 31);
        var oldFailed = await EndedAsync(engine, worker, "failed", 91);
        long[] kept =
        [
            await EndedAsync(engine, worker, "completed", 29), await EndedAsync(engine, worker, "failed", 40),
            await EndedAsync(engine, worker, "cancelled", 4000), await engine.InsertAsync("pending"),
        ];
        await engine.ExecuteAsync("UPDATE lekhika.workflow_executions SET created_at = now() - interval '400 days' WHERE seq = $1", kept[3]);
        for (var i = 0; i < 20; i++) await engine.ExecuteAsync(
            "INSERT INTO lekhika.workflow_execution_steps (seq, run, ordinal, attempt, step_key, outcome) VALUES ($1, 1, 0, 1, $2, 'succeeded')", oldFailed, $"s{i}");
        await engine.ExecuteAsync("INSERT INTO lekhika.events (exec, run, name) VALUES ($1, 1, 'x')", oldFailed);
        await engine.ExecuteAsync("INSERT INTO lekhika.execution_runs (seq, run) VALUES ($1, 2)", oldFailed);

        Assert.Equal(2, await PassAsync(engine, Ages, walk: 2));
        Assert.Equal(kept.Order(), await engine.ListAsync<long>("SELECT seq FROM lekhika.workflow_executions ORDER BY seq"));
        Assert.Equal(0, await engine.ScalarAsync<long>(
            "SELECT count(*) FROM lekhika.workflow_execution_steps WHERE seq IN ($1, $2)", oldCompleted, oldFailed));
        Assert.Equal(3, await engine.ScalarAsync<long>("SELECT count(*) FROM lekhika.workflow_execution_steps"));
        Assert.Equal(0, await engine.ScalarAsync<long>(
            "SELECT (SELECT count(*) FROM lekhika.outcomes WHERE seq = $1) + (SELECT count(*) FROM lekhika.events) + (SELECT count(*) FROM lekhika.execution_runs) + (SELECT count(*) FROM lekhika.removed)", oldFailed));
        Assert.Equal(0, await PassAsync(engine, Ages));
        Assert.Equal(0, await PassAsync(engine, new RetentionAges(null, null, null)));
    }

    [Fact]
    public async Task A_repetition_of_what_was_removed_is_not_run_again_until_the_tombstone_is_gone()
    {
        await using var engine = await Engine.CreateAsync(cluster);
        var worker = await engine.EnlistAsync();
        var exec = await EndedAsync(engine, worker, "completed", 31, key: "order 7");
        var id = await engine.ScalarAsync<Guid>("SELECT id FROM lekhika.workflow_executions WHERE seq = $1", exec);
        await engine.ExecuteAsync("UPDATE lekhika.workflow_executions SET request_hash = $2 WHERE seq = $1", exec, id);
        Assert.Equal(1, await PassAsync(engine, Ages));

        var again = await engine.Submitter.SubmitAsync(
            worker, claim: true, new Submission { Id = id, Inputs = "{}", Definition = """{"nodes":[]}""" }, Token);
        Assert.Equal((false, false, "completed", id), (again.Created, again.Claimed, again.Status, again.RequestHash!.Value));
        again = await engine.Submitter.SubmitAsync(
            worker, claim: false, new Submission { Id = Guid.NewGuid(), IdempotencyKey = "order 7", Inputs = "{}", Definition = """{"nodes":[]}""" }, Token);
        Assert.Equal((false, id), (again.Created, again.Id));

        await engine.ExecuteAsync("INSERT INTO lekhika.workflow_executions (idempotency_key) VALUES ('order 7'), ('order 8')");
        await engine.ExecuteAsync("INSERT INTO lekhika.workflow_executions (id) VALUES ($1)", id);
        Assert.Equal(
            ["already_ran", "already_ran", "pending"],
            await engine.ListAsync<string>("SELECT coalesce(error_details->>'code', status) FROM lekhika.workflow_executions ORDER BY 1"));
        var claimed = await engine.ClaimAsync(worker);
        Assert.Equal(["cancelled", "cancelled", "pending"], claimed.Select(static claim => claim.Status).Order(StringComparer.Ordinal));

        await engine.ExecuteAsync("UPDATE lekhika.tombstones SET removed_at = now() - interval '31 days'");
        await PassAsync(engine, Ages);
        Assert.Equal(0, await engine.ScalarAsync<long>("SELECT count(*) FROM lekhika.tombstones"));
    }

    [Fact]
    public async Task Deleted_by_hand_leaves_no_steps_and_may_be_inserted_again()
    {
        await using var engine = await Engine.CreateAsync(cluster);
        var worker = await engine.EnlistAsync();
        var exec = await EndedAsync(engine, worker, "completed", 1);
        var id = await engine.ScalarAsync<Guid>("SELECT id FROM lekhika.workflow_executions WHERE seq = $1", exec);
        await engine.ExecuteAsync("DELETE FROM lekhika.workflow_executions");
        await PassAsync(engine, Ages);
        Assert.Equal(0, await engine.ScalarAsync<long>("SELECT count(*) FROM lekhika.workflow_execution_steps"));
        await engine.ExecuteAsync("INSERT INTO lekhika.workflow_executions (id) VALUES ($1)", id);
        Assert.Equal("pending", (await engine.ClaimAsync(worker)).Single().Status);
    }

    [Fact]
    public async Task Dead_workers_and_definitions_that_nothing_names_go_too()
    {
        await using var engine = await Engine.CreateAsync(cluster);
        var dead = await engine.EnlistAsync();
        var holding = await engine.EnlistAsync();
        await engine.HoldAsync(holding);
        var alive = await engine.EnlistAsync();
        await engine.ExecuteAsync("UPDATE lekhika.workers SET revoked = true, expires_at = now() - interval '2 hours' WHERE inc IN ($1, $2)", dead, holding);
        await PassAsync(engine, Ages);
        Assert.Equal([holding, alive], await engine.ListAsync<long>("SELECT inc FROM lekhika.workers ORDER BY inc"));

        var workflow = Guid.NewGuid();
        await engine.ExecuteAsync("""INSERT INTO lekhika.workflows (id, definition) VALUES ($1, '{"n":1}')""", workflow);
        await engine.ExecuteAsync("""UPDATE lekhika.workflows SET definition = '{"n":2}' WHERE id = $1""", workflow);
        await engine.ExecuteAsync("""INSERT INTO lekhika.workflow_executions (definition_hash) SELECT lekhika.hash_of('{"n":2}')""");
        await engine.ExecuteAsync("""UPDATE lekhika.workflows SET definition = '{"n":3}' WHERE id = $1""", workflow);
        await engine.ExecuteAsync("UPDATE lekhika.definitions SET created_at = now() - interval '2 days'");
        var retention = new Retention(engine.Db.Database);
        Assert.Equal(0, await retention.SweepDefinitionsAsync(Token));
        await engine.ExecuteAsync("UPDATE lekhika.retention_walk SET swept_at = now() - interval '2 days'");
        Assert.Equal(1, await retention.SweepDefinitionsAsync(Token));
        Assert.Equal(["2", "3"], await engine.ListAsync<string>("SELECT definition->>'n' FROM lekhika.definitions ORDER BY 1"));
    }

    [Fact]
    public async Task Only_one_daemon_walks_at_a_time_and_no_sooner_than_it_should()
    {
        await using var engine = await Engine.CreateAsync(cluster);
        var worker = await engine.EnlistAsync();
        await EndedAsync(engine, worker, "completed", 31);
        var retention = new Retention(engine.Db.Database);
        await using (var other = await engine.BeginAsync("SELECT * FROM lekhika.retention_walk FOR UPDATE"))
        {
            Assert.Equal(0, (await retention.RetainAsync(Ages, 100, Token)).Removed);
        }

        var (removed, nextIn) = await retention.RetainAsync(Ages, 100, Token);
        Assert.Equal((1, TimeSpan.FromMinutes(10)), (removed, nextIn));
        await EndedAsync(engine, worker, "completed", 31);
        (removed, nextIn) = await retention.RetainAsync(Ages, 100, Token);
        Assert.Equal(0, removed);
        Assert.InRange(nextIn, TimeSpan.FromMinutes(9), TimeSpan.FromMinutes(10));
    }
}
