using Lekhika.Daemon.Tests.EndToEnd.Support;
using Xunit;

namespace Lekhika.Daemon.Tests.EndToEnd;

/// <summary>A completion hook in the configuration, and retention at work.</summary>
public sealed class HookTests(Servers servers)
{
    private static CancellationToken Cancellation => TestContext.Current.CancellationToken;

    [Fact]
    public async Task The_hook_is_told_of_every_end_and_one_that_raises_is_called_again()
    {
        await using var scene = await Scene.BeginAsync(servers);
        static void WithHook(DaemonSetup setup) => setup.Settings["database.completion_hook"] = "billing.debit";
        var daemon = await scene.DaemonAsync(setup =>
        {
            WithHook(setup);
            setup.Settings["database.listen"] = "off";
        });
        await daemon.LogAsync(Cancellation, "billing.debit(uuid, text, bigint, bigint)");
        await daemon.UntilAsync("health/ready", static (_, body) => body.GetRawText().Contains("billing.debit", StringComparison.Ordinal), Cancellation);
        await scene.Database.ExecuteAsync(
            """
            CREATE SCHEMA billing;
            CREATE TABLE billing.ledger (id uuid, status text, tokens bigint, words bigint);
            CREATE TABLE billing.closed (x int);
            INSERT INTO billing.closed VALUES (1);
            CREATE FUNCTION billing.debit(p_id uuid, p_status text, p_tokens bigint, p_words bigint) RETURNS void LANGUAGE plpgsql AS $f$
            BEGIN
                IF EXISTS (SELECT FROM closed) AND p_status = 'failed' THEN RAISE EXCEPTION 'the ledger is closed'; END IF;
                INSERT INTO ledger VALUES (p_id, p_status, p_tokens, p_words);
            END $f$
            """,
            Cancellation);
        await daemon.LogAsync(Cancellation, "Completion hook of the database: billing.debit");

        var completed = await scene.InsertAsync(Flows.OneModel(Flows.Say("three words here")));
        var failed = await scene.InsertAsync(Flows.OneModel("[[double:fault:400]]"));
        var end = await scene.EndAsync(completed);
        Assert.Equal("failed", (await scene.EndAsync(failed)).Status);
        Assert.Equal(1, await scene.Database.ScalarAsync<long>(
            "SELECT count(*) FROM billing.ledger l JOIN lekhika.workflow_executions e USING (id) WHERE l.status = 'completed' AND l.tokens = e.tokens_in + e.tokens_out AND l.words = 3", Cancellation));
        Assert.True(end.TokensOut > 0);
        await daemon.UntilAsync("status", static (_, body) => body.GetRawText().Contains("\"hooksWaiting\":1", StringComparison.Ordinal), Cancellation);
        await scene.Database.ExecuteAsync("DELETE FROM billing.closed", Cancellation);
        await scene.UntilSqlAsync<long>("SELECT count(*) FROM billing.ledger WHERE status = 'failed'", static count => count == 1, seconds: 30);
        Assert.Equal(2, await scene.Database.ScalarAsync<long>("SELECT count(*) FROM billing.ledger", Cancellation));
    }

    [Fact]
    public async Task What_is_old_enough_is_removed_and_not_run_again()
    {
        await using var scene = await Scene.BeginAsync(servers);
        var daemon = await scene.DaemonAsync();
        var id = Guid.NewGuid();
        var body = $$$"""{"executionId":"{{{id}}}","workflow":{{{Flows.OneModel("once")}}}}""";
        Assert.Equal(202, (await daemon.PostAsync("execute", body, Cancellation)).Status);
        Assert.Equal("completed", (await scene.EndAsync(id)).Status);
        await daemon.StopAsync(Cancellation);
        await scene.Database.ExecuteAsync(
            "UPDATE lekhika.workflow_executions SET finished_at = now() - interval '31 days', created_at = now() - interval '31 days'", Cancellation);
        await scene.Database.ExecuteAsync("UPDATE lekhika.retention_walk SET next_at = now()", Cancellation);

        var second = await scene.DaemonAsync();
        await second.LogAsync(Cancellation, "Removed 1 finished executions");
        await scene.UntilSqlAsync<long>("SELECT count(*) FROM lekhika.workflow_execution_steps", static count => count == 0);
        var (status, reply) = await second.PostAsync("execute", body, Cancellation);
        Assert.True(status == 202, reply.GetRawText());
        Assert.False(reply.GetProperty("created").GetBoolean());
        Assert.Equal("completed", reply.GetProperty("status").GetString());
        Assert.Equal(409, (await second.PostAsync("execute", body.Replace("once", "twice", StringComparison.Ordinal), Cancellation)).Status);
        Assert.Equal(404, (await second.GetAsync($"status/{id}", Cancellation)).Status);
        Assert.Equal(1, scene.Ollama.Stats.Completions);
    }
}
