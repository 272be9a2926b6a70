using Lekhika.Daemon.Tests.EndToEnd.Support;
using Lekhika.Doubles;
using Xunit;

namespace Lekhika.Daemon.Tests.EndToEnd;

/// <summary>What an UPDATE of status means to executions that run for real, and POST /stop.</summary>
public sealed class StatusTests(Servers servers)
{
    private static readonly TimeSpan Second = TimeSpan.FromSeconds(1.2);

    private static CancellationToken Cancellation => TestContext.Current.CancellationToken;

    [Fact]
    public async Task Cancelled_in_the_queue_it_never_runs()
    {
        await using var scene = await Scene.BeginAsync(servers);
        var queued = await scene.InsertAsync(Flows.OneModel(Flows.Say("never")));
        await scene.SetStatusAsync(queued, "cancelled");
        await scene.DaemonAsync();
        var other = await scene.InsertAsync(Flows.OneModel(Flows.Say("yes")));
        Assert.Equal("completed", (await scene.EndAsync(other)).Status);
        await scene.UntilSqlAsync<bool>("SELECT NOT EXISTS (SELECT FROM lekhika.ready) AND NOT EXISTS (SELECT FROM lekhika.held)", static empty => empty);
        var row = await scene.RowAsync(queued);
        Assert.Equal("cancelled", row.Status);
        Assert.Equal("cancelled", row.Code);
        Assert.Equal(1, scene.Ollama.Stats.Completions);
    }

    [Theory]
    [InlineData(false)]
    [InlineData(true)]
    public async Task Cancelled_while_the_model_talks_the_call_is_aborted_within_a_second(bool byHttp)
    {
        await using var scene = await Scene.BeginAsync(servers);
        var daemon = await scene.DaemonAsync();
        // A machine that is busy with something else may hold one of them up: the quickest tells what the daemon does.
        var took = TimeSpan.MaxValue;
        for (var i = 1; i <= 4 && took >= Second; i++)
        {
            scene.Ollama.Reset();
            took = await CancelAsync(scene, daemon, byHttp);
        }

        Assert.True(took < Second, $"the call was aborted after {took.TotalMilliseconds:0} ms");
    }

    /// <summary>How long it takes from the cancellation to the end of the call.</summary>
    private static async Task<TimeSpan> CancelAsync(Scene scene, DaemonProcess daemon, bool byHttp)
    {
        var id = await scene.InsertAsync(Flows.Chain(Flows.Slowly(2000, 20), Flows.Say("never")));
        await scene.UntilOllamaAsync(static stats => stats.Generating == 1);
        var begin = TimeProvider.System.GetTimestamp();
        if (byHttp) Assert.Equal(200, (await daemon.PostAsync($"stop/{id}", "", Cancellation)).Status);
        else await scene.SetStatusAsync(id, "cancelled");
        await scene.UntilOllamaAsync(static stats => stats.Cancellations == 1);
        var took = TimeProvider.System.GetElapsedTime(begin);
        var shown = await daemon.UntilAsync($"status/{id}", static (_, body) => body.GetProperty("status").GetString() == "cancelled", Cancellation);
        Assert.Equal("cancelled", shown.GetProperty("status").GetString());
        await scene.UntilSqlAsync<long>("SELECT count(*) FROM lekhika.held", static held => held == 0);
        Assert.Equal("cancelled", await scene.StatusAsync(id));
        Assert.Empty(await scene.StepsAsync(id));
        Assert.Equal(1, scene.Ollama.Stats.Completions);
        Assert.Equal(409, (await daemon.PostAsync($"stop/{id}", "", Cancellation)).Status);
        return took;
    }

    [Fact]
    public async Task Paused_while_the_model_talks_the_call_ends_and_is_kept_and_resuming_goes_on_behind_it()
    {
        await using var scene = await Scene.BeginAsync(servers);
        var daemon = await scene.DaemonAsync();
        var id = await scene.InsertAsync(Flows.Chain(Flows.Slowly(60, 40, "first"), Flows.Say("second"), Flows.Say("third")));
        await scene.UntilOllamaAsync(static stats => stats.Generating == 1);
        await scene.SetStatusAsync(id, "paused");
        await daemon.UntilAsync($"status/{id}", static (_, body) => body.GetProperty("status").GetString() == "pausing", Cancellation);
        await daemon.UntilAsync($"status/{id}", static (_, body) => body.GetProperty("status").GetString() == "paused", Cancellation);
        await scene.UntilSqlAsync<long>("SELECT count(*) FROM lekhika.parked WHERE paused", static parked => parked == 1);
        Assert.Equal(["a succeeded"], await scene.StepsAsync(id));
        Assert.Equal(1, scene.Ollama.Stats.Completions);

        await scene.SetStatusAsync(id, "running");
        Assert.Equal("completed", (await scene.EndAsync(id)).Status);
        Assert.Equal(["a succeeded", "b succeeded", "c succeeded"], await scene.StepsAsync(id));
        Assert.Equal(3, scene.Ollama.Stats.Completions);
    }

    [Fact]
    public async Task Paused_in_the_queue_it_is_held_and_resumed_it_runs()
    {
        await using var scene = await Scene.BeginAsync(servers);
        var id = await scene.InsertAsync(Flows.OneModel(Flows.Say("late")), status: "pending");
        await scene.SetStatusAsync(id, "paused");
        await scene.DaemonAsync();
        await scene.UntilSqlAsync<long>("SELECT count(*) FROM lekhika.parked WHERE paused", static parked => parked == 1);
        Assert.Equal(0, scene.Ollama.Stats.Completions);
        await scene.SetStatusAsync(id, "pending");
        Assert.Equal("late", (await scene.EndAsync(id)).ResultJson.GetProperty("text").GetString());
    }

    [Fact]
    public async Task Set_to_pending_after_its_end_it_runs_anew()
    {
        await using var scene = await Scene.BeginAsync(servers);
        await scene.DaemonAsync();
        scene.Ollama.Script(new ScriptRule { PromptContains = "which", Replies = ["one", "two"] });
        var id = await scene.InsertAsync(Flows.OneModel("which"));
        Assert.Equal("one", (await scene.EndAsync(id)).ResultJson.GetProperty("text").GetString());
        await scene.SetStatusAsync(id, "pending");
        var end = await scene.UntilAsync(id, static row => row is { IsOver: true, Run: 2 });
        Assert.Equal("two", end.ResultJson.GetProperty("text").GetString());
        Assert.Equal(2, await scene.Database.ScalarAsync<long>("SELECT count(DISTINCT run) FROM lekhika.execution_steps WHERE execution_id = $1", Cancellation, id));
    }

    [Fact]
    public async Task Cancelled_and_set_to_pending_at_once_the_old_run_cannot_complete_the_new_one()
    {
        await using var scene = await Scene.BeginAsync(servers);
        await scene.DaemonAsync();
        scene.Ollama.Script(new ScriptRule { PromptContains = "which", Times = 1, Tokens = 40, Speed = 40 });
        scene.Ollama.Script(new ScriptRule { PromptContains = "which", Reply = "of the new run" });
        var id = await scene.InsertAsync(Flows.OneModel("which"));
        await scene.UntilOllamaAsync(static stats => stats.Generating == 1);
        var begin = TimeProvider.System.GetTimestamp();
        await scene.Database.ExecuteAsync(
            "WITH c AS (SELECT 1) UPDATE lekhika.workflow_executions SET status = 'cancelled' WHERE id = $1", Cancellation, id);
        await scene.SetStatusAsync(id, "pending");
        var end = await scene.EndAsync(id);
        Assert.Equal(2, end.Run);
        Assert.Equal("of the new run", end.ResultJson.GetProperty("text").GetString());
        Assert.True(TimeProvider.System.GetElapsedTime(begin) < TimeSpan.FromSeconds(4), $"the new run waited {TimeProvider.System.GetElapsedTime(begin)}");
        Assert.Equal(1, await scene.Database.ScalarAsync<long>("SELECT count(*) FROM lekhika.execution_steps WHERE execution_id = $1", Cancellation, id));
    }

    [Fact]
    public async Task A_change_that_makes_no_sense_is_refused_and_changes_nothing()
    {
        await using var scene = await Scene.BeginAsync(servers);
        await scene.DaemonAsync();
        var id = await scene.InsertAsync(Flows.OneModel(Flows.Slowly(40, 40)));
        await scene.SetStatusAsync(id, "completed");
        await scene.SetStatusAsync(id, "failed");
        Assert.Equal("completed", (await scene.EndAsync(id)).Status);
        await scene.SetStatusAsync(id, "paused");
        Assert.Equal("completed", await scene.StatusAsync(id));
        Assert.Equal(["ask succeeded"], await scene.StepsAsync(id));
    }
}
