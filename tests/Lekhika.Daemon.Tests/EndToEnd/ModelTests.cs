using Lekhika.Daemon.Tests.EndToEnd.Support;
using Lekhika.Doubles;
using Xunit;

namespace Lekhika.Daemon.Tests.EndToEnd;

/// <summary>Ollama is away, fails, comes back; branches, joins, retries and error edges with models in them.</summary>
public sealed class ModelTests(Servers servers)
{
    private static CancellationToken Cancellation => TestContext.Current.CancellationToken;

    [Fact]
    public async Task With_no_ollama_at_the_start_it_waits_and_completes_once_it_is_there()
    {
        await using var scene = await Scene.BeginAsync(servers);
        var port = Ports.Take();
        var daemon = await scene.DaemonAsync(setup =>
        {
            setup.Settings["ollama.url"] = $"http://127.0.0.1:{port}";
            setup.Settings["worker.retry_delay"] = "500ms";
        });
        await daemon.LogAsync(Cancellation, "Models:", "wait and retry");
        var ready = await daemon.UntilAsync("health/ready", static (_, body) => body.GetProperty("checks").GetProperty("ollama").GetProperty("endpoints").GetArrayLength() > 0, Cancellation);
        Assert.False(ready.GetProperty("ready").GetBoolean());
        Assert.Contains(port.ToString(System.Globalization.CultureInfo.InvariantCulture), ready.GetProperty("reasons").GetRawText(), StringComparison.Ordinal);
        var id = await scene.InsertAsync(Flows.OneModel(Flows.Say("here I am")));
        await scene.UntilAsync(id, "running");

        await using var late = await OllamaDouble.StartAsync(Scene.Fast with { Port = port }, Cancellation);
        Assert.Equal("here I am", (await scene.EndAsync(id)).ResultJson.GetProperty("text").GetString());
        await daemon.UntilAsync("health/ready", static (status, _) => status == 200, Cancellation);
    }

    [Fact]
    public async Task Ollama_that_goes_away_under_a_call_and_returns_costs_a_retry_and_no_execution()
    {
        await using var scene = await Scene.BeginAsync(servers);
        var port = Ports.Take();
        var first = await OllamaDouble.StartAsync(Scene.Fast with { Port = port }, Cancellation);
        var daemon = await scene.DaemonAsync(setup => setup.Settings["ollama.url"] = $"http://127.0.0.1:{port}");
        var ids = new List<Guid>();
        first.Script(new ScriptRule { Tokens = 2000, Speed = 20 });
        for (var i = 0; i < 6; i++) ids.Add(await scene.InsertAsync(Flows.OneModel($"number {i}")));
        while (first.Stats.Generating < 4) await Task.Delay(TimeSpan.FromMilliseconds(10), TimeProvider.System, Cancellation);
        await first.DisposeAsync();
        await daemon.LogAsync(Cancellation, "Models:", "wait and retry");
        await using var second = await OllamaDouble.StartAsync(Scene.Fast with { Port = port }, Cancellation);
        foreach (var id in ids) Assert.Equal("completed", (await scene.EndAsync(id, 60)).Status);
    }

    [Fact]
    public async Task A_server_that_fails_the_first_times_is_asked_again_and_each_step_is_recorded_once()
    {
        await using var scene = await Scene.BeginAsync(servers);
        await scene.DaemonAsync(static setup => setup.Settings["worker.retry_delay"] = "100ms");
        var broken = await scene.InsertAsync(Flows.OneModel("[[double:fault:500 times=2 key=a]] [[double:tokens:5]]"));
        var cut = await scene.InsertAsync(Flows.OneModel("[[double:fault:reset times=1 key=b]] [[double:tokens:30]]"));
        var crashed = await scene.InsertAsync(Flows.OneModel("[[double:fault:runner-crash times=1 key=c]] [[double:tokens:30]]"));
        foreach (var id in new[] { broken, cut, crashed })
        {
            var end = await scene.EndAsync(id);
            Assert.True(end.Status == "completed", $"{end}");
            Assert.Single(await scene.StepsAsync(id), static step => step == "ask succeeded");
        }
    }

    [Fact]
    public async Task A_node_that_keeps_failing_is_retried_as_its_policy_says_and_then_follows_its_error_edge()
    {
        await using var scene = await Scene.BeginAsync(servers);
        await scene.DaemonAsync();
        const string Bad = """{"model":"llama3.2","prompt":"[[double:fault:html status=502]]"}""";
        const string Retry = "\"retry\":{\"max_attempts\":2,\"initial_delay\":\"50ms\"}";
        var failing = await scene.InsertAsync($$$"""{"nodes":[{"id":"ask","type":"llm","config":{{{Bad}}},{{{Retry}}} }],"edges":[]}""");
        var caught = await scene.InsertAsync($$$"""
            {"nodes":[{"id":"ask","type":"llm","on_error":"branch","config":{{{Bad}}},{{{Retry}}} },
                      {"id":"good","type":"set","config":{"values":{"way":"good"} } },
                      {"id":"bad","type":"set","config":{"values":{"way":"bad"} } }],
             "edges":[{"from":"ask","to":"good"},{"from":"ask","to":"bad","when":"error"}]}
            """);
        var end = await scene.EndAsync(failing, 90);
        Assert.Equal("failed", end.Status);
        Assert.StartsWith("model_", end.Code, StringComparison.Ordinal);
        Assert.Equal(["ask retrying", "ask failed"], await scene.StepsAsync(failing));
        end = await scene.EndAsync(caught, 90);
        Assert.Equal("completed", end.Status);
        Assert.Contains("bad", end.Result, StringComparison.Ordinal);
        Assert.Equal(["ask retrying", "ask failed", "bad succeeded"], await scene.StepsAsync(caught));
    }

    [Fact]
    public async Task Branches_ask_models_side_by_side_and_meet_at_a_join()
    {
        await using var scene = await Scene.BeginAsync(servers);
        await scene.DaemonAsync();
        var id = await scene.InsertAsync($$$$"""
            {"nodes":[{"id":"start","type":"trigger"},
                      {"id":"l","type":"llm","config":{"model":"llama3.2","prompt":"left {{{{Flows.Slowly(20, 20)}}}}"}},
                      {"id":"r","type":"llm","config":{"model":"llama3.2","prompt":"right {{{{Flows.Slowly(20, 20)}}}}"}},
                      {"id":"m","type":"llm","config":{"model":"llama3.2","prompt":"middle {{{{Flows.Slowly(20, 20)}}}}"}},
                      {"id":"if","type":"condition","config":{"expression":"inputs.n > 3"}},
                      {"id":"big","type":"set","config":{"values":{"size":"big"}}},
                      {"id":"small","type":"set","config":{"values":{"size":"small"}}},
                      {"id":"join","type":"merge"},
                      {"id":"end","type":"set","config":{"values":{"l":"{{ nodes[\"l\"].text }}","r":"{{ nodes[\"r\"].text }}","n":"{{ inputs.n }}"}}}],
             "edges":[{"from":"start","to":"l"},{"from":"start","to":"r"},{"from":"start","to":"m"},{"from":"start","to":"if"},
                      {"from":"if","to":"big","when":"true"},{"from":"if","to":"small","when":"false"},
                      {"from":"l","to":"join"},{"from":"r","to":"join"},{"from":"m","to":"join"},{"from":"big","to":"join"},{"from":"small","to":"join"},
                      {"from":"join","to":"end"}]}
            """, inputs: """{"n":5}""");
        var end = await scene.EndAsync(id);
        Assert.True(end.Status == "completed", $"{end}");
        Assert.True(scene.Ollama.Stats.GeneratingMax >= 3, $"{scene.Ollama.Stats.GeneratingMax} at once");
        Assert.Equal(5, end.ResultJson.GetProperty("n").GetInt32());
        Assert.NotEqual("", end.ResultJson.GetProperty("l").GetString());
        var steps = await scene.StepsAsync(id);
        Assert.Contains("big succeeded", steps);
        Assert.DoesNotContain(steps, static step => step.StartsWith("small", StringComparison.Ordinal));
        Assert.Equal("end succeeded", steps[^1]);
    }
}
