using System.Net;
using System.Text;
using System.Text.Json;
using Lekhika.Daemon.Tests.EndToEnd.Support;
using Lekhika.Tests.Support;
using Xunit;

namespace Lekhika.Daemon.Tests.EndToEnd;

/// <summary>The earlier platforms' edge function, front end and API, against a daemon.</summary>
public sealed class AdoptTests(Servers servers)
{
    private const string Key = "LEKH-2-0123456789";

    private static CancellationToken Cancellation => TestContext.Current.CancellationToken;

    private static async Task<(Scene Scene, DaemonProcess Daemon, Guid Engine, Guid User)> BeginAsync(Servers servers)
    {
        var scene = await Scene.BeginAsync(servers);
        await scene.Database.ExecuteAsync(Platforms.Lekhika, Cancellation);
        await scene.Database.ExecuteAsync(Platforms.Synthral, Cancellation);
        await scene.Cluster.ScriptAsync(scene.Database.ConnectionString, "packaging/adopt/lekhika.sql");
        await scene.Cluster.ScriptAsync(scene.Database.ConnectionString, "packaging/adopt/synthralos.sql");
        var (engine, user) = (Guid.NewGuid(), Guid.NewGuid());
        await scene.Database.ExecuteAsync("INSERT INTO user_engines (id, user_id, engine_id, api_key) VALUES ($1, $2, $1, $3)", Cancellation, engine, user, Key);
        var daemon = await scene.DaemonAsync(static setup =>
        {
            setup.Settings["adopt.lekhika"] = "true";
            setup.Settings["adopt.allow_api_key_control"] = "true";
        });
        return (scene, daemon, engine, user);
    }

    /// <summary>As the edge function does: its own row, then the worker.</summary>
    private static async Task<Guid> ExecuteAsync(Scene scene, DaemonProcess daemon, Guid engine, Guid user, string workflow)
    {
        var id = Guid.NewGuid();
        await scene.Database.ExecuteAsync(
            "INSERT INTO engine_executions (id, engine_id, user_id, status, execution_data) VALUES ($1, $2, $3, 'running', $4::jsonb)", Cancellation, id, engine, user,
            $$"""{"userInput":{"topic":"rain"},"options":{},"api_key":"{{Key}}","nodes":[],"edges":[],"models":[],"created_at":"2026-01-01T00:00:00Z"}""");
        var (status, body) = await daemon.PostAsync("execute", Body(id, engine, user, workflow, Key), Cancellation);
        Assert.True(status == 202, body.GetRawText());
        return id;
    }

    private static string Body(Guid id, Guid engine, Guid user, string workflow, string key) =>
        $$$"""{"executionId":"{{{id}}}","lekhikaApiKey":"{{{key}}}","userEngineId":"{{{engine}}}","masterEngineId":"{{{engine}}}","userId":"{{{user}}}","workflow":{{{workflow}}},"inputs":{"topic":"rain"},"options":{}}""";

    /// <summary>As the edge function stops and resumes: with the key, and without the internal secret.</summary>
    private static async Task<(HttpStatusCode Status, string Body)> WithKeyAsync(DaemonProcess daemon, string path, string key, string body = "")
    {
        using var client = new HttpClient { BaseAddress = daemon.Http.BaseAddress };
        using var request = new HttpRequestMessage(HttpMethod.Post, path) { Content = new StringContent(body, Encoding.UTF8, "application/json") };
        request.Headers.Add("X-Lekhika-API-Key", key);
        using var response = await client.SendAsync(request, Cancellation);
        return (response.StatusCode, await response.Content.ReadAsStringAsync(Cancellation));
    }

    private static async Task<(string Status, JsonElement Data)> PollAsync(Scene scene, Guid id)
    {
        await using var command = scene.Database.Sql.CreateCommand(Platforms.Poll);
        command.Parameters.AddWithValue(id);
        await using var reader = await command.ExecuteReaderAsync(Cancellation);
        Assert.True(await reader.ReadAsync(Cancellation));
        using var document = JsonDocument.Parse(reader.GetString(2));
        return (reader.GetString(1), document.RootElement.Clone());
    }

    private static Task<long> WritesAsync(Scene scene, Guid id) => scene.Database.ScalarAsync<long>("SELECT count(*) FROM writes WHERE id = $1", Cancellation, id);

    [Fact]
    public async Task The_front_end_sees_a_run_from_its_own_table_in_two_writes()
    {
        var (scene, daemon, engine, user) = await BeginAsync(servers);
        await using var _ = scene;
        var id = await ExecuteAsync(scene, daemon, engine, user, Flows.Chain(Flows.Say("one"), Flows.Slowly(60, 20, "two"), Flows.Say("three")));
        await scene.UntilSqlAsync<long>("SELECT count(*) FROM writes WHERE id = $1", static count => count == 1, 20, id);
        var (status, data) = await PollAsync(scene, id);
        Assert.Equal(("running", "running"), (status, data.GetProperty("status").GetString()));
        Assert.Equal(3, data.GetProperty("processingSteps").GetArrayLength());

        Assert.Equal("completed", (await scene.EndAsync(id)).Status);
        (status, data) = await PollAsync(scene, id);
        Assert.Equal(("completed", 100), (status, data.GetProperty("progress").GetInt32()));
        Assert.Equal("three", data.GetProperty("result").GetProperty("text").GetString());
        Assert.Equal("one", data.GetProperty("nodeResults").GetProperty("a").GetProperty("content").GetString());
        Assert.Equal(2, await WritesAsync(scene, id));
        Assert.Equal(0, await scene.Database.ScalarAsync<long>("SELECT count(*) FROM lekhika.workflow_executions e WHERE e::text LIKE '%LEKH-2-%'", Cancellation));
    }

    [Fact]
    public async Task A_failed_run_is_resumed_with_the_key_alone_and_loses_its_checkpoint()
    {
        var (scene, daemon, engine, user) = await BeginAsync(servers);
        await using var _ = scene;
        var workflow = Flows.Chain(Flows.Say("one"), $"[[double:fault:400 times=1 key=b]] {Flows.Say("two")}");
        var id = await ExecuteAsync(scene, daemon, engine, user, workflow);
        Assert.Equal("failed", (await scene.EndAsync(id)).Status);
        var (status, data) = await PollAsync(scene, id);
        Assert.Equal(("failed", "b"), (status, data.GetProperty("checkpointData").GetProperty("failedAtNode").GetString()));
        Assert.True(data.GetProperty("resumable").GetBoolean());

        var body = Body(id, engine, user, workflow, Key).Replace("""{"topic":"rain"}""", "{}", StringComparison.Ordinal);
        var (code, reply) = await WithKeyAsync(daemon, "resume", "LEKH-2-wrong", body);
        Assert.True(code == HttpStatusCode.Forbidden, reply);
        (code, reply) = await WithKeyAsync(daemon, "resume", Key, body);
        Assert.True(code == HttpStatusCode.OK, reply);
        Assert.Equal("completed", (await scene.EndAsync(id)).Status);
        (status, data) = await PollAsync(scene, id);
        Assert.Equal("completed", status);
        Assert.False(data.TryGetProperty("checkpointData", out var none) || data.TryGetProperty("resumable", out none), none.ToString());
        Assert.InRange(await WritesAsync(scene, id), 3, 4);
    }

    [Fact]
    public async Task A_wrong_key_starts_nothing_and_the_right_one_stops()
    {
        var (scene, daemon, engine, user) = await BeginAsync(servers);
        await using var _ = scene;
        var (status, body) = await daemon.PostAsync("execute", Body(Guid.NewGuid(), engine, user, Flows.Trivial, "LEKH-2-9876543210"), Cancellation);
        Assert.True(status == 403, body.GetRawText());
        Assert.Equal(0, await scene.Database.ScalarAsync<long>("SELECT count(*) FROM lekhika.workflow_executions", Cancellation));

        var id = await ExecuteAsync(scene, daemon, engine, user, Flows.OneModel(Flows.Slowly(2000, 20)));
        var (code, reply) = await WithKeyAsync(daemon, $"stop/{id}", Key);
        Assert.True(code == HttpStatusCode.OK, reply);
        await scene.Database.ExecuteAsync("UPDATE engine_executions SET status = 'cancelled', completed_at = now() WHERE id = $1", Cancellation, id);
        Assert.Equal("cancelled", (await scene.EndAsync(id)).Status);
        Assert.Equal("failed", (await PollAsync(scene, id)).Status);
        Assert.DoesNotContain(daemon.Child.Lines, static line => line.Contains("LEKH-2-", StringComparison.Ordinal));
    }

    [Fact]
    public async Task A_row_of_the_SynthralOS_api_is_run()
    {
        var (scene, _, _, _) = await BeginAsync(servers);
        await using var disposing = scene;
        var (workflow, id) = (Guid.NewGuid(), Guid.NewGuid());
        await scene.Database.ExecuteAsync(
            """
            INSERT INTO workflow VALUES ($1, 'w', true, 1,
                '{"nodes":[{"node_id":"go","node_type":"trigger","config":{}},{"node_id":"greet","node_type":"ai_prompt","config":{"model":"llama3.2","prompt":"[[double:reply:Hello]]"}}],"edges":[{"from":"go","to":"greet"}],"entry_node_id":"go"}', $1)
            """, Cancellation, workflow);
        await scene.Database.ExecuteAsync(
            "INSERT INTO workflowexecution VALUES ($1, $2, 1, 'exec-0123456789ab', 'running', now() AT TIME ZONE 'UTC', NULL, NULL, NULL, '{\"execution_data\":{\"name\":\"Ada\"}}', 0, NULL)",
            Cancellation, id, workflow);
        Assert.Equal("completed", (await scene.EndAsync(id)).Status);
        Assert.Equal("completed Hello", await scene.Database.ScalarAsync<string>(
            "SELECT status || ' ' || (execution_state->'node_results'->'greet'->'output'->>'text') FROM workflowexecution WHERE id = $1", Cancellation, id));
    }
}
