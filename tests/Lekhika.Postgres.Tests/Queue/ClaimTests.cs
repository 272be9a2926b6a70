using Lekhika.Postgres.Executions;
using Lekhika.Postgres.Queue;
using Lekhika.Tests.Support;
using Xunit;

namespace Lekhika.Postgres.Tests.Queue;

public sealed class ClaimTests(PostgresCluster cluster)
{
    private static CancellationToken Token => TestContext.Current.CancellationToken;

    [Fact]
    public async Task Claims_come_woken_first_then_by_priority_tenant_and_place()
    {
        await using var engine = await Engine.CreateAsync(cluster);
        var worker = await engine.EnlistAsync();
        var woken = await engine.HoldAsync(worker);
        var low = await engine.InsertAsync(2, priority: -1);
        var normal = await engine.InsertAsync(2);
        var high = await engine.InsertAsync(2, priority: 9);
        await engine.FlushAsync(worker, Engine.Release(woken));

        long[] expected = [woken.Exec, .. high, .. normal, .. low];
        var claimed = new List<long>();
        foreach (var limit in new[] { 1, 3, 100 }) claimed.AddRange((await engine.ClaimAsync(worker, limit)).Select(one => one.Fence.Exec));
        Assert.Equal(expected, claimed);
    }

    [Fact]
    public async Task One_claim_returns_its_executions_in_the_order_of_the_queue()
    {
        await using var engine = await Engine.CreateAsync(cluster);
        var worker = await engine.EnlistAsync();
        var low = await engine.InsertAsync(50, priority: -1);
        var high = await engine.InsertAsync(50, priority: 9);
        Assert.Equal(high.Concat(low), (await engine.ClaimAsync(worker, 100)).Select(one => one.Fence.Exec));
    }

    [Fact]
    public async Task Lists_name_every_non_empty_list_in_order()
    {
        await using var engine = await Engine.CreateAsync(cluster);
        await engine.InsertAsync(3, priority: 1, userId: "u");
        await engine.InsertAsync(3, priority: 2);
        await engine.InsertAsync(3, priority: 2, userId: "u");
        var tenant = await engine.ScalarAsync<int>("SELECT lekhika.tenant_of('u')");
        QueueList[] expected = [.. new[] { new QueueList(1, -2, 0), new QueueList(1, -2, tenant) }.OrderBy(list => list.Tenant), new QueueList(1, -1, tenant)];
        var lists = await engine.Queue.ListsAsync(100, null, Token);
        Assert.Equal(expected, lists.Select(waiting => waiting.List));
        Assert.All(lists, waiting => Assert.InRange(waiting.Waited, TimeSpan.Zero, TimeSpan.FromMinutes(1)));
        Assert.Equal(expected.Take(2), (await engine.Queue.ListsAsync(2, null, Token)).Select(waiting => waiting.List));
        Assert.Equal(expected.Skip(1), (await engine.Queue.ListsAsync(100, expected[0], Token)).Select(waiting => waiting.List));
        // A creation time that is none is no reason to stop.
        await engine.ExecuteAsync("UPDATE lekhika.workflow_executions SET created_at = 'infinity'");
        Assert.Equal(expected, (await engine.Queue.ListsAsync(100, null, Token)).Select(waiting => waiting.List));
        await engine.ExecuteAsync("DELETE FROM lekhika.ready");
        Assert.Empty(await engine.Queue.ListsAsync(100, null, Token));
    }

    [Fact]
    public async Task A_claim_from_lists_takes_each_share_above_its_watermark_and_no_more_than_the_limit()
    {
        await using var engine = await Engine.CreateAsync(cluster);
        var worker = await engine.EnlistAsync();
        var first = await engine.InsertAsync(10, priority: 1);
        var second = await engine.InsertAsync(10);
        var mark = await engine.ScalarAsync<long>("SELECT seq FROM lekhika.ready WHERE exec = $1", second[3]);
        ListShare[] shares = [new(new QueueList(1, -1, 0), 0, 2), new(new QueueList(1, 0, 0), mark, 3)];

        var claimed = await engine.ClaimAsync(worker, 100, shares);
        Assert.Equal([.. first.Take(2), .. second.Skip(4).Take(3)], claimed.Select(one => one.Fence.Exec));
        Assert.All(claimed, one => Assert.True(one.Place > 0));
        Assert.Equal(4, (await engine.ClaimAsync(worker, 4, shares)).Count);
        // What lies below the watermark is found by the claim that comes without.
        Assert.Equal(11, (await engine.ClaimAsync(worker, 100)).Count);
    }

    [Fact]
    public async Task Two_claimers_never_get_the_same_execution()
    {
        await using var engine = await Engine.CreateAsync(cluster);
        var execs = await engine.InsertAsync(2000);
        var claimed = await Task.WhenAll(Enumerable.Range(0, 4).Select(async _ =>
        {
            var worker = await engine.EnlistAsync();
            var mine = new List<long>();
            for (var batch = await engine.ClaimAsync(worker, 37); batch.Count > 0; batch = await engine.ClaimAsync(worker, 37))
            {
                Assert.InRange(batch.Count, 1, 37);
                mine.AddRange(batch.Select(one => one.Fence.Exec));
            }

            return mine;
        }));
        Assert.Equal(execs, claimed.SelectMany(mine => mine).Order());
        await Invariants.AssertPlacesAsync(engine.Db, settled: true, Token);
    }

    [Fact]
    public async Task A_place_locked_by_another_claim_is_passed_over()
    {
        await using var engine = await Engine.CreateAsync(cluster);
        var worker = await engine.EnlistAsync();
        var execs = await engine.InsertAsync(2);
        await using var other = await engine.BeginAsync("SELECT FROM lekhika.ready WHERE exec = $1 FOR UPDATE", execs[0]);
        Assert.Equal([execs[1]], (await engine.ClaimAsync(worker)).Select(one => one.Fence.Exec));
    }

    [Fact]
    public async Task The_epoch_grows_with_every_claim()
    {
        await using var engine = await Engine.CreateAsync(cluster);
        var worker = await engine.EnlistAsync();
        var fence = await engine.HoldAsync(worker);
        Assert.Equal(1, fence.Epoch);
        await engine.FlushAsync(worker, Engine.Release(fence));
        var second = (await engine.ClaimAsync(worker)).Single().Fence;
        Assert.Equal(2, second.Epoch);
        await engine.FlushAsync(worker, Engine.Park(second, "retry", DateTimeOffset.UnixEpoch));
        await engine.Queue.WakeDueAsync(10, Token);
        var third = (await engine.ClaimAsync(worker)).Single().Fence;
        Assert.Equal(3, third.Epoch);
        await engine.EvictAsync(worker);
        Assert.Equal(4, (await engine.ClaimAsync(await engine.EnlistAsync())).Single().Fence.Epoch);
    }

    [Fact]
    public async Task A_claim_carries_what_the_row_says()
    {
        await using var engine = await Engine.CreateAsync(cluster);
        var worker = await engine.EnlistAsync();
        await engine.ExecuteAsync(
            """
            INSERT INTO lekhika.workflow_executions (id, definition, inputs, user_id, priority, timeout_at, request)
            VALUES ('11111111-1111-1111-1111-111111111111', '{"nodes": []}', '{"a": 1}', 'u', 3, '2030-01-01', '{"r": 1}')
            """);
        var claimed = (await engine.ClaimAsync(worker)).Single();
        Assert.Equal(Guid.Parse("11111111-1111-1111-1111-111111111111"), claimed.Id);
        Assert.Equal(("{\"nodes\": []}", "{\"a\": 1}", "u", 3, "{\"r\": 1}"), (claimed.Definition, claimed.Inputs, claimed.UserId, claimed.Priority, claimed.Request));
        Assert.Equal(new DateTimeOffset(2030, 1, 1, 0, 0, 0, TimeSpan.Zero), claimed.TimeoutAt);
        Assert.Null(claimed.WorkflowActive);
        Assert.Null(claimed.DefinitionHash);
        Assert.Equal("pending", claimed.Status);
    }

    [Fact]
    public async Task A_claim_whose_reply_was_lost_is_found_among_the_holdings()
    {
        await using var engine = await Engine.CreateAsync(cluster);
        var worker = await engine.EnlistAsync();
        var known = await engine.HoldAsync(worker);
        await engine.InsertAsync();
        var lost = (await engine.ClaimAsync(worker)).Single();
        await engine.HoldAsync(await engine.EnlistAsync());

        var adopted = (await engine.Queue.HoldingsAsync(worker, [known.Exec], Token)).Single();
        Assert.Equal(lost.Fence, adopted.Fence);
        Assert.Equal(lost.Id, adopted.Id);
        Assert.Equal(JournalVerdict.Committed, await engine.VerdictAsync(worker, Engine.Finish(adopted.Fence)));
        Assert.Equal(2, (await engine.Queue.HoldingsAsync(worker, [], Token)).Count + 1);
    }

    [Fact]
    public async Task A_revoked_incarnation_cannot_claim()
    {
        await using var engine = await Engine.CreateAsync(cluster);
        var worker = await engine.EnlistAsync();
        await engine.InsertAsync();
        await engine.EvictAsync(worker);
        await Assert.ThrowsAsync<RevokedException>(() => engine.ClaimAsync(worker));
        await Assert.ThrowsAsync<RevokedException>(() => engine.ClaimAsync(12345));
    }

    [Fact]
    public async Task An_open_claim_holds_up_the_revocation_which_then_takes_what_it_claimed()
    {
        await using var engine = await Engine.CreateAsync(cluster);
        var worker = await engine.EnlistAsync();
        var exec = await engine.InsertAsync();
        await using var claim = await engine.BeginAsync("SELECT lekhika.claim($1, 10, NULL, NULL, NULL, NULL, NULL)", worker);
        var evicted = engine.EvictAsync(worker);
        await engine.UntilBlockedAsync();
        await claim.CommitAsync();
        Assert.Equal(1, await evicted);
        Assert.Equal("ready", await engine.PlaceAsync(exec));
    }

    [Fact]
    public async Task The_definition_is_pinned_at_the_first_claim()
    {
        await using var engine = await Engine.CreateAsync(cluster);
        var worker = await engine.EnlistAsync();
        var workflow = await engine.ScalarAsync<Guid>("INSERT INTO lekhika.workflows (definition) VALUES ('{\"v\": 1}') RETURNING id");
        await engine.ExecuteAsync("INSERT INTO lekhika.workflow_executions (workflow_id) VALUES ($1)", workflow);
        var first = (await engine.ClaimAsync(worker)).Single();
        Assert.Equal("1", (await engine.Reader.DefinitionAsync(first.DefinitionHash!.Value, Token))!.Value.GetProperty("v").ToString());
        await engine.ExecuteAsync("UPDATE lekhika.workflows SET definition = '{\"v\": 2}'");

        Assert.Equal(first.DefinitionHash, (await engine.Queue.HoldingsAsync(worker, [], Token)).Single().DefinitionHash);
        await engine.FlushAsync(worker, Engine.Release(first.Fence));
        var second = (await engine.ClaimAsync(worker)).Single();
        Assert.Equal(first.DefinitionHash, second.DefinitionHash);
        await engine.FlushAsync(worker, Engine.Park(second.Fence, "retry", DateTimeOffset.UnixEpoch));
        await engine.Queue.WakeDueAsync(10, Token);
        Assert.Equal(first.DefinitionHash, (await engine.ClaimAsync(worker)).Single().DefinitionHash);
        await engine.EvictAsync(worker);
        worker = await engine.EnlistAsync();
        var rescued = (await engine.ClaimAsync(worker)).Single();
        Assert.Equal(first.DefinitionHash, rescued.DefinitionHash);

        // The next run takes the workflow as it is by then.
        await engine.FlushAsync(worker, Engine.Finish(rescued.Fence));
        await engine.SetStatusAsync(rescued.Fence.Exec, "pending");
        await engine.ObeyAsync();
        var again = (await engine.ClaimAsync(worker)).Single();
        Assert.Equal("2", (await engine.Reader.DefinitionAsync(again.DefinitionHash!.Value, Token))!.Value.GetProperty("v").ToString());
    }

    [Theory]
    [InlineData("held")]
    [InlineData("ready")]
    [InlineData("parked")]
    public async Task A_new_run_takes_neither_the_pinned_definition_nor_the_rescues_of_the_one_before(string place)
    {
        await using var engine = await Engine.CreateAsync(cluster);
        var dead = await engine.EnlistAsync();
        var workflow = await engine.ScalarAsync<Guid>("INSERT INTO lekhika.workflows (definition) VALUES ('{\"v\": 1}') RETURNING id");
        await engine.ExecuteAsync("INSERT INTO lekhika.workflow_executions (workflow_id) VALUES ($1)", workflow);
        var first = (await engine.ClaimAsync(dead)).Single();
        await engine.ExecuteAsync("UPDATE lekhika.held SET rescues = 2");
        if (place == "ready") await engine.EvictAsync(dead);
        if (place == "parked") await engine.FlushAsync(dead, Engine.Park(first.Fence, "retry", DateTimeOffset.UnixEpoch));

        await engine.ExecuteAsync("UPDATE lekhika.workflows SET definition = '{\"v\": 2}'");
        await engine.SetStatusAsync(first.Fence.Exec, "cancelled");
        await engine.SetStatusAsync(first.Fence.Exec, "pending");
        if (place == "held") await engine.EvictAsync(dead);
        if (place == "parked") await engine.Queue.WakeDueAsync(10, Token);
        await engine.ObeyAsync();

        var claimed = (await engine.ClaimAsync(await engine.EnlistAsync())).Single();
        Assert.Equal(2, claimed.Fence.Run);
        Assert.NotEqual(first.DefinitionHash, claimed.DefinitionHash);
        Assert.Equal(0, claimed.Rescues);
        await Invariants.AssertPlacesAsync(engine.Db, settled: true, Token);
    }

    [Fact]
    public async Task What_a_finished_execution_shows_is_the_definition_it_ran()
    {
        await using var engine = await Engine.CreateAsync(cluster);
        var worker = await engine.EnlistAsync();
        var workflow = await engine.ScalarAsync<Guid>("INSERT INTO lekhika.workflows (definition) VALUES ('{\"v\": 1}') RETURNING id");
        await engine.ExecuteAsync("INSERT INTO lekhika.workflow_executions (workflow_id) VALUES ($1)", workflow);
        var claimed = (await engine.ClaimAsync(worker)).Single();
        await engine.ExecuteAsync("UPDATE lekhika.workflows SET definition = '{\"v\": 2}'");
        await engine.FlushAsync(worker, Engine.Finish(claimed.Fence));
        Assert.Equal("1", (await engine.Reader.FindAsync(claimed.Id, Token))!.Definition!.Value.GetProperty("v").ToString());
    }

    [Fact]
    public async Task Places_of_deleted_executions_are_dropped_and_those_of_finished_ones_are_handed_out()
    {
        await using var engine = await Engine.CreateAsync(cluster);
        var worker = await engine.EnlistAsync();
        var execs = await engine.InsertAsync(3);
        await engine.ExecuteAsync("DELETE FROM lekhika.workflow_executions WHERE seq = $1", execs[0]);
        await engine.SetStatusAsync(execs[1], "cancelled");
        var claimed = await engine.ClaimAsync(worker);
        Assert.Equal([(execs[1], "cancelled"), (execs[2], "pending")], claimed.Select(one => (one.Fence.Exec, one.Status)));
        Assert.Equal(0, await engine.ScalarAsync<long>("SELECT count(*) FROM lekhika.ready"));
    }

    [Fact]
    public async Task Waking_reports_when_the_next_one_is_due()
    {
        await using var engine = await Engine.CreateAsync(cluster);
        Assert.Null((await engine.Queue.WakeDueAsync(10, Token)).NextIn);
        await engine.ExecuteAsync("INSERT INTO lekhika.workflow_executions (run_at) SELECT now() + interval '1 hour' FROM generate_series(1, 5)");
        await engine.ExecuteAsync("UPDATE lekhika.parked SET due_at = now() WHERE exec < 4");
        var (moved, next) = await engine.Queue.WakeDueAsync(2, Token);
        Assert.Equal(2, moved);
        Assert.True(next <= TimeSpan.Zero);
        (moved, next) = await engine.Queue.WakeDueAsync(2, Token);
        Assert.Equal(1, moved);
        Assert.InRange(next!.Value, TimeSpan.FromMinutes(50), TimeSpan.FromHours(1));
    }
}
