using Lekhika.Daemon.Tests.EndToEnd.Support;
using Xunit;

namespace Lekhika.Daemon.Tests.EndToEnd;

/// <summary>Workflows that start others.</summary>
public sealed class SubworkflowTests(Servers servers)
{
    private const string Double = """
        {"nodes":[{"id":"start","type":"trigger"},{"id":"out","type":"output","config":{"value":{"n":"{{ inputs.n * 2 }}"}}}],"edges":[{"from":"start","to":"out"}]}
        """;

    private static CancellationToken Cancellation => TestContext.Current.CancellationToken;

    [Fact]
    public async Task A_parent_waits_for_its_children_without_a_slot_and_goes_on_with_their_results()
    {
        await using var scene = await Scene.BeginAsync(servers);
        var child = await scene.WorkflowAsync(Double);
        // One slot for a parent and its three children: it could not wait in it.
        await scene.DaemonAsync(static setup => setup.Settings["worker.concurrency"] = "1");
        var id = await scene.InsertAsync($$$"""
            {"nodes":[{"id":"each","type":"map","config":{"items":"{{ [1,2,3] }}","concurrency":3,
              "body":{"nodes":[{"id":"go","type":"subworkflow","config":{"workflow_id":"{{{child}}}","inputs":{"n":"{{ item }}"} } }],"edges":[]} } }],"edges":[]}
            """);
        var end = await scene.EndAsync(id);
        Assert.True(end.Status == "completed", end.Error);
        Assert.Equal([2, 4, 6], end.ResultJson.GetProperty("items").EnumerateArray().Select(static item => item.GetProperty("result").GetProperty("n").GetInt32()));
        Assert.Equal(3, await scene.Database.ScalarAsync<long>("SELECT count(*) FROM lekhika.workflow_executions WHERE parent_id = $1", Cancellation, id));
        Assert.Equal(0, await scene.Database.ScalarAsync<long>("SELECT count(*) FROM lekhika.events", Cancellation));
    }

    [Fact]
    public async Task A_failed_child_fails_its_node_and_the_error_edge_is_taken()
    {
        await using var scene = await Scene.BeginAsync(servers);
        var child = await scene.WorkflowAsync("""{"nodes":[{"id":"no","type":"stop_and_error","config":{"message":"never"}}],"edges":[]}""");
        await scene.DaemonAsync();
        var caught = await scene.InsertAsync($$$"""
            {"nodes":[{"id":"go","type":"subworkflow","config":{"workflow_id":"{{{child}}}"}},{"id":"mend","type":"set","config":{"values":{"mended":true} } }],
             "edges":[{"from":"go","to":"mend","when":"error"}]}
            """);
        var failed = await scene.InsertAsync($$$"""{"nodes":[{"id":"go","type":"subworkflow","config":{"workflow_id":"{{{child}}}"}}],"edges":[]}""");
        Assert.True((await scene.EndAsync(caught)).ResultJson.GetProperty("mended").GetBoolean());
        var end = await scene.EndAsync(failed);
        Assert.Equal("subworkflow_failed", end.Code);
        Assert.Contains("never", end.Error, StringComparison.Ordinal);
        Assert.Equal(2, await scene.Database.ScalarAsync<long>("SELECT count(*) FROM lekhika.workflow_executions WHERE parent_id IS NOT NULL", Cancellation));
    }

    [Theory]
    [InlineData("http")]
    [InlineData("sql")]
    public async Task Stopping_a_parent_stops_its_children_and_theirs(string by)
    {
        await using var scene = await Scene.BeginAsync(servers);
        var leaf = await scene.WorkflowAsync(Flows.OneModel(Flows.Slowly(2000, 10)));
        var middle = await scene.WorkflowAsync($$$"""{"nodes":[{"id":"go","type":"subworkflow","config":{"workflow_id":"{{{leaf}}}"}}],"edges":[]}""");
        var daemon = await scene.DaemonAsync();
        var id = await scene.InsertAsync($$$"""{"nodes":[{"id":"go","type":"subworkflow","config":{"workflow_id":"{{{middle}}}"}}],"edges":[]}""");
        await scene.UntilOllamaAsync(static stats => stats.Generating == 1);
        if (by == "sql") await scene.SetStatusAsync(id, "cancelled");
        else Assert.Equal(200, (await daemon.PostAsync($"stop/{id}", "{}", Cancellation)).Status);
        await scene.UntilOllamaAsync(static stats => stats.Generating == 0);
        await scene.UntilSqlAsync<long>("SELECT count(*) FROM lekhika.workflow_executions WHERE status <> 'cancelled'", static left => left == 0);
        await scene.UntilSqlAsync<long>(
            "SELECT (SELECT count(*) FROM lekhika.held) + (SELECT count(*) FROM lekhika.parked) + (SELECT count(*) FROM lekhika.ready)", static places => places == 0);
    }

    [Fact]
    public async Task A_failed_iteration_stops_the_children_of_the_others_while_their_parent_goes_on()
    {
        await using var scene = await Scene.BeginAsync(servers);
        var slow = await scene.WorkflowAsync(Flows.OneModel(Flows.Slowly(2000, 10)));
        var fails = await scene.WorkflowAsync("""
            {"nodes":[{"id":"later","type":"delay","config":{"for":"1500ms"}},{"id":"no","type":"stop_and_error","config":{"message":"never"}}],
             "edges":[{"from":"later","to":"no"}]}
            """);
        await scene.DaemonAsync();
        var id = await scene.InsertAsync($$$"""
            {"nodes":[{"id":"each","type":"map","config":{"items":["{{{slow}}}","{{{fails}}}"],"concurrency":2,
              "body":{"nodes":[{"id":"go","type":"subworkflow","config":{"workflow_id":"{{ item }}"} }],"edges":[]} } },
              {"id":"ask","type":"approval","config":{"message":"and now?"}}],"edges":[{"from":"each","to":"ask","when":"error"}]}
            """);
        await scene.UntilOllamaAsync(static stats => stats.Generating == 1);
        await scene.UntilOllamaAsync(static stats => stats.Generating == 0);
        Assert.Equal("cancelled", await scene.Database.ScalarAsync<string>(
            "SELECT status FROM lekhika.workflow_executions WHERE workflow_id = $1", Cancellation, slow));
        await scene.UntilAsync(id, "waiting");
        Assert.Equal(2, await scene.Database.ScalarAsync<long>("SELECT count(*) FROM lekhika.workflow_executions WHERE parent_id = $1", Cancellation, id));
    }

    [Fact]
    public async Task A_workflow_that_starts_itself_ends_at_the_depth_limit()
    {
        await using var scene = await Scene.BeginAsync(servers);
        var id = Guid.NewGuid();
        await scene.Database.ExecuteAsync(
            "INSERT INTO lekhika.workflows (id, name, definition) VALUES ($1, 'itself', $2::jsonb)", Cancellation, id,
            $$$"""{"nodes":[{"id":"again","type":"subworkflow","config":{"workflow_id":"{{{id}}}"}}],"edges":[]}""");
        await scene.DaemonAsync(static setup => setup.Settings["limits.subworkflow_depth"] = "3");
        var end = await scene.EndAsync(await scene.InsertAsync(workflow: id));
        Assert.Equal("subworkflow_failed", end.Code);
        Assert.Contains("limits.subworkflow_depth", end.Error, StringComparison.Ordinal);
        Assert.Equal(4, await scene.Database.ScalarAsync<long>("SELECT count(*) FROM lekhika.workflow_executions", Cancellation));
    }

    [Fact]
    public async Task Killed_while_its_children_work_it_starts_none_twice()
    {
        await using var scene = await Scene.BeginAsync(servers);
        var child = await scene.WorkflowAsync(Flows.OneModel(Flows.Slowly(60, 20)));
        var first = await scene.DaemonAsync();
        var id = await scene.InsertAsync($$$"""
            {"nodes":[{"id":"start","type":"trigger"},{"id":"one","type":"subworkflow","config":{"workflow_id":"{{{child}}}"}},
              {"id":"two","type":"subworkflow","config":{"workflow_id":"{{{child}}}"}}],"edges":[{"from":"start","to":"one"},{"from":"start","to":"two"}]}
            """);
        await scene.UntilOllamaAsync(static stats => stats.Generating == 2);
        await first.KillAsync();
        await scene.DaemonAsync(setup => setup.StateDirectory = first.StateDirectory);
        Assert.Equal("completed", (await scene.EndAsync(id)).Status);
        Assert.Equal(2, await scene.Database.ScalarAsync<long>("SELECT count(*) FROM lekhika.workflow_executions WHERE parent_id = $1", Cancellation, id));
    }

    [Fact]
    public async Task Not_waited_for_a_child_outlives_its_parent()
    {
        await using var scene = await Scene.BeginAsync(servers);
        var child = await scene.WorkflowAsync(Flows.OneModel(Flows.Slowly(40, 20)));
        await scene.DaemonAsync();
        var id = await scene.InsertAsync($$$"""{"nodes":[{"id":"go","type":"subworkflow","config":{"workflow_id":"{{{child}}}","wait":false}}],"edges":[]}""");
        var end = await scene.EndAsync(id);
        var started = end.ResultJson.GetProperty("execution_id").GetGuid();
        Assert.NotEqual("completed", await scene.StatusAsync(started));
        Assert.Equal("completed", (await scene.EndAsync(started)).Status);
    }
}
