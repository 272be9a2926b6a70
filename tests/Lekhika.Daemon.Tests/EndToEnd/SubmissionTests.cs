using System.Text;
using System.Text.Json;
using Lekhika.Daemon.Tests.EndToEnd.Support;
using Xunit;

namespace Lekhika.Daemon.Tests.EndToEnd;

/// <summary>A row or a request becomes a finished execution with a model's text in it.</summary>
public sealed class SubmissionTests(Servers servers)
{
    private static CancellationToken Cancellation => TestContext.Current.CancellationToken;

    [Theory]
    [InlineData("pending")]
    [InlineData("running")]
    public async Task An_inserted_row_is_completed_with_the_text_of_the_model(string status)
    {
        await using var scene = await Scene.BeginAsync(servers);
        await scene.DaemonAsync();
        var inline = await scene.InsertAsync(Flows.OneModel(Flows.Say("Rain falls.")), status: status);
        var stored = await scene.InsertAsync(
            workflow: await scene.WorkflowAsync(Flows.OneModel("About {{ inputs.topic }} " + Flows.Say("Snow falls."))),
            inputs: """{"topic":"weather"}""", status: status);

        foreach (var (id, text) in new[] { (inline, "Rain falls."), (stored, "Snow falls.") })
        {
            var end = await scene.EndAsync(id);
            Assert.Equal("completed", end.Status);
            Assert.Equal(text, end.ResultJson.GetProperty("text").GetString());
            Assert.True(end.TokensOut > 0);
            Assert.Equal(["ask succeeded"], await scene.StepsAsync(id));
        }

        Assert.Contains(scene.Ollama.Stats.Seen, static request => request.Body.Contains("About weather", StringComparison.Ordinal));
    }

    [Fact]
    public async Task Two_thousand_rows_of_one_statement_are_all_completed()
    {
        await using var scene = await Scene.BeginAsync(servers);
        var workflow = await scene.WorkflowAsync(Flows.Trivial);
        await scene.DaemonAsync();
        await scene.Database.ExecuteAsync(
            "INSERT INTO lekhika.workflow_executions (workflow_id, status) SELECT $1, CASE WHEN n % 2 = 0 THEN 'pending' ELSE 'running' END "
            + "FROM generate_series(1, 2000) n", Cancellation, workflow);
        await scene.UntilSqlAsync<long>("SELECT count(*) FROM lekhika.workflow_executions WHERE status = 'completed' AND run = 1", static done => done == 2000, 60);
        Assert.Equal(2000, await scene.Database.ScalarAsync<long>("SELECT count(*) FROM lekhika.workflow_execution_steps", Cancellation));
        Assert.Equal(0, await scene.Database.ScalarAsync<long>(
            "SELECT (SELECT count(*) FROM lekhika.ready) + (SELECT count(*) FROM lekhika.held) + (SELECT count(*) FROM lekhika.parked)", Cancellation));
    }

    [Fact]
    public async Task A_posted_execution_is_accepted_completed_and_never_run_twice()
    {
        await using var scene = await Scene.BeginAsync(servers);
        var daemon = await scene.DaemonAsync();
        var id = Guid.NewGuid();
        var body = $$$"""{"executionId":"{{{id}}}","workflow":{{{Flows.OneModel(Flows.Say("Once."))}}},"inputs":{"a":1},"userId":"u1"}""";

        var (status, reply) = await daemon.PostAsync("execute", body, Cancellation);
        Assert.Equal(202, status);
        Assert.True(reply.GetProperty("success").GetBoolean());
        Assert.True(reply.GetProperty("queued").GetBoolean());
        Assert.Equal(id, reply.GetProperty("executionId").GetGuid());
        // Acknowledged means durable: the row is there when the answer is.
        Assert.NotNull(await scene.StatusAsync(id));
        Assert.Equal("Once.", (await scene.EndAsync(id)).ResultJson.GetProperty("text").GetString());

        var again = await daemon.PostAsync("execute", body, Cancellation);
        Assert.Equal(202, again.Status);
        Assert.Equal("completed", again.Body.GetProperty("status").GetString());
        var other = await daemon.PostAsync("execute", body.Replace("\"a\":1", "\"a\":2", StringComparison.Ordinal), Cancellation);
        Assert.Equal(409, other.Status);
        Assert.Equal("conflict", other.Body.GetProperty("code").GetString());
        Assert.Equal(1, (await scene.RowAsync(id)).Run);
        Assert.Equal(1, scene.Ollama.Stats.Completions);

        var shown = await daemon.GetAsync($"status/{id}", Cancellation);
        Assert.Equal(200, shown.Status);
        Assert.Equal("completed", shown.Body.GetProperty("status").GetString());
        Assert.Equal(100, shown.Body.GetProperty("progress").GetDouble());
    }

    [Fact]
    public async Task Twenty_posts_of_one_id_at_once_make_one_run()
    {
        await using var scene = await Scene.BeginAsync(servers);
        var daemon = await scene.DaemonAsync();
        var id = Guid.NewGuid();
        var body = $$$"""{"executionId":"{{{id}}}","workflow":{{{Flows.OneModel(Flows.Say("Once."))}}},"inputs":{}}""";
        var replies = await Task.WhenAll(Enumerable.Range(0, 20).Select(_ => daemon.PostAsync("execute", body, Cancellation)));
        Assert.All(replies, static reply => Assert.Equal(202, reply.Status));
        Assert.Single(replies, static reply => reply.Body.GetProperty("created").GetBoolean());
        Assert.Equal("completed", (await scene.EndAsync(id)).Status);
        Assert.Equal(1, scene.Ollama.Stats.Completions);
    }

    [Fact]
    public async Task While_it_runs_status_and_events_tell_the_text_and_progress_only_grows()
    {
        await using var scene = await Scene.BeginAsync(servers);
        var daemon = await scene.DaemonAsync();
        var id = Guid.NewGuid();
        var body = $$$"""{"executionId":"{{{id}}}","workflow":{{{Flows.Chain(
            Flows.Slowly(60, 60, "first"), "[[double:reply:The end.]]")}}},"inputs":{}}""";
        Assert.Equal(202, (await daemon.PostAsync("execute", body, Cancellation)).Status);

        var (texts, progress, names) = (new Dictionary<string, StringBuilder>(StringComparer.Ordinal), new List<double>(), new List<string>());
        var following = Task.Run(
            async () =>
            {
                await foreach (var sent in EventLines.FollowAsync(daemon.Http, id, null, Cancellation))
                {
                    names.Add(sent.Name);
                    if (sent.Name == "snapshot")
                    {
                        texts.Clear();
                        foreach (var step in sent.Data.GetProperty("steps").EnumerateArray())
                        {
                            // What was written before the stream began: as it is being written, or in the output once the step is over.
                            var text = step.TryGetProperty("text", out var partial) && partial.ValueKind == JsonValueKind.String ? partial.GetString()
                                : step.TryGetProperty("output", out var output) && output.ValueKind == JsonValueKind.Object
                                    && output.TryGetProperty("text", out var whole) ? whole.GetString()
                                : null;
                            texts[step.GetProperty("key").GetString()!] = new StringBuilder(text);
                        }
                    }
                    else if (sent.Name == "text")
                    {
                        var key = sent.Data.GetProperty("step").GetString()!;
                        if (!texts.TryGetValue(key, out var text)) texts[key] = text = new StringBuilder();
                        text.Append(sent.Data.GetProperty("text").GetString());
                    }

                    if (sent.Data.TryGetProperty("progress", out var percent)) progress.Add(percent.GetDouble());
                    if (sent.Name == "end") return;
                }
            },
            Cancellation);

        var seen = new List<double>();
        var partials = new HashSet<string>(StringComparer.Ordinal);
        await daemon.UntilAsync(
            $"status/{id}",
            (_, shown) =>
            {
                seen.Add(shown.GetProperty("progress").GetDouble());
                if (shown.GetProperty("status").GetString() == "running") partials.Add(shown.GetProperty("currentOutput").GetString()!);
                return shown.GetProperty("status").GetString() == "completed";
            },
            Cancellation);
        await following.WaitAsync(TimeSpan.FromSeconds(20), TimeProvider.System, Cancellation);

        Assert.True(partials.Count > 3, "the partial text grew: " + string.Join(" | ", partials.Select(static text => text.Length)));
        Assert.Equal(seen.Order(), seen);
        Assert.Equal(progress.Order(), progress);
        Assert.Equal("end", names[^1]);
        foreach (var key in new[] { "a", "b" })
        {
            var text = await scene.Database.ScalarAsync<string>(
                "SELECT output ->> 'text' FROM lekhika.execution_steps WHERE execution_id = $1 AND step_key = $2", Cancellation, id, key);
            Assert.Equal(text, texts[key].ToString());
        }
    }

    [Fact]
    public async Task Someone_who_polls_by_sql_sees_it_running_after_about_a_second()
    {
        await using var scene = await Scene.BeginAsync(servers);
        await scene.DaemonAsync();
        var id = await scene.InsertAsync(Flows.OneModel(Flows.Slowly(60, 20)));
        var row = await scene.UntilAsync(id, "running");
        Assert.Equal("ask", row.CurrentNode);
        Assert.Equal("completed", (await scene.EndAsync(id)).Status);
    }
}
