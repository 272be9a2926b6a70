using System.Net;
using System.Text.Json;
using Lekhika.Daemon.Tests.Http.Support;
using Lekhika.Inference;
using Xunit;

namespace Lekhika.Daemon.Tests.Http;

public sealed class HealthTests
{
    [Fact]
    public async Task Health_says_who_lives()
    {
        await using var server = await TestServer.StartAsync();
        server.State.DatabaseProblem = "away";
        var id = Guid.Parse("0197f3a0-4c1e-7d2b-9a55-3f6f0b1c2d3e");
        server.Live.Add(new TestRun(id).Begin().Live);
        server.Live.Add(new TestRun(Guid.Empty).Begin().Complete().Live);
        var (response, body) = await server.GetAsync("/health");
        Assert.Equal(HttpStatusCode.OK, response.StatusCode);
        Assert.Equal("healthy", body.GetProperty("status").GetString());
        Assert.Equal("worker-1", body.GetProperty("worker_id").GetString());
        Assert.Equal("worker-1", body.GetProperty("workerId").GetString());
        Assert.Equal("0.1.0-test", body.GetProperty("version").GetString());
        Assert.True(body.GetProperty("uptime_s").GetDouble() >= 0);
        Assert.Equal("http://127.0.0.1:11434", body.GetProperty("ollama_url").GetString());
        Assert.False(body.GetProperty("redis_available").GetBoolean());
        Assert.True(body.GetProperty("memory").GetProperty("rss").GetInt64() > 0);
        Assert.Equal([id], body.GetProperty("activeExecutionIds").EnumerateArray().Select(static one => one.GetGuid()));
    }

    [Fact]
    public async Task Readiness_gives_every_reason_against_it()
    {
        await using var server = await TestServer.StartAsync(static context => context with { DefaultModel = static () => "llama3" });
        server.State.DatabaseProblem = "connection refused";
        server.State.Draining = true;
        server.Endpoints(new ModelInfo("qwen2.5:0.5b"));
        var (response, body) = await server.GetAsync("/health/ready");
        Assert.Equal(HttpStatusCode.ServiceUnavailable, response.StatusCode);
        Assert.False(body.GetProperty("ready").GetBoolean());
        Assert.Equal(3, body.GetProperty("reasons").GetArrayLength());
        Assert.Contains("connection refused", body.GetProperty("reasons")[0].GetString(), StringComparison.Ordinal);
        Assert.Contains("llama3", body.GetProperty("reasons")[2].GetString(), StringComparison.Ordinal);
        Assert.Equal([false, false, true, false], Checks(body));
    }

    [Fact]
    public async Task A_worker_that_has_not_begun_is_not_ready()
    {
        await using var server = await TestServer.StartAsync();
        server.Endpoints(new ModelInfo("qwen2.5:0.5b"));
        server.State.Incarnation = null;
        var (before, body) = await server.GetAsync("/health/ready");
        Assert.Equal(HttpStatusCode.ServiceUnavailable, before.StatusCode);
        Assert.Equal(["worker: it is starting"], body.GetProperty("reasons").EnumerateArray().Select(static reason => reason.GetString()));
        server.State.Incarnation = 2;
        var (after, _) = await server.GetAsync("/health/ready");
        Assert.Equal(HttpStatusCode.OK, after.StatusCode);
    }

    [Fact]
    public async Task Readiness_comes_back_by_itself()
    {
        await using var server = await TestServer.StartAsync();
        var (before, body) = await server.GetAsync("/health/ready");
        Assert.Equal(HttpStatusCode.ServiceUnavailable, before.StatusCode);
        Assert.Equal([true, true, false, false], Checks(body));
        server.Endpoints(new ModelInfo("qwen2.5:0.5b"));
        var (after, ready) = await server.GetAsync("/health/ready");
        Assert.Equal(HttpStatusCode.OK, after.StatusCode);
        Assert.True(ready.GetProperty("ready").GetBoolean());
        Assert.Equal([true, true, true, true], Checks(ready));
    }

    [Fact]
    public async Task Status_tells_of_the_worker()
    {
        await using var server = await TestServer.StartAsync();
        server.Endpoints(new ModelInfo("qwen2.5:0.5b", 400));
        server.State.CountSlots = static () => 8;
        var (_, body) = await server.GetAsync("/status");
        Assert.True(body.GetProperty("success").GetBoolean());
        Assert.Equal("overloaded", body.GetProperty("status").GetString());
        Assert.Equal("8/8", body.GetProperty("capacity").GetString());
        Assert.Equal(8, body.GetProperty("maxConcurrent").GetInt32());
        Assert.Equal(3, body.GetProperty("queued").GetInt64());
        Assert.Equal("qwen2.5:0.5b", body.GetProperty("lanes")[0].GetProperty("model").GetString());
        Assert.Equal(2, body.GetProperty("lanes")[0].GetProperty("depth").GetInt32());
        Assert.Equal("qwen2.5:0.5b", body.GetProperty("models")[0].GetProperty("name").GetString());
        server.State.DatabaseProblem = "away";
        Assert.Equal("degraded", (await server.GetAsync("/status")).Body.GetProperty("status").GetString());
        server.State.Draining = true;
        Assert.Equal("draining", (await server.GetAsync("/status")).Body.GetProperty("status").GetString());
    }

    private static IEnumerable<bool> Checks(JsonElement body) =>
        new[] { "database", "schema", "ollama", "models" }.Select(name => body.GetProperty("checks").GetProperty(name).GetProperty("ok").GetBoolean());
}
