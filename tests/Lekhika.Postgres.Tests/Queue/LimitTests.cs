using Lekhika.Postgres.Queue;
using Lekhika.Tests.Support;
using Npgsql;
using Xunit;

namespace Lekhika.Postgres.Tests.Queue;

public sealed class LimitTests(PostgresCluster cluster)
{
    private static readonly TimeSpan Minute = TimeSpan.FromMinutes(1);

    private static CancellationToken Token => TestContext.Current.CancellationToken;

    [Fact]
    public async Task Without_limits_nothing_is_asked_and_a_row_of_limits_or_a_waiter_changes_that()
    {
        await using var engine = await Engine.CreateAsync(cluster);
        var claims = new LimitedClaims(engine.Db.Database, StartLimits.None);
        Assert.False(await claims.AreThereAsync(Token));
        await engine.ExecuteAsync("INSERT INTO lekhika.limits (kind, key, concurrency) VALUES ('user', 'u', 1)");
        Assert.True(await claims.AreThereAsync(Token));
        await engine.ExecuteAsync("DELETE FROM lekhika.limits");
        await engine.ExecuteAsync("INSERT INTO lekhika.parked (exec, epoch, run, tenant, pri, rescues, why, gate) VALUES (1, 0, 1, 0, 0, 0, 'limit', 5)");
        Assert.True(await claims.AreThereAsync(Token));
    }

    [Fact]
    public async Task A_user_gets_no_more_than_the_limit_and_the_next_when_one_ends_or_waits()
    {
        await using var engine = await Engine.CreateAsync(cluster);
        var worker = await engine.EnlistAsync();
        var execs = await engine.InsertAsync(5, userId: "u");
        var claims = Claims(engine, user: new StartLimit(2, null, Minute));

        var first = await ClaimAsync(engine, claims, worker);
        Assert.Equal(execs.Take(2), first.Select(one => one.Fence.Exec));
        Assert.Empty(await ClaimAsync(engine, claims, worker));
        await engine.FlushAsync(worker, Engine.Finish(first[0].Fence));
        Assert.Equal([execs[2]], (await ClaimAsync(engine, claims, worker)).Select(one => one.Fence.Exec));
        await engine.FlushAsync(worker, Engine.Park(first[1].Fence, "retry", DateTimeOffset.UnixEpoch));
        Assert.Equal([execs[3]], (await ClaimAsync(engine, claims, worker)).Select(one => one.Fence.Exec));
        // Woken, it has to ask again.
        await engine.Queue.WakeDueAsync(10, Token);
        Assert.Empty(await ClaimAsync(engine, claims, worker));
        await engine.EvictAsync(worker);
        worker = await engine.EnlistAsync();
        Assert.Equal(2, (await ClaimAsync(engine, claims, worker)).Count);
        await Invariants.AssertPlacesAsync(engine.Db, settled: true, Token);
    }

    [Fact]
    public async Task A_row_of_limits_replaces_the_configuration_for_one_user()
    {
        await using var engine = await Engine.CreateAsync(cluster);
        var worker = await engine.EnlistAsync();
        foreach (var user in new[] { "many", "none", "any", "usual" }) await engine.InsertAsync(5, userId: user);
        await engine.InsertAsync(5);
        await engine.ExecuteAsync("INSERT INTO lekhika.limits (kind, key, concurrency) VALUES ('user', 'many', 3), ('user', 'none', 0), ('user', 'any', NULL)");
        var claimed = await ClaimAsync(engine, Claims(engine, user: new StartLimit(1, null, Minute)), worker);
        Assert.Equal(
            [("", 5), ("any", 5), ("many", 3), ("usual", 1)],
            claimed.GroupBy(one => one.UserId ?? "", StringComparer.Ordinal).Select(user => (user.Key, user.Count())).OrderBy(user => user.Key, StringComparer.Ordinal));
    }

    [Fact]
    public async Task Beyond_a_workflows_limit_executions_step_aside_and_come_back_in_order()
    {
        await using var engine = await Engine.CreateAsync(cluster);
        var worker = await engine.EnlistAsync();
        var (limited, other) = (await WorkflowAsync(engine), await WorkflowAsync(engine));
        var first = await InsertAsync(engine, limited, 4);
        var behind = await InsertAsync(engine, other, 2);
        await engine.ExecuteAsync("INSERT INTO lekhika.limits (kind, key, concurrency) VALUES ('workflow', upper($1), 1)", limited.ToString());
        var claims = Claims(engine);

        var claimed = await ClaimAsync(engine, claims, worker);
        Assert.Equal([first[0], .. behind], claimed.Select(one => one.Fence.Exec));
        await Assert.AllAsync(first.Skip(1), async exec => Assert.Equal("parked", await engine.PlaceAsync(exec)));
        var waiting = await engine.ScalarAsync<Guid>("SELECT id FROM lekhika.workflow_executions WHERE seq = $1", first[1]);
        Assert.Equal("limit", (await engine.Reader.FindAsync(waiting, Token))!.WaitingFor!.Value.GetProperty("kind").GetString());
        await Invariants.AssertPlacesAsync(engine.Db, settled: true, Token);
        foreach (var exec in first.Skip(1))
        {
            Assert.Empty(await ClaimAsync(engine, claims, worker));
            await engine.ExecuteAsync("DELETE FROM lekhika.held WHERE exec = $1", claimed[0].Fence.Exec);
            claimed = await ClaimAsync(engine, claims, worker);
            Assert.Equal([exec], claimed.Select(one => one.Fence.Exec));
        }
    }

    [Fact]
    public async Task What_waits_for_a_limit_can_be_paused_cancelled_and_set_free()
    {
        await using var engine = await Engine.CreateAsync(cluster);
        var worker = await engine.EnlistAsync();
        var workflow = await WorkflowAsync(engine);
        var execs = await InsertAsync(engine, workflow, 4);
        await engine.ExecuteAsync("INSERT INTO lekhika.limits (kind, key, concurrency) VALUES ('workflow', $1, 0)", workflow.ToString());
        var claims = Claims(engine);
        Assert.Empty(await ClaimAsync(engine, claims, worker));

        await engine.SetStatusAsync(execs[0], "paused");
        await engine.SetStatusAsync(execs[1], "cancelled");
        await engine.ObeyAsync();
        await engine.ExecuteAsync("DELETE FROM lekhika.limits");
        Assert.True(await claims.AreThereAsync(Token));
        Assert.Equal(execs.Skip(2), (await ClaimAsync(engine, claims, worker)).Select(one => one.Fence.Exec));
        Assert.Equal(("parked (paused)", "none"), (await engine.PlaceAsync(execs[0]), await engine.PlaceAsync(execs[1])));
        await engine.SetStatusAsync(execs[0], "running");
        await engine.ObeyAsync();
        Assert.Equal([execs[0]], (await ClaimAsync(engine, claims, worker)).Select(one => one.Fence.Exec));
    }

    [Fact]
    public async Task Only_so_many_start_within_a_period_and_what_is_woken_does_not_count()
    {
        await using var engine = await Engine.CreateAsync(cluster);
        var worker = await engine.EnlistAsync();
        var execs = await engine.InsertAsync(6, userId: "u");
        var claims = Claims(engine, user: new StartLimit(null, 2, Minute));
        var first = await ClaimAsync(engine, claims, worker);
        Assert.Equal(execs.Take(2), first.Select(one => one.Fence.Exec));
        await engine.FlushAsync(worker, Engine.Release(first[0].Fence), Engine.Finish(first[1].Fence));
        Assert.Equal([execs[0]], (await ClaimAsync(engine, claims, worker)).Select(one => one.Fence.Exec));
        Assert.Empty(await ClaimAsync(engine, claims, worker));

        await engine.ExecuteAsync("UPDATE lekhika.starts SET at = at - interval '61 seconds'");
        Assert.Equal(execs.Skip(2).Take(2), (await ClaimAsync(engine, claims, worker)).Select(one => one.Fence.Exec));
        Assert.Equal(1, await engine.ScalarAsync<long>("SELECT count(*) FROM lekhika.starts"));
    }

    [Fact]
    public async Task A_limit_holds_over_daemons_that_claim_at_the_same_time()
    {
        await using var engine = await Engine.CreateAsync(cluster);
        var workflow = await WorkflowAsync(engine);
        await engine.ExecuteAsync("INSERT INTO lekhika.workflow_executions (workflow_id, user_id) SELECT $1, 'u' || i % 3 FROM generate_series(1, 300) i", workflow);
        var limits = new StartLimits(new StartLimit(3, null, Minute), new StartLimit(7, null, Minute));
        var (most, done) = (0L, 0);
        await Task.WhenAll(Enumerable.Range(0, 4).Select(async _ =>
        {
            var worker = await engine.EnlistAsync();
            var claims = new LimitedClaims(engine.Db.Database, limits);
            while (Volatile.Read(ref done) < 300)
            {
                var claimed = await ClaimAsync(engine, claims, worker, 5);
                var held = await engine.ListAsync<long>(
                    "SELECT count(*) FROM lekhika.held GROUP BY tenant UNION ALL SELECT count(*) - 4 FROM lekhika.held HAVING count(*) > 7");
                Assert.All(held, static count => Assert.InRange(count, 0, 3));
                if (held.Sum() is var sum && sum > Interlocked.Read(ref most)) Interlocked.Exchange(ref most, sum);
                foreach (var one in claimed) await engine.FlushAsync(worker, Engine.Finish(one.Fence));
                Interlocked.Add(ref done, claimed.Count);
            }
        }));
        Assert.InRange(most, 4, 7);
        Assert.Equal(300, await engine.ScalarAsync<long>("SELECT count(*) FROM lekhika.workflow_executions WHERE status = 'completed'"));
        await Invariants.AssertPlacesAsync(engine.Db, settled: true, Token);
    }

    [Theory]
    [InlineData("user")]
    [InlineData("workflow")]
    public async Task A_hundred_thousand_rows_held_back_do_not_slow_down_the_claims_of_others(string kind)
    {
        await using var engine = await Engine.CreateAsync(cluster);
        var worker = await engine.EnlistAsync();
        var workflow = await WorkflowAsync(engine);
        await engine.ExecuteAsync("INSERT INTO lekhika.workflow_executions (workflow_id, user_id) SELECT $1, 'heavy' FROM generate_series(1, 100000)", workflow);
        await engine.ExecuteAsync("INSERT INTO lekhika.limits (kind, key, concurrency) VALUES ($1, $2, 1)", kind, kind == "user" ? "heavy" : workflow.ToString());
        var claims = Claims(engine);
        Assert.Single(await ClaimAsync(engine, claims, worker));

        var slowest = TimeSpan.Zero;
        for (var i = 0; i < 50; i++)
        {
            var light = await engine.InsertAsync(userId: "light" + i);
            var begun = TimeProvider.System.GetTimestamp();
            Assert.Equal([light], (await ClaimAsync(engine, claims, worker)).Select(one => one.Fence.Exec));
            var took = TimeProvider.System.GetElapsedTime(begun);
            if (took > slowest) slowest = took;
        }

        Assert.True(slowest < TimeSpan.FromSeconds(1), $"the slowest claim took {slowest}");
    }

    [Fact]
    public async Task What_does_not_count_any_more_is_removed_although_nobody_asks_for_it()
    {
        await using var engine = await Engine.CreateAsync(cluster);
        var worker = await engine.EnlistAsync();
        await engine.ExecuteAsync("INSERT INTO lekhika.workflow_executions (user_id) SELECT 'u' || i FROM generate_series(1, 20) i");
        var claims = Claims(engine, user: new StartLimit(1, 1, Minute));
        var claimed = await ClaimAsync(engine, claims, worker);
        Assert.Equal(20, claimed.Count);
        foreach (var one in claimed.Skip(1)) await engine.FlushAsync(worker, Engine.Finish(one.Fence));
        await engine.ExecuteAsync("UPDATE lekhika.starts SET at = at - interval '32 days' WHERE gate <> (SELECT gate FROM lekhika.permits WHERE exec = $1)", claimed[0].Fence.Exec);
        while (await claims.TidyAsync(1000, Token) > 0 || await engine.ScalarAsync<long>("SELECT count(*) FROM lekhika.permits") > 1)
        {
            Token.ThrowIfCancellationRequested();
        }

        Assert.Equal(claimed[0].Fence.Exec, await engine.ScalarAsync<long>("SELECT exec FROM lekhika.permits"));
        Assert.Equal(1, await engine.ScalarAsync<long>("SELECT count(*) FROM lekhika.starts"));
    }

    [Fact]
    public async Task A_submission_with_a_limit_is_not_claimed_past_it()
    {
        await using var engine = await Engine.CreateAsync(cluster);
        var worker = await engine.EnlistAsync();
        await engine.ExecuteAsync("INSERT INTO lekhika.limits (kind, key, concurrency) VALUES ('user', 'u', 1)");
        var limited = await engine.Submitter.SubmitAsync(worker, true, new() { Id = Guid.NewGuid(), Definition = "{}", UserId = "u" }, Token);
        var free = await engine.Submitter.SubmitAsync(worker, true, new() { Id = Guid.NewGuid(), Definition = "{}", UserId = "v" }, Token);
        Assert.Equal((false, true), (limited.Claimed, free.Claimed));
        Assert.Equal("ready", await engine.PlaceAsync(limited.Exec));
    }

    [Theory]
    [InlineData("INSERT INTO lekhika.limits (kind, key) VALUES ('workflow', 'no-uuid')")]
    [InlineData("INSERT INTO lekhika.limits (kind, key) VALUES ('tenant', 'x')")]
    [InlineData("INSERT INTO lekhika.limits (kind, key, concurrency) VALUES ('user', 'x', -1)")]
    [InlineData("INSERT INTO lekhika.limits (kind, key, rate, per) VALUES ('user', 'x', 1, '0')")]
    public async Task Limits_that_mean_nothing_are_refused(string sql)
    {
        await using var engine = await Engine.CreateAsync(cluster);
        await Assert.ThrowsAsync<PostgresException>(() => engine.ExecuteAsync(sql));
    }

    private static LimitedClaims Claims(Engine engine, StartLimit? user = null) =>
        new(engine.Db.Database, new StartLimits(user ?? StartLimit.None, StartLimit.None));

    /// <summary>A claim as the daemon makes it: from the lists as they are, every tenant an equal share.</summary>
    private static async Task<List<ClaimedExecution>> ClaimAsync(Engine engine, LimitedClaims claims, long worker, int limit = 100)
    {
        while (true)
        {
            var lists = await engine.Queue.ListsAsync(1000, null, Token);
            var claim = await claims.ClaimAsync(worker, limit, [.. lists.Select(waiting => new ListShare(waiting.List, 0, Math.Max(1, limit / lists.Count)))], Token);
            if (claim.Claimed.Count > 0 || !claim.More) return claim.Claimed;
        }
    }

    private static async Task<Guid> WorkflowAsync(Engine engine) =>
        await engine.ScalarAsync<Guid>("INSERT INTO lekhika.workflows (definition) VALUES ('{\"v\": 1}') RETURNING id");

    private static Task<List<long>> InsertAsync(Engine engine, Guid workflow, int count) => engine.ListAsync<long>(
        "WITH made AS (INSERT INTO lekhika.workflow_executions (workflow_id) SELECT $1 FROM generate_series(1, $2) RETURNING seq) SELECT seq FROM made ORDER BY seq",
        workflow, count);
}
