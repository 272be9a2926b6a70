using Lekhika.Postgres.Executions;
using Lekhika.Postgres.Jobs;
using Lekhika.Postgres.Migrations;
using Lekhika.Postgres.Queue;
using Lekhika.Tests.Support;
using Lekhika.Workflows.Execution;
using Npgsql;
using Xunit;

namespace Lekhika.Postgres.Tests.Jobs;

/// <summary>A job's row and the execution behind it.</summary>
public sealed class GenerationJobTests(PostgresCluster cluster)
{
    private static CancellationToken Token => TestContext.Current.CancellationToken;

    [Fact]
    public async Task A_pending_job_is_an_execution_of_the_same_id_and_others_are_none()
    {
        await using var engine = await Engine.CreateAsync(cluster);
        await engine.ExecuteAsync("INSERT INTO lekhika.workflow_generation_jobs (prompt, status) VALUES ('a', 'pending'), ('b', 'completed'), ('c', 'pending')");

        Assert.Equal(2, await engine.ScalarAsync<long>("SELECT count(*) FROM lekhika.workflow_executions e JOIN lekhika.workflow_generation_jobs j USING (id)"));
        Assert.Equal(2, await engine.ScalarAsync<long>("SELECT count(*) FROM lekhika.ready"));
    }

    [Fact]
    public async Task Two_daemons_never_hold_one_job()
    {
        await using var engine = await Engine.CreateAsync(cluster);
        await engine.ExecuteAsync("INSERT INTO lekhika.workflow_generation_jobs (prompt) SELECT 'p' FROM generate_series(1, 50)");
        var (one, other) = (await engine.EnlistAsync("a"), await engine.EnlistAsync("b"));

        var claims = await Task.WhenAll(engine.ClaimAsync(one, 30), engine.ClaimAsync(other, 30));

        Assert.Equal(50, claims.SelectMany(static list => list).Select(static claim => claim.Id).Distinct().Count());
        Assert.Equal(50, claims.Sum(static list => list.Count));
    }

    [Fact]
    public async Task Progress_is_written_under_the_fence_only_and_never_goes_back()
    {
        await using var engine = await Engine.CreateAsync(cluster);
        var (job, incarnation, claim) = await HoldAsync(engine);
        var jobs = new GenerationJobs(engine.Db.Database);

        Assert.True(await jobs.TellAsync(Progress(job, incarnation, claim, 30), Token));
        Assert.True(await jobs.TellAsync(Progress(job, incarnation, claim, 10), Token));
        Assert.False(await jobs.TellAsync(Progress(job, incarnation, claim, 90) with { Epoch = claim.Fence.Epoch + 1 }, Token));
        Assert.False(await jobs.TellAsync(Progress(job, incarnation + 1, claim, 90), Token));

        var row = await jobs.FindAsync(job, Token);
        Assert.Equal(("processing", 30, "w"), (row!.Status, row.Progress, row.WorkerId));
        Assert.Equal(2, row.Logs!.Value.GetArrayLength());
        Assert.NotNull(row.StartedAt);
    }

    [Fact]
    public async Task The_end_is_shown_in_the_transaction_that_makes_it_with_figures_from_the_steps()
    {
        await using var engine = await Engine.CreateAsync(cluster);
        var (job, incarnation, claim) = await HoldAsync(engine);
        await engine.FlushAsync(incarnation, Finish(claim, "completed") with
        {
            Result = Engine.Json("""{"workflow":{"nodes":[1]}}"""),
            Steps = [Step("analyze", 5, 7), Step("rounds[0].write", 100, 50), Step("rounds[1].write", 100, 50)],
        });

        var row = (await new GenerationJobs(engine.Db.Database).FindAsync(job, Token))!;

        Assert.Equal(("completed", 100, "validation", 1), (row.Status, row.Progress, row.Phase, row.RetryCount));
        Assert.Equal("""{"nodes": [1]}""", row.Result!.Value.GetRawText());
        var figures = row.Observability!.Value;
        Assert.Equal(205, figures.GetProperty("input_tokens").GetInt32());
        Assert.Equal(107, figures.GetProperty("output_tokens").GetInt32());
        Assert.Equal(30, figures.GetProperty("model_load_time_ms").GetInt32());
        Assert.Equal(90, figures.GetProperty("inference_time_ms").GetInt32());
        Assert.Equal(3, figures.GetProperty("attempts").GetArrayLength());
        Assert.Equal(2, figures.GetProperty("phases").GetProperty("workflow_generation").GetProperty("calls").GetInt32());
        Assert.True(row.DurationMs >= 0);
    }

    [Fact]
    public async Task A_failure_keeps_its_code_and_the_figures()
    {
        await using var engine = await Engine.CreateAsync(cluster);
        var (job, incarnation, claim) = await HoldAsync(engine);
        await engine.FlushAsync(incarnation, Finish(claim, "failed") with
        {
            Error = "no model",
            ErrorDetails = Engine.Json("""{"code":"model_not_found"}"""),
            Steps = [Step("analyze", 5, 7)],
        });

        var row = (await new GenerationJobs(engine.Db.Database).FindAsync(job, Token))!;

        Assert.Equal(("failed", "no model"), (row.Status, row.Error));
        Assert.Equal("model_not_found", row.ErrorDetails!.Value.GetProperty("code").GetString());
        Assert.Equal(5, row.Observability!.Value.GetProperty("input_tokens").GetInt32());
        Assert.NotNull(row.FinishedAt);
    }

    [Fact]
    public async Task A_backend_that_cancels_a_job_cancels_its_execution_and_finished_work_is_not_overwritten()
    {
        await using var engine = await Engine.CreateAsync(cluster);
        var (job, incarnation, claim) = await HoldAsync(engine);
        await engine.ExecuteAsync("UPDATE lekhika.workflow_generation_jobs SET status = 'cancelled' WHERE id = $1", job);
        await engine.ObeyAsync();
        Assert.Equal("cancelled", await engine.StatusAsync(claim.Fence.Exec));

        Assert.Equal(JournalVerdict.Finished, await engine.VerdictAsync(incarnation, Finish(claim, "completed") with { Result = Engine.Json("""{"workflow":{}}""") }));

        var row = (await new GenerationJobs(engine.Db.Database).FindAsync(job, Token))!;
        Assert.Equal("cancelled", row.Status);
        Assert.Null(row.Result);
        Assert.NotNull(row.FinishedAt);
    }

    [Fact]
    public async Task A_job_cancelled_before_the_daemon_noticed_stays_cancelled_though_its_execution_completes()
    {
        await using var engine = await Engine.CreateAsync(cluster);
        var (job, incarnation, claim) = await HoldAsync(engine);
        await engine.ExecuteAsync("UPDATE lekhika.workflow_generation_jobs SET status = 'cancelled' WHERE id = $1", job);

        await engine.FlushAsync(incarnation, Finish(claim, "completed") with { Result = Engine.Json("""{"workflow":{}}""") });
        await engine.ObeyAsync();

        var row = (await new GenerationJobs(engine.Db.Database).FindAsync(job, Token))!;
        Assert.Equal("cancelled", row.Status);
        Assert.Null(row.Result);
    }

    [Theory]
    [InlineData("completed", "pending")]
    [InlineData("completed", "cancelled")]
    [InlineData("failed", "completed")]
    public async Task A_finished_job_keeps_its_status(string was, string wanted)
    {
        await using var engine = await Engine.CreateAsync(cluster);
        await engine.ExecuteAsync("INSERT INTO lekhika.workflow_generation_jobs (prompt, status) VALUES ('p', $1)", was);
        var notices = await engine.NoticesAsync("UPDATE lekhika.workflow_generation_jobs SET status = $1", wanted);
        Assert.Equal(was, await engine.ScalarAsync<string>("SELECT status FROM lekhika.workflow_generation_jobs"));
        Assert.Contains(notices, notice => notice.Contains($"from {was} to {wanted}", StringComparison.Ordinal));
    }

    [Fact]
    public async Task A_failed_job_set_to_pending_is_done_again()
    {
        await using var engine = await Engine.CreateAsync(cluster);
        var (job, incarnation, claim) = await HoldAsync(engine);
        await engine.FlushAsync(incarnation, Finish(claim, "failed") with { Error = "x" });
        await engine.ExecuteAsync("UPDATE lekhika.workflow_generation_jobs SET status = 'pending', prompt = 'another' WHERE id = $1", job);
        await engine.ObeyAsync();

        var again = Assert.Single(await engine.ClaimAsync(incarnation));
        Assert.Equal((job, 2), (again.Id, again.Fence.Run));
        Assert.Contains("another", again.Inputs, StringComparison.Ordinal);
        await engine.FlushAsync(incarnation, Finish(again, "completed") with { Result = Engine.Json("""{"workflow":{}}""") });
        Assert.Equal("completed", (await new GenerationJobs(engine.Db.Database).FindAsync(job, Token))!.Status);
    }

    [Fact]
    public async Task A_row_that_somebody_holds_locked_delays_no_batch_and_is_shown_later()
    {
        await using var engine = await Engine.CreateAsync(cluster);
        var (job, incarnation, claim) = await HoldAsync(engine);
        var jobs = new GenerationJobs(engine.Db.Database);
        await using (var session = await engine.BeginAsync("UPDATE lekhika.workflow_generation_jobs SET retry_count = 9 WHERE id = $1", job))
        {
            Assert.False(await jobs.TellAsync(Progress(job, incarnation, claim, 30), Token));
            Assert.Equal(JournalVerdict.Committed, await engine.VerdictAsync(incarnation, Finish(claim, "completed") with { Result = Engine.Json("""{"workflow":{}}""") }));
        }

        await engine.ObeyAsync();
        await engine.ObeyAsync();
        Assert.Equal("completed", (await jobs.FindAsync(job, Token))!.Status);
        Assert.Equal(0, await engine.ScalarAsync<long>("SELECT count(*) FROM lekhika.generation_marks"));
    }

    [Fact]
    public async Task A_deleted_job_takes_its_execution_along()
    {
        await using var engine = await Engine.CreateAsync(cluster);
        var (job, _, claim) = await HoldAsync(engine);
        await engine.ExecuteAsync("DELETE FROM lekhika.workflow_generation_jobs WHERE id = $1", job);
        await engine.ObeyAsync();
        Assert.Equal("cancelled", await engine.StatusAsync(claim.Fence.Exec));
    }

    [Fact]
    public async Task Garbage_in_the_columns_reaches_the_execution_as_it_is_and_blocks_nothing()
    {
        await using var engine = await Engine.CreateAsync(cluster);
        await engine.ExecuteAsync(
            "INSERT INTO lekhika.workflow_generation_jobs (prompt, current_workflow, execution_history, config, progress_logs, max_retries, progress_percentage) VALUES ('', '[1]', '{}', '3', NULL, NULL, NULL), ('good', NULL, '[]', '{}', '[]', 3, 0)");
        var incarnation = await engine.EnlistAsync();
        var claims = await engine.ClaimAsync(incarnation);
        Assert.Equal(2, claims.Count);
        Assert.True(await new GenerationJobs(engine.Db.Database).TellAsync(Progress(claims[0].Id, incarnation, claims[0], 30), Token));
        await engine.FlushAsync(incarnation, Finish(claims[0], "failed") with { Error = "bad", ErrorDetails = Engine.Json("""{"code":"invalid_input"}""") });
        var row = (await new GenerationJobs(engine.Db.Database).FindAsync(claims[0].Id, Token))!;
        Assert.Equal(("failed", 30), (row.Status, row.Progress));
    }

    [Fact]
    public async Task An_existing_table_is_adopted_with_what_is_pending_in_it()
    {
        var connectionString = await cluster.CreateDatabaseAsync();
        await using var sql = NpgsqlDataSource.Create(connectionString);
        await using (var make = sql.CreateCommand("""
            CREATE SCHEMA lekhika;
            CREATE TABLE lekhika.workflow_generation_jobs (
                id uuid PRIMARY KEY DEFAULT gen_random_uuid(), user_id uuid, status text NOT NULL DEFAULT 'pending'
                  CHECK (status IN ('pending', 'processing', 'completed', 'failed', 'cancelled')),
                prompt text NOT NULL, mode text NOT NULL DEFAULT 'create', current_workflow jsonb, execution_history jsonb DEFAULT '[]', config jsonb DEFAULT '{}',
                workflow_result jsonb, error_message text, error_details jsonb, progress_percentage int DEFAULT 0,
                current_phase text CHECK (current_phase IN ('analyze', 'node_selection', 'workflow_generation', 'node_configuration', 'validation')),
                progress_logs jsonb DEFAULT '[]', created_at timestamptz NOT NULL DEFAULT now(), started_at timestamptz, finished_at timestamptz,
                duration_ms int, worker_id text, retry_count int DEFAULT 0, max_retries int DEFAULT 3, observability jsonb DEFAULT '{}');
            ALTER TABLE lekhika.workflow_generation_jobs ENABLE ROW LEVEL SECURITY;
            INSERT INTO lekhika.workflow_generation_jobs (prompt, status, created_at) VALUES
                ('old', 'pending', now()), ('stuck', 'processing', now() - interval '1 day'), ('at work', 'processing', now()), ('done', 'completed', now());
            """))
        {
            await make.ExecuteNonQueryAsync(Token);
        }

        await using var database = new Database(connectionString);
        await new Migrator(database).MigrateAsync(applied: null, Token);

        await using var ask = sql.CreateCommand("SELECT string_agg(j.prompt, ',' ORDER BY j.prompt) FROM lekhika.workflow_executions e JOIN lekhika.workflow_generation_jobs j USING (id)");
        Assert.Equal("old,stuck", await ask.ExecuteScalarAsync(Token));
    }

    [Fact]
    public async Task The_same_job_again_is_the_same_job_and_another_one_is_refused()
    {
        await using var engine = await Engine.CreateAsync(cluster);
        var jobs = new GenerationJobs(engine.Db.Database);
        var job = new NewGenerationJob { Id = Guid.NewGuid(), Prompt = "p", CurrentWorkflow = """{"nodes":[]}""" };
        Assert.True(await jobs.InsertAsync(job, Token));
        Assert.True(await jobs.InsertAsync(job, Token));
        Assert.False(await jobs.InsertAsync(job with { Prompt = "q" }, Token));
        Assert.Equal(1, await engine.ScalarAsync<long>("SELECT count(*) FROM lekhika.workflow_executions"));
    }

    private static async Task<(Guid Job, long Incarnation, ClaimedExecution Claim)> HoldAsync(Engine engine)
    {
        var job = Guid.NewGuid();
        await engine.ExecuteAsync("INSERT INTO lekhika.workflow_generation_jobs (id, prompt) VALUES ($1, 'p')", job);
        var incarnation = await engine.EnlistAsync();
        return (job, incarnation, Assert.Single(await engine.ClaimAsync(incarnation)));
    }

    private static GenerationProgress Progress(Guid job, long incarnation, ClaimedExecution claim, int percent) => new(
        job, claim.Fence.Exec, incarnation, claim.Fence.Epoch, claim.Fence.Run, "w", percent, "workflow_generation", 0, """[{"message":"m"}]""");

    private static JournalEntry Finish(ClaimedExecution claim, string status) => new()
    {
        Fence = claim.Fence,
        Kind = JournalKind.Finish,
        Status = status,
        StartedAt = TimeProvider.System.GetUtcNow(),
    };

    private static StepRecord Step(string key, int tokensIn, int tokensOut) => new()
    {
        Run = 1,
        Key = key,
        Attempt = 1,
        Outcome = StepOutcome.Succeeded,
        Output = Engine.Json("""{"attempt":{"ok":true}}"""),
        Metrics = Engine.Json($$"""{"tokens_in":{{tokensIn}},"tokens_out":{{tokensOut}},"load_ms":10,"prompt_ms":10,"generation_ms":20,"total_ms":50,"model":"m"}"""),
        StartedAt = TimeProvider.System.GetUtcNow(),
        FinishedAt = TimeProvider.System.GetUtcNow(),
    };
}
