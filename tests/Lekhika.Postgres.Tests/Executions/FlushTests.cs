using Lekhika.Postgres.Executions;
using Lekhika.Tests.Support;
using Lekhika.Workflows.Execution;
using Npgsql;
using Xunit;

namespace Lekhika.Postgres.Tests.Executions;

/// <summary>The journal's one statement: what it writes, and each of its verdicts.</summary>
public sealed class FlushTests(PostgresCluster cluster)
{
    private static CancellationToken Token => TestContext.Current.CancellationToken;

    [Fact]
    public async Task An_append_stores_its_steps_and_keeps_the_claim()
    {
        await using var engine = await Engine.CreateAsync(cluster);
        var worker = await engine.EnlistAsync();
        var fence = await engine.HoldAsync(worker);
        var step = new StepRecord
        {
            Run = 1,
            Key = "loop[3].draft",
            Attempt = 2,
            Outcome = StepOutcome.Succeeded,
            Branch = "yes",
            FiredBy = "a",
            Decision = Engine.Json("[1, null]"),
            Output = Engine.Json("""{"text": "é\n\"x\""}"""),
            Metrics = Engine.Json("""{"tokens": 3}"""),
            StartedAt = DateTimeOffset.UnixEpoch,
            FinishedAt = DateTimeOffset.UnixEpoch.AddSeconds(1.5),
        };
        var failed = new StepRecord
        {
            Run = 1,
            Key = "z",
            Attempt = 1,
            Outcome = StepOutcome.Failed,
            Error = new StepError("http_error", "no", Retryable: true, Engine.Json("""{"status": 500}""")),
        };
        Assert.Equal(JournalVerdict.Committed, await engine.VerdictAsync(worker, Engine.Append(fence, step, failed, Engine.Retrying("loop[3].draft"))));

        var stored = await engine.Reader.StepsAsync(fence.Exec, 1, Token);
        Assert.Equal(3, stored.Count);
        var read = stored.Single(record => record is { Key: "loop[3].draft", IsFinal: true });
        Assert.Equal((2, "yes", "a", step.StartedAt, step.FinishedAt), (read.Attempt, read.Branch, read.FiredBy, read.StartedAt, read.FinishedAt));
        Assert.Equal("é\n\"x\"", read.Output!.Value.GetProperty("text").GetString());
        Assert.Equal("[1, null]", read.Decision!.Value.GetRawText());
        var error = stored.Single(record => record.Key == "z").Error!;
        Assert.Equal(("http_error", "no", true, 500), (error.Code, error.Message, error.Retryable, error.Details!.Value.GetProperty("status").GetInt32()));
        Assert.Equal(DateTimeOffset.UnixEpoch, stored.Single(record => !record.IsFinal).DueAt);
        Assert.Equal(("pending", "held"), (await engine.StatusAsync(fence.Exec), await engine.PlaceAsync(fence.Exec)));
    }

    [Fact]
    public async Task A_finish_writes_the_row_and_gives_the_place_back()
    {
        await using var engine = await Engine.CreateAsync(cluster);
        var worker = await engine.EnlistAsync();
        var fence = await engine.HoldAsync(worker);
        await engine.FlushAsync(worker, Engine.Finish(fence, "failed", Engine.Step("a")) with
        {
            Error = "why",
            ErrorDetails = Engine.Json("""{"code": "c"}"""),
            NodeId = "a",
            TokensIn = 1,
            TokensOut = 2,
            Words = 3,
            StartedAt = DateTimeOffset.UnixEpoch,
        });
        var row = (await engine.Reader.FindAsync(await engine.ScalarAsync<Guid>("SELECT id FROM lekhika.workflow_executions"), Token))!;
        Assert.Equal(("failed", "why", "c", "a", 1L, 2L, 3L), (row.Status, row.Error, row.ErrorDetails!.Value.GetProperty("code").GetString(), row.CurrentNodeId, row.TokensIn, row.TokensOut, row.Words));
        Assert.Equal(DateTimeOffset.UnixEpoch, row.StartedAt);
        Assert.NotNull(row.FinishedAt);
        Assert.Equal("none", await engine.PlaceAsync(fence.Exec));
        Assert.Equal("failed", await engine.ScalarAsync<string>("SELECT status FROM lekhika.outcomes"));
        Assert.Equal(0, await engine.ScalarAsync<long>("SELECT count(*) FROM lekhika.commands"));
    }

    [Theory]
    [InlineData("pending", "running")]
    [InlineData("waiting", "running")]
    [InlineData("paused", "paused")]
    public async Task Running_is_written_over_pending_and_waiting_only(string from, string after)
    {
        await using var engine = await Engine.CreateAsync(cluster);
        var worker = await engine.EnlistAsync();
        var fence = await engine.HoldAsync(worker);
        await engine.ExecuteAsync("UPDATE lekhika.workflow_executions SET status = $1, rev = rev + 1", from);
        Assert.Equal(JournalVerdict.Committed, await engine.VerdictAsync(worker, Engine.Running(fence, Engine.Step("a"))));
        Assert.Equal(after, await engine.StatusAsync(fence.Exec));
        Assert.Equal(["a=1"], await engine.OutcomesAsync(fence.Exec));
    }

    [Theory]
    [InlineData("pending", "waiting", "parked")]
    [InlineData("running", "waiting", "parked")]
    [InlineData("paused", "paused", "parked (paused)")]
    public async Task Waiting_is_written_over_pending_and_running_only_and_a_pause_is_parked_with_it(string from, string after, string place)
    {
        await using var engine = await Engine.CreateAsync(cluster);
        var worker = await engine.EnlistAsync();
        var fence = await engine.HoldAsync(worker);
        await engine.ExecuteAsync("UPDATE lekhika.workflow_executions SET status = $1, rev = rev + 1", from);
        Assert.Equal(JournalVerdict.Committed, await engine.VerdictAsync(worker, Engine.Park(fence, "retry", DateTimeOffset.UnixEpoch) with { Awaits = ["a", "b\"c"] }));
        Assert.Equal((after, place), (await engine.StatusAsync(fence.Exec), await engine.PlaceAsync(fence.Exec)));
        Assert.Equal(["a", "b\"c"], (await engine.ScalarAsync<string[]>("SELECT awaits FROM lekhika.parked"))!);
    }

    [Fact]
    public async Task A_pause_that_was_taken_back_is_not_parked()
    {
        await using var engine = await Engine.CreateAsync(cluster);
        var worker = await engine.EnlistAsync();
        var fence = await engine.HoldAsync(worker);
        await engine.SetStatusAsync(fence.Exec, "paused");
        await engine.SetStatusAsync(fence.Exec, "running");
        await engine.ObeyAsync();
        Assert.Equal(JournalVerdict.Resumed, await engine.VerdictAsync(worker, Engine.Park(fence, "paused")));
        Assert.Equal("held", await engine.PlaceAsync(fence.Exec));
    }

    [Fact]
    public async Task A_resume_that_comes_while_the_pause_is_being_parked_is_not_lost()
    {
        await using var engine = await Engine.CreateAsync(cluster);
        var worker = await engine.EnlistAsync();
        var fence = await engine.HoldAsync(worker);
        await engine.SetStatusAsync(fence.Exec, "paused");
        await engine.ObeyAsync();
        // The resume is not committed yet: the park is told "locked", and the one after it "resumed".
        await using var resume = await engine.BeginAsync("UPDATE lekhika.workflow_executions SET status = 'running'");
        Assert.Null(await engine.VerdictAsync(worker, Engine.Park(fence, "paused")));
        await resume.CommitAsync();
        Assert.Equal(JournalVerdict.Resumed, await engine.VerdictAsync(worker, Engine.Park(fence, "paused")));

        // The other way round: the resume comes after the park and finds it parked.
        await engine.SetStatusAsync(fence.Exec, "paused");
        Assert.Equal(JournalVerdict.Committed, await engine.VerdictAsync(worker, Engine.Park(fence, "paused")));
        await engine.SetStatusAsync(fence.Exec, "running");
        await engine.ObeyAsync();
        Assert.Equal("ready", await engine.PlaceAsync(fence.Exec));
    }

    [Theory]
    [InlineData(JournalKind.Append)]
    [InlineData(JournalKind.Running)]
    [InlineData(JournalKind.Park)]
    [InlineData(JournalKind.Finish)]
    [InlineData(JournalKind.Release)]
    public async Task Every_kind_is_fenced_by_incarnation_and_epoch_and_answered_by_what_the_row_says(JournalKind kind)
    {
        await using var engine = await Engine.CreateAsync(cluster);
        var worker = await engine.EnlistAsync();
        var other = await engine.EnlistAsync();
        JournalEntry Entry(Fence fence) => new() { Fence = fence, Kind = kind, Status = "completed", Why = "retry" };
        var fence = await engine.HoldAsync(worker);
        Assert.Equal(JournalVerdict.Fenced, await engine.VerdictAsync(other, Entry(fence)));
        Assert.Equal(JournalVerdict.Fenced, await engine.VerdictAsync(worker, Entry(fence with { Epoch = 2 })));
        Assert.Equal(JournalVerdict.OtherRun, await engine.VerdictAsync(worker, Entry(fence with { Run = 2 })));
        Assert.Equal(("pending", "held"), (await engine.StatusAsync(fence.Exec), await engine.PlaceAsync(fence.Exec)));

        await engine.SetStatusAsync(fence.Exec, "cancelled");
        Assert.Equal(JournalVerdict.Finished, await engine.VerdictAsync(other, Entry(fence)));
        Assert.Equal("held", await engine.PlaceAsync(fence.Exec));
        Assert.Equal(JournalVerdict.Finished, await engine.VerdictAsync(worker, Entry(fence)));
        Assert.Equal(("cancelled", "none"), (await engine.StatusAsync(fence.Exec), await engine.PlaceAsync(fence.Exec)));

        fence = await engine.HoldAsync(worker);
        await engine.SetStatusAsync(fence.Exec, "cancelled");
        await engine.SetStatusAsync(fence.Exec, "pending");
        Assert.Equal(JournalVerdict.OtherRun, await engine.VerdictAsync(worker, Entry(fence)));
        Assert.Equal(("pending", "ready"), (await engine.StatusAsync(fence.Exec), await engine.PlaceAsync(fence.Exec)));
        await Invariants.AssertPlacesAsync(engine.Db, settled: true, Token);
    }

    [Fact]
    public async Task A_stale_write_of_the_run_before_does_not_take_the_next_runs_claim_away()
    {
        await using var engine = await Engine.CreateAsync(cluster);
        var worker = await engine.EnlistAsync();
        var stale = await engine.HoldAsync(worker);
        await engine.FlushAsync(worker, Engine.Finish(stale));
        await engine.SetStatusAsync(stale.Exec, "pending");
        await engine.ObeyAsync();
        var next = (await engine.ClaimAsync(worker)).Single().Fence;
        Assert.Equal((stale.Epoch, 2), (next.Epoch, next.Run));
        // Another entry of the batch has a claim to give back.
        var cancelled = await engine.HoldAsync(worker);
        await engine.SetStatusAsync(cancelled.Exec, "cancelled");

        var replies = await engine.FlushAsync(worker, Engine.Append(stale), Engine.Append(cancelled));
        Assert.Equal([JournalVerdict.OtherRun, JournalVerdict.Finished], replies.Select(reply => reply!.Value.Verdict));
        Assert.Equal("held", await engine.PlaceAsync(stale.Exec));
    }

    [Fact]
    public async Task Batches_of_hundreds_are_answered_one_by_one_in_order()
    {
        await using var engine = await Engine.CreateAsync(cluster);
        var worker = await engine.EnlistAsync();
        await engine.InsertAsync(600);
        var fences = (await engine.ClaimAsync(worker, 600)).Select(claimed => claimed.Fence).OrderBy(fence => fence.Exec).ToArray();
        await engine.ExecuteAsync("UPDATE lekhika.workflow_executions SET status = 'cancelled' WHERE seq % 3 = 0");
        var entries = fences.Select(fence => Engine.Finish(fence.Exec % 3 == 1 ? fence with { Epoch = 9 } : fence, "completed", Engine.Step("a"), Engine.Step("b"))).ToArray();
        entries = [.. entries.Select(entry => entry.Fence.Epoch == 9 ? entry with { Steps = [] } : entry)];
        var replies = await engine.FlushAsync(worker, entries);
        for (var i = 0; i < replies.Length; i++)
        {
            var expected = (fences[i].Exec % 3) switch { 0 => JournalVerdict.Finished, 1 => JournalVerdict.Fenced, _ => JournalVerdict.Committed };
            Assert.Equal(expected, replies[i]!.Value.Verdict);
        }

        Assert.Equal(400, await engine.ScalarAsync<long>("SELECT count(*) FROM lekhika.workflow_execution_steps"));
        await Invariants.AssertPlacesAsync(engine.Db, settled: true, Token);
    }

    [Fact]
    public async Task One_locked_row_does_not_stall_the_rest()
    {
        await using var engine = await Engine.CreateAsync(cluster);
        var worker = await engine.EnlistAsync();
        await engine.InsertAsync(3);
        var fences = (await engine.ClaimAsync(worker)).Select(claimed => claimed.Fence).ToArray();
        await using var other = await engine.BeginAsync("SELECT FROM lekhika.workflow_executions WHERE seq = $1 FOR UPDATE", fences[1].Exec);
        var replies = await engine.FlushAsync(worker, [.. fences.Select(fence => Engine.Finish(fence, "completed", Engine.Step("a")))]);
        Assert.Equal([JournalVerdict.Committed, null, JournalVerdict.Committed], replies.Select(reply => reply?.Verdict));
        Assert.Empty(await engine.OutcomesAsync(fences[1].Exec));
        await other.RollbackAsync();
        Assert.Equal(JournalVerdict.Committed, await engine.VerdictAsync(worker, Engine.Finish(fences[1])));
    }

    [Fact]
    public async Task A_write_whose_reply_was_lost_can_be_sent_again()
    {
        await using var engine = await Engine.CreateAsync(cluster);
        var worker = await engine.EnlistAsync();
        var fence = await engine.HoldAsync(worker);
        var append = Engine.Append(fence, Engine.Retrying("a"), Engine.Step("a", attempt: 2), Engine.Step("b") with { Output = Engine.Json("""{"n": 1.50, "a": [1, {"b": null}]}""") });
        Assert.Equal(JournalVerdict.Committed, await engine.VerdictAsync(worker, append));
        Assert.Equal(JournalVerdict.Committed, await engine.VerdictAsync(worker, append));
        Assert.Equal(3, await engine.ScalarAsync<long>("SELECT count(*) FROM lekhika.workflow_execution_steps"));

        var finish = Engine.Finish(fence, "completed", Engine.Step("c"));
        Assert.Equal(JournalVerdict.Committed, await engine.VerdictAsync(worker, finish));
        var again = (await engine.FlushAsync(worker, finish))[0]!.Value;
        Assert.Equal((JournalVerdict.Finished, "completed"), (again.Verdict, again.Status));
    }

    [Fact]
    public async Task A_park_whose_reply_was_lost_is_refused_the_second_time_and_changes_nothing()
    {
        await using var engine = await Engine.CreateAsync(cluster);
        var worker = await engine.EnlistAsync();
        var fence = await engine.HoldAsync(worker);
        var park = Engine.Park(fence, "retry", DateTimeOffset.UnixEpoch, Engine.Retrying("a"));
        await engine.FlushAsync(worker, park);
        Assert.NotEqual(JournalVerdict.Committed, await engine.VerdictAsync(worker, park));
        Assert.Equal(1, await engine.ScalarAsync<long>("SELECT count(*) FROM lekhika.workflow_execution_steps"));
        await Invariants.AssertPlacesAsync(engine.Db, settled: true, Token);
    }

    public static TheoryData<string> Differences => ["output", "branch", "outcome", "error", "due", "decision", "fired by"];

    [Theory]
    [MemberData(nameof(Differences))]
    public async Task Another_stored_outcome_is_a_conflict_whatever_differs(string what)
    {
        await using var engine = await Engine.CreateAsync(cluster);
        var worker = await engine.EnlistAsync();
        var fence = await engine.HoldAsync(worker);
        var failed = new StepRecord { Run = 1, Key = "a", Attempt = 1, Outcome = StepOutcome.Failed, Error = new StepError("http_error", "one") };
        var stored = what switch { "error" => failed, "due" => Engine.Retrying("a"), _ => Engine.Step("a") };
        var offered = what switch
        {
            "output" => stored with { Output = Engine.Json("{}") },
            "branch" => stored with { Branch = "x" },
            "outcome" => failed,
            "error" => stored with { Error = new StepError("http_error", "two") },
            "due" => stored with { DueAt = DateTimeOffset.UnixEpoch.AddHours(1) },
            "decision" => stored with { Decision = Engine.Json("1") },
            _ => stored with { FiredBy = "x" },
        };
        await engine.FlushAsync(worker, Engine.Append(fence, stored));
        Assert.Equal(JournalVerdict.Conflict, await engine.VerdictAsync(worker, Engine.Finish(fence, "completed", Engine.Step("b"), offered)));
        // All or nothing: neither the new step nor the end was written, and the claim is still there for the replay.
        Assert.Equal(1, await engine.ScalarAsync<long>("SELECT count(*) FROM lekhika.workflow_execution_steps"));
        Assert.Equal(("pending", "held"), (await engine.StatusAsync(fence.Exec), await engine.PlaceAsync(fence.Exec)));
    }

    [Fact]
    public async Task A_retry_of_a_step_that_is_decided_is_a_conflict()
    {
        await using var engine = await Engine.CreateAsync(cluster);
        var worker = await engine.EnlistAsync();
        var fence = await engine.HoldAsync(worker);
        await engine.FlushAsync(worker, Engine.Append(fence, Engine.Step("a")));
        Assert.Equal(JournalVerdict.Conflict, await engine.VerdictAsync(worker, Engine.Park(fence, "retry", DateTimeOffset.UnixEpoch, Engine.Retrying("a"))));
        Assert.Equal("held", await engine.PlaceAsync(fence.Exec));
    }

    [Theory]
    [InlineData(JournalKind.Append, true, 0)]
    [InlineData(JournalKind.Running, true, 0)]
    [InlineData(JournalKind.Park, true, 0)]
    [InlineData(JournalKind.Release, true, 0)]
    [InlineData(JournalKind.Running, false, 2)]
    [InlineData(JournalKind.Park, false, 2)]
    [InlineData(JournalKind.Release, false, 2)]
    public async Task Rescues_are_forgotten_once_a_step_is_recorded(JournalKind kind, bool withStep, int rescues)
    {
        await using var engine = await Engine.CreateAsync(cluster);
        var dead = await engine.EnlistAsync();
        await engine.InsertAsync();
        for (var i = 0; i < 2; i++)
        {
            await engine.ClaimAsync(dead);
            await engine.EvictAsync(dead);
            dead = await engine.EnlistAsync();
        }

        var worker = dead;
        var claimed = (await engine.ClaimAsync(worker)).Single();
        Assert.Equal(2, claimed.Rescues);
        await engine.FlushAsync(worker, new JournalEntry
        {
            Fence = claimed.Fence,
            Kind = kind,
            Why = "retry",
            DueAt = DateTimeOffset.UnixEpoch,
            Steps = withStep ? [Engine.Step("a")] : [],
        });
        await engine.Queue.WakeDueAsync(10, Token);
        Assert.Equal(rescues, await engine.ScalarAsync<short>("SELECT rescues FROM lekhika.held UNION ALL SELECT rescues FROM lekhika.ready"));
    }

    [Fact]
    public async Task Bad_data_fails_the_statement_and_writes_nothing()
    {
        await using var engine = await Engine.CreateAsync(cluster);
        var worker = await engine.EnlistAsync();
        var fence = await engine.HoldAsync(worker);
        var bad = Engine.Append(fence, Engine.Step("a"), Engine.Step("b") with { Output = Engine.Json("\"\\u0000\"") });
        Assert.Equal("22P05", (await Assert.ThrowsAsync<PostgresException>(() => engine.FlushAsync(worker, bad))).SqlState);
        Assert.Empty(await engine.OutcomesAsync(fence.Exec));
    }
}
