using Lekhika.Postgres.Executions;
using Lekhika.Postgres.Signals;
using Lekhika.Tests.Support;
using Lekhika.Workflows.Execution;
using Xunit;

namespace Lekhika.Postgres.Tests.Signals;

/// <summary>Executions that others started: begun once, told of to their parent when they end, cancelled with it.</summary>
public sealed class ChildTests(PostgresCluster cluster)
{
    private static readonly Guid Child = new("6f1c1c1e-6d0e-5a57-9a3e-0d7c4f6f2b11");

    private static CancellationToken Token => TestContext.Current.CancellationToken;

    [Fact]
    public async Task A_child_is_inserted_with_the_record_of_the_wait_for_it_and_runs_as_any_other()
    {
        await using var engine = await Engine.CreateAsync(cluster);
        var worker = await engine.EnlistAsync();
        var parent = await StartAsync(engine, worker);
        Assert.Equal("parked", await engine.PlaceAsync(parent.Exec));
        var child = (await engine.ClaimAsync(worker)).Single();
        Assert.Equal(Child, child.Id);
        Assert.Equal("""{"n": 1}""", child.Inputs);
        Assert.Equal("go", await engine.ScalarAsync<string>("SELECT parent_step FROM lekhika.workflow_executions WHERE id = $1", Child));

        await engine.FlushAsync(worker, Engine.Finish(child.Fence));
        Assert.Equal(1, (await MatchAsync(engine)).Moved);
        var end = (await EventsAsync(engine, parent.Exec)).Single().Child!;
        Assert.Equal("completed", end.Status);
        Assert.True(end.Result!.Value.GetProperty("done").GetBoolean());
    }

    [Fact]
    public async Task A_parent_that_is_taken_over_while_it_starts_a_child_does_not_start_it_twice()
    {
        await using var engine = await Engine.CreateAsync(cluster);
        var first = await engine.EnlistAsync();
        var fence = await engine.HoldAsync(first);
        var start = Start(fence);

        // The statement of the old owner is under way when it is revoked; it commits, and its reply is lost.
        Assert.Equal(JournalVerdict.Committed, await engine.VerdictAsync(first, start with { Kind = JournalKind.Append }));
        await engine.EvictAsync(first);
        var second = await engine.EnlistAsync("second");
        var taken = (await engine.ClaimAsync(second)).Single(claim => claim.Fence.Exec == fence.Exec).Fence;

        // The old owner asks again and is fenced; the new one, had it not seen the record yet, writes the same and starts nothing.
        Assert.Equal(JournalVerdict.Fenced, await engine.VerdictAsync(first, start));
        Assert.Equal(JournalVerdict.Committed, await engine.VerdictAsync(second, start with { Fence = taken }));
        Assert.Equal(1, await engine.ScalarAsync<long>("SELECT count(*) FROM lekhika.workflow_executions WHERE parent_id IS NOT NULL"));
        Assert.Equal(1, await engine.ScalarAsync<long>("SELECT count(*) FROM lekhika.held") + await engine.ScalarAsync<long>("SELECT count(*) FROM lekhika.ready"));
    }

    [Fact]
    public async Task A_fenced_owner_starts_no_child_not_even_with_a_late_result()
    {
        await using var engine = await Engine.CreateAsync(cluster);
        var worker = await engine.EnlistAsync();
        var fence = await engine.HoldAsync(worker);
        await engine.EvictAsync(worker);
        Assert.Equal(JournalVerdict.Fenced, await engine.VerdictAsync(worker, Start(fence)));
        Assert.Equal(1, await engine.ScalarAsync<long>("SELECT count(*) FROM lekhika.workflow_executions"));
        Assert.Equal(0, await engine.ScalarAsync<long>("SELECT count(*) FROM lekhika.workflow_execution_steps"));
    }

    [Theory]
    [InlineData("queued")]
    [InlineData("held")]
    [InlineData("parked")]
    public async Task Children_are_cancelled_with_their_parent_wherever_they_are(string place)
    {
        await using var engine = await Engine.CreateAsync(cluster);
        var worker = await engine.EnlistAsync();
        var parent = await StartAsync(engine, worker);
        if (place != "queued")
        {
            var child = (await engine.ClaimAsync(worker)).Single().Fence;
            if (place == "parked") await engine.FlushAsync(worker, Engine.Park(child, "wait"));
        }

        await engine.SetStatusAsync(parent.Exec, "cancelled");
        await ObeyAllAsync(engine);
        var seq = await engine.ScalarAsync<long>("SELECT seq FROM lekhika.workflow_executions WHERE id = $1", Child);
        Assert.Equal("cancelled", await engine.StatusAsync(seq));
        Assert.Equal("none", await engine.PlaceAsync(parent.Exec));
        Assert.Equal(place switch { "parked" => "none", "held" => "held", _ => "ready" }, await engine.PlaceAsync(seq));
        Assert.Equal("cancelled", (await engine.Queue.StandingAsync([new Fence(seq, 1, 1)], Token)).Single().Status);

        // A parent that is over is told nothing.
        Assert.Empty(await EventsAsync(engine, parent.Exec));
    }

    [Fact]
    public async Task Grandchildren_are_cancelled_too()
    {
        await using var engine = await Engine.CreateAsync(cluster);
        var worker = await engine.EnlistAsync();
        var parent = await StartAsync(engine, worker);
        var child = (await engine.ClaimAsync(worker)).Single().Fence;
        var grandchild = Guid.NewGuid();
        await engine.FlushAsync(worker, Start(child, grandchild));
        await engine.SetStatusAsync(parent.Exec, "cancelled");
        await ObeyAllAsync(engine);
        Assert.Equal("cancelled", await engine.ScalarAsync<string>("SELECT status FROM lekhika.workflow_executions WHERE id = $1", grandchild));
        await Invariants.AssertPlacesAsync(engine.Db, settled: false, Token);
    }

    [Fact]
    public async Task A_child_whose_row_is_locked_is_cancelled_a_little_later()
    {
        await using var engine = await Engine.CreateAsync(cluster);
        var worker = await engine.EnlistAsync();
        var parent = await StartAsync(engine, worker);
        await using var somebody = await engine.BeginAsync("SELECT FROM lekhika.workflow_executions WHERE id = $1 FOR UPDATE", Child);
        await engine.SetStatusAsync(parent.Exec, "cancelled");
        await ObeyAllAsync(engine);
        Assert.Equal("pending", await engine.ScalarAsync<string>("SELECT status FROM lekhika.workflow_executions WHERE id = $1", Child));
        await somebody.CommitAsync();
        await ObeyAllAsync(engine);
        Assert.Equal("cancelled", await engine.ScalarAsync<string>("SELECT status FROM lekhika.workflow_executions WHERE id = $1", Child));
    }

    [Theory]
    [InlineData(true, "cancelled")]
    [InlineData(false, "pending")]
    public async Task A_parent_that_fails_takes_those_along_that_it_waits_for(bool isAwaited, string status)
    {
        await using var engine = await Engine.CreateAsync(cluster);
        var worker = await engine.EnlistAsync();
        var fence = await engine.HoldAsync(worker);
        await engine.FlushAsync(worker, Start(fence, isAwaited: isAwaited) with { Kind = JournalKind.Append });
        await engine.FlushAsync(worker, Engine.Finish(fence, "failed") with { Aside = new JournalAside { EndsChildren = true } });
        await ObeyAllAsync(engine);
        Assert.Equal(status, await engine.ScalarAsync<string>("SELECT status FROM lekhika.workflow_executions WHERE id = $1", Child));

        // Told all the same: a failed run may be resumed.
        Assert.Equal(isAwaited ? 1 : 0, (await EventsAsync(engine, fence.Exec)).Count);
    }

    [Theory]
    [InlineData("UPDATE lekhika.workflow_executions SET status = 'cancelled' WHERE id = $1", "cancelled")]
    [InlineData("DELETE FROM lekhika.workflow_executions WHERE id = $1", "deleted")]
    public async Task A_parent_hears_of_a_child_that_people_end(string sql, string status)
    {
        await using var engine = await Engine.CreateAsync(cluster);
        var worker = await engine.EnlistAsync();
        var parent = await StartAsync(engine, worker);
        await engine.ExecuteAsync(sql, Child);
        Assert.Equal(1, (await MatchAsync(engine)).Moved);
        Assert.Equal(status, (await EventsAsync(engine, parent.Exec)).Single().Child!.Status);
    }

    [Fact]
    public async Task The_end_of_an_earlier_attempts_child_or_of_an_earlier_runs_is_no_answer()
    {
        await using var engine = await Engine.CreateAsync(cluster);
        var worker = await engine.EnlistAsync();
        var parent = await StartAsync(engine, worker);
        await engine.SetStatusAsync(parent.Exec, "cancelled");
        await engine.SetStatusAsync(parent.Exec, "pending");
        await engine.ExecuteAsync("UPDATE lekhika.workflow_executions SET status = 'cancelled' WHERE id = $1", Child);
        Assert.Equal(0, await engine.ScalarAsync<long>("SELECT count(*) FROM lekhika.events"));
        Assert.NotEqual(EventTopic.Child("go", 1), EventTopic.Child("go", 2));
    }

    [Fact]
    public async Task What_a_node_is_about_to_start_is_looked_up_with_the_depth_it_stands_at()
    {
        await using var engine = await Engine.CreateAsync(cluster);
        var worker = await engine.EnlistAsync();
        var parent = await StartAsync(engine, worker);
        var workflow = await engine.ScalarAsync<Guid>(
            "INSERT INTO lekhika.workflows (name, definition, is_active) VALUES ('w', '{}', false) RETURNING id");
        var reader = new ChildReader(engine.Db.Database);
        Assert.Equal(new ChildTarget(1, false, "w"), await reader.FindAsync(Child, workflow, 8, Token));
        Assert.Equal(new ChildTarget(0, null, ""), await reader.FindAsync(await EventTests.IdAsync(engine, parent.Exec), Guid.NewGuid(), 8, Token));
    }

    private static async Task<Fence> StartAsync(Engine engine, long worker)
    {
        var fence = await engine.HoldAsync(worker);
        Assert.Equal(JournalVerdict.Committed, await engine.VerdictAsync(worker, Start(fence)));
        return fence;
    }

    private static JournalEntry Start(Fence fence, Guid? id = null, bool isAwaited = true) => Engine.Park(fence, "wait") with
    {
        Steps =
        [
            new StepRecord
            {
                Run = fence.Run, Key = "go", Attempt = 1, Outcome = StepOutcome.Waiting, Decision = Engine.Json("""{"kind": "child"}"""),
            },
        ],
        Awaits = [EventTopic.Child("go", 1)],
        Aside = new JournalAside
        {
            Children = [new ChildStart(id ?? Child, "go", 1, Guid.NewGuid(), Engine.Json("""{"n": 1}"""), isAwaited)],
        },
    };

    private static async Task ObeyAllAsync(Engine engine)
    {
        while (await engine.ObeyAsync() > 0)
        {
            // Cancelling a child is a command of its own.
        }
    }

    private static Task<(int Moved, long Last)> MatchAsync(Engine engine) => new EventReader(engine.Db.Database).MatchAsync([], 0, 1000, Token);

    private static Task<List<WaitEvent>> EventsAsync(Engine engine, long exec) =>
        new EventReader(engine.Db.Database).EventsAsync(exec, 1, [EventTopic.Child("go", 1)], Token);
}
