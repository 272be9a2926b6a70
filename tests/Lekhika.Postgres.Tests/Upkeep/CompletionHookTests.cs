using Lekhika.Postgres.Executions;
using Lekhika.Postgres.Upkeep;
using Lekhika.Tests.Support;
using Npgsql;
using Xunit;

namespace Lekhika.Postgres.Tests.Upkeep;

/// <summary>The completion hook: called once for each final state, in its transaction, and never to its harm.</summary>
public sealed class CompletionHookTests(PostgresCluster cluster)
{
    private static CancellationToken Token => TestContext.Current.CancellationToken;

    private static async Task<(Engine Engine, CompletionHook Hook, long Worker)> BeginAsync(PostgresCluster cluster, string body = "")
    {
        var engine = await Engine.CreateAsync(cluster);
        await engine.ExecuteAsync($$"""
            CREATE SCHEMA billing;
            CREATE TABLE billing.ledger (id uuid, status text, tokens bigint, words bigint);
            CREATE FUNCTION billing.debit(p_id uuid, p_status text, p_tokens bigint, p_words bigint) RETURNS void LANGUAGE plpgsql AS $f$
            BEGIN
                INSERT INTO ledger VALUES (p_id, p_status, p_tokens, p_words);
                {{body}}
            END $f$
            """);
        var hook = new CompletionHook(engine.Db.Database);
        Assert.True(await hook.SetAsync("billing.debit", Token));
        Assert.False(await hook.SetAsync("billing.debit", Token));
        return (engine, hook, await engine.EnlistAsync());
    }

    private static Task<List<string>> LedgerAsync(Engine engine) =>
        engine.ListAsync<string>("SELECT status || ' ' || tokens || ' ' || words FROM billing.ledger ORDER BY 1");

    [Fact]
    public async Task Every_way_to_end_calls_it_once()
    {
        var (engine, hook, worker) = await BeginAsync(cluster);
        await using var _ = engine;
        var completed = await engine.HoldAsync(worker);
        var failed = await engine.HoldAsync(worker);
        var running = await engine.HoldAsync(worker);
        var entry = Engine.Finish(completed, "completed", Engine.Step("a")) with { TokensIn = 3, TokensOut = 4, Words = 5 };
        await engine.FlushAsync(worker, entry, Engine.Finish(failed, "failed"));
        await engine.FlushAsync(worker, entry);
        await engine.FlushAsync(worker, Engine.Append(running, Engine.Step("a") with { Metrics = Engine.Json("""{"tokens_in":10,"tokens_out":1,"words":2}""") }));
        await engine.SetStatusAsync(running.Exec, "cancelled");
        var queued = await engine.InsertAsync();
        await engine.SetStatusAsync(queued, "cancelled");
        await engine.SetStatusAsync(queued, "completed");
        Assert.Equal(["cancelled 0 0", "cancelled 11 2", "completed 7 5", "failed 0 0"], await LedgerAsync(engine));

        Assert.True(await hook.SetAsync(null, Token));
        await engine.FlushAsync(worker, Engine.Finish(await engine.HoldAsync(worker)));
        Assert.Equal(4, await engine.ScalarAsync<long>("SELECT count(*) FROM billing.ledger"));
        Assert.Equal(0, await engine.ScalarAsync<long>("SELECT count(*) FROM pg_trigger WHERE tgname = 'lekhika_complete'"));
    }

    [Fact]
    public async Task A_later_run_is_told_with_its_own_tokens_alone()
    {
        var (engine, _, worker) = await BeginAsync(cluster);
        await using var disposing = engine;
        static Workflows.Execution.StepRecord Costs(string key, int tokens, int run = 1) =>
            Engine.Step(key, run: run) with { Metrics = Engine.Json($$"""{"tokens_in":0,"tokens_out":{{tokens}}}""") };
        var fence = await engine.HoldAsync(worker);
        await engine.FlushAsync(worker, Engine.Finish(fence, "failed", Costs("a", 100)) with { TokensOut = 100, ErrorDetails = Engine.Json("""{"resume_at":["b"]}""") });
        await engine.SetStatusAsync(fence.Exec, "pending");
        await engine.ObeyAsync();
        var next = (await engine.ClaimAsync(worker)).Single().Fence;
        await engine.FlushAsync(worker, Engine.Finish(next, "completed", Costs("b", 7, run: 2)) with { TokensOut = 107 });
        Assert.Equal(["completed 7 0", "failed 100 0"], await LedgerAsync(engine));
    }

    [Fact]
    public async Task One_that_raises_is_undone_alone_and_called_again_until_it_does_not()
    {
        var (engine, hook, worker) = await BeginAsync(cluster, "IF p_words = 13 THEN RAISE EXCEPTION 'no wallet'; END IF;");
        await using var _ = engine;
        var good = await engine.HoldAsync(worker);
        var bad = await engine.HoldAsync(worker);
        await engine.FlushAsync(worker, Engine.Finish(good) with { Words = 1 }, Engine.Finish(bad) with { Words = 13 });
        Assert.Equal(("completed", "completed"), (await engine.StatusAsync(good.Exec), await engine.StatusAsync(bad.Exec)));
        Assert.Equal(["completed 0 1"], await LedgerAsync(engine));
        Assert.Contains("no wallet", await engine.ScalarAsync<string>("SELECT error FROM lekhika.hook_queue"), StringComparison.Ordinal);
        Assert.Equal(1, await hook.BacklogAsync(Token));

        Assert.Empty(await hook.RetryAsync(10, Token));
        await engine.ExecuteAsync("UPDATE lekhika.hook_queue SET next_at = clock_timestamp()");
        var again = Assert.Single(await hook.RetryAsync(10, Token));
        Assert.Equal(2, again.Attempts);
        Assert.Contains("no wallet", again.Error, StringComparison.Ordinal);
        Assert.True(await engine.ScalarAsync<bool>("SELECT next_at > clock_timestamp() AND attempts = 2 FROM lekhika.hook_queue"));

    }

    [Fact]
    public async Task Mended_it_is_called_again_and_leaves_the_queue()
    {
        var (engine, hook, worker) = await BeginAsync(cluster, "IF NOT EXISTS (SELECT FROM billing.mended) THEN RAISE EXCEPTION 'not yet'; END IF;");
        await using var _ = engine;
        await engine.ExecuteAsync("CREATE TABLE billing.mended (x int)");
        await engine.FlushAsync(worker, Engine.Finish(await engine.HoldAsync(worker)) with { Words = 2 });
        Assert.Empty(await LedgerAsync(engine));
        await engine.ExecuteAsync("INSERT INTO billing.mended VALUES (1)");
        await engine.ExecuteAsync("UPDATE lekhika.hook_queue SET next_at = clock_timestamp()");
        Assert.Empty(await hook.RetryAsync(10, Token));
        Assert.Equal(["completed 0 2"], await LedgerAsync(engine));
        Assert.Equal(0, await hook.BacklogAsync(Token));
    }

    [Fact]
    public async Task One_that_waits_for_a_lock_does_not_hold_up_the_batch()
    {
        var (engine, hook, worker) = await BeginAsync(cluster, "UPDATE billing.wallet SET left_over = left_over - 1;");
        await using var _ = engine;
        await engine.ExecuteAsync("CREATE TABLE billing.wallet AS SELECT 10 AS left_over");
        var fences = new List<Fence>();
        for (var i = 0; i < 20; i++) fences.Add(await engine.HoldAsync(worker));
        await using var other = await engine.BeginAsync("SELECT * FROM billing.wallet FOR UPDATE");
        var began = TimeProvider.System.GetTimestamp();
        await engine.FlushAsync(worker, [.. fences.Select(static fence => Engine.Finish(fence))]);
        Assert.True(TimeProvider.System.GetElapsedTime(began) < TimeSpan.FromSeconds(6), "each waited its whole time");
        Assert.Equal(20, await engine.ScalarAsync<long>("SELECT count(*) FROM lekhika.workflow_executions WHERE status = 'completed'"));
        Assert.Equal(20, await hook.BacklogAsync(Token));
    }

    [Fact]
    public async Task A_function_that_is_not_there_is_refused_with_its_name()
    {
        await using var engine = await Engine.CreateAsync(cluster);
        var exception = await Assert.ThrowsAsync<PostgresException>(() => new CompletionHook(engine.Db.Database).SetAsync("billing.nothing", Token));
        Assert.Contains("billing.nothing(uuid, text, bigint, bigint)", exception.MessageText, StringComparison.Ordinal);
    }
}
