using Lekhika.Daemon.Tests.EndToEnd.Support;
using Xunit;

namespace Lekhika.Daemon.Tests.EndToEnd;

/// <summary>Daemons that end well, end badly, stand still, and share a database.</summary>
public sealed class FailoverTests(Servers servers)
{
    private static CancellationToken Cancellation => TestContext.Current.CancellationToken;

    [Fact]
    public async Task Told_to_stop_it_finishes_what_is_in_flight_and_leaves_the_rest_to_the_next()
    {
        await using var scene = await Scene.BeginAsync(servers, Scene.Fast with { Parallel = 1 });
        static void One(DaemonSetup setup)
        {
            setup.Settings["ollama.parallelism"] = "1";
            setup.Settings["worker.concurrency"] = "2";
            setup.Settings["worker.max_claimed"] = "3";
        }

        var first = await scene.DaemonAsync(One);
        var flight = await scene.InsertAsync(Flows.OneModel(Flows.Slowly(30, 15, "flight")));
        await scene.UntilOllamaAsync(static stats => stats.Generating == 1);
        var queued = new List<Guid>();
        for (var i = 0; i < 6; i++) queued.Add(await scene.InsertAsync(Flows.OneModel($"queued {i} {Flows.Say("q")}")));
        await scene.UntilSqlAsync<long>("SELECT count(*) FROM lekhika.held", static held => held == 3);

        Assert.Equal(0, await first.StopAsync(Cancellation));
        Assert.Equal("completed", await scene.StatusAsync(flight));
        Assert.Equal(0, await scene.Database.ScalarAsync<long>("SELECT count(*) FROM lekhika.held", Cancellation));
        Assert.True(await scene.Database.ScalarAsync<bool>("SELECT bool_and(revoked) FROM lekhika.workers", Cancellation));
        Assert.Equal(6, await scene.Database.ScalarAsync<long>("SELECT count(*) FROM lekhika.ready", Cancellation));
        Assert.Equal(1, scene.Ollama.Stats.Completions);
        Assert.Contains(first.Child.Lines, static line => line.EndsWith("Stopped", StringComparison.Ordinal));

        await scene.DaemonAsync(One);
        foreach (var id in queued) Assert.Equal("completed", (await scene.EndAsync(id)).Status);
        Assert.Equal(7, scene.Ollama.Stats.Completions);
    }

    [Fact]
    public async Task Killed_and_started_again_it_takes_its_work_back_at_once_and_runs_no_recorded_step_twice()
    {
        await using var scene = await Scene.BeginAsync(servers);
        var first = await scene.DaemonAsync();
        var ids = new List<Guid>();
        for (var i = 0; i < 4; i++) ids.Add(await scene.InsertAsync(Flows.Chain($"one {i} {Flows.Say("done")}", Flows.Slowly(100, 20, $"two {i}"))));
        await scene.UntilOllamaAsync(static stats => stats is { Completed: 4, Generating: 4 });
        await first.KillAsync();
        Assert.Equal(4, await scene.Database.ScalarAsync<long>("SELECT count(*) FROM lekhika.held", Cancellation));

        var second = await scene.DaemonAsync(setup => setup.StateDirectory = first.StateDirectory);
        await second.LogAsync(Cancellation, "Took back 4 executions");
        foreach (var id in ids)
        {
            Assert.Equal("completed", (await scene.EndAsync(id)).Status);
            Assert.Equal(["a succeeded", "b succeeded"], await scene.StepsAsync(id));
        }

        Assert.Equal(4, scene.Ollama.Stats.Seen.Count(static request => request.Body.Contains("one ", StringComparison.Ordinal)));
        Assert.Equal(8, scene.Ollama.Stats.Seen.Count(static request => request.Body.Contains("two ", StringComparison.Ordinal)));
    }

    [Fact]
    public async Task Killed_for_good_its_work_is_taken_over_when_the_lease_lapses()
    {
        await using var scene = await Scene.BeginAsync(servers);
        var doomed = await scene.DaemonAsync(static setup => setup.ShortLease());
        var id = await scene.InsertAsync(Flows.Chain(Flows.Say("done"), Flows.Slowly(60, 20)));
        await scene.UntilOllamaAsync(static stats => stats is { Completed: 1, Generating: 1 });
        var other = await scene.DaemonAsync(static setup => setup.ShortLease());
        await doomed.KillAsync();
        await other.LogAsync(Cancellation, "Took over 1 executions");
        Assert.Equal("completed", (await scene.EndAsync(id)).Status);
        Assert.Equal(["a succeeded", "b succeeded"], await scene.StepsAsync(id));
    }

    [Fact]
    public async Task Two_daemons_on_one_database_run_every_execution_once()
    {
        await using var scene = await Scene.BeginAsync(servers);
        await scene.DaemonAsync(static setup => setup.Settings["worker.id"] = "one");
        await scene.DaemonAsync(static setup => setup.Settings["worker.id"] = "two");
        var workflow = await scene.WorkflowAsync(Flows.OneModel("{{ execution.id }} [[double:reply:ok]]"));
        await scene.Database.ExecuteAsync(
            "INSERT INTO lekhika.workflow_executions (workflow_id) SELECT $1 FROM generate_series(1, 300)", Cancellation, workflow);
        await scene.UntilSqlAsync<long>("SELECT count(*) FROM lekhika.workflow_executions WHERE status = 'completed'", static done => done == 300, 60);
        Assert.Equal(300, scene.Ollama.Stats.Completions);
        Assert.Equal(2, await scene.Database.ScalarAsync<long>("SELECT count(DISTINCT worker_id) FROM lekhika.workflow_executions", Cancellation));
        Assert.Equal(300, await scene.Database.ScalarAsync<long>("SELECT count(*) FROM lekhika.workflow_execution_steps", Cancellation));
    }

    [Fact]
    public async Task One_that_stood_still_beyond_its_lease_loses_its_work_begins_anew_and_corrupts_nothing()
    {
        // The one that stands still has its answer in its socket when it wakes, and writes it; by then the other has recorded one of its own, and is slow
        // at what comes after.
        await using var scene = await Scene.BeginAsync(servers, Scene.Fast with { Parallel = 8 });
        var still = await scene.DaemonAsync(static setup => setup.ShortLease());
        scene.Ollama.Script(new Doubles.ScriptRule { PromptContains = "second", Times = 1, Tokens = 40, Speed = 20 });
        scene.Ollama.Script(new Doubles.ScriptRule { PromptContains = "second", Times = 1, Reply = "of the other" });
        scene.Ollama.Script(new Doubles.ScriptRule { PromptContains = "third", Times = 1, Tokens = 200, Speed = 20 });
        var id = await scene.InsertAsync(Flows.Chain(Flows.Say("first"), "second", "third"));
        await scene.UntilOllamaAsync(static stats => stats is { Completed: 1, Generating: 1 });
        still.Child.Signal(Signals.Stop);
        var other = await scene.DaemonAsync(static setup => setup.ShortLease());
        await other.LogAsync(Cancellation, "Took over 1 executions");
        await scene.UntilOllamaAsync(static stats => stats is { Completed: 3, Generating: 1 });
        Assert.Equal(["a succeeded", "b succeeded"], await scene.StepsAsync(id));

        var mark = still.Mark;
        await using (var somebody = new Npgsql.NpgsqlConnection(scene.Database.ConnectionString + ";Pooling=false"))
        {
            // Heartbeats, of which one would tell it that it was revoked, wait: so only the fence is between its answer and the execution.
            await somebody.OpenAsync(Cancellation);
            await using var begin = new Npgsql.NpgsqlCommand("BEGIN; LOCK TABLE lekhika.workers IN ACCESS EXCLUSIVE MODE", somebody);
            await begin.ExecuteNonQueryAsync(Cancellation);
            still.Child.Signal(Signals.Continue);
            await still.LogFromAsync(mark, Cancellation, id.ToString(), "gave it up, the database says Fenced");
            Assert.DoesNotContain(still.Child.Lines.Skip(mark), static line => line.Contains("revoked", StringComparison.Ordinal));
            Assert.Equal(["a succeeded", "b succeeded"], await scene.StepsAsync(id));
        }

        await still.LogFromAsync(mark, Cancellation, "revoked");
        await still.LogFromAsync(mark, Cancellation, "Incarnation", "begins");
        Assert.Equal("completed", (await scene.EndAsync(id)).Status);
        Assert.Equal(["a succeeded", "b succeeded", "c succeeded"], await scene.StepsAsync(id));
        Assert.Equal("of the other", await scene.Database.ScalarAsync<string>(
            "SELECT output->>'text' FROM lekhika.execution_steps WHERE execution_id = $1 AND step_key = 'b'", Cancellation, id));
        Assert.Equal(4, scene.Ollama.Stats.Completions);
        await scene.UntilSqlAsync<long>("SELECT count(*) FROM lekhika.held", static held => held == 0);

        // Both work on.
        Assert.Equal(0, await other.StopAsync(Cancellation));
        Assert.Equal("completed", (await scene.EndAsync(await scene.InsertAsync(Flows.OneModel(Flows.Say("still here"))))).Status);
        Assert.Equal(0, await still.StopAsync(Cancellation));
    }

    [Fact]
    public async Task Asked_of_the_daemon_that_does_not_hold_it_status_and_stop_reach_the_one_that_does()
    {
        await using var scene = await Scene.BeginAsync(servers);
        var holder = await scene.DaemonAsync();
        var id = await scene.InsertAsync(Flows.OneModel(Flows.Slowly(2000, 20)));
        await scene.UntilOllamaAsync(static stats => stats.Generating == 1);
        var other = await scene.DaemonAsync();
        var shown = await other.UntilAsync($"status/{id}", static (_, body) => body.GetProperty("currentOutput").GetString()!.Length > 0, Cancellation);
        Assert.Equal("running", shown.GetProperty("status").GetString());
        Assert.Equal(200, (await other.PostAsync($"stop/{id}", "", Cancellation)).Status);
        await scene.UntilOllamaAsync(static stats => stats.Cancellations == 1);
        await holder.UntilAsync($"status/{id}", static (_, body) => body.GetProperty("status").GetString() == "cancelled", Cancellation);
    }

    [Theory]
    [InlineData(3, "failed")]
    [InlineData(2, "completed")]
    public async Task Taken_over_again_and_again_without_progress_it_ends_as_crash_loop(int rescues, string status)
    {
        await using var scene = await Scene.BeginAsync(servers);
        var id = await scene.InsertAsync(Flows.Trivial);
        // What so many rescues leave behind.
        await scene.Database.ExecuteAsync("UPDATE lekhika.ready SET run = 1, class = 0, epoch = $1, rescues = $1::smallint", Cancellation, rescues);
        await scene.DaemonAsync(static setup => setup.Settings["worker.max_rescues"] = "2");
        var end = await scene.EndAsync(id);
        Assert.Equal((status, status == "failed" ? "crash_loop" : null), (end.Status, end.Code));
        await scene.UntilSqlAsync<long>("SELECT (SELECT count(*) FROM lekhika.held) + (SELECT count(*) FROM lekhika.ready)", static count => count == 0);
    }
}
