using System.Text.Json;
using Lekhika.Daemon.Tests.EndToEnd.Support;
using Xunit;

namespace Lekhika.Daemon.Tests.EndToEnd;

/// <summary>Executions that fail and are resumed: over HTTP and by SQL, where they failed and before, with edited nodes and an instruction.</summary>
public sealed class ResumeTests(Servers servers)
{
    private const string NoRetry = ",\"retry\":{\"max_attempts\":1}";

    private static CancellationToken Cancellation => TestContext.Current.CancellationToken;

    /// <summary>Four llm nodes in a row, of which the third fails as often as said.</summary>
    private static string FailsAtC(int times) => $$"""
        {"nodes":[{{Node("a", $"first {Flows.Say("one")}")}},{{Node("b", $"second {Flows.Say("two")}")}},
                  {{Node("c", $"third [[double:fault:400 times={times} key=c]] {Flows.Say("three")}")}},
                  {{Node("d", "fourth, after {{ nodes.c.text }} and {{ nodes.a.text }}")}}],
         "edges":[{"from":"a","to":"b"},{"from":"b","to":"c"},{"from":"c","to":"d"}]}
        """;

    private static string Node(string id, string prompt) =>
        $$"""{"id":"{{id}}","type":"llm","config":{"model":"llama3.2","prompt":"{{prompt}}"}{{NoRetry}}}""";

    private static int Asked(Scene scene, string text) =>
        scene.Ollama.Stats.Seen.Count(request => request.Body.Contains(text, StringComparison.Ordinal));

    [Fact]
    public async Task What_failed_at_its_third_node_goes_on_there_on_another_daemon_and_asks_nothing_twice()
    {
        await using var scene = await Scene.BeginAsync(servers);
        var first = await scene.DaemonAsync();
        var id = await scene.InsertAsync(FailsAtC(1), inputs: """{"topic":"rain"}""");
        Assert.Equal("failed", (await scene.EndAsync(id)).Status);
        var status = await first.UntilAsync($"status/{id}", static (_, body) => body.GetProperty("status").GetString() == "failed", Cancellation);
        Assert.True(status.GetProperty("resumable").GetBoolean());
        Assert.Equal("c", status.GetProperty("failedNodeId").GetString());
        var checkpoint = status.GetProperty("checkpointData");
        Assert.Equal("c", checkpoint.GetProperty("failedAtNode").GetString());
        Assert.Equal(["a", "b"], checkpoint.GetProperty("completedNodes").EnumerateArray().Select(static node => node.GetString()!));
        Assert.Equal("two", checkpoint.GetProperty("lastNodeOutput").GetProperty("text").GetString());
        Assert.Equal("rain", checkpoint.GetProperty("userInput").GetProperty("topic").GetString());
        await first.StopAsync(Cancellation);

        var second = await scene.DaemonAsync();
        // As the platform's edge function sends it.
        var (code, body) = await second.PostAsync(
            "resume",
            $$"""{"executionId":"{{id}}","lekhikaApiKey":"LEKH-2-x","userId":"u","workflow":{{FailsAtC(1)}},"inputs":{},"options":{},"regenerateContext":null}""",
            Cancellation);
        Assert.True(code == 200, body.GetRawText());
        Assert.Equal(2, body.GetProperty("run").GetInt32());
        Assert.Equal("c", body.GetProperty("resumedAt")[0].GetString());

        var end = await scene.EndAsync(id);
        Assert.True(end.Status == "completed", $"{end}");
        Assert.Equal((1, 1, 2), (Asked(scene, "first "), Asked(scene, "second "), Asked(scene, "third ")));
        Assert.Equal(1, Asked(scene, "fourth, after three and one"));
        Assert.Equal(["a succeeded", "b succeeded", "c failed", "c succeeded", "d succeeded"], await scene.StepsAsync(id));

        status = await second.UntilAsync($"status/{id}", static (_, shown) => shown.GetProperty("status").GetString() == "completed", Cancellation);
        Assert.False(status.GetProperty("resumable").GetBoolean());
        Assert.Empty(status.GetProperty("checkpointData").EnumerateObject());
        Assert.Equal(["a", "b", "c", "d"], status.GetProperty("steps").EnumerateArray().Select(static step => step.GetProperty("key").GetString()!).Order());
        Assert.All(status.GetProperty("steps").EnumerateArray(), static step => Assert.Equal("completed", step.GetProperty("status").GetString()));

        (code, body) = await second.PostAsync($"retry/{id}", "", Cancellation);
        Assert.Equal(409, code);
        Assert.Equal("already_finished", body.GetProperty("code").GetString());
        Assert.Contains("completed", body.GetProperty("error").GetString(), StringComparison.Ordinal);
    }

    [Theory]
    [InlineData("http")]
    [InlineData("sql")]
    public async Task Who_was_asked_beside_the_failure_is_not_asked_again_and_signals_on_their_way_arrive(string by)
    {
        await using var scene = await Scene.BeginAsync(servers);
        var daemon = await scene.DaemonAsync();
        var id = await scene.InsertAsync($$$"""
            {"nodes":[{"id":"start","type":"trigger"},{"id":"ask","type":"approval","config":{"message":"Publish?","timeout":"2d"}},
              {{{Node("slow", $"slow {Flows.Slowly(30, 20)}")}}},{{{Node("c", $"third [[double:fault:400 times=1 key=ask]] {Flows.Say("three")}")}}},
              {"id":"go","type":"wait_for_signal","config":{"signal":"go"}},
              {"id":"out","type":"output","config":{"value":{"by":"{{ nodes.ask.by }}","n":"{{ nodes.go.payload.n }}"} } }],
             "edges":[{"from":"start","to":"ask"},{"from":"start","to":"slow"},{"from":"slow","to":"c"},{"from":"c","to":"go"},{"from":"go","to":"out"},
                      {"from":"ask","to":"out"}]}
            """);
        // Taken note of, and nobody waits for it yet.
        Assert.Equal(202, (await daemon.PostAsync($"executions/{id}/signals", """{"name":"go","payload":{"n":7}}""", Cancellation)).Status);
        Assert.Equal("failed", (await scene.EndAsync(id)).Status);
        const string Asked = "SELECT due_at FROM lekhika.workflow_execution_steps WHERE step_key = 'ask' AND outcome = 'waiting'";
        var due = await scene.Database.ScalarAsync<DateTime>(Asked, Cancellation);

        if (by == "sql") await scene.SetStatusAsync(id, "pending");
        else Assert.Equal(200, (await daemon.PostAsync($"resume/{id}", "{}", Cancellation)).Status);
        await scene.UntilSqlAsync<long>("SELECT count(*) FROM lekhika.workflow_execution_steps WHERE run = 2 AND step_key = 'go' AND outcome = 'succeeded'", static count => count == 1);
        await scene.UntilAsync(id, "waiting");
        Assert.Equal(due, await scene.Database.ScalarAsync<DateTime>("SELECT due_at FROM lekhika.parked", Cancellation));
        Assert.Equal(1, await scene.Database.ScalarAsync<long>("SELECT count(*) FROM lekhika.workflow_execution_steps WHERE step_key = 'ask'", Cancellation));

        var (code, reply) = await daemon.PostAsync($"approve/{id}", """{"by":"ana"}""", Cancellation);
        Assert.True(code == 202, reply.GetRawText());
        var end = await scene.EndAsync(id);
        Assert.True(end.Status == "completed", $"{end}");
        Assert.Equal(("ana", 7), (end.ResultJson.GetProperty("by").GetString(), end.ResultJson.GetProperty("n").GetInt32()));
        Assert.Equal(0, await scene.Database.ScalarAsync<long>("SELECT count(*) FROM lekhika.events", Cancellation));
    }

    [Fact]
    public async Task In_an_edited_graph_what_only_waited_is_asked_anew()
    {
        await using var scene = await Scene.BeginAsync(servers);
        var daemon = await scene.DaemonAsync();
        var id = await scene.InsertAsync($$$"""
            {"nodes":[{"id":"start","type":"trigger"},{"id":"ask","type":"approval","config":{"message":"Publish?"}},
              {{{Node("c", $"third [[double:fault:400 times=1 key=edited]] {Flows.Say("three")}")}}}],
             "edges":[{"from":"start","to":"ask"},{"from":"start","to":"c"}]}
            """);
        Assert.Equal("failed", (await scene.EndAsync(id)).Status);
        var (code, body) = await daemon.PostAsync($"resume/{id}", """{"nodes":[{"id":"ask","type":"approval","config":{"message":"Really?"}}]}""", Cancellation);
        Assert.True(code == 200, body.GetRawText());
        var status = await daemon.UntilAsync($"status/{id}", static (_, shown) => shown.GetProperty("status").GetString() == "waiting", Cancellation);
        Assert.Equal("Really?", status.GetProperty("waitingFor").GetProperty("steps")[0].GetProperty("awaits").GetProperty("message").GetString());
        Assert.Equal(202, (await daemon.PostAsync($"approve/{id}", "{}", Cancellation)).Status);
        Assert.Equal("completed", (await scene.EndAsync(id)).Status);
    }

    [Fact]
    public async Task An_earlier_node_is_run_again_with_everything_after_it_and_its_prompt_holds_the_instruction()
    {
        await using var scene = await Scene.BeginAsync(servers);
        var daemon = await scene.DaemonAsync();
        var id = await scene.InsertAsync(FailsAtC(1));
        Assert.Equal("failed", (await scene.EndAsync(id)).Status);
        var (code, body) = await daemon.PostAsync($"retry/{id}", """{"from":"zz"}""", Cancellation);
        Assert.True(code == 400 && body.GetProperty("error").GetString()!.Contains("'zz'", StringComparison.Ordinal), body.GetRawText());
        (code, body) = await daemon.PostAsync($"retry/{id}", """{"from":"d"}""", Cancellation);
        Assert.True(code == 409 && body.GetProperty("error").GetString()!.Contains("has not run", StringComparison.Ordinal), body.GetRawText());

        (code, body) = await daemon.PostAsync($"retry/{id}", """{"from":"b","instruction":"shorter this time"}""", Cancellation);
        Assert.True(code == 200, body.GetRawText());
        Assert.Equal("completed", (await scene.EndAsync(id)).Status);
        Assert.Equal((1, 2, 2), (Asked(scene, "first "), Asked(scene, "second "), Asked(scene, "third ")));
        var told = Assert.Single(scene.Ollama.Stats.Seen, static request => request.Body.Contains("shorter this time", StringComparison.Ordinal));
        Assert.Contains("second ", told.Body, StringComparison.Ordinal);
    }

    [Fact]
    public async Task Edited_nodes_are_taken_for_what_is_to_run_and_refused_for_what_is_kept()
    {
        await using var scene = await Scene.BeginAsync(servers);
        var daemon = await scene.DaemonAsync();
        var workflow = await scene.WorkflowAsync(FailsAtC(99));
        var id = await scene.InsertAsync(workflow: workflow);
        Assert.Equal("failed", (await scene.EndAsync(id)).Status);
        var hash = await scene.Database.ScalarAsync<Guid>("SELECT definition_hash FROM lekhika.workflow_executions WHERE id = $1", Cancellation, id);

        var (code, body) = await daemon.PostAsync($"resume/{id}", $$"""{"nodes":[{{Node("a", "otherwise")}}]}""", Cancellation);
        Assert.True(code == 409, body.GetRawText());
        Assert.Contains("'a'", body.GetProperty("error").GetString(), StringComparison.Ordinal);
        Assert.Equal("node_has_run", body.GetProperty("problems")[0].GetProperty("code").GetString());
        (code, body) = await daemon.PostAsync($"resume/{id}", """{"nodes":[{"id":"c","type":"sracping","config":{}}]}""", Cancellation);
        Assert.True(code == 400, body.GetRawText());
        Assert.Equal("invalid_workflow", body.GetProperty("code").GetString());
        (code, body) = await daemon.PostAsync($"resume/{id}", """{"nodes":[{"id":"new","type":"noop"}]}""", Cancellation);
        Assert.True(code == 400, body.GetRawText());
        Assert.Equal("failed", await scene.StatusAsync(id));

        (code, body) = await daemon.PostAsync($"resume/{id}", $$"""{"nodes":[{{Node("c", $"mended {Flows.Say("three")}")}}]}""", Cancellation);
        Assert.True(code == 200, body.GetRawText());
        Assert.Equal("completed", (await scene.EndAsync(id)).Status);
        Assert.Equal((1, 1, 1, 1), (Asked(scene, "first "), Asked(scene, "second "), Asked(scene, "third "), Asked(scene, "mended ")));
        Assert.NotEqual(hash, await scene.Database.ScalarAsync<Guid>("SELECT definition_hash FROM lekhika.workflow_executions WHERE id = $1", Cancellation, id));
        Assert.Equal(hash, await scene.Database.ScalarAsync<Guid>("SELECT definition_hash FROM lekhika.workflows WHERE id = $1", Cancellation, workflow));
    }

    [Fact]
    public async Task Set_to_pending_by_sql_it_does_what_the_route_does_and_keeps_the_definition_it_began_with()
    {
        await using var scene = await Scene.BeginAsync(servers);
        await scene.DaemonAsync();
        var workflow = await scene.WorkflowAsync(FailsAtC(2));
        var id = await scene.InsertAsync(workflow: workflow);
        Assert.Equal("failed", (await scene.EndAsync(id)).Status);
        await scene.Database.ExecuteAsync("UPDATE lekhika.workflows SET definition = $2::jsonb WHERE id = $1", Cancellation, workflow, Flows.Trivial);
        await scene.SetStatusAsync(id, "pending");
        Assert.Equal(2, (await scene.UntilAsync(id, static row => row is { Status: "failed", Run: 2 })).Run);
        await scene.SetStatusAsync(id, "pending");
        var end = await scene.EndAsync(id);
        Assert.True(end is { Status: "completed", Run: 3 }, $"{end}");
        Assert.Equal((1, 1, 3), (Asked(scene, "first "), Asked(scene, "second "), Asked(scene, "third ")));

        // What completed begins anew, with the workflow as it is now.
        await scene.SetStatusAsync(id, "pending");
        await scene.UntilAsync(id, static row => row is { Status: "completed", Run: 4 });
        Assert.Equal(1, Asked(scene, "first "));
        Assert.Equal("a succeeded", (await scene.StepsAsync(id))[^1]);
    }

    [Fact]
    public async Task Of_a_map_only_the_items_that_failed_run_again()
    {
        await using var scene = await Scene.BeginAsync(servers);
        var daemon = await scene.DaemonAsync();
        const string Inner = """{"id":"ask","type":"llm","config":{"model":"llama3.2","prompt":"item {{ item }} {{ item == 'y' ? '[[double:fault:400 times=1 key=y]]' : '' }}"},"retry":{"max_attempts":1}}""";
        var id = await scene.InsertAsync($$$"""
            {"nodes":[{"id":"each","type":"map","config":{"items":["x","y","z"],"concurrency":1,"body":{"nodes":[{{{Inner}}}],"edges":[]} } },
                      {"id":"after","type":"set","config":{"values":{"n":"{{ nodes.each.count }}"} } }],
             "edges":[{"from":"each","to":"after"}]}
            """);
        var end = await scene.EndAsync(id);
        Assert.True(end.Status == "failed", $"{end}");
        var (code, body) = await daemon.PostAsync($"resume/{id}", "{}", Cancellation);
        Assert.True(code == 200, body.GetRawText());
        Assert.Equal("each[1].ask", body.GetProperty("resumedAt")[0].GetString());
        end = await scene.EndAsync(id);
        Assert.True(end.Status == "completed", $"{end}");
        Assert.Equal((1, 2, 1), (Asked(scene, "item x"), Asked(scene, "item y"), Asked(scene, "item z")));
        Assert.Equal(3, end.ResultJson.GetProperty("n").GetInt32());
    }
}
