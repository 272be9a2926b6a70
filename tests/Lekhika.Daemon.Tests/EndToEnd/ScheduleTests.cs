using System.Text.Json;
using Lekhika.Daemon.Tests.EndToEnd.Support;
using Xunit;

namespace Lekhika.Daemon.Tests.EndToEnd;

/// <summary>Schedules by HTTP, by SQL and on the command line, fired by several daemons.</summary>
public sealed class ScheduleTests(Servers servers)
{
    private const string TellsTheSlot =
        """{"nodes":[{"id":"a","type":"set","config":{"values":{"slot":"{{ execution.slot }}","of":"{{ execution.schedule_id }}","topic":"{{ inputs.topic }}"}}}],"edges":[]}""";

    private static CancellationToken Cancellation => TestContext.Current.CancellationToken;

    [Fact]
    public async Task Three_daemons_run_every_slot_once_with_its_inputs_and_its_time_until_it_is_paused()
    {
        await using var scene = await Scene.BeginAsync(servers);
        var workflow = await scene.WorkflowAsync(TellsTheSlot);
        var daemon = await scene.DaemonAsync();
        for (var i = 0; i < 2; i++) await scene.DaemonAsync();

        var (status, made) = await daemon.PostAsync(
            "schedules", $$"""{"workflow_id":"{{workflow}}","cron":"* * * * * *","timezone":"Europe/Berlin","catch_up":"all","inputs":{"topic":"rain"},"user_id":"u","priority":3}""",
            Cancellation);
        Assert.True(status == 201, made.GetRawText());
        var id = made.GetProperty("id").GetGuid();
        Assert.Equal(5, made.GetProperty("next_runs").GetArrayLength());
        Assert.Equal(made.GetProperty("next_run_at").GetString(), made.GetProperty("next_runs")[0].GetString());
        Assert.Equal("active", made.GetProperty("state").GetString());

        await scene.UntilSqlAsync<long>("SELECT count(*) FROM lekhika.workflow_executions WHERE status = 'completed'", static done => done >= 5);
        Assert.Equal(200, (await daemon.PostAsync($"schedules/{id}/pause", "", Cancellation)).Status);
        var count = await scene.Database.ScalarAsync<long>("SELECT count(*) FROM lekhika.workflow_executions", Cancellation);
        Assert.Equal(count, await scene.Database.ScalarAsync<long>(
            "SELECT count(DISTINCT request -> 'schedule' ->> 'slot') FROM lekhika.workflow_executions WHERE user_id = 'u' AND priority = 3", Cancellation));
        Assert.Equal(count - 1, await scene.Database.ScalarAsync<long>(
            "SELECT extract(epoch FROM max((request -> 'schedule' ->> 'slot')::timestamptz) - min((request -> 'schedule' ->> 'slot')::timestamptz))::bigint "
            + "FROM lekhika.workflow_executions", Cancellation));
        Assert.Equal(0, await scene.Database.ScalarAsync<long>(
            "SELECT count(*) FROM lekhika.workflow_executions WHERE status = 'completed' AND ((result ->> 'slot')::timestamptz IS DISTINCT FROM "
            + "(request -> 'schedule' ->> 'slot')::timestamptz OR result ->> 'of' <> $1 OR result ->> 'topic' <> 'rain')", Cancellation, id.ToString()));

        var shown = await daemon.GetAsync($"schedules/{id}", Cancellation);
        Assert.Equal("paused", shown.Body.GetProperty("state").GetString());
        Assert.Equal(JsonValueKind.Null, shown.Body.GetProperty("next_run_at").ValueKind);
        Assert.Equal("active", (await daemon.PostAsync($"schedules/{id}/resume", "", Cancellation)).Body.GetProperty("state").GetString());
        Assert.Single((await daemon.GetAsync("schedules", Cancellation)).Body.GetProperty("schedules").EnumerateArray());
        using (var removed = await daemon.Http.DeleteAsync(new Uri($"schedules/{id}", UriKind.Relative), Cancellation)) Assert.Equal(200, (int)removed.StatusCode);
        Assert.Equal(404, (await daemon.GetAsync($"schedules/{id}", Cancellation)).Status);
        Assert.Equal(404, (await daemon.PostAsync($"schedules/{id}/pause", "", Cancellation)).Status);
    }

    [Fact]
    public async Task What_cannot_be_a_schedule_is_refused_with_the_place_and_what_was_expected()
    {
        await using var scene = await Scene.BeginAsync(servers);
        var workflow = await scene.WorkflowAsync(Flows.Trivial);
        var daemon = await scene.DaemonAsync();
        (string Body, int Status, string Code, string Says)[] cases =
        [
            ($$"""{"workflow_id":"{{workflow}}","cron":"61 * * * *"}""", 400, "invalid_schedule", "the minute field"),
            ($$"""{"workflow_id":"{{workflow}}","cron":"* * * *"}""", 400, "invalid_schedule", "five"),
            ($$"""{"workflow_id":"{{workflow}}","cron":"* * * * *","timezone":"Mars/Olympus"}""", 400, "invalid_schedule", "Europe/Berlin"),
            ($$"""{"workflow_id":"{{workflow}}","cron":"* * * * *","catch_up":"sometimes"}""", 400, "invalid_request", "skip, once or all"),
            ($$"""{"workflow_id":"{{workflow}}","cron":"* * * * *","catch_up_limit":0}""", 400, "invalid_request", "1 to 1000"),
            ($$"""{"workflow_id":"{{workflow}}","cron":"* * * * *","inputs":[1]}""", 400, "invalid_request", "inputs is an array"),
            ($$"""{"workflow_id":"{{workflow}}"}""", 400, "invalid_request", "cron is missing"),
            ("""{"cron":"* * * * *"}""", 400, "invalid_request", "workflow_id is missing"),
            ($$"""{"workflow_id":"{{Guid.NewGuid()}}","cron":"* * * * *"}""", 404, "workflow_not_found", "There is no workflow"),
            ("""{"workflow_id":""", 400, "malformed_json", "line 1"),
        ];
        foreach (var (body, status, code, says) in cases)
        {
            var reply = await daemon.PostAsync("schedules", body, Cancellation);
            Assert.True(reply.Status == status, $"{body}: {reply.Status} {reply.Body.GetRawText()}");
            Assert.Equal(code, reply.Body.GetProperty("code").GetString());
            Assert.Contains(says, reply.Body.GetProperty("error").GetString(), StringComparison.Ordinal);
        }

        Assert.Equal(0, await scene.Database.ScalarAsync<long>("SELECT count(*) FROM lekhika.workflow_schedules", Cancellation));
        Assert.Equal(404, (await daemon.GetAsync($"schedules/{Guid.NewGuid()}", Cancellation)).Status);
        Assert.Equal(400, (await daemon.GetAsync("schedules/x", Cancellation)).Status);
        Assert.Equal(400, (await daemon.GetAsync("schedules?limit=x", Cancellation)).Status);
    }

    [Fact]
    public async Task A_daemon_without_time_zone_data_says_so_and_leaves_other_zones_alone()
    {
        await using var scene = await Scene.BeginAsync(servers);
        var workflow = await scene.WorkflowAsync(Flows.Trivial);
        await scene.Database.ExecuteAsync(
            "INSERT INTO lekhika.workflow_schedules (workflow_id, cron, timezone, next_run_at) SELECT $1, '* * * * * *', zone, now() FROM unnest(ARRAY['Europe/Berlin', 'UTC']) zone",
            Cancellation, workflow);
        var daemon = await scene.DaemonAsync(static setup => setup.Environment["TZDIR"] = "/nonexistent");
        await daemon.LogAsync(Cancellation, "no time zone data");
        await scene.UntilSqlAsync<long>("SELECT count(*) FROM lekhika.workflow_executions", static count => count > 1);
        Assert.Equal("Europe/Berlin", await scene.Database.ScalarAsync<string>(
            "SELECT string_agg(timezone, ' ') FROM lekhika.workflow_schedules WHERE last_run_at IS NULL AND error IS NULL AND is_active", Cancellation));
        var refused = await daemon.PostAsync("schedules", $$"""{"workflow_id":"{{workflow}}","cron":"* * * * *","timezone":"Europe/Berlin"}""", Cancellation);
        Assert.Equal(400, refused.Status);
        Assert.Contains("tzdata", refused.Body.GetProperty("error").GetString(), StringComparison.Ordinal);
    }

    [Fact]
    public async Task The_command_line_adds_lists_pauses_and_removes()
    {
        await using var scene = await Scene.BeginAsync(servers);
        var workflow = await scene.WorkflowAsync(Flows.Trivial);
        var added = await RunAsync(scene, "add", "test", "--cron", "0 9 * * MON-FRI", "--timezone", "Europe/Berlin", "--inputs", """{"topic":"rain"}""", "--json");
        Assert.True(added.ExitCode == 0, added.Tail());
        var made = Json(added.Output);
        Assert.Equal(workflow, made.GetProperty("workflow_id").GetGuid());
        Assert.Equal("rain", made.GetProperty("inputs").GetProperty("topic").GetString());
        var id = made.GetProperty("id").GetString()!;
        Assert.Equal(id, Json((await RunAsync(scene, "list", "--json")).Output).GetProperty("schedules")[0].GetProperty("id").GetString());
        Assert.Contains("0 9 * * MON-FRI", (await RunAsync(scene, "list")).Output, StringComparison.Ordinal);
        Assert.Equal(0, (await RunAsync(scene, "pause", id)).ExitCode);
        Assert.Contains("paused", (await RunAsync(scene, "list")).Output, StringComparison.Ordinal);
        Assert.Equal(0, (await RunAsync(scene, "remove", id)).ExitCode);
        Assert.Equal(1, (await RunAsync(scene, "remove", id)).ExitCode);

        var wrong = await RunAsync(scene, "add", workflow.ToString(), "--cron", "0 25 * * *");
        Assert.Equal(2, wrong.ExitCode);
        Assert.Contains("the hour field \"25\" holds 25, which is not from 0 to 23", wrong.Error, StringComparison.Ordinal);
        Assert.Equal(1, (await RunAsync(scene, "add", "nobody", "--cron", "@daily")).ExitCode);
        Assert.Equal(2, (await RunAsync(scene, "remove", "nobody")).ExitCode);
        Assert.Equal(0, await scene.Database.ScalarAsync<long>("SELECT count(*) FROM lekhika.workflow_schedules", Cancellation));
    }

    private static Task<ChildProcess> RunAsync(Scene scene, params string[] arguments) =>
        ChildProcess.RunAsync(null, Cancellation, ["schedule", .. arguments, "--config", "/dev/null", "--database.url", scene.DatabaseUrl]);

    private static JsonElement Json(string text)
    {
        using var document = JsonDocument.Parse(text);
        return document.RootElement.Clone();
    }
}
