using System.Text.Json;
using Lekhika.Daemon.Tests.EndToEnd.Support;
using Xunit;

namespace Lekhika.Daemon.Tests.EndToEnd;

/// <summary>Executions that wait: for signals and answers, before and after they come, beside work, paused, and taken over.</summary>
public sealed class WaitingTests(Servers servers)
{
    private const string Approval = """
        {"nodes":[{"id":"start","type":"trigger"},{"id":"ask","type":"approval","config":{"message":"Publish?","timeout":"2d","default":"reject"}},
          {"id":"yes","type":"set","config":{"values":{"went":"yes","by":"{{ nodes.ask.by }}"}}},{"id":"no","type":"set","config":{"values":{"went":"no"}}}],
         "edges":[{"from":"start","to":"ask"},{"from":"ask","to":"yes","when":"approve"},{"from":"ask","to":"no","when":"reject"}]}
        """;

    private const string TwoSignals = """
        {"nodes":[{"id":"one","type":"wait_for_signal","config":{"signal":"go"}},{"id":"two","type":"wait_for_signal","config":{"signal":"stop"}},
          {"id":"out","type":"output","config":{"value":{"one":"{{ nodes.one.payload }}","two":"{{ nodes.two.payload }}"}}}],
         "edges":[{"from":"one","to":"two"},{"from":"two","to":"out"}]}
        """;

    private static CancellationToken Cancellation => TestContext.Current.CancellationToken;

    [Fact]
    public async Task An_approval_is_shown_and_its_answer_decides()
    {
        await using var scene = await Scene.BeginAsync(servers);
        var daemon = await scene.DaemonAsync();
        var id = await scene.InsertAsync(Approval);
        await scene.UntilAsync(id, "waiting");
        var (_, status) = await daemon.GetAsync($"status/{id}", Cancellation);
        Assert.Equal("waiting", status.GetProperty("status").GetString());
        var step = status.GetProperty("waitingFor").GetProperty("steps")[0];
        Assert.Equal("Publish?", step.GetProperty("awaits").GetProperty("message").GetString());
        Assert.Equal("approve", step.GetProperty("awaits").GetProperty("options")[0].GetString());
        Assert.True(step.TryGetProperty("due_at", out _));

        var (code, reply) = await daemon.PostAsync($"approve/{id}", """{"by":"ana"}""", Cancellation);
        Assert.True(code == 202, reply.GetRawText());
        var end = await scene.EndAsync(id);
        Assert.Equal("completed", end.Status);
        Assert.Equal(("yes", "ana"), (end.ResultJson.GetProperty("went").GetString(), end.ResultJson.GetProperty("by").GetString()));
        Assert.Equal(0, await scene.Database.ScalarAsync<long>("SELECT count(*) FROM lekhika.events", Cancellation));

        (code, _) = await daemon.PostAsync($"approve/{id}", "{}", Cancellation);
        Assert.Equal(409, code);
    }

    [Fact]
    public async Task Signals_that_come_before_the_wait_and_twice_and_by_sql_are_each_delivered_once()
    {
        await using var scene = await Scene.BeginAsync(servers);
        var id = await scene.InsertAsync(TwoSignals);
        // Nobody works yet: the second is there long before its node is reached.
        await scene.Database.ExecuteAsync(
            "INSERT INTO lekhika.workflow_signals (execution_id, name, payload) VALUES ($1, 'stop', '{\"n\": 2}')", Cancellation, id);
        var daemon = await scene.DaemonAsync();
        await scene.UntilAsync(id, "waiting");
        for (var i = 0; i < 3; i++)
        {
            var (code, _) = await daemon.PostAsync($"executions/{id}/signals", """{"name":"go","payload":{"n":1},"signal_id":"s-1"}""", Cancellation);
            // It may be over before it is repeated; a repetition is accepted all the same.
            Assert.Equal(202, code);
        }

        var end = await scene.EndAsync(id);
        Assert.Equal("""{"one": {"n": 1}, "two": {"n": 2}}""", end.Result);
        Assert.Equal(2, await scene.Database.ScalarAsync<long>("SELECT count(*) FROM lekhika.workflow_signals", Cancellation));
    }

    [Fact]
    public async Task Each_iteration_has_a_gate_of_its_own()
    {
        const string Gates = """
            {"nodes":[{"id":"each","type":"map","config":{"items":"{{ ['a','b','c'] }}","concurrency":2,
               "body":{"nodes":[{"id":"check","type":"approval","config":{"message":"{{ item }}?"}}],"edges":[]}}}],"edges":[]}
            """;
        await using var scene = await Scene.BeginAsync(servers);
        var daemon = await scene.DaemonAsync();
        var id = await scene.InsertAsync(Gates);
        await scene.UntilAsync(id, "waiting");
        var (code, reply) = await daemon.PostAsync($"approve/{id}", "{}", Cancellation);
        Assert.Equal((409, "ambiguous_approval"), (code, reply.GetProperty("code").GetString()));
        Assert.Equal(2, reply.GetProperty("gates").GetArrayLength());

        // The third is not asked yet; its answer neither opens another nor is lost.
        Assert.Equal(202, (await daemon.PostAsync($"reject/{id}", """{"step_key":"each[2].check"}""", Cancellation)).Status);
        Assert.Equal(202, (await daemon.PostAsync($"approve/{id}", """{"step_key":"each[1].check"}""", Cancellation)).Status);
        Assert.Equal(202, (await daemon.PostAsync($"approve/{id}", """{"step_key":"each[0].check"}""", Cancellation)).Status);
        var end = await scene.EndAsync(id);
        Assert.Equal(
            ["approve", "approve", "reject"],
            end.ResultJson.GetProperty("items").EnumerateArray().Select(static item => item.GetProperty("answer").GetString()));
    }

    [Fact]
    public async Task A_branch_waits_while_another_works_and_is_answered_meanwhile()
    {
        var flow = $$$"""
            {"nodes":[{"id":"start","type":"trigger"},{"id":"ask","type":"approval","config":{"message":"?"}},{"id":"then","type":"set","config":{"values":{"x":1} } },
              {"id":"write","type":"llm","config":{"model":"llama3.2","prompt":"{{{Flows.Slowly(200, 20)}}}"}}],
             "edges":[{"from":"start","to":"ask"},{"from":"start","to":"write"},{"from":"ask","to":"then","when":"approve"}]}
            """;
        await using var scene = await Scene.BeginAsync(servers);
        var daemon = await scene.DaemonAsync();
        var id = await scene.InsertAsync(flow);
        await scene.UntilOllamaAsync(static stats => stats.Generating == 1);
        await daemon.UntilAsync($"status/{id}", static (_, status) => status.GetProperty("waitingFor").ValueKind == JsonValueKind.Object, Cancellation);
        Assert.Equal(202, (await daemon.PostAsync($"approve/{id}", "{}", Cancellation)).Status);
        // Answered while the model still writes: the branch behind it ends first.
        await daemon.UntilAsync(
            $"status/{id}",
            static (_, status) => status.GetProperty("steps").EnumerateArray().Any(static step => step.GetProperty("nodeId").GetString() == "then"
                && step.GetProperty("status").GetString() == "completed"),
            Cancellation);
        Assert.Equal(1, scene.Ollama.Stats.Generating);
        await scene.SetStatusAsync(id, "cancelled");
        Assert.Equal("cancelled", (await scene.EndAsync(id)).Status);
    }

    [Fact]
    public async Task While_it_is_paused_its_signals_keep_and_a_waiting_one_can_be_stopped()
    {
        await using var scene = await Scene.BeginAsync(servers);
        var daemon = await scene.DaemonAsync();
        var id = await scene.InsertAsync(Approval);
        await scene.UntilAsync(id, "waiting");
        Assert.Equal(200, (await daemon.PostAsync($"pause/{id}", "{}", Cancellation)).Status);
        Assert.Equal(202, (await daemon.PostAsync($"approve/{id}", "{}", Cancellation)).Status);
        await scene.UntilSqlAsync<bool>("SELECT paused FROM lekhika.parked", static paused => paused);
        // A whole round of every duty, in which nothing may happen to it.
        await scene.UntilSqlAsync<bool>(
            "SELECT heartbeat_at > $1::timestamptz + interval '2 seconds' FROM lekhika.workers WHERE NOT revoked",
            static later => later, 20, await scene.Database.ScalarAsync<DateTime>("SELECT clock_timestamp()", Cancellation));
        Assert.Equal("paused", await scene.StatusAsync(id));
        Assert.Equal(200, (await daemon.PostAsync($"resume/{id}", "{}", Cancellation)).Status);
        Assert.Equal("completed", (await scene.EndAsync(id)).Status);

        var stopped = await scene.InsertAsync(Approval);
        await scene.UntilAsync(stopped, "waiting");
        Assert.Equal(200, (await daemon.PostAsync($"stop/{stopped}", "{}", Cancellation)).Status);
        await scene.UntilSqlAsync<long>("SELECT count(*) FROM lekhika.parked", static parked => parked == 0);
        Assert.Equal("cancelled", await scene.StatusAsync(stopped));
    }

    [Fact]
    public async Task A_signal_sent_while_no_daemon_lives_is_delivered_by_the_next_one()
    {
        await using var scene = await Scene.BeginAsync(servers);
        var first = await scene.DaemonAsync();
        var id = await scene.InsertAsync(TwoSignals);
        await scene.UntilAsync(id, "waiting");
        await first.KillAsync();
        await scene.Database.ExecuteAsync(
            "INSERT INTO lekhika.workflow_signals (execution_id, name) SELECT $1, n FROM unnest(ARRAY['stop', 'go']) n", Cancellation, id);
        await scene.DaemonAsync();
        Assert.Equal("completed", (await scene.EndAsync(id)).Status);
    }
}
