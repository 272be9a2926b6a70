using Lekhika.Postgres.Executions;
using Lekhika.Tests.Support;
using Xunit;

namespace Lekhika.Postgres.Tests.Commands;

/// <summary>The table of status changes by SQL: every cell, for executions in every kind of place.</summary>
public sealed class StatusTableTests(PostgresCluster cluster)
{
    private static readonly string[] All = ["pending", "running", "waiting", "paused", "completed", "failed", "cancelled"];
    private static readonly string[] Finished = ["completed", "failed", "cancelled"];

    private static CancellationToken Token => TestContext.Current.CancellationToken;

    /// <summary>What the table says: the command it becomes, or refused, or nothing to do.</summary>
    private static string Expected(string from, string to) => (from, to) switch
    {
        _ when from == to => "nothing",
        ("pending", "running") => "nothing",
        ("pending" or "running" or "waiting", "paused") => "pause",
        ("pending" or "running" or "waiting" or "paused", "cancelled") => "cancel",
        ("paused", "pending" or "running") => "resume",
        ("completed" or "failed" or "cancelled", "pending" or "running") => "run",
        _ => "refused",
    };

    /// <summary>What the row says afterwards.</summary>
    private static string RowAfter(string from, string to) => Expected(from, to) switch
    {
        "refused" => from,
        "run" => "pending",
        _ => to,
    };

    [Fact]
    public async Task Every_change_of_status_by_SQL_is_what_the_table_says()
    {
        await using var engine = await Engine.CreateAsync(cluster);
        foreach (var from in All)
        {
            foreach (var to in All)
            {
                var exec = await engine.InsertAsync(from);
                var notices = await engine.NoticesAsync("UPDATE lekhika.workflow_executions SET status = $2 WHERE seq = $1", exec, to);
                var commands = await engine.ListAsync<string>("SELECT kind FROM lekhika.commands WHERE exec = $1", exec);
                var expected = Expected(from, to);
                var cell = $"{from} to {to}";

                Assert.True(RowAfter(from, to) == await engine.StatusAsync(exec), cell);
                Assert.True((expected == "run" ? 2 : 1) == await engine.RunAsync(exec), cell);
                Assert.True((expected is "nothing" or "refused" ? [] : new[] { expected }).SequenceEqual(commands), cell);
                Assert.True((expected == "refused") == notices.Any(notice => notice.Contains($"status cannot go from {from} to {to}; kept {from}", StringComparison.Ordinal)), cell);
            }
        }

        while (await engine.ObeyAsync() > 0)
        {
        }

        // What is finished but still queued is given back by whoever claims it.
        await Invariants.AssertPlacesAsync(engine.Db, settled: false, Token);
        var worker = await engine.EnlistAsync();
        foreach (var claimed in await engine.ClaimAsync(worker, 1000))
        {
            if (Finished.Contains(claimed.Status)) Assert.Equal(JournalVerdict.Finished, await engine.VerdictAsync(worker, Engine.Append(claimed.Fence)));
        }

        await Invariants.AssertPlacesAsync(engine.Db, settled: true, Token);
    }

    [Theory]
    [InlineData("nonsense")]
    [InlineData("pausing")]
    public async Task A_status_that_does_not_exist_is_refused_without_an_error(string status)
    {
        await using var engine = await Engine.CreateAsync(cluster);
        var exec = await engine.InsertAsync();
        Assert.Single(await engine.NoticesAsync("UPDATE lekhika.workflow_executions SET status = $2 WHERE seq = $1", exec, status));
        Assert.Equal("pending", await engine.StatusAsync(exec));
    }

    [Fact]
    public async Task A_held_execution_is_left_to_its_owner()
    {
        await using var engine = await Engine.CreateAsync(cluster);
        var worker = await engine.EnlistAsync();
        var paused = await engine.HoldAsync(worker);
        var cancelled = await engine.HoldAsync(worker);
        var again = await engine.HoldAsync(worker);
        await engine.SetStatusAsync(paused.Exec, "paused");
        await engine.SetStatusAsync(cancelled.Exec, "cancelled");
        await engine.SetStatusAsync(again.Exec, "cancelled");
        await engine.SetStatusAsync(again.Exec, "pending");
        await engine.ObeyAsync();

        foreach (var fence in new[] { paused, cancelled, again }) Assert.Equal("held", await engine.PlaceAsync(fence.Exec));
        var standing = await engine.Queue.StandingAsync([paused, cancelled, again], Token);
        Assert.Equal(
            [(paused.Exec, "paused", 1), (cancelled.Exec, "cancelled", 1), (again.Exec, "pending", 2)],
            standing.OrderBy(row => row.Exec).Select(row => (row.Exec, row.Status!, row.Run!.Value)));

        Assert.Equal(JournalVerdict.Committed, await engine.VerdictAsync(worker, Engine.Park(paused, "paused")));
        Assert.Equal(JournalVerdict.Finished, await engine.VerdictAsync(worker, Engine.Finish(cancelled)));
        Assert.Equal(JournalVerdict.OtherRun, await engine.VerdictAsync(worker, Engine.Finish(again)));
        Assert.Equal("parked (paused)", await engine.PlaceAsync(paused.Exec));
        Assert.Equal("none", await engine.PlaceAsync(cancelled.Exec));
        Assert.Equal("ready", await engine.PlaceAsync(again.Exec));
    }

    [Fact]
    public async Task A_parked_execution_is_paused_resumed_and_cancelled_where_it_is()
    {
        await using var engine = await Engine.CreateAsync(cluster);
        var worker = await engine.EnlistAsync();
        var fence = await engine.HoldAsync(worker);
        await engine.FlushAsync(worker, Engine.Park(fence, "retry", DateTimeOffset.UnixEpoch));
        Assert.Equal(("waiting", "parked"), (await engine.StatusAsync(fence.Exec), await engine.PlaceAsync(fence.Exec)));

        await engine.SetStatusAsync(fence.Exec, "paused");
        await engine.ObeyAsync();
        Assert.Equal("parked (paused)", await engine.PlaceAsync(fence.Exec));
        Assert.Equal(0, (await engine.Queue.WakeDueAsync(10, Token)).Moved);

        await engine.SetStatusAsync(fence.Exec, "running");
        await engine.ObeyAsync();
        Assert.Equal("parked", await engine.PlaceAsync(fence.Exec));
        Assert.Equal(1, (await engine.Queue.WakeDueAsync(10, Token)).Moved);

        var second = (await engine.ClaimAsync(worker)).Single().Fence;
        Assert.Equal(2, second.Epoch);
        await engine.FlushAsync(worker, Engine.Park(second, "wait"));
        await engine.SetStatusAsync(fence.Exec, "cancelled");
        await engine.ObeyAsync();
        Assert.Equal("none", await engine.PlaceAsync(fence.Exec));
    }

    [Theory]
    [InlineData("completed")]
    [InlineData("failed")]
    [InlineData("cancelled")]
    public async Task A_finished_execution_set_to_pending_runs_again_from_a_clean_row(string finished)
    {
        await using var engine = await Engine.CreateAsync(cluster);
        var worker = await engine.EnlistAsync();
        var fence = await engine.HoldAsync(worker);
        await engine.FlushAsync(worker, Engine.Finish(fence, finished, Engine.Step("a")) with { Error = "e", ErrorDetails = Engine.Json("{}"), TokensOut = 3 });
        await engine.SetStatusAsync(fence.Exec, "pending");
        Assert.Equal(
            "pending 2 1 clean",
            await engine.ScalarAsync<string>(
                """
                SELECT concat_ws(' ', status, run, attempts, CASE WHEN num_nulls(result, error, error_details, finished_at, started_at, current_node_id) = 6
                                                                       AND tokens_out = 0 THEN 'clean' END)
                  FROM lekhika.workflow_executions
                """));
        await engine.ObeyAsync();
        var claimed = (await engine.ClaimAsync(worker)).Single();
        Assert.Equal(2, claimed.Fence.Run);
        Assert.Equal(0, claimed.List.Class);
        // What failed goes on with what it has; the others begin from the start.
        Assert.Equal(finished == "failed" ? 1 : 0, (await engine.Reader.StepsAsync(fence.Exec, 2, Token)).Count);
        Assert.Single(await engine.Reader.StepsAsync(fence.Exec, 1, Token));
        Assert.Equal(JournalVerdict.Committed, await engine.VerdictAsync(worker, Engine.Finish(claimed.Fence, "completed", Engine.Step("b", "2", run: 2))));
    }

    [Fact]
    public async Task A_new_run_that_is_paused_before_it_has_a_place_gets_one_that_waits()
    {
        await using var engine = await Engine.CreateAsync(cluster);
        var exec = await engine.InsertAsync("completed");
        await engine.SetStatusAsync(exec, "pending");
        await engine.SetStatusAsync(exec, "paused");
        await engine.ObeyAsync();
        Assert.Equal("parked (paused)", await engine.PlaceAsync(exec));
        await engine.SetStatusAsync(exec, "running");
        await engine.ObeyAsync();
        Assert.Equal("ready", await engine.PlaceAsync(exec));
    }

    [Fact]
    public async Task Mass_updates_with_refused_rows_among_them_succeed()
    {
        await using var engine = await Engine.CreateAsync(cluster);
        foreach (var status in All) await engine.InsertAsync(200, status);
        Assert.Equal(1400, await engine.ExecuteCountAsync("UPDATE lekhika.workflow_executions SET status = 'cancelled'"));
        Assert.Equal(400, await engine.ScalarAsync<long>("SELECT count(*) FROM lekhika.workflow_executions WHERE status IN ('completed', 'failed')"));
        while (await engine.ObeyAsync() > 0)
        {
        }

        Assert.Equal(0, await engine.ScalarAsync<long>("SELECT count(*) FROM lekhika.parked"));
        Assert.Equal(0, await engine.ScalarAsync<long>("SELECT count(*) FROM lekhika.commands"));
        Assert.Equal(800, await engine.ScalarAsync<long>("SELECT count(*) FROM lekhika.outcomes WHERE status = 'cancelled'"));
    }

    [Fact]
    public async Task A_status_change_that_is_rolled_back_leaves_no_command()
    {
        await using var engine = await Engine.CreateAsync(cluster);
        var exec = await engine.InsertAsync();
        await using (var session = await engine.BeginAsync("UPDATE lekhika.workflow_executions SET status = 'cancelled' WHERE seq = $1", exec)) await session.RollbackAsync();
        Assert.Equal(0, await engine.ObeyAsync());
        Assert.Equal("pending", await engine.StatusAsync(exec));
    }

    [Fact]
    public async Task Deleted_executions_leave_no_place_behind()
    {
        await using var engine = await Engine.CreateAsync(cluster);
        var worker = await engine.EnlistAsync();
        var held = await engine.HoldAsync(worker);
        var parked = await engine.HoldAsync(worker);
        await engine.FlushAsync(worker, Engine.Park(parked, "wait"));
        var queued = await engine.InsertAsync();
        var cancelledFirst = await engine.InsertAsync("paused");
        await engine.SetStatusAsync(cancelledFirst, "cancelled");
        await engine.ExecuteAsync("DELETE FROM lekhika.workflow_executions");
        await engine.ObeyAsync();

        Assert.Equal("none", await engine.PlaceAsync(parked.Exec));
        Assert.Equal("none", await engine.PlaceAsync(cancelledFirst));
        Assert.Empty(await engine.ClaimAsync(worker));
        Assert.Equal("none", await engine.PlaceAsync(queued));
        Assert.Null((await engine.Queue.StandingAsync([held], Token)).Single().Status);
        Assert.Equal(JournalVerdict.Missing, await engine.VerdictAsync(worker, Engine.Finish(held)));
        Assert.Equal(0, await engine.ScalarAsync<long>("SELECT (SELECT count(*) FROM lekhika.held) + (SELECT count(*) FROM lekhika.commands)"));
    }

    [Fact]
    public async Task A_command_whose_row_is_locked_is_obeyed_later()
    {
        await using var engine = await Engine.CreateAsync(cluster);
        var exec = await engine.InsertAsync("paused");
        await engine.SetStatusAsync(exec, "pending");
        await using (var session = await engine.BeginAsync("SELECT FROM lekhika.workflow_executions WHERE seq = $1 FOR UPDATE", exec))
        {
            await engine.ObeyAsync();
            Assert.Equal("parked (paused)", await engine.PlaceAsync(exec));
        }

        await engine.ObeyAsync();
        Assert.Equal("ready", await engine.PlaceAsync(exec));
    }

    [Fact]
    public async Task Commands_whose_rows_are_locked_do_not_keep_others_waiting()
    {
        await using var engine = await Engine.CreateAsync(cluster);
        var locked = await engine.InsertAsync(20, "paused");
        var free = await engine.InsertAsync("paused");
        await engine.ExecuteAsync("UPDATE lekhika.workflow_executions SET status = 'pending' WHERE seq < $1", free);
        await engine.SetStatusAsync(free, "pending");
        await using var session = await engine.BeginAsync("SELECT FROM lekhika.workflow_executions WHERE seq = ANY ($1) FOR UPDATE", locked);
        await engine.Queue.ObeyAsync(10, Token);
        Assert.Equal("ready", await engine.PlaceAsync(free));
        Assert.Equal(0, await engine.Queue.ObeyAsync(10, Token));
    }

    [Fact]
    public async Task A_refused_stop_changes_nothing_of_a_finished_row()
    {
        await using var engine = await Engine.CreateAsync(cluster);
        var worker = await engine.EnlistAsync();
        var fence = await engine.HoldAsync(worker);
        await engine.FlushAsync(worker, Engine.Finish(fence));
        var id = await engine.ScalarAsync<Guid>("SELECT id FROM lekhika.workflow_executions");
        var standing = await engine.Reader.SetStatusAsync(id, "cancelled", "stopped by somebody", Token);

        Assert.Equal("completed", standing!.Value.Status);
        Assert.Null((await engine.Reader.FindAsync(id, Token))!.Error);
        Assert.Null(await engine.Reader.SetStatusAsync(Guid.NewGuid(), "cancelled", null, Token));
    }

    [Fact]
    public async Task A_stop_by_HTTP_keeps_its_reason()
    {
        await using var engine = await Engine.CreateAsync(cluster);
        await engine.InsertAsync();
        var id = await engine.ScalarAsync<Guid>("SELECT id FROM lekhika.workflow_executions");
        await engine.Reader.SetStatusAsync(id, "cancelled", "stopped by somebody", Token);
        var row = (await engine.Reader.FindAsync(id, Token))!;
        Assert.Equal(("cancelled", "stopped by somebody", "cancelled"), (row.Status, row.Error, row.ErrorDetails!.Value.GetProperty("code").GetString()));
        Assert.NotNull(row.FinishedAt);
    }

    [Fact]
    public async Task A_new_run_does_not_inherit_a_deadline_that_has_passed()
    {
        await using var engine = await Engine.CreateAsync(cluster);
        await engine.ExecuteAsync("INSERT INTO lekhika.workflow_executions (status, timeout_at) VALUES ('failed', now() - interval '1 hour'), ('failed', '2999-01-01')");
        await engine.ExecuteAsync("UPDATE lekhika.workflow_executions SET status = 'pending'");
        Assert.Equal([2L], await engine.ListAsync<long>("SELECT seq FROM lekhika.workflow_executions WHERE timeout_at IS NOT NULL"));
    }

    [Theory]
    [InlineData("pending")]
    [InlineData("running")]
    [InlineData("waiting")]
    [InlineData("paused")]
    public async Task The_inline_definition_of_an_execution_that_is_not_over_cannot_be_changed(string status)
    {
        await using var engine = await Engine.CreateAsync(cluster);
        await engine.ExecuteAsync("INSERT INTO lekhika.workflow_executions (status, definition) VALUES ($1, '{\"v\": 1}')", status);
        Assert.Single(await engine.NoticesAsync("UPDATE lekhika.workflow_executions SET definition = '{\"v\": 2}'"));
        Assert.Equal("1", await engine.ScalarAsync<string>("SELECT definition->>'v' FROM lekhika.workflow_executions"));
        await engine.ExecuteAsync("UPDATE lekhika.workflow_executions SET status = 'cancelled'");
        await engine.ExecuteAsync("UPDATE lekhika.workflow_executions SET definition = '{\"v\": 3}', status = 'pending'");
        Assert.Equal("3 2", await engine.ScalarAsync<string>("SELECT (definition->>'v') || ' ' || run FROM lekhika.workflow_executions"));
    }
}
