using System.Text.Json;
using Lekhika.Postgres.Adopt;
using Lekhika.Postgres.Executions;
using Lekhika.Postgres.Migrations;
using Lekhika.Tests.Support;
using Lekhika.Workflows.Execution;
using Npgsql;
using Xunit;

namespace Lekhika.Postgres.Tests.Adopt;

/// <summary>The Lekhika platform's engine_executions, as its front end polls it.</summary>
public sealed class LekhikaTableTests(PostgresCluster cluster)
{
    private const string Graph = """
        {"nodes":[{"id":"in","type":"input","data":{"label":"Topic"}},{"id":"write.it","type":"process","data":{"label":"Writer"}},{"id":"out","type":"output"}],
         "edges":[{"source":"in","target":"write.it"},{"source":"write.it","target":"out"}]}
        """;

    private static CancellationToken Token => TestContext.Current.CancellationToken;

    private static async Task<(Engine Engine, long Worker)> BeginAsync(PostgresCluster cluster)
    {
        var engine = await Engine.CreateAsync(cluster);
        await engine.ExecuteAsync(Platforms.Lekhika);
        await cluster.ScriptAsync(engine.Db.ConnectionString, "packaging/adopt/lekhika.sql");
        return (engine, await engine.EnlistAsync());
    }

    /// <summary>Inserts the platform's row and the execution, and claims it.</summary>
    private static async Task<(Guid Id, Fence Fence)> HoldAsync(Engine engine, long worker, string data = """{"userInput":{"topic":"rain"},"options":{"a":1},"nodes":[7],"edges":[]}""")
    {
        var id = Guid.NewGuid();
        await engine.ExecuteAsync("INSERT INTO engine_executions (id, engine_id, user_id, execution_data) VALUES ($1, $1, $1, $2::jsonb)", id, data);
        var exec = await engine.ScalarAsync<long>(
            "INSERT INTO lekhika.workflow_executions (id, definition, inputs, user_id) VALUES ($1, $2::jsonb, '{\"topic\":\"rain\"}', $1::text) RETURNING seq", id, Graph);
        return (id, (await engine.ClaimAsync(worker)).Single(claimed => claimed.Fence.Exec == exec).Fence);
    }

    private static async Task<(string Status, JsonElement Data, bool IsOver)> PollAsync(Engine engine, Guid id)
    {
        await using var command = engine.Db.Sql.CreateCommand(Platforms.Poll);
        command.Parameters.AddWithValue(id);
        await using var reader = await command.ExecuteReaderAsync(Token);
        Assert.True(await reader.ReadAsync(Token));
        return (reader.GetString(1), Engine.Json(reader.GetString(2)), !reader.IsDBNull(3));
    }

    private static Task<List<string>> WritesAsync(Engine engine, Guid id) =>
        engine.ListAsync<string>("SELECT status || ' ' || progress FROM writes WHERE id = $1", id);

    private static StepRecord Failed(string key) => Engine.Step(key) with { Outcome = StepOutcome.Failed, Output = null, Error = new StepError("model_error", "no such model") };

    [Fact]
    public async Task A_run_is_shown_once_at_work_and_once_at_its_end()
    {
        var (engine, worker) = await BeginAsync(cluster);
        await using var _ = engine;
        var (id, fence) = await HoldAsync(engine, worker);
        await engine.FlushAsync(worker, Engine.Running(fence, Engine.Step("in")));
        var (status, data, isOver) = await PollAsync(engine, id);
        Assert.Equal(("running", "running", false), (status, data.GetProperty("status").GetString(), isOver));
        Assert.Equal(33, data.GetProperty("progress").GetInt32());
        Assert.Equal(["completed", "pending", "pending"], data.GetProperty("processingSteps").EnumerateArray().Select(static step => step.GetProperty("status").GetString()!));
        Assert.False(data.TryGetProperty("checkpointData", out var none), none.ToString());

        await engine.FlushAsync(worker, Engine.Append(fence, Engine.Step(@"write\.it") with { Output = Engine.Json("""{"text":"It rains.","chapters":[{"number":1,"title":"Rain"}]}""") }));
        await engine.FlushAsync(worker, Engine.Running(fence));
        var end = Engine.Finish(fence, "completed", Engine.Step("out") with { Output = Engine.Json("""{"formats":{"markdown":"It rains."}}""") });
        await engine.FlushAsync(worker, end with { TokensIn = 30, TokensOut = 12, Words = 2, Result = Engine.Json("""{"text":"It rains.","formats":{"markdown":"It rains."}}""") });
        (status, data, isOver) = await PollAsync(engine, id);
        Assert.Equal(("completed", "completed", true), (status, data.GetProperty("status").GetString(), isOver));
        Assert.Equal((100, 42, 2), (data.GetProperty("progress").GetInt32(), data.GetProperty("tokens").GetInt32(), data.GetProperty("words").GetInt32()));
        Assert.Equal("It rains.", data.GetProperty("result").GetProperty("text").GetString());
        Assert.Equal("It rains.", data.GetProperty("nodeResults").GetProperty("write.it").GetProperty("content").GetString());
        Assert.Equal("Rain", data.GetProperty("storyContext").GetProperty("chapters")[0].GetProperty("title").GetString());
        var output = data.GetProperty("nodeResults").GetProperty("out");
        Assert.Equal("final_output", output.GetProperty("type").GetString());
        Assert.Equal("It rains.", output.GetProperty("metadata").GetProperty("allFormats").GetProperty("markdown").GetString());
        // What the platform put there is kept.
        Assert.Equal((1, 7), (data.GetProperty("options").GetProperty("a").GetInt32(), data.GetProperty("nodes")[0].GetInt32()));
        Assert.False(data.TryGetProperty("resumable", out none), none.ToString());
        Assert.Equal(["running 33", "completed 100"], await WritesAsync(engine, id));
        Assert.Equal(42, await engine.ScalarAsync<int>("SELECT tokens_used FROM engine_executions WHERE id = $1", id));
    }

    [Fact]
    public async Task A_failure_has_a_checkpoint_which_is_gone_when_the_next_run_is_opened()
    {
        var (engine, worker) = await BeginAsync(cluster);
        await using var disposing = engine;
        var (id, fence) = await HoldAsync(engine, worker);
        await engine.FlushAsync(worker, Engine.Finish(fence, "failed", Engine.Step("in", "rain"), Failed(@"write\.it")) with
        {
            Result = null,
            Error = "no such model",
            ErrorDetails = Engine.Json("""{"code":"model_error","step":"write\\.it","resume_at":["write\\.it"]}"""),
        });
        var (status, data, _) = await PollAsync(engine, id);
        Assert.Equal(("failed", true), (status, data.GetProperty("resumable").GetBoolean()));
        Assert.Equal(("write.it", "Writer"), (data.GetProperty("failedNodeId").GetString(), data.GetProperty("failedNodeName").GetString()));
        Assert.Equal("no such model", data.GetProperty("error").GetString());
        var checkpoint = data.GetProperty("checkpointData");
        Assert.Equal("write.it", checkpoint.GetProperty("failedAtNode").GetString());
        Assert.Equal("in", checkpoint.GetProperty("completedNodes")[0].GetString());
        Assert.Equal("rain", checkpoint.GetProperty("lastNodeOutput").GetProperty("v").GetString());
        Assert.Equal("rain", checkpoint.GetProperty("userInput").GetProperty("topic").GetString());
        Assert.Equal(id.ToString(), checkpoint.GetProperty("executionUser").GetProperty("id").GetString());
        Assert.Equal("no such model", await engine.ScalarAsync<string>("SELECT error_message FROM engine_executions WHERE id = $1", id));

        await engine.SetStatusAsync(fence.Exec, "pending");
        (status, data, var isOver) = await PollAsync(engine, id);
        Assert.Equal(("running", false), (status, isOver));
        Assert.False(data.TryGetProperty("checkpointData", out var none) || data.TryGetProperty("error", out none) || data.TryGetProperty("resumable", out none), none.ToString());
        await engine.ObeyAsync();
        var next = (await engine.ClaimAsync(worker)).Single().Fence;
        await engine.FlushAsync(worker, Engine.Running(next));
        await engine.FlushAsync(worker, Engine.Finish(next, "completed", Engine.Step(@"write\.it", run: 2), Engine.Step("out", run: 2)));
        (status, data, _) = await PollAsync(engine, id);
        Assert.Equal(("completed", 3), (status, data.GetProperty("nodeResults").EnumerateObject().Count()));
        Assert.False(data.TryGetProperty("checkpointData", out none) || data.TryGetProperty("failedNodeId", out none), none.ToString());
        Assert.Equal(["failed 33", "running 33", "completed 100"], await WritesAsync(engine, id));
    }

    [Fact]
    public async Task The_platforms_own_stop_is_a_stop_and_does_not_break_its_check()
    {
        var (engine, worker) = await BeginAsync(cluster);
        await using var _ = engine;
        var (id, fence) = await HoldAsync(engine, worker);
        await engine.ExecuteAsync("UPDATE engine_executions SET status = 'cancelled', completed_at = now() WHERE id = $1", id);
        Assert.Equal("cancelled", await engine.StatusAsync(fence.Exec));
        var (status, data, isOver) = await PollAsync(engine, id);
        Assert.Equal(("failed", "cancelled", true), (status, data.GetProperty("status").GetString(), isOver));
        Assert.Equal("cancelled", await engine.ScalarAsync<string>("SELECT error_message FROM engine_executions WHERE id = $1", id));

        // Completed first, stopped too late.
        (id, fence) = await HoldAsync(engine, worker);
        await engine.FlushAsync(worker, Engine.Finish(fence));
        await engine.ExecuteAsync("UPDATE engine_executions SET status = 'cancelled' WHERE id = $1", id);
        Assert.Equal("completed", (await PollAsync(engine, id)).Status);
        Assert.Equal("completed", await engine.StatusAsync(fence.Exec));
    }

    [Fact]
    public async Task Execution_data_is_never_null_and_never_trusted_to_be_an_object()
    {
        var (engine, worker) = await BeginAsync(cluster);
        await using var _ = engine;
        var (id, fence) = await HoldAsync(engine, worker, "[1]");
        await engine.ExecuteAsync("UPDATE engine_executions SET execution_data = NULL WHERE id = $1", id);
        Assert.Equal(JsonValueKind.Object, (await PollAsync(engine, id)).Data.ValueKind);
        await engine.ExecuteAsync("UPDATE engine_executions SET execution_data = '[1]' WHERE id = $1", id);
        await engine.FlushAsync(worker, Engine.Finish(fence));
        var data = (await PollAsync(engine, id)).Data;
        Assert.Equal(3, data.GetProperty("nodes").GetArrayLength());
        Assert.Equal(2, data.GetProperty("edges").GetArrayLength());
    }

    [Fact]
    public async Task A_row_that_is_locked_delays_the_mirror_and_not_the_end()
    {
        var (engine, worker) = await BeginAsync(cluster);
        await using var _ = engine;
        var (id, fence) = await HoldAsync(engine, worker);
        await using (var other = await engine.BeginAsync("SELECT * FROM engine_executions FOR UPDATE"))
        {
            await engine.FlushAsync(worker, Engine.Finish(fence));
            Assert.Equal("completed", await engine.StatusAsync(fence.Exec));
            Assert.Equal("running", (await PollAsync(engine, id)).Status);
            await other.RollbackAsync();
        }

        var mirrors = new Mirrors(engine.Db.Database);
        Assert.Equal(1, await mirrors.BacklogAsync(Token));
        await engine.ExecuteAsync("UPDATE lekhika.mirror_queue SET next_at = now()");
        Assert.Empty(await mirrors.RetryAsync(10, Token));
        Assert.Equal(0, await mirrors.BacklogAsync(Token));
        Assert.Equal("completed", (await PollAsync(engine, id)).Status);
    }

    [Fact]
    public async Task A_table_that_is_gone_harms_no_execution_and_is_reported()
    {
        var (engine, worker) = await BeginAsync(cluster);
        await using var disposing = engine;
        var (_, fence) = await HoldAsync(engine, worker);
        await engine.ExecuteAsync("ALTER TABLE engine_executions RENAME TO gone");
        await engine.FlushAsync(worker, Engine.Finish(fence));
        Assert.Equal("completed", await engine.StatusAsync(fence.Exec));
        await engine.ExecuteAsync("UPDATE lekhika.mirror_queue SET next_at = now()");
        var failed = Assert.Single(await new Mirrors(engine.Db.Database).RetryAsync(10, Token));
        Assert.Contains("engine_executions", failed.Error, StringComparison.Ordinal);
        Assert.Equal(2, failed.Attempts);
    }

    [Fact]
    public async Task It_is_installed_again_removed_and_installed_in_another_schema()
    {
        var (engine, worker) = await BeginAsync(cluster);
        await using var _ = engine;
        var connection = engine.Db.ConnectionString;
        await cluster.ScriptAsync(connection, "packaging/adopt/lekhika.sql");
        await cluster.ScriptAsync(connection, "packaging/adopt/lekhika-remove.sql");
        await cluster.ScriptAsync(connection, "packaging/adopt/lekhika-remove.sql");
        var (id, fence) = await HoldAsync(engine, worker);
        await engine.FlushAsync(worker, Engine.Finish(fence));
        Assert.Empty(await WritesAsync(engine, id));
        Assert.Equal(0, await engine.ScalarAsync<long>("SELECT count(*) FROM pg_trigger WHERE tgrelid = 'engine_executions'::regclass AND tgname LIKE 'lekhika%'"));

        await using var second = new Database(connection, "engine");
        await new Migrator(second).MigrateAsync(null, Token);
        await engine.ExecuteAsync("CREATE SCHEMA platform; ALTER TABLE engine_executions SET SCHEMA platform");
        await Assert.ThrowsAsync<InvalidOperationException>(() => cluster.ScriptAsync(connection, "packaging/adopt/lekhika.sql", "schema=engine"));
        await cluster.ScriptAsync(connection, "packaging/adopt/lekhika.sql", "schema=engine", "platform=platform");
        await engine.ExecuteAsync("INSERT INTO engine.workflow_executions (id, definition) VALUES ($1, '{}')", id);
        await engine.ExecuteAsync("UPDATE engine.workflow_executions SET status = 'cancelled' WHERE id = $1", id);
        Assert.Equal("failed", await engine.ScalarAsync<string>("SELECT status FROM platform.engine_executions WHERE id = $1", id));
    }

    [Fact]
    public async Task A_key_is_found_by_whose_it_is_and_a_missing_table_is_said()
    {
        var (engine, _) = await BeginAsync(cluster);
        await using var disposing = engine;
        var (one, user) = (Guid.NewGuid(), Guid.NewGuid());
        await engine.ExecuteAsync(
            "INSERT INTO user_engines (id, user_id, engine_id, api_key, status) VALUES ($1, $2, $1, 'LEKH-2-a', 'active'), ($2, $2, $2, 'LEKH-2-b', 'inactive')", one, user);
        var keys = new EngineKeys(engine.Db.Database, "public");
        Assert.Equal(["LEKH-2-a"], await keys.OfEngineAsync(one, user, Token));
        Assert.Empty(await keys.OfEngineAsync(user, user, Token));
        Assert.Empty(await keys.OfEngineAsync(one, one, Token));
        Assert.Equal(["LEKH-2-a"], await keys.OfUserAsync(user, Token));
        var missing = await Assert.ThrowsAsync<EngineKeysException>(() => new EngineKeys(engine.Db.Database, "lekhika").OfUserAsync(user, Token));
        Assert.IsType<PostgresException>(missing.InnerException);
    }

    [Fact]
    public async Task Handed_back_what_is_unfinished_ends_in_the_platforms_table()
    {
        var (engine, worker) = await BeginAsync(cluster);
        await using var _ = engine;
        var (held, _) = await HoldAsync(engine, worker);
        await cluster.ScriptAsync(engine.Db.ConnectionString, "packaging/adopt/lekhika-remove.sql", "hand_back=yes");
        Assert.Equal("failed interrupted; start it again", await engine.ScalarAsync<string>("SELECT status || ' ' || error_message FROM engine_executions WHERE id = $1", held));
        Assert.Equal("cancelled", await engine.ScalarAsync<string>("SELECT status FROM lekhika.workflow_executions WHERE id = $1", held));
    }

    [Fact]
    public async Task A_daemon_of_another_role_may_read_the_keys_and_nothing_else()
    {
        var engine = await Engine.CreateAsync(cluster);
        await using var _ = engine;
        await engine.ExecuteAsync(Platforms.Lekhika);
        var role = $"keeper_{Guid.NewGuid():N}";
        await engine.ExecuteAsync($"CREATE ROLE {role}; GRANT USAGE ON SCHEMA lekhika TO {role}; ALTER FUNCTION lekhika.on_mirror() OWNER TO {role}");
        await cluster.ScriptAsync(engine.Db.ConnectionString, "packaging/adopt/lekhika.sql");
        Assert.Equal("{SELECT}", await engine.ScalarAsync<string>(
            "SELECT array_agg(p ORDER BY p)::text FROM unnest('{SELECT,INSERT,UPDATE,DELETE}'::text[]) p WHERE has_table_privilege($1, 'user_engines', p)", role));
    }
}
