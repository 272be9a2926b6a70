using Lekhika.Postgres.Queue;
using Lekhika.Tests.Support;
using Xunit;

namespace Lekhika.Postgres.Tests.Queue;

public sealed class ReconcileTests(PostgresCluster cluster)
{
    private static CancellationToken Token => TestContext.Current.CancellationToken;

    [Fact]
    public async Task Executions_that_a_restore_brought_back_without_their_places_get_them()
    {
        await using var engine = await Engine.CreateAsync(cluster);
        var execs = await engine.ListAsync<long>("""
            WITH made AS (INSERT INTO lekhika.workflow_executions (status, run_at)
                SELECT s, r FROM (VALUES ('pending', NULL), ('running', NULL), ('waiting', NULL), ('paused', NULL),
                                         ('pending', now() + interval '1 hour'), ('completed', NULL), ('failed', NULL)) v (s, r) RETURNING seq)
            SELECT seq FROM made ORDER BY seq
            """);
        await engine.ExecuteAsync("DELETE FROM lekhika.ready");
        await engine.ExecuteAsync("DELETE FROM lekhika.parked");
        var facts = new QueueFacts(engine.Db.Database);

        Assert.Equal((5, execs[^1]), await facts.ReconcileAsync(0, 1000, Token));
        var places = new List<string>();
        foreach (var exec in execs) places.Add(await engine.PlaceAsync(exec));
        Assert.Equal(["ready", "ready", "ready", "parked (paused)", "parked", "none", "none"], places);
        await Invariants.AssertPlacesAsync(engine.Db, settled: true, Token);

        Assert.Equal((0, execs[^1]), await facts.ReconcileAsync(0, 1000, Token));
        Assert.Equal((0, (long?)null), await facts.ReconcileAsync(execs[^1], 1000, Token));
        Assert.Equal(3, (await engine.ClaimAsync(await engine.EnlistAsync())).Count);
    }

    [Fact]
    public async Task What_has_a_place_is_left_alone_and_a_locked_row_is_passed_over()
    {
        await using var engine = await Engine.CreateAsync(cluster);
        var worker = await engine.EnlistAsync();
        var held = await engine.HoldAsync(worker);
        var queued = await engine.InsertAsync();
        var locked = await engine.InsertAsync();
        await engine.ExecuteAsync("DELETE FROM lekhika.ready WHERE exec = $1", locked);
        var facts = new QueueFacts(engine.Db.Database);
        await using (var session = await engine.BeginAsync("SELECT FROM lekhika.workflow_executions WHERE seq = $1 FOR UPDATE", locked))
        {
            Assert.Equal(0, (await facts.ReconcileAsync(0, 1000, Token)).Placed);
            await session.RollbackAsync();
        }

        Assert.Equal(1, (await facts.ReconcileAsync(0, 1000, Token)).Placed);
        Assert.Equal(("held", "ready", "ready"), (await engine.PlaceAsync(held.Exec), await engine.PlaceAsync(queued), await engine.PlaceAsync(locked)));
    }

    [Fact]
    public async Task A_new_run_whose_command_is_not_obeyed_yet_gets_one_place_not_two()
    {
        await using var engine = await Engine.CreateAsync(cluster);
        var worker = await engine.EnlistAsync();
        var fence = await engine.HoldAsync(worker);
        await engine.FlushAsync(worker, Engine.Finish(fence));
        await engine.SetStatusAsync(fence.Exec, "pending");
        Assert.Equal(0, (await new QueueFacts(engine.Db.Database).ReconcileAsync(0, 1000, Token)).Placed);
        await engine.ObeyAsync();
        Assert.Equal("ready", await engine.PlaceAsync(fence.Exec));
    }

    [Fact]
    public async Task Workers_and_queue_are_told_as_they_are()
    {
        await using var engine = await Engine.CreateAsync(cluster);
        var gone = await engine.EnlistAsync("gone");
        await engine.ExpireAsync(gone);
        var alive = await engine.EnlistAsync("alive");
        await engine.HoldAsync(alive);
        await engine.InsertAsync(2);
        await engine.ExecuteAsync("UPDATE lekhika.workflow_executions SET created_at = now() - interval '90 seconds'");
        var facts = new QueueFacts(engine.Db.Database);
        var workers = await facts.WorkersAsync(10, Token);
        Assert.Equal([("alive", true, 1L), ("gone", false, 0L)], workers.Select(static worker => (worker.WorkerId, worker.Alive, worker.Held)));
        var queue = await facts.QueueAsync(Token);
        Assert.Equal((2L, 1L, 0L), (queue.Ready, queue.Held, queue.Parked));
        Assert.InRange(queue.OldestAge!.Value, TimeSpan.FromSeconds(90), TimeSpan.FromSeconds(600));
    }
}
