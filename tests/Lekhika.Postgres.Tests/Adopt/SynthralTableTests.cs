using System.Globalization;
using Lekhika.Postgres.Executions;
using Lekhika.Tests.Support;
using Xunit;

namespace Lekhika.Postgres.Tests.Adopt;

/// <summary>SynthralOS' workflowexecution: rows of its API become executions, and are kept as that API reads them.</summary>
public sealed class SynthralTableTests(PostgresCluster cluster)
{
    private static async Task<(Engine Engine, long Worker)> BeginAsync(PostgresCluster cluster)
    {
        var engine = await Engine.CreateAsync(cluster);
        await engine.ExecuteAsync(Platforms.Synthral);
        for (var i = 0; i < 2; i++) await cluster.ScriptAsync(engine.Db.ConnectionString, "packaging/adopt/synthralos.sql");
        return (engine, await engine.EnlistAsync());
    }

    /// <summary>As the platform's API begins a run.</summary>
    private static async Task<(Guid Id, long Exec)> RunAsync(Engine engine)
    {
        var (workflow, id) = (Guid.NewGuid(), Guid.NewGuid());
        await engine.ExecuteAsync(
            "INSERT INTO workflow VALUES ($1, 'w', true, 3, '{\"nodes\":[{\"node_id\":\"n1\",\"node_type\":\"trigger\"},{\"node_id\":\"n2\",\"node_type\":\"trigger\"}],\"edges\":[{\"from\":\"n1\",\"to\":\"n2\"}]}', $1)",
            workflow);
        await engine.ExecuteAsync(
            "INSERT INTO workflowexecution VALUES ($1, $2, 3, $3, 'running', '2026-01-02 03:04:05.678901', NULL, NULL, NULL, '{\"execution_data\":{\"name\":\"Ada\"},\"status\":\"running\"}', 0, NULL)",
            id, workflow, "exec-" + id.ToString("N")[..12]);
        return (id, await engine.ScalarAsync<long>("SELECT seq FROM lekhika.workflow_executions WHERE id = $1", id));
    }

    private static Task<string?> StatusAsync(Engine engine, Guid id) => engine.ScalarAsync<string>("SELECT status FROM workflowexecution WHERE id = $1", id);

    [Fact]
    public async Task A_row_is_run_and_its_state_is_what_the_api_can_read()
    {
        var (engine, worker) = await BeginAsync(cluster);
        await using var _ = engine;
        var (id, exec) = await RunAsync(engine);
        var fence = (await engine.ClaimAsync(worker)).Single().Fence;
        Assert.Equal(exec, fence.Exec);
        Assert.Equal("Ada", await engine.ScalarAsync<string>("SELECT inputs->>'name' FROM lekhika.workflow_executions WHERE id = $1", id));
        await engine.FlushAsync(worker, Engine.Running(fence, Engine.Step("n1")));
        await engine.FlushAsync(worker, Engine.Finish(fence, "completed", Engine.Step("n2", "last")));

        Assert.Equal("completed", await StatusAsync(engine, id));
        var state = Engine.Json((await engine.ScalarAsync<string>("SELECT execution_state::text FROM workflowexecution WHERE id = $1", id))!);
        foreach (var key in (string[])["execution_id", "workflow_id", "workflow_version", "status", "started_at"]) Assert.NotEqual("", state.GetProperty(key).ToString());
        Assert.Equal("completed", state.GetProperty("status").GetString());
        Assert.Equal("2026-01-02T03:04:05.678901", state.GetProperty("started_at").GetString());
        Assert.Equal(["n1", "n2"], state.GetProperty("completed_node_ids").EnumerateArray().Select(static node => node.GetString()!).Order());
        foreach (var result in state.GetProperty("node_results").EnumerateObject())
        {
            Assert.Equal("success", result.Value.GetProperty("status").GetString());
            Assert.Equal(System.Text.Json.JsonValueKind.Object, result.Value.GetProperty("output").ValueKind);
            DateTime.ParseExact(result.Value.GetProperty("started_at").GetString()!, "yyyy-MM-ddTHH:mm:ss.ffffff", CultureInfo.InvariantCulture);
        }

        Assert.Equal("last", state.GetProperty("execution_data").GetProperty("n2_output").GetProperty("v").GetString());
        Assert.Equal("Ada", state.GetProperty("execution_data").GetProperty("name").GetString());
        Assert.True(await engine.ScalarAsync<bool>("SELECT abs(extract(epoch FROM completed_at - now() AT TIME ZONE 'UTC')) < 60 FROM workflowexecution WHERE id = $1", id));
    }

    [Fact]
    public async Task Pause_resume_and_terminate_are_obeyed_and_what_is_over_stays()
    {
        var (engine, worker) = await BeginAsync(cluster);
        await using var _ = engine;
        var (id, exec) = await RunAsync(engine);
        await engine.ExecuteAsync("UPDATE workflowexecution SET status = 'paused' WHERE id = $1", id);
        Assert.Equal(("paused", "paused"), (await engine.StatusAsync(exec), await StatusAsync(engine, id)));
        await engine.ExecuteAsync("UPDATE workflowexecution SET status = 'running' WHERE id = $1", id);
        Assert.Equal(("pending", "running"), (await engine.StatusAsync(exec), await StatusAsync(engine, id)));
        await engine.SetStatusAsync(exec, "paused");
        Assert.Equal("paused", await StatusAsync(engine, id));
        await engine.ExecuteAsync("UPDATE workflowexecution SET status = 'failed', error_message = 'Execution terminated by user', completed_at = now() WHERE id = $1", id);
        Assert.Equal("cancelled", await engine.StatusAsync(exec));
        Assert.Equal("Execution terminated by user", await engine.ScalarAsync<string>("SELECT execution_state->>'error_message' FROM workflowexecution WHERE id = $1", id));

        (id, exec) = await RunAsync(engine);
        await engine.FlushAsync(worker, Engine.Finish((await engine.ClaimAsync(worker)).Single(claimed => claimed.Fence.Exec == exec).Fence));
        await engine.ExecuteAsync("UPDATE workflowexecution SET status = 'paused' WHERE id = $1", id);
        Assert.Equal(("completed", "completed"), (await engine.StatusAsync(exec), await StatusAsync(engine, id)));
    }

    [Fact]
    public async Task Signals_are_passed_on_and_taken()
    {
        var (engine, _) = await BeginAsync(cluster);
        await using var disposing = engine;
        var (id, exec) = await RunAsync(engine);
        await engine.ExecuteAsync(
            """
            INSERT INTO workflowsignal VALUES (gen_random_uuid(), $1, 'human_approval', '{"decision":"reject","why":"dull"}', now(), false),
                                              (gen_random_uuid(), $1, 'webhook', NULL, now(), false)
            """, id);
        Assert.Equal(["reject", "webhook"], await engine.ListAsync<string>("SELECT name FROM lekhika.events WHERE exec = $1 ORDER BY 1", exec));
        Assert.Equal(0, await engine.ScalarAsync<long>("SELECT count(*) FROM workflowsignal WHERE NOT processed"));
    }

    [Fact]
    public async Task Removed_it_leaves_the_platforms_rows_alone()
    {
        var (engine, worker) = await BeginAsync(cluster);
        await using var _ = engine;
        var (id, exec) = await RunAsync(engine);
        for (var i = 0; i < 2; i++) await cluster.ScriptAsync(engine.Db.ConnectionString, "packaging/adopt/synthralos-remove.sql");
        await engine.FlushAsync(worker, Engine.Finish((await engine.ClaimAsync(worker)).Single().Fence));
        Assert.Equal(("completed", "running"), (await engine.StatusAsync(exec), await StatusAsync(engine, id)));
    }

    [Fact]
    public async Task What_the_earlier_worker_left_begins_anew_when_it_is_resumed_or_asked_for()
    {
        var engine = await Engine.CreateAsync(cluster);
        await using var _ = engine;
        await engine.ExecuteAsync(Platforms.Synthral);
        await engine.ExecuteAsync("INSERT INTO workflow VALUES ($1, 'w', true, 3, '{\"nodes\":[{\"node_id\":\"n1\",\"node_type\":\"trigger\"}],\"edges\":[]}', $1)", Guid.Empty);
        await engine.ExecuteAsync(
            """
            INSERT INTO workflowexecution (id, workflow_id, workflow_version, execution_id, status, started_at, completed_at, execution_state, retry_count)
            SELECT gen_random_uuid(), $1, 3, 'exec-' || s, s, now(), CASE WHEN s = 'completed' THEN now() END, '{"execution_data":{"name":"Ada"}}', 0
              FROM unnest('{running,paused,waiting_for_signal,completed}'::text[]) s
            """, Guid.Empty);
        await cluster.ScriptAsync(engine.Db.ConnectionString, "packaging/adopt/synthralos.sql");
        Task<long> MadeAsync() => engine.ScalarAsync<long>("SELECT count(*) FROM lekhika.workflow_executions WHERE inputs->>'name' = 'Ada'");
        Assert.Equal(0, await MadeAsync());
        await engine.ExecuteAsync("UPDATE workflowexecution SET status = 'running' WHERE execution_id = 'exec-paused'");
        Assert.Equal(1, await MadeAsync());
        await engine.ExecuteAsync("UPDATE workflowexecution SET status = 'paused' WHERE execution_id = 'exec-completed'");
        await engine.ExecuteAsync("UPDATE workflowexecution SET status = 'running' WHERE execution_id = 'exec-completed'");
        Assert.Equal(1, await MadeAsync());
        const string ask = "SELECT count(*) FROM public.workflowexecution WHERE status IN ('running', 'waiting_for_signal') AND completed_at IS NULL AND lekhika.start_synthralos(id)";
        Assert.Equal((2, 0), (await engine.ScalarAsync<long>(ask), await engine.ScalarAsync<long>(ask)));
        Assert.Equal(3, await MadeAsync());
    }

    [Fact]
    public async Task Handed_back_what_is_unfinished_is_the_earlier_workers_alone()
    {
        var (engine, worker) = await BeginAsync(cluster);
        await using var _ = engine;
        var (finished, exec) = await RunAsync(engine);
        await engine.FlushAsync(worker, Engine.Finish((await engine.ClaimAsync(worker)).Single(claimed => claimed.Fence.Exec == exec).Fence));
        var (held, _) = await RunAsync(engine);
        await engine.ClaimAsync(worker);
        var (queued, _) = await RunAsync(engine);
        await cluster.ScriptAsync(engine.Db.ConnectionString, "packaging/adopt/synthralos-remove.sql", "hand_back=yes");
        Assert.Equal(("completed", "running", "running"), (await StatusAsync(engine, finished), await StatusAsync(engine, held), await StatusAsync(engine, queued)));
        Assert.Equal([finished], await engine.ListAsync<Guid>("SELECT id FROM lekhika.workflow_executions"));
        await engine.ExecuteAsync("UPDATE workflowexecution SET status = 'paused' WHERE id = $1", held);
        Assert.Equal("paused", await StatusAsync(engine, held));
    }
}
