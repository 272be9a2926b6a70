using Lekhika.Daemon.Tests.Nodes.Support;
using Lekhika.Postgres.Executions;
using Xunit;

namespace Lekhika.Daemon.Tests.Nodes;

public sealed class WaitNodeTests
{
    [Fact]
    public async Task A_delay_parks_the_execution_until_its_time_by_the_databases_clock()
    {
        await using var run = new WorkflowRun();
        var workflow = WorkflowRun.OneNode("delay", """{"for":"10m"}""");
        var began = run.Now;
        var end = await run.RunAsync(workflow);
        Assert.Equal("waiting", end.Status);
        Assert.Equal(JournalKind.Park, run.Journal.Last!.Kind);
        Assert.Equal(began + TimeSpan.FromMinutes(10), run.Journal.Last.DueAt);

        run.Now = began + TimeSpan.FromMinutes(9);
        Assert.Equal("waiting", (await run.ClaimAsync(workflow, abort: TestContext.Current.CancellationToken)).Status);

        run.Now = began + TimeSpan.FromMinutes(11);
        end = await run.ClaimAsync(workflow, abort: TestContext.Current.CancellationToken);
        Assert.Equal("completed", end.Status);
        Assert.Equal(11 * 60_000, end.Result!.Value.GetProperty("waited_ms").GetInt64());
    }

    [Fact]
    public async Task A_time_that_is_over_is_not_waited_for()
    {
        await using var run = new WorkflowRun();
        var result = await run.ResultAsync(WorkflowRun.OneNode("delay", """{"until":"2001-01-01T00:00:00Z"}"""));
        Assert.Equal(0, result.GetProperty("waited_ms").GetInt64());
    }

    [Fact]
    public async Task A_condition_is_looked_at_again_and_again_until_its_time_is_over()
    {
        await using var run = new WorkflowRun();
        var workflow = WorkflowRun.OneNode("delay", """{"condition":"inputs.ready","every":"30s","timeout":"1m"}""");
        var began = run.Now;
        var end = await run.RunAsync(workflow, """{"ready":false}""");
        Assert.Equal(began + TimeSpan.FromSeconds(30), run.Journal.Last!.DueAt);
        run.Now = began + TimeSpan.FromSeconds(31);
        Assert.Equal("waiting", (await run.ClaimAsync(workflow, """{"ready":false}""", TestContext.Current.CancellationToken)).Status);
        Assert.Equal(began + TimeSpan.FromMinutes(1), run.Journal.Last!.DueAt);
        run.Now = began + TimeSpan.FromSeconds(61);
        end = await run.ClaimAsync(workflow, """{"ready":false}""", TestContext.Current.CancellationToken);
        Assert.Equal("failed", end.Status);
        Assert.Equal("node_timeout", end.ErrorDetails!.Value.GetProperty("code").GetString());
        Assert.Equal("completed", (await run.RunAsync(workflow, """{"ready":true}""")).Status);
    }

    [Fact]
    public async Task A_time_that_cannot_be_read_fails_the_delay()
    {
        await using var run = new WorkflowRun();
        var (code, message) = await run.FailureAsync(WorkflowRun.OneNode("delay", """{"until":"{{ inputs.at }}"}"""), """{"at":"tomorrow"}""");
        Assert.Equal("invalid_input", code);
        Assert.Contains("2030-01-31T09:00:00Z", message, StringComparison.Ordinal);
    }

    [Fact]
    public async Task An_approval_shows_its_question_and_takes_the_default_when_its_time_is_over()
    {
        const string Workflow = """
            {"nodes":[{"id":"start","type":"trigger"},{"id":"ask","type":"approval","config":{"message":"Publish {{ inputs.topic }}?","timeout":"2d","default":"reject"}},
              {"id":"yes","type":"set","config":{"values":{"went":"yes"}}},{"id":"no","type":"set","config":{"values":{"went":"no"}}}],
             "edges":[{"from":"start","to":"ask"},{"from":"ask","to":"yes","when":"approve"},{"from":"ask","to":"no","when":"reject"}]}
            """;
        await using var run = new WorkflowRun();
        var end = await run.RunAsync(Workflow, """{"topic":"Tea"}""");
        Assert.Equal("waiting", end.Status);
        var awaits = end.WaitingFor!.Value.GetProperty("steps")[0].GetProperty("awaits");
        Assert.Equal("Publish Tea?", awaits.GetProperty("message").GetString());
        Assert.Equal("approve", awaits.GetProperty("options")[0].GetString());
        run.Now += TimeSpan.FromDays(3);
        end = await run.ClaimAsync(Workflow, """{"topic":"Tea"}""", TestContext.Current.CancellationToken);
        Assert.Equal("completed", end.Status);
        Assert.Equal("no", end.Result!.Value.GetProperty("went").GetString());
    }

    [Fact]
    public async Task An_approval_without_a_default_fails_when_its_time_is_over()
    {
        await using var run = new WorkflowRun();
        var workflow = WorkflowRun.OneNode("approval", """{"message":"?","timeout":"1h"}""");
        Assert.Equal("waiting", (await run.RunAsync(workflow)).Status);
        run.Now += TimeSpan.FromHours(2);
        var end = await run.ClaimAsync(workflow, abort: TestContext.Current.CancellationToken);
        Assert.Equal("failed", end.Status);
        Assert.Contains("nobody answered", end.Error, StringComparison.Ordinal);
    }

    [Fact]
    public async Task A_subworkflow_is_refused_before_anything_runs()
    {
        await using var run = new WorkflowRun();
        var (code, message) = await run.FailureAsync(WorkflowRun.OneNode("subworkflow", """{"workflow_id":"6f1c1c1e-6d0e-4a57-9a3e-0d7c4f6f2b11"}"""));
        Assert.Equal("invalid_workflow", code);
        Assert.Contains("not in this build", message, StringComparison.Ordinal);
    }

    [Fact]
    public async Task A_secret_is_refused_while_there_is_no_source_of_secrets()
    {
        await using var run = new WorkflowRun();
        var (code, message) = await run.FailureAsync(WorkflowRun.OneNode("http", """{"url":"https://example.com","headers":{"Authorization":"{{ secrets.key }}"}}"""));
        Assert.Equal("invalid_workflow", code);
        Assert.Contains("no source of secrets", message, StringComparison.Ordinal);
    }
}
