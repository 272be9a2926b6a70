using Lekhika.Daemon.Tests.EndToEnd.Support;
using Lekhika.Tests.Support;
using Xunit;

namespace Lekhika.Daemon.Tests.EndToEnd;

/// <summary>The database is away, without a schema, or restarts under the work: the daemon stays up, says so, and recovers by itself.</summary>
public sealed class DatabaseTests(Servers servers)
{
    private static CancellationToken Cancellation => TestContext.Current.CancellationToken;

    [Fact]
    public async Task With_no_database_it_starts_says_so_and_recovers_when_it_comes()
    {
        await using var scene = await Scene.BeginAsync(servers, ownCluster: true);
        await scene.Cluster.StopAsync("fast");
        var daemon = await scene.DaemonAsync();
        await daemon.LogAsync(Cancellation, "cannot be used");

        Assert.Equal(200, (await daemon.GetAsync("health", Cancellation)).Status);
        var (status, ready) = await daemon.GetAsync("health/ready", Cancellation);
        Assert.Equal(503, status);
        Assert.Contains("database", ready.GetProperty("reasons").GetRawText(), StringComparison.Ordinal);
        var refused = await daemon.PostAsync("execute", $$$"""{"workflow":{{{Flows.Trivial}}}}""", Cancellation);
        Assert.Equal(503, refused.Status);
        Assert.False(refused.Body.GetProperty("success").GetBoolean());
        Assert.Equal(503, (await daemon.GetAsync($"status/{Guid.NewGuid()}", Cancellation)).Status);

        await scene.Cluster.StartAsync();
        await daemon.UntilAsync("health/ready", static (code, _) => code == 200, Cancellation);
        Assert.Equal("completed", (await scene.EndAsync(await scene.InsertAsync(Flows.OneModel(Flows.Say("back"))))).Status);
        Assert.Equal(0, await daemon.StopAsync(Cancellation));
    }

    [Fact]
    public async Task Without_a_schema_it_says_migrate_and_begins_when_that_is_done()
    {
        var cluster = await servers.ClusterAsync();
        var url = cluster.Url(await cluster.CreateDatabaseAsync());
        var setup = new DaemonSetup();
        setup.Settings["database.url"] = url;
        setup.Settings["ollama.url"] = "http://127.0.0.1:9";
        await using var daemon = await DaemonProcess.StartAsync(setup, Cancellation);
        await daemon.LogAsync(Cancellation, "cannot be used", "lekhika-daemon migrate");
        var (status, ready) = await daemon.GetAsync("health/ready", Cancellation);
        Assert.Equal(503, status);
        Assert.Contains("migrate", ready.GetProperty("reasons").GetRawText(), StringComparison.Ordinal);

        var migrated = await ChildProcess.RunAsync(null, Cancellation, "migrate", "--database.url", url);
        Assert.True(migrated.ExitCode == 0, migrated.Tail());
        await daemon.LogAsync(Cancellation, "is usable");
        var posted = (Status: 503, Body: default(System.Text.Json.JsonElement));
        for (var tries = 0; posted.Status == 503 && tries < 400; tries++)
        {
            // The worker begins just after.
            posted = await daemon.PostAsync("execute", $$$"""{"workflow":{{{Flows.Trivial}}}}""", Cancellation);
            if (posted.Status == 503) await Task.Delay(TimeSpan.FromMilliseconds(25), TimeProvider.System, Cancellation);
        }

        Assert.Equal(202, posted.Status);
        var path = posted.Body.GetProperty("statusUrl").GetString()!.TrimStart('/');
        await daemon.UntilAsync(path, static (_, body) => body.GetProperty("status").GetString() == "completed", Cancellation);
    }

    [Theory]
    [InlineData("fast")]
    [InlineData("immediate")]
    public async Task Restarted_during_a_model_call_nothing_is_lost_and_nothing_runs_twice(string mode)
    {
        await using var scene = await Scene.BeginAsync(servers, ownCluster: true);
        var daemon = await scene.DaemonAsync();
        var calling = await scene.InsertAsync(Flows.Chain(Flows.Slowly(60, 20, "long"), Flows.Say("after")));
        await scene.UntilOllamaAsync(static stats => stats.Generating == 1);
        await scene.Cluster.StopAsync(mode);
        await scene.UntilOllamaAsync(static stats => stats.Completed == 1);
        Assert.Equal(200, (await daemon.GetAsync("health", Cancellation)).Status);
        await scene.Cluster.StartAsync();

        Assert.Equal("completed", (await scene.EndAsync(calling)).Status);
        Assert.Equal(["a succeeded", "b succeeded"], await scene.StepsAsync(calling));
        Assert.Equal(2, scene.Ollama.Stats.Completions);
        Assert.Equal("completed", (await scene.EndAsync(await scene.InsertAsync(Flows.Trivial))).Status);
        Assert.Equal(0, await daemon.StopAsync(Cancellation));
    }

    [Fact]
    public async Task Away_for_longer_than_the_lease_the_finished_result_is_still_recorded_once()
    {
        await using var scene = await Scene.BeginAsync(servers, ownCluster: true);
        var daemon = await scene.DaemonAsync(static setup => setup.ShortLease());
        var id = await scene.InsertAsync(Flows.Chain(Flows.Slowly(40, 40, "long"), Flows.Say("after")));
        await scene.UntilOllamaAsync(static stats => stats.Generating == 1);
        await scene.Cluster.StopAsync("fast");
        await scene.UntilOllamaAsync(static stats => stats.Completed == 1);
        await daemon.LogAsync(Cancellation, "heartbeat not answered");
        await Task.Delay(TimeSpan.FromSeconds(2.5), TimeProvider.System, Cancellation); // the lease is to lapse; nothing tells when it has
        await scene.Cluster.StartAsync();
        Assert.Equal("completed", (await scene.EndAsync(id)).Status);
        Assert.Equal(["a succeeded", "b succeeded"], await scene.StepsAsync(id));
        Assert.Equal(2, scene.Ollama.Stats.Completions);
    }
}
