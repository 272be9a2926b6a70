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
        static void Short(DaemonSetup setup)
        {
            setup.Settings["worker.lease"] = "1s";
            setup.Settings["worker.heartbeat"] = "250ms";
        }

        // Refused once, so that the second attempt is due in four seconds.
        var asked = 0;
        await using var service = await SmallServer.StartAsync(context =>
        {
            context.Response.StatusCode = Interlocked.Increment(ref asked) == 1 ? 503 : 200;
            return context.Response.WriteAsync("{}", context.RequestAborted);
        });
        void Setup(DaemonSetup setup)
        {
            Short(setup);
            setup.Settings["http.allow"] = $"127.0.0.1:{service.Port}";
        }

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

        await using (var somebody = new NpgsqlConnection(scene.Database.ConnectionString + ";Pooling=false"))
        {
            // Heartbeats wait, so that nothing tells it for a while; its retry has been due for long.
            await somebody.OpenAsync(Cancellation);
            await using var begin = new NpgsqlCommand("BEGIN; LOCK TABLE lekhika.workers IN ACCESS EXCLUSIVE MODE", somebody);
            await begin.ExecuteNonQueryAsync(Cancellation);
            sleeper.Child.Signal(Signals.Continue);
            await Task.Delay(TimeSpan.FromSeconds(2), TimeProvider.System, Cancellation);
            Assert.Equal(2, service.Requests.Count);
        }

        await sleeper.LogAsync(Cancellation, "is revoked");
        Assert.Equal("completed", (await scene.EndAsync(await scene.InsertAsync(Flows.Trivial))).Status);
        Assert.Equal(2, service.Requests.Count);
    }
}
