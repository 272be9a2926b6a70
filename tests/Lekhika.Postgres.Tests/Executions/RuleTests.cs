using Lekhika.Postgres.Executions;
using Lekhika.Postgres.Queue;
using Lekhika.Tests.Support;
using Xunit;

namespace Lekhika.Postgres.Tests.Executions;

/// <summary>
/// The protocol's rules, each with the interleaving that it exists for. Every test runs twice: with the rule, where the bad outcome must not
/// appear, and with the rule taken out of the function, where it must; else the test would prove nothing.
/// </summary>
public sealed class RuleTests(PostgresCluster cluster)
{
    [Theory]
    [InlineData(false)]
    [InlineData(true)]
    public async Task Claim_fence_a_claim_that_waited_for_the_revocation_gets_nothing(bool removed)
    {
        await using var engine = await Engine.CreateAsync(cluster);
        if (removed) await Mutation.ApplyAsync(engine, "claim", ("WHERE w.inc = p_inc AND NOT w.revoked FOR SHARE", "WHERE w.inc = p_inc"));
        var worker = await engine.EnlistAsync();
        var exec = await engine.InsertAsync();
        await using var eviction = await engine.BeginAsync("SELECT lekhika.evict(ARRAY[$1])", worker);
        var claim = engine.ClaimAsync(worker);
        if (!removed) await engine.UntilBlockedAsync();
        else await claim;
        await eviction.CommitAsync();
        if (!removed) await Assert.ThrowsAsync<RevokedException>(() => claim);

        // The bad outcome: a row under an incarnation that is dead already.
        Assert.Equal(removed ? "held" : "ready", await engine.PlaceAsync(exec));
    }

    [Theory]
    [InlineData(false)]
    [InlineData(true)]
    public async Task Claim_fence_locks_against_the_revocation_and_does_not_only_look(bool removed)
    {
        await using var engine = await Engine.CreateAsync(cluster);
        if (removed) await Mutation.ApplyAsync(engine, "claim", ("AND NOT w.revoked FOR SHARE", "AND NOT w.revoked"));
        var worker = await engine.EnlistAsync();
        var exec = await engine.InsertAsync();
        await using var claim = await engine.BeginAsync("SELECT lekhika.claim($1, 10, NULL, NULL, NULL, NULL, NULL)", worker);
        var eviction = engine.EvictAsync(worker);
        if (removed) await eviction;
        else await engine.UntilBlockedAsync();
        await claim.CommitAsync();
        await eviction;
        Assert.Equal(removed ? "held" : "ready", await engine.PlaceAsync(exec));
    }

    [Theory]
    [InlineData(false)]
    [InlineData(true)]
    public async Task Run_fence_the_run_before_cannot_complete_the_next_one(bool removed)
    {
        await using var engine = await Engine.CreateAsync(cluster);
        if (removed)
        {
            await Mutation.ApplyAsync(engine, "flush", ("WHEN l.run <> x.run THEN 'other_run'\n               WHEN l.status IN", "WHEN l.status IN"));
        }

        var worker = await engine.EnlistAsync();
        var fence = await engine.HoldAsync(worker);
        await engine.SetStatusAsync(fence.Exec, "cancelled");
        await engine.SetStatusAsync(fence.Exec, "pending");
        var verdict = await engine.VerdictAsync(worker, Engine.Finish(fence, "completed", Engine.Step("a")));
        Assert.Equal(removed ? JournalVerdict.Committed : JournalVerdict.OtherRun, verdict);
        Assert.Equal(removed ? "completed" : "pending", await engine.StatusAsync(fence.Exec));
        Assert.Equal(removed ? "none" : "ready", await engine.PlaceAsync(fence.Exec));
    }

    [Theory]
    [InlineData(false)]
    [InlineData(true)]
    public async Task Terminal_guard_a_cancellation_that_commits_first_is_not_written_over(bool removed)
    {
        await using var engine = await Engine.CreateAsync(cluster);
        if (removed)
        {
            await Mutation.ApplyAsync(
                engine, "flush",
                ("WHEN l.run <> x.run THEN 'other_run'\n               WHEN l.status IN ('completed', 'failed', 'cancelled') THEN 'finished'\n               WHEN x.kind", "WHEN l.run <> x.run THEN 'other_run'\n               WHEN x.kind"),
                ("bool_or(h.mine AND (l.run <> x.run OR l.status IN ('completed', 'failed', 'cancelled')))", "bool_or(h.mine AND l.run <> x.run)"));
        }

        var worker = await engine.EnlistAsync();
        var fence = await engine.HoldAsync(worker);
        await using var cancellation = await engine.BeginAsync("UPDATE lekhika.workflow_executions SET status = 'cancelled'");
        Assert.Null(await engine.VerdictAsync(worker, Engine.Finish(fence)));
        await cancellation.CommitAsync();
        await engine.FlushAsync(worker, Engine.Finish(fence));
        Assert.Equal(removed ? "completed" : "cancelled", await engine.StatusAsync(fence.Exec));
    }

    [Fact]
    public async Task A_cancellation_that_waits_for_the_flush_comes_too_late_and_is_refused()
    {
        await using var engine = await Engine.CreateAsync(cluster);
        var worker = await engine.EnlistAsync();
        var fence = await engine.HoldAsync(worker);
        // A flush that is not committed yet: the daemon's own update of the row.
        await using var flush = await engine.BeginAsync("UPDATE lekhika.workflow_executions SET status = 'completed', rev = rev + 1");
        var cancellation = engine.SetStatusAsync(fence.Exec, "cancelled");
        await engine.UntilBlockedAsync();
        await flush.CommitAsync();
        await cancellation;
        Assert.Equal("completed", await engine.StatusAsync(fence.Exec));
        Assert.Equal(0, await engine.ScalarAsync<long>("SELECT count(*) FROM lekhika.commands"));
    }

    [Theory]
    [InlineData(false)]
    [InlineData(true)]
    public async Task Epoch_fence_an_older_claim_of_the_same_incarnation_cannot_write(bool removed)
    {
        await using var engine = await Engine.CreateAsync(cluster);
        if (removed) await Mutation.ApplyAsync(engine, "flush", ("h.inc = p_inc AND h.epoch = x.epoch AND h.run = x.run AND l.status", "h.inc = p_inc AND h.run = x.run AND l.status"));
        var worker = await engine.EnlistAsync();
        var first = await engine.HoldAsync(worker);
        var park = Engine.Park(first, "retry", DateTimeOffset.UnixEpoch);
        await engine.FlushAsync(worker, park);
        await engine.Queue.WakeDueAsync(10, TestContext.Current.CancellationToken);
        await engine.ClaimAsync(worker);
        // The park's reply was lost, so it is sent again while the same incarnation works on the execution under its next claim.
        Assert.Equal(removed ? JournalVerdict.Committed : JournalVerdict.Fenced, await engine.VerdictAsync(worker, park));
        Assert.Equal(removed ? "parked" : "held", await engine.PlaceAsync(first.Exec));
    }

    [Theory]
    [InlineData(false)]
    [InlineData(true)]
    public async Task Incarnation_fence_a_rescued_execution_is_not_completed_by_who_lost_it(bool removed)
    {
        await using var engine = await Engine.CreateAsync(cluster);
        if (removed)
        {
            await Mutation.ApplyAsync(engine, "flush", ("h.exec = x.exec AND h.inc = p_inc AND h.epoch = x.epoch AND h.run = x.run AND l.status", "h.exec = x.exec AND l.status"));
        }

        var old = await engine.EnlistAsync();
        var lost = await engine.HoldAsync(old);
        await engine.EvictAsync(old);
        await engine.ClaimAsync(await engine.EnlistAsync());
        await engine.FlushAsync(old, Engine.Finish(lost));
        Assert.Equal(removed ? "completed" : "pending", await engine.StatusAsync(lost.Exec));
    }

    [Theory]
    [InlineData(false)]
    [InlineData(true)]
    public async Task Unique_final_outcome_a_completion_over_a_late_result_is_a_conflict(bool removed)
    {
        await using var engine = await Engine.CreateAsync(cluster);
        if (removed) await Mutation.ApplyAsync(engine, "flush", ("IF verdicts[i] = 'committed' AND i = ANY (bad) THEN", "IF false THEN"));
        var old = await engine.EnlistAsync();
        var lost = await engine.HoldAsync(old);
        await engine.EvictAsync(old);
        var worker = await engine.EnlistAsync();
        var fence = (await engine.ClaimAsync(worker)).Single().Fence;
        await engine.FlushAsync(old, Engine.Append(lost, Engine.Step("a", "late")));
        var verdict = await engine.VerdictAsync(worker, Engine.Finish(fence, "completed", Engine.Step("a", "mine")));

        // The bad outcome: completed with a result computed from "mine" while "late" is what is recorded.
        Assert.Equal(removed ? JournalVerdict.Committed : JournalVerdict.Conflict, verdict);
        Assert.Equal(removed ? "completed" : "pending", await engine.StatusAsync(fence.Exec));
        Assert.Equal(["a=late"], await engine.OutcomesAsync(fence.Exec));
    }

    [Theory]
    [InlineData(false)]
    [InlineData(true)]
    public async Task Unique_final_outcome_the_key_does_not_hold_the_attempt(bool removed)
    {
        await using var engine = await Engine.CreateAsync(cluster);
        if (removed)
        {
            await engine.ExecuteAsync(
                "ALTER TABLE lekhika.workflow_execution_steps DROP CONSTRAINT workflow_execution_steps_pkey, ADD PRIMARY KEY (seq, run, step_key, ordinal, attempt)");
            await Mutation.ApplyAsync(engine, "flush", ("(t.ordinal = s.ordinal OR t.ordinal = 0)", "t.ordinal = s.ordinal AND t.attempt = -1"));
        }

        var worker = await engine.EnlistAsync();
        var fence = await engine.HoldAsync(worker);
        await engine.FlushAsync(worker, Engine.Append(fence, Engine.Step("a", "first")));
        await engine.FlushAsync(worker, Engine.Append(fence, Engine.Step("a", "second", attempt: 2)));
        Assert.Equal(removed ? 2 : 1, (await engine.OutcomesAsync(fence.Exec)).Count);
    }

    [Theory]
    [InlineData(false)]
    [InlineData(true)]
    public async Task All_or_nothing_an_outcome_is_not_stored_beside_another_decision(bool removed)
    {
        await using var engine = await Engine.CreateAsync(cluster);
        if (removed) await Mutation.ApplyAsync(engine, "flush", ("AND i = ANY (s_item) AND COALESCE(i <> ALL (bad), true) THEN", "AND i = ANY (s_item) THEN"));
        var old = await engine.EnlistAsync();
        var lost = await engine.HoldAsync(old);
        await engine.EvictAsync(old);
        var worker = await engine.EnlistAsync();
        var fence = (await engine.ClaimAsync(worker)).Single().Fence;
        await engine.FlushAsync(worker, Engine.Append(fence, Engine.Decided("d", "left")));
        await engine.FlushAsync(old, Engine.Append(lost, Engine.Decided("d", "right"), Engine.Step("a", "of right")));
        Assert.Equal(removed ? ["a=of right", "d=1"] : ["d=1"], await engine.OutcomesAsync(fence.Exec));
    }

    [Theory]
    [InlineData(false)]
    [InlineData(true)]
    public async Task Status_guard_a_pause_is_not_written_over_by_waiting(bool removed)
    {
        await using var engine = await Engine.CreateAsync(cluster);
        if (removed) await Mutation.ApplyAsync(engine, "flush", ("CASE WHEN e.status IN ('pending', 'running') AND x.why <> 'paused' THEN 'waiting'", "CASE WHEN x.why <> 'paused' THEN 'waiting'"));
        var worker = await engine.EnlistAsync();
        var fence = await engine.HoldAsync(worker);
        await engine.SetStatusAsync(fence.Exec, "paused");
        await engine.FlushAsync(worker, Engine.Park(fence, "retry", DateTimeOffset.UnixEpoch));
        Assert.Equal(removed ? "waiting" : "paused", await engine.StatusAsync(fence.Exec));
    }

    [Theory]
    [InlineData(false)]
    [InlineData(true)]
    public async Task Place_only_if_none_a_new_run_does_not_get_a_second_place(bool removed)
    {
        await using var engine = await Engine.CreateAsync(cluster);
        if (removed) await Mutation.ApplyAsync(engine, "obey", ("AND (SELECT r.exec FROM {schema}.ready r WHERE r.exec = x.seq LIMIT 1) IS NULL", ""));
        var exec = await engine.InsertAsync();
        await engine.SetStatusAsync(exec, "cancelled");
        await engine.SetStatusAsync(exec, "pending");
        await engine.ObeyAsync();
        Assert.Equal(removed ? "ready+ready" : "ready", await engine.PlaceAsync(exec));
    }

    [Theory]
    [InlineData(false)]
    [InlineData(true)]
    public async Task Place_only_if_none_a_new_run_is_left_to_the_owner_of_the_one_before(bool removed)
    {
        await using var engine = await Engine.CreateAsync(cluster);
        if (removed) await Mutation.ApplyAsync(engine, "obey", ("AND (SELECT h.exec FROM {schema}.held h WHERE h.exec = x.seq) IS NULL", ""));
        var fence = await engine.HoldAsync(await engine.EnlistAsync());
        await engine.SetStatusAsync(fence.Exec, "cancelled");
        await engine.SetStatusAsync(fence.Exec, "pending");
        await engine.ObeyAsync();
        Assert.Equal(removed ? "held+ready" : "held", await engine.PlaceAsync(fence.Exec));
    }

    [Theory]
    [InlineData(false)]
    [InlineData(true)]
    public async Task Release_at_once_a_refused_write_leaves_no_place_behind(bool removed)
    {
        await using var engine = await Engine.CreateAsync(cluster);
        if (removed) await Mutation.ApplyAsync(engine, "flush", ("    IF dropped THEN", "    IF false THEN"));
        var worker = await engine.EnlistAsync();
        var fence = await engine.HoldAsync(worker);
        await engine.SetStatusAsync(fence.Exec, "cancelled");
        Assert.Equal(JournalVerdict.Finished, await engine.VerdictAsync(worker, Engine.Finish(fence)));
        Assert.Equal(removed ? "held" : "none", await engine.PlaceAsync(fence.Exec));
    }

    [Theory]
    [InlineData(false)]
    [InlineData(true)]
    public async Task Rescue_again_a_row_that_was_skipped_as_locked_is_found_by_the_next_rescue(bool removed)
    {
        await using var engine = await Engine.CreateAsync(cluster);
        if (removed) await Mutation.ApplyAsync(engine, "rescue", ("OR (revoked AND inc = ANY", "OR (false AND inc = ANY"));
        var dead = await engine.EnlistAsync();
        var fence = await engine.HoldAsync(dead);
        var rescuer = await engine.EnlistAsync();
        await engine.ExpireAsync(dead);
        await using (var busy = await engine.BeginAsync("SELECT FROM lekhika.held FOR UPDATE"))
        {
            Assert.Equal(0, await engine.RescueAsync(rescuer));
        }

        Assert.Equal(removed ? 0 : 1, await engine.RescueAsync(rescuer));
        Assert.Equal(removed ? "held" : "ready", await engine.PlaceAsync(fence.Exec));
    }

    [Theory]
    [InlineData(false)]
    [InlineData(true)]
    public async Task Revocation_first_who_was_rescued_cannot_beat_again(bool removed)
    {
        await using var engine = await Engine.CreateAsync(cluster);
        if (removed) await Mutation.ApplyAsync(engine, "beat", ("AND NOT revoked", ""));
        var dead = await engine.EnlistAsync();
        await engine.ExpireAsync(dead);
        await engine.RescueAsync(await engine.EnlistAsync());
        Assert.Equal(removed, await engine.ScalarAsync<bool>("SELECT lekhika.beat($1, interval '8 seconds', false)", dead));
    }

    [Theory]
    [InlineData(false)]
    [InlineData(true)]
    public async Task Adopting_a_lost_reply_needs_the_holdings(bool removed)
    {
        await using var engine = await Engine.CreateAsync(cluster);
        if (removed) await Mutation.ApplyAsync(engine, "holdings", ("WHERE h.inc = p_inc AND", "WHERE false AND"));
        var worker = await engine.EnlistAsync();
        await engine.InsertAsync();
        await engine.ClaimAsync(worker);
        Assert.Equal(removed ? 0 : 1, (await engine.Queue.HoldingsAsync(worker, [], TestContext.Current.CancellationToken)).Count);
    }

    [Theory]
    [InlineData(false)]
    [InlineData(true)]
    public async Task Late_commits_below_the_watermark_are_found_by_the_claim_without_lists(bool removed)
    {
        await using var engine = await Engine.CreateAsync(cluster);
        var worker = await engine.EnlistAsync();
        await using var slow = await engine.BeginAsync("INSERT INTO lekhika.workflow_executions DEFAULT VALUES");
        await engine.InsertAsync();
        var list = new QueueList(1, 0, 0);
        var seen = (await engine.ClaimAsync(worker, 10, new ListShare(list, 0, 10))).Single().Place;
        await slow.CommitAsync();
        var next = removed ? await engine.ClaimAsync(worker, 10, new ListShare(list, seen, 10)) : await engine.ClaimAsync(worker, 10);
        Assert.Equal(removed ? 0 : 1, next.Count);
    }
}
