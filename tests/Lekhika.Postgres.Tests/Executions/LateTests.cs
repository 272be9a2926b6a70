using Lekhika.Postgres.Executions;
using Lekhika.Tests.Support;
using Xunit;

namespace Lekhika.Postgres.Tests.Executions;

/// <summary>Results that are offered by a claim which is lost (engine rules, "losing touch").</summary>
public sealed class LateTests(PostgresCluster cluster)
{
    private static CancellationToken Token => TestContext.Current.CancellationToken;

    private static async Task<(Engine Engine, long Old, Fence OldFence, long New, Fence NewFence)> LostAsync(PostgresCluster cluster)
    {
        var engine = await Engine.CreateAsync(cluster);
        var old = await engine.EnlistAsync();
        var oldFence = await engine.HoldAsync(old);
        await engine.ExpireAsync(old);
        var rescuer = await engine.EnlistAsync();
        Assert.Equal(1, await engine.RescueAsync(rescuer));
        return (engine, old, oldFence, rescuer, (await engine.ClaimAsync(rescuer)).Single().Fence);
    }

    [Fact]
    public async Task A_new_outcome_is_stored_and_the_rescuer_meets_it_as_a_conflict()
    {
        var (engine, old, oldFence, rescuer, fence) = await LostAsync(cluster);
        await using var _ = engine;
        Assert.Equal(JournalVerdict.Late, await engine.VerdictAsync(old, Engine.Append(oldFence, Engine.Step("a", "late"))));
        Assert.Equal(["a=late"], await engine.OutcomesAsync(fence.Exec));
        Assert.Equal(JournalVerdict.Conflict, await engine.VerdictAsync(rescuer, Engine.Append(fence, Engine.Step("a", "mine"))));
        Assert.Equal(JournalVerdict.Committed, await engine.VerdictAsync(rescuer, Engine.Finish(fence, "completed", Engine.Step("b"))));
    }

    [Fact]
    public async Task Where_one_is_stored_the_stored_one_stands()
    {
        var (engine, old, oldFence, rescuer, fence) = await LostAsync(cluster);
        await using var _ = engine;
        await engine.FlushAsync(rescuer, Engine.Append(fence, Engine.Step("a", "mine")));
        Assert.Equal(JournalVerdict.Fenced, await engine.VerdictAsync(old, Engine.Append(oldFence, Engine.Step("a", "late"))));
        Assert.Equal(["a=mine"], await engine.OutcomesAsync(fence.Exec));
    }

    [Fact]
    public async Task An_outcome_that_rests_on_another_decision_is_refused_whole()
    {
        var (engine, old, oldFence, rescuer, fence) = await LostAsync(cluster);
        await using var _ = engine;
        await engine.FlushAsync(rescuer, Engine.Append(fence, Engine.Decided("d", "left")));
        Assert.Equal(JournalVerdict.Fenced, await engine.VerdictAsync(old, Engine.Append(oldFence, Engine.Decided("d", "right"), Engine.Step("a"))));
        Assert.Equal(["d=1"], await engine.OutcomesAsync(fence.Exec));
        // Resting on the same decision, it is taken.
        Assert.Equal(JournalVerdict.Late, await engine.VerdictAsync(old, Engine.Append(oldFence, Engine.Decided("d", "left"), Engine.Step("a"))));
        Assert.Equal(["a=1", "d=1"], await engine.OutcomesAsync(fence.Exec));
    }

    [Fact]
    public async Task A_late_end_stores_its_outcomes_but_ends_nothing()
    {
        var (engine, old, oldFence, _, fence) = await LostAsync(cluster);
        await using var owned = engine;
        Assert.Equal(JournalVerdict.Late, await engine.VerdictAsync(old, Engine.Finish(oldFence, "completed", Engine.Step("a"))));
        Assert.Equal(("pending", "held"), (await engine.StatusAsync(fence.Exec), await engine.PlaceAsync(fence.Exec)));
    }

    [Theory]
    [InlineData("cancelled", JournalVerdict.Finished)]
    [InlineData("pending", JournalVerdict.OtherRun)]
    public async Task Nothing_late_enters_an_execution_that_is_over_or_in_another_run(string status, JournalVerdict verdict)
    {
        var (engine, old, oldFence, _, fence) = await LostAsync(cluster);
        await using var owned = engine;
        await engine.SetStatusAsync(fence.Exec, "cancelled");
        if (status != "cancelled") await engine.SetStatusAsync(fence.Exec, status);
        Assert.Equal(verdict, await engine.VerdictAsync(old, Engine.Append(oldFence, Engine.Step("a"))));
        Assert.Empty(await engine.OutcomesAsync(fence.Exec));
        Assert.Equal("held", await engine.PlaceAsync(fence.Exec));
    }

    [Fact]
    public async Task An_execution_parked_for_the_retry_is_woken_by_the_late_outcome()
    {
        var (engine, old, oldFence, rescuer, fence) = await LostAsync(cluster);
        await using var _ = engine;
        await engine.FlushAsync(rescuer, Engine.Park(fence, "retry", new DateTimeOffset(2999, 1, 1, 0, 0, 0, TimeSpan.Zero), Engine.Retrying("a")));
        Assert.Equal(JournalVerdict.Late, await engine.VerdictAsync(old, Engine.Append(oldFence, Engine.Step("a"))));
        Assert.Equal("ready", await engine.PlaceAsync(fence.Exec));
        await Invariants.AssertPlacesAsync(engine.Db, settled: true, Token);
    }

    [Fact]
    public async Task A_paused_execution_takes_the_late_outcome_and_stays_paused()
    {
        var (engine, old, oldFence, rescuer, fence) = await LostAsync(cluster);
        await using var _ = engine;
        await engine.SetStatusAsync(fence.Exec, "paused");
        await engine.FlushAsync(rescuer, Engine.Park(fence, "retry", DateTimeOffset.UnixEpoch, Engine.Retrying("a")));
        Assert.Equal(JournalVerdict.Late, await engine.VerdictAsync(old, Engine.Append(oldFence, Engine.Step("a"))));
        Assert.Equal("parked (paused)", await engine.PlaceAsync(fence.Exec));
    }
}
