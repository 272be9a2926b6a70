using Lekhika.Postgres.Executions;
using Lekhika.Tests.Support;
using Lekhika.Workflows.Execution;
using Xunit;

namespace Lekhika.Postgres.Tests.Executions;

/// <summary>Runs after the first: what they take over, by SQL and over HTTP.</summary>
public sealed class NextRunTests(PostgresCluster cluster)
{
    private static CancellationToken Token => TestContext.Current.CancellationToken;

    private static StepRecord Failed(string key, int run = 1) => new()
    {
        Run = run,
        Key = key,
        Attempt = 1,
        Outcome = StepOutcome.Failed,
        Error = new StepError("http_error", "no"),
    };

    private static JournalEntry Fail(Fence fence, string[] resumeAt, params StepRecord[] steps) => Engine.Finish(fence, "failed", steps) with
    {
        Result = null,
        Error = "no",
        ErrorDetails = Engine.Json($$"""{"code":"http_error","resume_at":[{{string.Join(',', resumeAt.Select(static key => $"\"{key}\""))}}]}"""),
    };

    private static async Task<List<string>> TakenAsync(Engine engine, long exec, int run) =>
        [.. (await engine.Reader.StepsAsync(exec, run, Token)).Select(static step => $"{step.Key}={step.Output?.GetProperty("v").GetString() ?? "-"}").Order(StringComparer.Ordinal)];

    private static Task<Guid> IdAsync(Engine engine, long exec) => engine.ScalarAsync<Guid>("SELECT id FROM lekhika.workflow_executions WHERE seq = $1", exec);

    /// <summary>Obeys and claims what is to be run.</summary>
    private static async Task<Fence> ClaimAsync(Engine engine, long worker, long exec)
    {
        await engine.ObeyAsync();
        return (await engine.ClaimAsync(worker)).Single(claimed => claimed.Fence.Exec == exec).Fence;
    }

    [Fact]
    public async Task Set_to_pending_a_failed_one_takes_over_all_that_was_finished()
    {
        await using var engine = await Engine.CreateAsync(cluster);
        var worker = await engine.EnlistAsync();
        var fence = await engine.HoldAsync(worker);
        await engine.FlushAsync(worker, Fail(fence, ["c", "each[1].x"],
            Engine.Step("a", "1"), Engine.Retrying("b"), Engine.Step("b", "1", attempt: 2), Failed("c"), Failed("lived-with"), Engine.Retrying("waiting"),
            Engine.Step("each[0].x", "0"), Failed("each[1].x"), Failed("each"), Engine.Step("cc", "kept"),
            new StepRecord { Run = 1, Key = "each", Attempt = 1, Outcome = StepOutcome.Opened, Decision = Engine.Json("""{"items":[1,2]}""") }));
        await engine.SetStatusAsync(fence.Exec, "pending");
        var next = await ClaimAsync(engine, worker, fence.Exec);
        Assert.Equal(2, next.Run);
        Assert.Equal(["a=1", "b=1", "cc=kept", "each=-", "each[0].x=0", "lived-with=-"], await TakenAsync(engine, fence.Exec, 2));
        Assert.All(await engine.Reader.StepsAsync(fence.Exec, 2, Token), static step => Assert.Equal(2, step.Run));
        Assert.Equal(StepOutcome.Opened, (await engine.Reader.StepsAsync(fence.Exec, 2, Token)).Single(static step => step.Key == "each").Outcome);

        // The second run's own results, and a third that takes over both.
        await engine.FlushAsync(worker, Fail(next, ["d"], Engine.Step("c", "2", run: 2), Engine.Step("each[1].x", "2", run: 2), Failed("d", 2)));
        await engine.SetStatusAsync(fence.Exec, "running");
        await ClaimAsync(engine, worker, fence.Exec);
        Assert.Equal(
            ["a=1", "b=1", "c=2", "cc=kept", "each=-", "each[0].x=0", "each[1].x=2", "lived-with=-"], await TakenAsync(engine, fence.Exec, 3));
    }

    [Fact]
    public async Task Begun_from_an_earlier_node_it_takes_over_nothing_of_what_runs_again_however_often_it_ran()
    {
        await using var engine = await Engine.CreateAsync(cluster);
        var runs = new RunReader(engine.Db.Database);
        var worker = await engine.EnlistAsync();
        var fence = await engine.HoldAsync(worker);
        var id = await IdAsync(engine, fence.Exec);
        await engine.FlushAsync(worker, Fail(fence, ["c"], Engine.Step("a", "1"), Engine.Step("b", "1"), Failed("c")));
        var (opened, standing) = (await runs.OpenAsync(new NextRun { Id = id, Run = 1, Again = ["c"] }, Token))!.Value;
        Assert.True(opened);
        Assert.Equal(("pending", 2), (standing.Status, standing.Run));
        (opened, standing) = (await runs.OpenAsync(new NextRun { Id = id, Run = 1, Again = ["c"] }, Token))!.Value;
        Assert.False(opened);
        Assert.Equal(("pending", 2), (standing.Status, standing.Run));
        Assert.Null(await runs.OpenAsync(new NextRun { Id = Guid.NewGuid(), Run = 1, Again = [] }, Token));

        var second = await ClaimAsync(engine, worker, fence.Exec);
        await engine.FlushAsync(worker, Fail(second, ["d"], Engine.Step("c", "2", run: 2), Failed("d", 2)));
        await runs.OpenAsync(
            new NextRun { Id = id, Run = 2, Again = ["b", "c", "d"], Instruction = "shorter", InstructionAt = ["b"], Definition = """{"nodes":[]}""" }, Token);
        Assert.Equal(["a=1"], await TakenAsync(engine, fence.Exec, 3));
        var opening = await runs.OpeningAsync(fence.Exec, 3, Token);
        Assert.Equal("shorter", opening!.Instruction);
        Assert.Equal(["b"], opening.At);
        await engine.ObeyAsync();
        var claimed = (await engine.ClaimAsync(worker)).Single();
        Assert.Equal(await engine.ScalarAsync<Guid>("""SELECT lekhika.hash_of('{"nodes":[]}')"""), claimed.DefinitionHash);
    }

    [Fact]
    public async Task A_run_on_other_inputs_or_after_another_end_than_failure_begins_from_the_start()
    {
        await using var engine = await Engine.CreateAsync(cluster);
        var worker = await engine.EnlistAsync();
        var failed = await engine.HoldAsync(worker);
        await engine.FlushAsync(worker, Fail(failed, ["b"], Engine.Step("a"), Failed("b")));
        await engine.ExecuteAsync("""UPDATE lekhika.workflow_executions SET status = 'pending', inputs = '{"other": 1}' WHERE seq = $1""", failed.Exec);
        Assert.Empty(await TakenAsync(engine, failed.Exec, 2));
        await ClaimAsync(engine, worker, failed.Exec);

        foreach (var end in new[] { "completed", "cancelled" })
        {
            var fence = await engine.HoldAsync(worker);
            if (end == "cancelled")
            {
                await engine.FlushAsync(worker, Engine.Append(fence, Engine.Step("a")));
                await engine.SetStatusAsync(fence.Exec, "cancelled");
                await engine.FlushAsync(worker, Engine.Release(fence));
            }
            else
            {
                await engine.FlushAsync(worker, Engine.Finish(fence, end, Engine.Step("a")));
            }

            await engine.SetStatusAsync(fence.Exec, "pending");
            Assert.Empty(await TakenAsync(engine, fence.Exec, 2));
            await ClaimAsync(engine, worker, fence.Exec);
        }
    }

    [Fact]
    public async Task The_next_run_keeps_the_definition_that_the_failed_one_was_pinned_to()
    {
        await using var engine = await Engine.CreateAsync(cluster);
        var worker = await engine.EnlistAsync();
        var workflow = Guid.NewGuid();
        await engine.ExecuteAsync("""INSERT INTO lekhika.workflows (id, definition) VALUES ($1, '{"nodes":[1]}')""", workflow);
        await engine.ExecuteAsync("INSERT INTO lekhika.workflow_executions (workflow_id) VALUES ($1)", workflow);
        var claimed = (await engine.ClaimAsync(worker)).Single();
        await engine.FlushAsync(worker, Fail(claimed.Fence, ["b"], Engine.Step("a"), Failed("b")));
        await engine.ExecuteAsync("""UPDATE lekhika.workflows SET definition = '{"nodes":[2]}' WHERE id = $1""", workflow);
        await engine.SetStatusAsync(claimed.Fence.Exec, "pending");
        await engine.ObeyAsync();
        Assert.Equal(claimed.DefinitionHash, (await engine.ClaimAsync(worker)).Single().DefinitionHash);
    }
}
