using Lekhika.Daemon.Tests.EndToEnd.Support;
using Lekhika.Daemon.Tests.Nodes.Support;
using Microsoft.AspNetCore.Http;
using Npgsql;
using Xunit;

namespace Lekhika.Daemon.Tests.EndToEnd;

/// <summary>Beyond its lease a daemon may have lost its executions to others: it begins nothing new in the world before it knows.</summary>
public sealed class OutOfTouchTests(Servers servers)
{
    private static CancellationToken Cancellation => TestContext.Current.CancellationToken;

    [Fact]
    public async Task One_that_wakes_beyond_its_lease_does_not_begin_what_another_has_done_meanwhile()
    {
        await using var scene = await Scene.BeginAsync(servers, Scene.Fast with { Parallel = 8 });
        // Refused once, so that the second attempt is due in four seconds.
        var asked = 0;
        await using var service = await SmallServer.StartAsync(context =>
        {
            context.Response.StatusCode = Interlocked.Increment(ref asked) == 1 ? 503 : 200;
            return context.Response.WriteAsync("{}", context.RequestAborted);
        });
        void Setup(DaemonSetup setup) => setup.ShortLease().Settings["http.allow"] = $"127.0.0.1:{service.Port}";

        var sleeper = await scene.DaemonAsync(Setup);
        // What is written beside it keeps the execution in memory, where the retry is waited for, and is still being written when it wakes.
        scene.Ollama.Script(new Doubles.ScriptRule { PromptContains = "beside", Times = 1, Tokens = 600, Speed = 20 });
        scene.Ollama.Script(new Doubles.ScriptRule { PromptContains = "beside", Times = 1, Reply = "of the other" });
        var id = await scene.InsertAsync($$$"""
            {"nodes":[{"id":"start","type":"noop"},
                      {"id":"again","type":"http","config":{"url":"{{{service.Url}}}"},"retry":{"max_attempts":3,"initial_delay":"4s"}},
                      {"id":"beside","type":"llm","config":{"model":"llama3.2","prompt":"beside"}}],
             "edges":[{"from":"start","to":"again"},{"from":"start","to":"beside"}]}
            """);
        await scene.UntilSqlAsync<long>("SELECT count(*) FROM lekhika.workflow_execution_steps WHERE step_key = 'again'", static attempts => attempts == 1, 40);
        // What it would still have to write on waking would wait for the database, and hold up everything else.
        await scene.UntilAsync(id, "running");
        sleeper.Child.Signal(Signals.Stop);
        var other = await scene.DaemonAsync(Setup);
        await other.LogAsync(Cancellation, "Took over 1 executions");
        Assert.Equal("completed", (await scene.EndAsync(id)).Status);
        Assert.Equal(2, service.Requests.Count);

        // Its retry has been due for long.
        await using (await UntoldAsync(scene))
        {
            sleeper.Child.Signal(Signals.Continue);
            await Task.Delay(TimeSpan.FromSeconds(2), TimeProvider.System, Cancellation);
            Assert.Equal(2, service.Requests.Count);
        }

        await sleeper.LogAsync(Cancellation, "is revoked");
        Assert.Equal("completed", (await scene.EndAsync(await scene.InsertAsync(Flows.Trivial))).Status);
        Assert.Equal(2, service.Requests.Count);
    }

    [Fact]
    public async Task Nor_what_waited_for_its_model_while_it_slept()
    {
        await using var scene = await Scene.BeginAsync(servers, Scene.Fast with { Parallel = 8 });
        // What is before it in the lane has its answer in the socket by the time it wakes.
        scene.Ollama.Script(new Doubles.ScriptRule { PromptContains = "before", Times = 1, Tokens = 60, Speed = 30 });
        var sleeper = await scene.DaemonAsync(static setup => setup.ShortLease().Settings["ollama.parallelism"] = "1");
        var before = await scene.InsertAsync(Flows.Chain("before"));
        await scene.UntilOllamaAsync(static stats => stats.Generating == 1);
        var behind = await scene.InsertAsync(Flows.Chain("behind"));
        await sleeper.UntilAsync(
            $"/status/{behind}",
            static (status, body) => status == 200 && body.GetProperty("steps").EnumerateArray().Any(static step => step.TryGetProperty("queuePosition", out _)),
            Cancellation);
        await scene.UntilAsync(behind, "running");
        sleeper.Child.Signal(Signals.Stop);
        await scene.DaemonAsync(static setup => setup.ShortLease());
        Assert.Equal("completed", (await scene.EndAsync(before)).Status);
        Assert.Equal("completed", (await scene.EndAsync(behind)).Status);
        int Asked() => scene.Ollama.Stats.Seen.Count(static request => request.Body.Contains("behind", StringComparison.Ordinal));
        Assert.Equal(1, Asked());

        await using (await UntoldAsync(scene))
        {
            sleeper.Child.Signal(Signals.Continue);
            await Task.Delay(TimeSpan.FromSeconds(2), TimeProvider.System, Cancellation);
            Assert.Equal(1, Asked());
        }

        await sleeper.LogAsync(Cancellation, "is revoked");
        Assert.Equal("completed", (await scene.EndAsync(await scene.InsertAsync(Flows.Chain("after")))).Status);
        Assert.Equal(1, Asked());
    }

    /// <summary>Lets heartbeats wait until it is disposed of, so that nothing tells a daemon what has happened.</summary>
    private static async Task<NpgsqlConnection> UntoldAsync(Scene scene)
    {
        var somebody = new NpgsqlConnection(scene.Database.ConnectionString + ";Pooling=false");
        await somebody.OpenAsync(Cancellation);
        await using var begin = new NpgsqlCommand("BEGIN; LOCK TABLE lekhika.workers IN ACCESS EXCLUSIVE MODE", somebody);
        await begin.ExecuteNonQueryAsync(Cancellation);
        return somebody;
    }
}
