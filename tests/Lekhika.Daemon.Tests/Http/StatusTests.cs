using System.Diagnostics;
using System.Net;
using System.Text.Json;
using Lekhika.Daemon.Tests.Http.Support;
using Lekhika.Workflows.Execution;
using Xunit;

namespace Lekhika.Daemon.Tests.Http;

public sealed class StatusTests
{
    private static readonly Guid Id = Guid.Parse("0197f3a0-4c1e-7d2b-9a55-3f6f0b1c2d3e");

    // What the modal reaches into without looking.
    private static readonly string[] Objects = ["nodeResults", "storyContext", "chapterInfo", "checkpointData", "userInput", "workflow"];
    private static readonly string[] Arrays = ["processingSteps", "steps", "allFormats", "thinkingHistory"];
    private static readonly string[] Others =
    [
        "status", "startTime", "endTime", "duration", "error", "error_message", "progress", "currentNode", "currentNodeId", "nodeType", "nodeIndex",
        "totalNodes", "currentOutput", "aiResponse", "aiThinking", "tokens", "words", "cost", "chaptersGenerated", "result", "failedNodeId", "resumable",
        "timestamp", "runNumber", "waitingFor", "queuePosition", "workerId",
    ];

    [Fact]
    public async Task A_running_execution_is_told_from_memory()
    {
        await using var server = await TestServer.StartAsync();
        server.Store.Fails = static () => new InvalidOperationException("the database was asked");
        var run = new TestRun(Id).Begin().Say("Rivers ").Say("flow");
        run.Live.SetProgress(12.34);
        server.Live.Add(run.Live);

        var (response, body) = await server.GetAsync($"/status/{Id}");

        Assert.Equal(HttpStatusCode.OK, response.StatusCode);
        Assert.True(body.GetProperty("success").GetBoolean());
        Assert.Equal(Id, body.GetProperty("executionId").GetGuid());
        var status = body.GetProperty("status");
        AssertComplete(status);
        Assert.Equal("running", status.GetProperty("status").GetString());
        Assert.Equal(12.3, status.GetProperty("progress").GetDouble());
        Assert.Equal("Ask the model", status.GetProperty("currentNode").GetString());
        Assert.Equal("ask", status.GetProperty("currentNodeId").GetString());
        Assert.Equal("llm", status.GetProperty("nodeType").GetString());
        Assert.Equal(2, status.GetProperty("totalNodes").GetInt32());
        Assert.Equal("Rivers flow", status.GetProperty("aiResponse").GetString());
        Assert.Equal("Rivers flow", status.GetProperty("steps")[0].GetProperty("text").GetString());
        Assert.Equal("rivers", status.GetProperty("userInput").GetProperty("topic").GetString());
        Assert.Equal(2, status.GetProperty("workflow").GetProperty("nodes").GetArrayLength());
        Assert.Equal(1, status.GetProperty("workflow").GetProperty("edges").GetArrayLength());
        Assert.Equal(
            ["running", "pending"], status.GetProperty("processingSteps").EnumerateArray().Select(static step => step.GetProperty("status").GetString()));
        Assert.Equal("worker-1", status.GetProperty("workerId").GetString());
    }

    [Fact]
    public async Task One_that_has_just_ended_is_told_from_memory_too()
    {
        await using var server = await TestServer.StartAsync();
        server.Live.Add(new TestRun(Id).Begin().Say("Riv").Answer("Rivers flow north.").Complete().Live);
        var (_, body) = await server.GetAsync($"/status/{Id}");
        var status = body.GetProperty("status");
        AssertComplete(status);
        Assert.Equal("completed", status.GetProperty("status").GetString());
        Assert.Equal(100, status.GetProperty("progress").GetDouble());
        Assert.Equal(12, status.GetProperty("tokens").GetInt64());
        Assert.Equal("done", status.GetProperty("result").GetProperty("value").GetString());
        Assert.Equal("Rivers flow north.", status.GetProperty("nodeResults").GetProperty("ask").GetProperty("content").GetString());
        Assert.Equal("qwen2.5:0.5b", status.GetProperty("nodeResults").GetProperty("ask").GetProperty("aiMetadata").GetProperty("model").GetString());
        Assert.True(status.GetProperty("endTime").GetInt64() > 0);
    }

    [Fact]
    public async Task A_queued_one_is_told_with_its_place()
    {
        await using var server = await TestServer.StartAsync();
        server.Store.Put(TestServer.Row(Id, "pending"));
        server.Store.Position = 4;
        var (_, body) = await server.GetAsync($"/status/{Id}");
        var status = body.GetProperty("status");
        AssertComplete(status);
        Assert.Equal("pending", status.GetProperty("status").GetString());
        Assert.Equal(4, status.GetProperty("queuePosition").GetInt64());
        Assert.Equal(0, status.GetProperty("progress").GetDouble());
        Assert.Equal(2, status.GetProperty("processingSteps").GetArrayLength());
        Assert.Equal("Ask", status.GetProperty("processingSteps")[0].GetProperty("name").GetString());
    }

    [Fact]
    public async Task A_finished_one_is_told_from_its_row_and_steps()
    {
        await using var server = await TestServer.StartAsync();
        server.Store.Put(TestServer.Row(Id, "failed") with { Error = "the model said no", CurrentNodeId = "out", TokensOut = 9 });
        server.Store.Steps[42] =
        [
            Record("ask", 1, StepOutcome.Retrying, error: new StepError("model_failed", "broken", true)),
            Record("ask", 2, StepOutcome.Succeeded, """{"text":"Rivers."}"""),
            Record("many[0].inner", 1, StepOutcome.Succeeded, """{"value":1}"""),
            Record("many[1]", 1, StepOutcome.Opened),
            Record("out", 1, StepOutcome.Failed, error: new StepError("model_refused", "the model said no")),
        ];
        var (_, body) = await server.GetAsync($"/status/{Id}");
        var status = body.GetProperty("status");
        AssertComplete(status);
        Assert.Equal("failed", status.GetProperty("status").GetString());
        Assert.Equal("the model said no", status.GetProperty("error").GetString());
        Assert.Equal("out", status.GetProperty("failedNodeId").GetString());
        var steps = status.GetProperty("steps").EnumerateArray().ToDictionary(static step => step.GetProperty("key").GetString()!);
        Assert.Equal(["ask", "many[0].inner", "out"], steps.Keys.Order(StringComparer.Ordinal));
        Assert.Equal("completed", steps["ask"].GetProperty("status").GetString());
        Assert.Equal(2, steps["ask"].GetProperty("attempt").GetInt32());
        Assert.Equal("inner", steps["many[0].inner"].GetProperty("nodeId").GetString());
        Assert.Equal("model_refused", steps["out"].GetProperty("error").GetProperty("code").GetString());
        Assert.Equal("Rivers.", status.GetProperty("nodeResults").GetProperty("ask").GetProperty("content").GetString());
    }

    [Fact]
    public async Task A_row_with_nothing_in_it_still_has_every_field()
    {
        await using var server = await TestServer.StartAsync();
        server.Store.Put(TestServer.Row(Id, "cancelled") with { Inputs = null, Definition = null });
        var (_, body) = await server.GetAsync($"/status/{Id}");
        AssertComplete(body.GetProperty("status"));
    }

    [Fact]
    public async Task Fields_leaves_out_what_is_not_wanted()
    {
        await using var server = await TestServer.StartAsync();
        server.Live.Add(new TestRun(Id).Begin().Live);
        var (_, only) = await server.GetAsync($"/status/{Id}?fields=status,progress");
        Assert.Equal(["status", "progress"], only.GetProperty("status").EnumerateObject().Select(static property => property.Name));
        var (_, without) = await server.GetAsync($"/status/{Id}?fields=-steps,-workflow");
        Assert.False(without.GetProperty("status").TryGetProperty("steps", out _));
        Assert.True(without.GetProperty("status").TryGetProperty("nodeResults", out _));
        var (wrong, body) = await server.GetAsync($"/status/{Id}?fields=progres");
        Assert.Equal(HttpStatusCode.BadRequest, wrong.StatusCode);
        Assert.Contains("progres", body.GetProperty("error").GetString(), StringComparison.Ordinal);
    }

    [Fact]
    public async Task Output_of_megabytes_arrives_whole()
    {
        await using var server = await TestServer.StartAsync();
        var text = string.Concat(Enumerable.Repeat("नदी बहती है। ", 200_000));
        server.Live.Add(new TestRun(Id).Begin().Answer(text).Live);
        var (_, body) = await server.GetAsync($"/status/{Id}");
        Assert.Equal(text, body.GetProperty("status").GetProperty("steps")[0].GetProperty("output").GetProperty("text").GetString());
    }

    [Fact]
    public async Task One_that_another_daemon_holds_is_told_by_that_daemon()
    {
        await using var holder = await TestServer.StartAsync();
        await using var asked = await TestServer.StartAsync();
        holder.Live.Add(new TestRun(Id).Begin().Say("from over there").Live);
        asked.Store.Put(TestServer.Row(Id, "pending") with { OwnerUrl = holder.Url.ToString() });
        var (response, body) = await asked.GetAsync($"/status/{Id}?fields=aiResponse");
        Assert.Equal(HttpStatusCode.OK, response.StatusCode);
        Assert.Equal("from over there", body.GetProperty("status").GetProperty("aiResponse").GetString());
    }

    [Fact]
    public async Task Two_daemons_that_take_each_other_for_the_holder_answer_from_the_database()
    {
        await using var first = await TestServer.StartAsync();
        await using var second = await TestServer.StartAsync();
        first.Store.Put(TestServer.Row(Id, "running") with { OwnerUrl = second.Url.ToString() });
        second.Store.Put(TestServer.Row(Id, "running") with { OwnerUrl = first.Url.ToString() });
        var (response, body) = await first.GetAsync($"/status/{Id}");
        Assert.Equal(HttpStatusCode.OK, response.StatusCode);
        Assert.Equal("running", body.GetProperty("status").GetProperty("status").GetString());
    }

    [Fact]
    public async Task A_holder_that_does_not_answer_costs_bounded_time()
    {
        using var silent = new System.Net.Sockets.TcpListener(IPAddress.Loopback, 0);
        silent.Start();
        await using var server = await TestServer.StartAsync(static context => context with { PeerPatience = TimeSpan.FromMilliseconds(200) });
        server.Store.Put(TestServer.Row(Id, "running") with { OwnerUrl = $"http://127.0.0.1:{((IPEndPoint)silent.LocalEndpoint).Port}" });
        var began = Stopwatch.GetTimestamp();
        var (_, body) = await server.GetAsync($"/status/{Id}");
        Assert.Equal("running", body.GetProperty("status").GetProperty("status").GetString());
        Assert.True(Stopwatch.GetElapsedTime(began) < TimeSpan.FromSeconds(10));
    }

    private static void AssertComplete(JsonElement status)
    {
        foreach (var name in Objects) Assert.Equal((name, JsonValueKind.Object), (name, status.GetProperty(name).ValueKind));
        foreach (var name in Arrays) Assert.Equal((name, JsonValueKind.Array), (name, status.GetProperty(name).ValueKind));
        foreach (var name in Others) Assert.True(status.TryGetProperty(name, out _), $"{name} is missing");
        Assert.Equal(JsonValueKind.Array, status.GetProperty("storyContext").GetProperty("chapters").ValueKind);
    }

    private static StepRecord Record(string key, int attempt, StepOutcome outcome, string? output = null, StepError? error = null) => new()
    {
        Run = 1,
        Key = key,
        Attempt = attempt,
        Outcome = outcome,
        Output = output is null ? null : TestServer.Json(output),
        Error = error,
        StartedAt = TimeProvider.System.GetUtcNow(),
        FinishedAt = TimeProvider.System.GetUtcNow(),
    };
}
