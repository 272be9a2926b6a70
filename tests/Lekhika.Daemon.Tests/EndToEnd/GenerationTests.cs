using System.Text.Json;
using Lekhika.Daemon.Tests.EndToEnd.Support;
using Lekhika.Doubles;
using Xunit;

namespace Lekhika.Daemon.Tests.EndToEnd;

/// <summary>Generation jobs, from a row or a request to a workflow that runs.</summary>
public sealed class GenerationTests(Servers servers)
{
    private const string Analysis = """{"summary":"Poem","requirements":[],"triggerType":"trigger","requiredNodes":["llm"],"dataFlow":"","outputAction":""}""";

    private const string Good = """
        {"name":"Poem","summary":"Writes a poem","nodes":[
          {"id":"start","type":"trigger","config":{"fields":[{"name":"topic","type":"string","required":true}]}},
          {"id":"ask","type":"llm","config":{"prompt":"A poem about {{ inputs.topic }}","model":"llama3.2"}}],
         "edges":[{"from":"start","to":"ask"}]}
        """;

    private static readonly string[] StatusFields =
    [
        "id", "status", "progress_percentage", "current_phase", "workflow_result", "error_message", "created_at", "started_at", "finished_at", "duration_ms",
    ];

    private static CancellationToken Cancellation => TestContext.Current.CancellationToken;

    [Fact]
    public async Task A_job_posted_becomes_a_workflow_that_execute_takes_as_it_is()
    {
        await using var scene = await BeginAsync(Good[..^40], Good);
        var daemon = await scene.DaemonAsync();

        var (status, posted) = await daemon.PostAsync("jobs", """{"prompt":"Write poems","config":{"language":"de"}}""", Cancellation);
        Assert.Equal(202, status);
        var id = posted.GetProperty("job_id").GetGuid();
        var job = await EndAsync(daemon, id);

        Assert.Equal("completed", job.GetProperty("status").GetString());
        Assert.Equal(StatusFields, job.EnumerateObject().Select(static property => property.Name));
        Assert.Equal(100, job.GetProperty("progress_percentage").GetInt32());
        var body = $$$"""{"executionId":"{{{Guid.NewGuid()}}}","workflow":{{{job.GetProperty("workflow_result").GetRawText()}}},"inputs":{"topic":"rain"}}""";
        var (taken, execution) = await daemon.PostAsync("execute", body, Cancellation);
        Assert.Equal(202, taken);
        Assert.Equal("completed", (await scene.EndAsync(execution.GetProperty("executionId").GetGuid())).Status);

        var (_, shown) = await daemon.GetAsync($"workflow-status/{id}", Cancellation);
        Assert.Equal("Poem", shown.GetProperty("workflow").GetProperty("name").GetString());
        var figures = shown.GetProperty("observability");
        Assert.Equal(3, figures.GetProperty("attempts").GetArrayLength());
        Assert.True(figures.GetProperty("input_tokens").GetInt32() > 100);
        Assert.True(figures.GetProperty("total_time_ms").GetInt32() > 0);
        Assert.All(shown.GetProperty("progress_logs").EnumerateArray(), static entry =>
            Assert.Matches(@"[+-]\d\d:\d\d$", entry.GetProperty("timestamp").GetString()!));
        Assert.Equal(1, await scene.Database.ScalarAsync<int>("SELECT retry_count FROM lekhika.workflow_generation_jobs WHERE id = $1", Cancellation, id));
    }

    [Fact]
    public async Task A_row_inserted_is_done_with_at_most_six_writes_of_progress_and_poison_before_it_blocks_nothing()
    {
        await using var scene = await BeginAsync("nothing", "nothing", Good);
        await scene.Database.ExecuteAsync("""
            CREATE TABLE lekhika.writes (job uuid);
            CREATE FUNCTION lekhika.count_writes() RETURNS trigger LANGUAGE plpgsql AS $$ BEGIN INSERT INTO lekhika.writes VALUES (NEW.id); RETURN NULL; END $$;
            CREATE TRIGGER count_writes AFTER UPDATE ON lekhika.workflow_generation_jobs FOR EACH ROW EXECUTE FUNCTION lekhika.count_writes();
            INSERT INTO lekhika.workflow_generation_jobs (prompt, current_workflow, execution_history) VALUES ('poison', '[1]', '{"a":1}');
            """, Cancellation);
        var id = Guid.NewGuid();
        await scene.Database.ExecuteAsync("INSERT INTO lekhika.workflow_generation_jobs (id, prompt) VALUES ($1, 'good')", Cancellation, id);
        var daemon = await scene.DaemonAsync();

        Assert.Equal("completed", (await EndAsync(daemon, id)).GetProperty("status").GetString());
        Assert.InRange(await scene.Database.ScalarAsync<long>("SELECT count(*) FROM lekhika.writes WHERE job = $1", Cancellation, id), 1, 6);
        Assert.Equal("invalid_input", await scene.Database.ScalarAsync<string>(
            "SELECT error_details->>'code' FROM lekhika.workflow_generation_jobs WHERE prompt = 'poison' AND status = 'failed'", Cancellation));
    }

    [Fact]
    public async Task Progress_moves_while_the_model_writes_and_its_text_streams()
    {
        await using var scene = await BeginAsync();
        scene.Ollama.Script(new ScriptRule { Model = "qwen2.5:7b", Tokens = 4000, Speed = 200 });
        var daemon = await scene.DaemonAsync();
        var (_, posted) = await daemon.PostAsync("jobs", """{"prompt":"Write poems"}""", Cancellation);
        var id = posted.GetProperty("job_id").GetGuid();
        await daemon.UntilAsync(
            $"jobs/{id}/status",
            static (_, job) => job.GetProperty("current_phase").GetString() == "workflow_generation" && job.GetProperty("progress_percentage").GetInt32() is > 32 and < 90,
            Cancellation);

        using var response = await daemon.Http.GetAsync(new Uri($"jobs/{id}/events", UriKind.Relative), HttpCompletionOption.ResponseHeadersRead, Cancellation);
        using var reader = new StreamReader(await response.Content.ReadAsStreamAsync(Cancellation));
        string? line;
        while ((line = await reader.ReadLineAsync(Cancellation)) is not null && line != "event: text")
        {
            // Until the model's text comes.
        }

        Assert.Equal("event: text", line);
        var (status, _) = await daemon.PostAsync($"jobs/{id}/cancel", "{}", Cancellation);
        Assert.Equal(200, status);
        await scene.UntilOllamaAsync(static stats => stats.InFlight == 0, seconds: 2);
        Assert.Equal("cancelled", (await EndAsync(daemon, id)).GetProperty("status").GetString());
    }

    [Fact]
    public async Task A_job_cancelled_by_sql_lets_go_of_the_model_within_a_second_or_so()
    {
        await using var scene = await BeginAsync();
        scene.Ollama.Script(new ScriptRule { Model = "qwen2.5:7b", Tokens = 4000, Speed = 50 });
        await scene.DaemonAsync();
        await scene.Database.ExecuteAsync("INSERT INTO lekhika.workflow_generation_jobs (prompt) VALUES ('p')", Cancellation);
        await scene.UntilOllamaAsync(static stats => stats.Completions >= 2 && stats.Generating == 1);

        await scene.Database.ExecuteAsync("UPDATE lekhika.workflow_generation_jobs SET status = 'cancelled'", Cancellation);

        await scene.UntilOllamaAsync(static stats => stats.InFlight == 0, seconds: 2);
        Assert.Equal("cancelled", await scene.Database.ScalarAsync<string>("SELECT status FROM lekhika.workflow_generation_jobs", Cancellation));
        Assert.True(await scene.Database.ScalarAsync<long>("SELECT (observability->>'input_tokens')::bigint FROM lekhika.workflow_generation_jobs", Cancellation) > 0);
    }

    [Fact]
    public async Task A_daemon_killed_after_the_analysis_is_followed_by_one_that_writes()
    {
        await using var scene = await BeginAsync();
        scene.Ollama.Script(new ScriptRule { Model = "qwen2.5:7b", Tokens = 4000, Speed = 20, Times = 1 });
        scene.Ollama.Script(new ScriptRule { Model = "qwen2.5:7b", Reply = Good });
        var first = await scene.DaemonAsync();
        var (_, posted) = await first.PostAsync("jobs", """{"prompt":"Write poems"}""", Cancellation);
        var id = posted.GetProperty("job_id").GetGuid();
        await first.UntilAsync($"jobs/{id}/status", static (_, job) => job.GetProperty("progress_percentage").GetInt32() > 30, Cancellation);
        await first.KillAsync();

        var second = await scene.DaemonAsync(setup => setup.StateDirectory = first.StateDirectory);

        Assert.Equal("completed", (await EndAsync(second, id)).GetProperty("status").GetString());
        Assert.Equal(3, scene.Ollama.Stats.Completions);
    }

    [Fact]
    public async Task Unknown_finished_and_malformed_jobs_are_refused_with_true_codes()
    {
        await using var scene = await BeginAsync(Good);
        var daemon = await scene.DaemonAsync();
        Assert.Equal((200, "no_jobs"), await PollAsync(daemon));
        Assert.Equal(404, (await daemon.GetAsync($"jobs/{Guid.NewGuid()}/status", Cancellation)).Status);
        Assert.Equal(404, (await daemon.PostAsync($"jobs/{Guid.NewGuid()}/process", "", Cancellation)).Status);
        Assert.Equal(404, (await daemon.GetAsync($"workflow-status/{Guid.NewGuid()}", Cancellation)).Status);
        Assert.Equal(400, (await daemon.GetAsync("jobs/7/status", Cancellation)).Status);
        Assert.Equal(400, (await daemon.PostAsync("jobs", """{"mode":"create"}""", Cancellation)).Status);
        Assert.Equal(400, (await daemon.PostAsync("jobs", """{"prompt":"x","mode":"edit"}""", Cancellation)).Status);
        var (_, posted) = await daemon.PostAsync("jobs", """{"prompt":"x"}""", Cancellation);
        var id = posted.GetProperty("job_id").GetGuid();
        await EndAsync(daemon, id);
        Assert.Equal(409, (await daemon.PostAsync($"jobs/{id}/process", "", Cancellation)).Status);
        Assert.Equal(409, (await daemon.PostAsync($"jobs/{id}/cancel", "", Cancellation)).Status);
        Assert.Equal(409, (await daemon.PostAsync("jobs", $$"""{"id":"{{id}}","prompt":"another"}""", Cancellation)).Status);
    }

    [Fact]
    public async Task The_command_generates_without_a_database()
    {
        await using var scene = await BeginAsync("```json\n" + Good + "\n```");
        var file = Path.Combine(scene.Folder("generated"), "poem.json");

        var run = await ChildProcess.RunAsync(
            null, Cancellation, ["generate", "Write poems", "--out", file, "--config", "/dev/null", "--ollama.url", scene.Ollama.BaseAddress.ToString()]);

        Assert.True(run.ExitCode == 0, run.Error);
        Assert.Contains("Generating workflow structure", run.Error, StringComparison.Ordinal);
        using var workflow = JsonDocument.Parse(await File.ReadAllTextAsync(file, Cancellation));
        Assert.Equal("Poem", workflow.RootElement.GetProperty("name").GetString());
    }

    private async Task<Scene> BeginAsync(params string[] drafts)
    {
        var scene = await Scene.BeginAsync(servers);
        scene.Ollama.Script(new ScriptRule { Model = "mistral:7b", Reply = Analysis });
        if (drafts.Length > 0) scene.Ollama.Script(new ScriptRule { Model = "qwen2.5:7b", Replies = drafts });
        return scene;
    }

    private static async Task<(int Status, string? Word)> PollAsync(DaemonProcess daemon)
    {
        var (status, body) = await daemon.PostAsync("jobs/poll", "", Cancellation);
        return (status, body.GetProperty("status").GetString());
    }

    private static Task<JsonElement> EndAsync(DaemonProcess daemon, Guid id) => daemon.UntilAsync(
        $"jobs/{id}/status", static (status, job) => status == 200 && job.GetProperty("status").GetString() is "completed" or "failed" or "cancelled", Cancellation);
}
