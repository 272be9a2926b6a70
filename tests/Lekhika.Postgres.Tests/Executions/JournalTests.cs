using System.Diagnostics;
using Lekhika.Postgres.Executions;
using Lekhika.Tests.Support;
using Microsoft.Extensions.Logging.Abstractions;
using Xunit;

namespace Lekhika.Postgres.Tests.Executions;

public sealed class JournalTests(PostgresCluster cluster)
{
    private static CancellationToken Token => TestContext.Current.CancellationToken;

    private static Journal Start(Engine engine, long incarnation) => Start(engine.Db.Database, incarnation);

    private static Journal Start(Database database, long incarnation) =>
        new(database, incarnation, "w", TimeProvider.System, NullLogger<Journal>.Instance);

    private static async Task<Fence[]> HoldManyAsync(Engine engine, long worker, int count)
    {
        await engine.InsertAsync(count);
        return [.. (await engine.ClaimAsync(worker, count)).Select(claimed => claimed.Fence)];
    }

    private static async Task UntilAsync(Func<bool> condition)
    {
        while (!condition()) await Task.Delay(TimeSpan.FromMilliseconds(5), TimeProvider.System, Token);
    }

    [Fact]
    public async Task Many_writers_share_few_commits()
    {
        await using var engine = await Engine.CreateAsync(cluster);
        var worker = await engine.EnlistAsync();
        var fences = await HoldManyAsync(engine, worker, 2000);
        await engine.ExecuteAsync("CREATE EXTENSION pg_stat_statements");
        await using var journal = Start(engine, worker);

        var replies = await Task.WhenAll(fences.Select(fence => Task.Run(() => journal.WriteAsync(Engine.Finish(fence, "completed", Engine.Step("a")), Token).AsTask(), Token)));
        Assert.All(replies, reply => Assert.Equal(JournalVerdict.Committed, reply.Verdict));
        var statements = await engine.ScalarAsync<decimal>(
            "SELECT sum(calls) FROM pg_stat_statements WHERE query LIKE 'SELECT exec, verdict%' AND dbid = (SELECT oid FROM pg_database WHERE datname = current_database())");
        Assert.InRange(statements, 4, 200);
        Assert.Equal(0, journal.Backlog);
        await Invariants.AssertPlacesAsync(engine.Db, settled: true, Token);
    }

    [Fact]
    public async Task What_gathers_while_a_batch_is_under_way_goes_in_one_statement()
    {
        await using var engine = await Engine.CreateAsync(cluster);
        var worker = await engine.EnlistAsync();
        var fences = await HoldManyAsync(engine, worker, 300);
        await engine.ExecuteAsync("CREATE EXTENSION pg_stat_statements");
        await using var journal = Start(engine, worker);
        // The first batch waits for a row of held that an eviction keeps locked.
        await using var busy = await engine.BeginAsync("SELECT FROM lekhika.held WHERE exec = $1 FOR UPDATE", fences[0].Exec);
        var first = journal.WriteAsync(Engine.Append(fences[0]), Token).AsTask();
        await engine.UntilBlockedAsync();
        var rest = fences.Skip(1).Select(fence => journal.WriteAsync(Engine.Append(fence, Engine.Step("a")), Token).AsTask()).ToArray();
        Assert.Equal(300, journal.Backlog);
        await busy.RollbackAsync();
        await Task.WhenAll([first, .. rest]);
        Assert.Equal(2, await engine.ScalarAsync<decimal>(
            "SELECT sum(calls) FROM pg_stat_statements WHERE query LIKE 'SELECT exec, verdict%' AND dbid = (SELECT oid FROM pg_database WHERE datname = current_database())"));
    }

    [Fact]
    public async Task A_locked_row_is_tried_again_and_the_others_do_not_wait_for_it()
    {
        await using var engine = await Engine.CreateAsync(cluster);
        var worker = await engine.EnlistAsync();
        var fences = await HoldManyAsync(engine, worker, 50);
        await using var journal = Start(engine, worker);
        await using var busy = await engine.BeginAsync("SELECT FROM lekhika.workflow_executions WHERE seq = $1 FOR UPDATE", fences[7].Exec);
        var writes = fences.Select(fence => journal.WriteAsync(Engine.Finish(fence), Token).AsTask()).ToArray();
        await Task.WhenAll(writes.Where((_, i) => i != 7));
        Assert.False(writes[7].IsCompleted);
        Assert.False(journal.Stalled);
        await busy.RollbackAsync();
        Assert.Equal(JournalVerdict.Committed, (await writes[7]).Verdict);
    }

    [Fact]
    public async Task Bad_data_is_found_and_answered_alone()
    {
        await using var engine = await Engine.CreateAsync(cluster);
        var worker = await engine.EnlistAsync();
        var fences = await HoldManyAsync(engine, worker, 40);
        var log = new TestLogger<Journal>();
        await using var journal = new Journal(engine.Db.Database, worker, "w", TimeProvider.System, log);
        var nul = Engine.Json("""{"text": "\u0000"}""");
        var replies = await Task.WhenAll(fences.Select((fence, i) =>
            journal.WriteAsync(Engine.Finish(fence) with { Result = i is 11 or 30 ? nul : null }, Token).AsTask()));
        for (var i = 0; i < replies.Length; i++)
        {
            var expected = i is 11 or 30 ? JournalVerdict.BadData : JournalVerdict.Committed;
            Assert.True(expected == replies[i].Verdict, $"{i}: {replies[i]}\n{string.Join('\n', log.Lines)}");
        }

        Assert.Equal(2, log.Lines.Count);
        Assert.Contains("Unicode escape", replies[11].Message, StringComparison.Ordinal);
        Assert.Equal("held", await engine.PlaceAsync(fences[11].Exec));
    }

    [Fact]
    public async Task Two_entries_of_one_execution_are_written_one_after_the_other()
    {
        await using var engine = await Engine.CreateAsync(cluster);
        var worker = await engine.EnlistAsync();
        var fences = await HoldManyAsync(engine, worker, 2);
        await using var journal = Start(engine, worker);
        await using var busy = await engine.BeginAsync("SELECT FROM lekhika.held WHERE exec = $1 FOR UPDATE", fences[0].Exec);
        var first = journal.WriteAsync(Engine.Append(fences[0]), Token).AsTask();
        await engine.UntilBlockedAsync();
        // A writer gives up waiting for its park, and finishes: both gather in one batch.
        using var patience = new CancellationTokenSource();
        var park = journal.WriteAsync(Engine.Park(fences[1], "wait"), patience.Token).AsTask();
        await patience.CancelAsync();
        await Assert.ThrowsAnyAsync<OperationCanceledException>(() => park);
        var finish = journal.WriteAsync(Engine.Finish(fences[1]), Token).AsTask();
        await busy.RollbackAsync();
        await first;
        Assert.Equal(JournalVerdict.Fenced, (await finish).Verdict);
        Assert.Equal(("waiting", "parked"), (await engine.StatusAsync(fences[1].Exec), await engine.PlaceAsync(fences[1].Exec)));
        await Invariants.AssertPlacesAsync(engine.Db, settled: true, Token);
    }

    [Fact]
    public async Task Large_results_are_written_in_batches_that_stay_within_bounds()
    {
        await using var engine = await Engine.CreateAsync(cluster);
        var worker = await engine.EnlistAsync();
        var fences = await HoldManyAsync(engine, worker, 12);
        await engine.ExecuteAsync("CREATE EXTENSION pg_stat_statements");
        await using var journal = Start(engine, worker);
        await using var busy = await engine.BeginAsync("SELECT FROM lekhika.held WHERE exec = $1 FOR UPDATE", fences[0].Exec);
        var writes = new List<Task<JournalReply>> { journal.WriteAsync(Engine.Append(fences[0]), Token).AsTask() };
        await engine.UntilBlockedAsync();
        var large = Engine.Json($$"""{"text": "{{new string('x', 5_000_000)}}"}""");
        writes.AddRange(fences.Skip(1).Select(fence => journal.WriteAsync(Engine.Finish(fence) with { Result = large }, Token).AsTask()));
        await busy.RollbackAsync();
        Assert.All(await Task.WhenAll(writes), reply => Assert.Equal(JournalVerdict.Committed, reply.Verdict));
        Assert.Equal(4, await engine.ScalarAsync<decimal>(
            "SELECT sum(calls) FROM pg_stat_statements WHERE query LIKE 'SELECT exec, verdict%' AND dbid = (SELECT oid FROM pg_database WHERE datname = current_database())"));
    }

    [Fact]
    public async Task A_batch_that_takes_longer_than_a_statement_may_is_halved_until_it_fits()
    {
        await using var engine = await Engine.CreateAsync(cluster);
        var worker = await engine.EnlistAsync();
        var fences = await HoldManyAsync(engine, worker, 64);
        // Each step takes 20 ms, a statement may take 250.
        await engine.ExecuteAsync(
            """
            CREATE FUNCTION lekhika.slow() RETURNS trigger LANGUAGE plpgsql AS $$ BEGIN PERFORM pg_sleep(0.02); RETURN NEW; END $$;
            CREATE TRIGGER slow BEFORE INSERT ON lekhika.workflow_execution_steps FOR EACH ROW EXECUTE FUNCTION lekhika.slow();
            """);
        await using var hurried = new Database(engine.Db.ConnectionString + ";Options=-c statement_timeout=250");
        await using var journal = Start(hurried, worker);
        await using var busy = await engine.BeginAsync("SELECT FROM lekhika.held WHERE exec = $1 FOR UPDATE", fences[0].Exec);
        var writes = fences.Select(fence => journal.WriteAsync(Engine.Append(fence, Engine.Step("a")), Token).AsTask()).ToArray();
        await engine.UntilBlockedAsync();
        await busy.RollbackAsync();
        Assert.All(await Task.WhenAll(writes), reply => Assert.Equal(JournalVerdict.Committed, reply.Verdict));
    }

    [Fact]
    public async Task An_outage_keeps_what_was_accepted_and_writes_it_when_it_is_over()
    {
        var own = new PostgresCluster();
        await own.InitializeAsync();
        try
        {
            await using var engine = await Engine.CreateAsync(own);
            var worker = await engine.EnlistAsync();
            var fences = await HoldManyAsync(engine, worker, 100);
            await using var journal = Start(engine, worker);
            await journal.WriteAsync(Engine.Append(fences[0], Engine.Step("a")), Token);

            await own.StopAsync("immediate");
            var writes = fences.Select(fence => journal.WriteAsync(Engine.Finish(fence, "completed", Engine.Step("b")), Token).AsTask()).ToArray();
            await UntilAsync(() => journal.Stalled);
            Assert.DoesNotContain(writes, write => write.IsCompleted);
            Assert.Equal(100, journal.Backlog);
            await own.StartAsync();

            Assert.All(await Task.WhenAll(writes), reply => Assert.Equal(JournalVerdict.Committed, reply.Verdict));
            Assert.False(journal.Stalled);
            engine.Db.Sql.Clear();
            Assert.Equal(["a=1", "b=1"], await engine.OutcomesAsync(fences[0].Exec));
        }
        finally
        {
            await own.DisposeAsync();
        }
    }

    [Fact]
    public async Task A_connection_that_is_killed_in_the_middle_costs_nothing()
    {
        await using var engine = await Engine.CreateAsync(cluster);
        var worker = await engine.EnlistAsync();
        var fences = await HoldManyAsync(engine, worker, 20);
        await using var journal = Start(engine, worker);
        await using var busy = await engine.BeginAsync("SELECT FROM lekhika.held WHERE exec = $1 FOR UPDATE", fences[0].Exec);
        var writes = fences.Select(fence => journal.WriteAsync(Engine.Finish(fence, "completed", Engine.Step("a")), Token).AsTask()).ToArray();
        await engine.UntilBlockedAsync();
        await engine.ExecuteAsync("SELECT pg_terminate_backend(pid) FROM pg_stat_activity WHERE datname = current_database() AND application_name = 'lekhika-daemon' AND wait_event_type = 'Lock'");
        await UntilAsync(() => journal.Stalled);
        await busy.RollbackAsync();
        Assert.All(await Task.WhenAll(writes), reply => Assert.Equal(JournalVerdict.Committed, reply.Verdict));
    }

    [Fact]
    public async Task Stopping_writes_what_is_queued_and_accepts_nothing_more()
    {
        await using var engine = await Engine.CreateAsync(cluster);
        var worker = await engine.EnlistAsync();
        var fences = await HoldManyAsync(engine, worker, 30);
        var journal = Start(engine, worker);
        await using var busy = await engine.BeginAsync("SELECT FROM lekhika.workflow_executions WHERE seq = $1 FOR UPDATE", fences[3].Exec);
        var writes = fences.Select(fence => journal.WriteAsync(Engine.Finish(fence), Token).AsTask()).ToArray();
        await writes[29];
        var stopped = journal.StopAsync(TimeSpan.FromSeconds(30));
        await Assert.ThrowsAsync<System.Threading.Channels.ChannelClosedException>(() => journal.WriteAsync(Engine.Finish(fences[0]), Token).AsTask());
        Assert.False(stopped.IsCompleted);
        await busy.RollbackAsync();
        await stopped;
        Assert.All(await Task.WhenAll(writes), reply => Assert.Equal(JournalVerdict.Committed, reply.Verdict));
        Assert.True(journal.Completion.IsCompletedSuccessfully);
        await journal.DisposeAsync();
    }

    [Fact]
    public async Task Stopping_without_a_database_gives_up_when_patience_ends_and_says_so_to_the_writers()
    {
        await using var away = new Database("Host=127.0.0.1;Port=1;Username=nobody;Timeout=1");
        var journal = Start(away, 1);
        var write = journal.WriteAsync(Engine.Finish(new Fence(1, 1, 1)), Token).AsTask();
        await UntilAsync(() => journal.Stalled);
        var started = Stopwatch.GetTimestamp();
        await journal.StopAsync(TimeSpan.FromMilliseconds(200));
        await Assert.ThrowsAnyAsync<OperationCanceledException>(() => write);
        Assert.InRange(Stopwatch.GetElapsedTime(started), TimeSpan.Zero, TimeSpan.FromSeconds(20));
        await journal.DisposeAsync();
    }
}
