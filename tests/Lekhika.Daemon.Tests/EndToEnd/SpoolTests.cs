using Lekhika.Daemon.Tests.EndToEnd.Support;
using Npgsql;
using Xunit;

namespace Lekhika.Daemon.Tests.EndToEnd;

/// <summary>Results that could not be written before the daemon ended.</summary>
public sealed class SpoolTests(Servers servers)
{
    private static CancellationToken Cancellation => TestContext.Current.CancellationToken;

    [Fact]
    public async Task A_result_that_found_no_database_before_the_stop_is_there_after_the_next_start_and_the_model_is_not_asked_again()
    {
        await using var scene = await Scene.BeginAsync(servers, ownCluster: true);
        // One slot for two executions: the result that comes second waits for it while the first one waits for the database.
        var first = await scene.DaemonAsync(static setup =>
        {
            setup.Settings["worker.drain_timeout"] = "2s";
            setup.Settings["worker.concurrency"] = "1";
        });
        var kept = await scene.InsertAsync(Flows.Chain(Flows.Slowly(60, 10, "kept"), "after {{ nodes.a.tokens_out }}"));
        var stopped = await scene.InsertAsync(Flows.Chain(Flows.Slowly(60, 10, "stopped"), Flows.Say("never")));
        await scene.UntilOllamaAsync(static stats => stats.Generating == 2);
        await scene.UntilAsync(kept, "running");
        await scene.UntilAsync(stopped, "running");
        // The answers take six seconds: the server is gone before they are there, however slow it ends.
        await scene.Cluster.StopAsync("immediate");
        Assert.Equal(0, scene.Ollama.Stats.Completed);
        await scene.UntilOllamaAsync(static stats => stats.Completed == 2);
        Assert.Equal(0, await first.StopAsync(Cancellation));

        var spool = Path.Combine(first.StateDirectory, "spool");
        Assert.Equal(2, Directory.GetFiles(spool, "*.json").Length);
        Assert.Empty(Directory.GetFiles(spool, "*.new"));
        if (!OperatingSystem.IsWindows()) Assert.Equal(UnixFileMode.UserRead | UnixFileMode.UserWrite, File.GetUnixFileMode(Directory.GetFiles(spool, "*.json")[0]));
        var torn = await File.ReadAllBytesAsync(Directory.GetFiles(spool, "*.json")[0], Cancellation);
        await File.WriteAllBytesAsync(Path.Combine(spool, "000000000000000-1-1-1.json"), torn[..^3], Cancellation);

        await scene.Cluster.StartAsync();
        // Its connections of before are found broken first.
        await scene.UntilAsync(stopped, "running");
        await scene.SetStatusAsync(stopped, "cancelled");
        var second = await scene.DaemonAsync(setup => setup.StateDirectory = first.StateDirectory);
        await second.LogAsync(Cancellation, "results of this worker's life before are in the database now");
        var end = await scene.EndAsync(kept);
        Assert.True(end.Status == "completed", $"{end}");
        Assert.Equal(["a succeeded", "b succeeded"], await scene.StepsAsync(kept));
        Assert.Equal(1, scene.Ollama.Stats.Seen.Count(static request => request.Body.Contains("kept", StringComparison.Ordinal)));
        // The template saw what was kept.
        var tokens = await scene.Database.ScalarAsync<string>(
            "SELECT output->>'tokens_out' FROM lekhika.execution_steps WHERE execution_id = $1 AND step_key = 'a'", Cancellation, kept);
        Assert.Equal(1, scene.Ollama.Stats.Seen.Count(request => request.Body.Contains($"\"after {tokens}\"", StringComparison.Ordinal)));
        Assert.Equal(3, scene.Ollama.Stats.Completions);

        Assert.Empty(await scene.StepsAsync(stopped));
        Assert.Equal("cancelled", await scene.StatusAsync(stopped));
        Assert.Empty(Directory.GetFiles(spool, "*.json"));
        Assert.Single(Directory.GetFiles(Path.Combine(spool, "rejected")));
        Assert.Single(Directory.GetFiles(Path.Combine(spool, "corrupt")));
    }

    [Fact]
    public async Task A_child_whose_start_found_no_database_before_the_stop_is_started_by_the_next_life_and_waited_for()
    {
        await using var scene = await Scene.BeginAsync(servers, ownCluster: true);
        var child = await scene.WorkflowAsync(Flows.Trivial);
        var id = await scene.InsertAsync($$$"""{"nodes":[{"id":"go","type":"subworkflow","config":{"workflow_id":"{{{child}}}"}}],"edges":[]}""");
        DaemonProcess first;
        await using (var somebody = new NpgsqlConnection(scene.Database.ConnectionString + ";Pooling=false"))
        {
            await somebody.OpenAsync(Cancellation);
            // Its row is locked, so that the write that starts the child hangs until the server is gone.
            await using var begin = new NpgsqlCommand("BEGIN; SELECT FROM lekhika.workflow_executions FOR UPDATE", somebody);
            await begin.ExecuteNonQueryAsync(Cancellation);
            first = await scene.DaemonAsync(static setup => setup.Settings["worker.drain_timeout"] = "1s");
            await first.UntilAsync($"status/{id}", static (_, body) => body.GetRawText().Contains("\"go\"", StringComparison.Ordinal), Cancellation);
            await scene.UntilSqlAsync<long>("SELECT count(*) FROM lekhika.held", static count => count == 1);
            await Task.Delay(TimeSpan.FromSeconds(1), TimeProvider.System, Cancellation); // the write is tried within milliseconds; nothing tells of it
            await scene.Cluster.StopAsync("immediate");
        }

        var exitCode = await first.StopAsync(Cancellation);
        await scene.Cluster.StartAsync();
        Assert.True(exitCode == 0, first.Child.Tail());
        NpgsqlConnection.ClearAllPools();
        await scene.DaemonAsync(setup => setup.StateDirectory = first.StateDirectory);
        var end = await scene.EndAsync(id);
        Assert.True(end.Status == "completed", $"{end}");
        Assert.Equal(1, await scene.Database.ScalarAsync<long>("SELECT count(*) FROM lekhika.workflow_executions WHERE parent_id IS NOT NULL AND status = 'completed'", Cancellation));
    }
}
