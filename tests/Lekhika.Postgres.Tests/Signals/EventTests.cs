using Lekhika.Postgres.Executions;
using Lekhika.Postgres.Signals;
using Lekhika.Tests.Support;
using Npgsql;
using Xunit;

namespace Lekhika.Postgres.Tests.Signals;

/// <summary>Events and those who wait for them, two sessions interleaved where it matters.</summary>
public sealed class EventTests(PostgresCluster cluster)
{
    private const string Gate = "gate";

    private static CancellationToken Token => TestContext.Current.CancellationToken;

    [Fact]
    public async Task A_signal_wakes_the_execution_that_waits_for_it_and_no_other()
    {
        await using var engine = await Engine.CreateAsync(cluster);
        var worker = await engine.EnlistAsync();
        var waits = await ParkAsync(engine, worker, EventTopic.Signal("go"));
        var other = await ParkAsync(engine, worker, EventTopic.Signal("stop"));
        await SignalAsync(engine, waits.Exec, "go");
        await SignalAsync(engine, other.Exec, "go");
        Assert.Equal(1, (await MatchAsync(engine)).Moved);
        Assert.Equal(("ready", "parked"), (await engine.PlaceAsync(waits.Exec), await engine.PlaceAsync(other.Exec)));

        // What is not awaited neither wakes anybody now nor later, and lies there for a step to come.
        Assert.Equal(0, (await MatchAsync(engine)).Moved);
        Assert.Single(await EventsAsync(engine, other.Exec, EventTopic.Signal("go")));
    }

    [Theory]
    [InlineData("each[3].gate", "ready")]
    [InlineData("each[2].gate", "parked")]
    [InlineData(null, "parked")]
    public async Task An_answer_to_one_iteration_opens_that_iterations_gate_and_no_other(string? sentTo, string place)
    {
        await using var engine = await Engine.CreateAsync(cluster);
        var worker = await engine.EnlistAsync();
        var fence = await engine.HoldAsync(worker);
        await SignalAsync(engine, fence.Exec, "approve", sentTo);
        await ParkAsync(engine, worker, fence, EventTopic.Signal("approve", "each[3].gate"));
        await MatchAsync(engine, fence.Exec);
        Assert.Equal(place, await engine.PlaceAsync(fence.Exec));
    }

    [Fact]
    public async Task A_signal_between_the_last_look_and_the_park_is_found_by_the_look_after_the_commit()
    {
        await using var engine = await Engine.CreateAsync(cluster);
        var worker = await engine.EnlistAsync();
        var fence = await engine.HoldAsync(worker);
        var topic = EventTopic.Signal("go");
        Assert.Empty(await EventsAsync(engine, fence.Exec, topic));

        // The signal is sent while the owner parks, and commits first; a match in between finds nobody parked.
        await using var signal = await engine.BeginAsync(
            "INSERT INTO lekhika.workflow_signals (execution_id, name) SELECT id, 'go' FROM lekhika.workflow_executions WHERE seq = $1", fence.Exec);
        await signal.CommitAsync();
        Assert.Equal(0, (await MatchAsync(engine)).Moved);
        await ParkAsync(engine, worker, fence, topic);
        Assert.Equal(1, (await MatchAsync(engine, fence.Exec)).Moved);
    }

    [Fact]
    public async Task A_parker_that_dies_before_its_second_look_is_made_up_for_by_the_round_over_all_events()
    {
        await using var engine = await Engine.CreateAsync(cluster);
        var worker = await engine.EnlistAsync();
        var fence = await engine.HoldAsync(worker);
        await SignalAsync(engine, fence.Exec, "go");
        await ParkAsync(engine, worker, fence, EventTopic.Signal("go"));
        for (var i = 0; i < 30; i++) await SignalAsync(engine, await engine.InsertAsync(), "noise");

        // Rounds of ten: neither among the newest nor in the chunks before its own.
        var (moved, last) = (0, 10L);
        for (var round = 0; round < 5 && moved == 0; round++) (moved, last) = await new EventReader(engine.Db.Database).MatchAsync([], last, 10, Token);
        Assert.Equal(1, moved);
    }

    [Fact]
    public async Task An_event_with_a_lower_number_that_commits_late_is_not_lost()
    {
        await using var engine = await Engine.CreateAsync(cluster);
        var worker = await engine.EnlistAsync();
        var late = await ParkAsync(engine, worker, EventTopic.Signal("go"));
        var early = await ParkAsync(engine, worker, EventTopic.Signal("go"));
        const string Send = "INSERT INTO lekhika.workflow_signals (execution_id, name) SELECT id, 'go' FROM lekhika.workflow_executions WHERE seq = $1";
        await using var first = await engine.BeginAsync(Send, late.Exec);
        await SignalAsync(engine, early.Exec, "go");
        var (moved, last) = await MatchAsync(engine);
        Assert.Equal(1, moved);
        await first.CommitAsync();
        Assert.True(
            await engine.ScalarAsync<long>("SELECT id FROM lekhika.events WHERE exec = $1", late.Exec)
            < await engine.ScalarAsync<long>("SELECT id FROM lekhika.events WHERE exec = $1", early.Exec));
        Assert.Equal(1, (await new EventReader(engine.Db.Database).MatchAsync([], last, 1000, Token)).Moved);
        Assert.Equal("ready", await engine.PlaceAsync(late.Exec));
    }

    [Fact]
    public async Task An_event_is_consumed_with_the_record_of_what_came_of_it_or_not_at_all()
    {
        await using var engine = await Engine.CreateAsync(cluster);
        var worker = await engine.EnlistAsync();
        var fence = await engine.HoldAsync(worker);
        var topic = EventTopic.Signal("go");
        await SignalAsync(engine, fence.Exec, "go");
        var sent = (await EventsAsync(engine, fence.Exec, topic)).Single();
        var outcome = Engine.Append(fence, Engine.Step(Gate)) with { Aside = new JournalAside { Consumed = [sent.Id] } };

        // Taken over: the old owner's write is refused whole, even as a late result, and the event is there for the next.
        await engine.EvictAsync(worker);
        var next = await engine.EnlistAsync("next");
        var fresh = (await engine.ClaimAsync(next)).Single().Fence;
        Assert.Equal(JournalVerdict.Fenced, await engine.VerdictAsync(worker, outcome));
        Assert.Empty(await engine.OutcomesAsync(fence.Exec));
        Assert.Single(await EventsAsync(engine, fence.Exec, topic));

        Assert.Equal(JournalVerdict.Committed, await engine.VerdictAsync(next, outcome with { Fence = fresh }));
        Assert.Empty(await EventsAsync(engine, fence.Exec, topic));

        // Parked again for the same name it is not woken by what it has taken.
        await ParkAsync(engine, next, fresh, topic);
        Assert.Equal(0, (await MatchAsync(engine, fence.Exec)).Moved);
    }

    [Fact]
    public async Task Signals_to_a_paused_execution_keep_until_it_is_resumed()
    {
        await using var engine = await Engine.CreateAsync(cluster);
        var worker = await engine.EnlistAsync();
        var fence = await ParkAsync(engine, worker, EventTopic.Signal("go"));
        await engine.SetStatusAsync(fence.Exec, "paused");
        await engine.ObeyAsync();
        await SignalAsync(engine, fence.Exec, "go");
        Assert.Equal(0, (await MatchAsync(engine, fence.Exec)).Moved);
        await engine.SetStatusAsync(fence.Exec, "running");
        await engine.ObeyAsync();
        Assert.Equal(("waiting", "parked"), (await engine.StatusAsync(fence.Exec), await engine.PlaceAsync(fence.Exec)));
        Assert.Equal(1, (await MatchAsync(engine)).Moved);
    }

    [Fact]
    public async Task The_same_id_is_taken_once_and_answered_alike_even_after_the_end()
    {
        await using var engine = await Engine.CreateAsync(cluster);
        var worker = await engine.EnlistAsync();
        var fence = await engine.HoldAsync(worker);
        var id = await IdAsync(engine, fence.Exec);
        var writer = new SignalWriter(engine.Db.Database);
        var signal = new SignalToSend(Guid.NewGuid(), id, "go", null, """{"n":1}""");
        Assert.Equal(SignalVerdict.Accepted, (await writer.SendAsync(signal, Token)).Verdict);
        Assert.Equal(SignalVerdict.Repeated, (await writer.SendAsync(signal, Token)).Verdict);
        Assert.Single(await EventsAsync(engine, fence.Exec, EventTopic.Signal("go")));

        await engine.FlushAsync(worker, Engine.Finish(fence));
        Assert.Equal(SignalVerdict.Repeated, (await writer.SendAsync(signal, Token)).Verdict);
        Assert.Equal((SignalVerdict.Finished, "completed"), await writer.SendAsync(signal with { Id = Guid.NewGuid() }, Token));
        Assert.Equal(SignalVerdict.Missing, (await writer.SendAsync(signal with { ExecutionId = Guid.NewGuid() }, Token)).Verdict);
        var other = await IdAsync(engine, await engine.InsertAsync());
        Assert.Equal(SignalVerdict.Taken, (await writer.SendAsync(signal with { ExecutionId = other }, Token)).Verdict);
    }

    [Fact]
    public async Task A_row_for_no_execution_is_refused_and_one_for_a_finished_one_says_that_it_has_no_effect()
    {
        await using var engine = await Engine.CreateAsync(cluster);
        var refused = await Assert.ThrowsAsync<PostgresException>(
            () => engine.ExecuteAsync("INSERT INTO lekhika.workflow_signals (execution_id, name) VALUES (gen_random_uuid(), 'go')"));
        Assert.Equal("23503", refused.SqlState);
        var exec = await engine.InsertAsync();
        await engine.SetStatusAsync(exec, "cancelled");
        var notices = await engine.NoticesAsync(
            "INSERT INTO lekhika.workflow_signals (execution_id, name) SELECT id, 'go' FROM lekhika.workflow_executions WHERE seq = $1", exec);
        Assert.Contains("no effect", Assert.Single(notices), StringComparison.Ordinal);
        Assert.Equal(0, await engine.ScalarAsync<long>("SELECT count(*) FROM lekhika.events"));
    }

    [Fact]
    public async Task Events_are_dropped_when_nothing_can_take_them_any_more()
    {
        await using var engine = await Engine.CreateAsync(cluster);
        var worker = await engine.EnlistAsync();
        var completed = await engine.HoldAsync(worker);
        var failed = await engine.HoldAsync(worker);
        var again = await engine.HoldAsync(worker);
        var deleted = await engine.InsertAsync();
        foreach (var exec in new[] { completed.Exec, failed.Exec, again.Exec, deleted }) await SignalAsync(engine, exec, "late");
        await engine.FlushAsync(worker, Engine.Finish(completed));
        await engine.FlushAsync(worker, Engine.Finish(failed, "failed"));
        await engine.SetStatusAsync(again.Exec, "cancelled");
        await engine.SetStatusAsync(again.Exec, "pending");
        await engine.ExecuteAsync("DELETE FROM lekhika.workflow_executions WHERE seq = $1", deleted);
        Assert.Equal(3, await engine.ScalarAsync<long>("SELECT count(*) FROM lekhika.events"));
        Assert.Equal(3, await engine.ScalarAsync<long>("SELECT count(*) FROM lekhika.workflow_signals"));

        var (dropped, last) = await new EventReader(engine.Db.Database).DropAsync(0, 100, Token);
        Assert.Equal((2, 0L), (dropped, last));

        // A failed run may be resumed, and then goes on with what it was told.
        Assert.Equal([failed.Exec], await engine.ListAsync<long>("SELECT exec FROM lekhika.events"));
    }

    [Fact]
    public async Task Owners_are_told_of_events_for_what_they_hold()
    {
        await using var engine = await Engine.CreateAsync(cluster);
        var worker = await engine.EnlistAsync();
        var one = await engine.HoldAsync(worker);
        var two = await engine.HoldAsync(worker);
        await SignalAsync(engine, two.Exec, "go", Gate);
        var answered = await new EventReader(engine.Db.Database).AnsweredAsync(
            [(one, EventTopic.Signal("go", Gate)), (two, EventTopic.Signal("go")), (two, EventTopic.Signal("go", Gate))], Token);
        Assert.Equal([two.Exec], answered);
    }

    internal static async Task<Guid> IdAsync(Engine engine, long exec) =>
        await engine.ScalarAsync<Guid>("SELECT id FROM lekhika.workflow_executions WHERE seq = $1", exec);

    private static async Task<Fence> ParkAsync(Engine engine, long worker, params string[] topics)
    {
        var fence = await engine.HoldAsync(worker);
        await ParkAsync(engine, worker, fence, topics);
        return fence;
    }

    private static async Task ParkAsync(Engine engine, long worker, Fence fence, params string[] topics) => Assert.Equal(
        JournalVerdict.Committed, await engine.VerdictAsync(worker, Engine.Park(fence, "wait") with { Awaits = topics }));

    private static async Task SignalAsync(Engine engine, long exec, string name, string? stepKey = null) => await engine.ExecuteAsync(
        "INSERT INTO lekhika.workflow_signals (execution_id, name, step_key) SELECT id, $2, nullif($3, '') FROM lekhika.workflow_executions WHERE seq = $1",
        exec, name, stepKey ?? "");

    private static Task<(int Moved, long Last)> MatchAsync(Engine engine, params long[] parked) =>
        new EventReader(engine.Db.Database).MatchAsync(parked, 0, 1000, Token);

    private static Task<List<WaitEvent>> EventsAsync(Engine engine, long exec, params string[] topics) =>
        new EventReader(engine.Db.Database).EventsAsync(exec, 1, topics, Token);
}
