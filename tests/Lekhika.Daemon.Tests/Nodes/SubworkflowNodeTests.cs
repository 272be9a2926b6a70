using System.Text.Json;
using Lekhika.Daemon.Nodes;
using Lekhika.Daemon.Tests.Nodes.Support;
using Lekhika.Postgres.Signals;
using Xunit;

namespace Lekhika.Daemon.Tests.Nodes;

public sealed class SubworkflowNodeTests
{
    private const string Config = """{"workflow_id":"6f1c1c1e-6d0e-4a57-9a3e-0d7c4f6f2b11","inputs":{"topic":"{{ inputs.topic }}"}}""";
    private static readonly Guid Parent = new("0190f0de-0000-7000-8000-000000000001");

    private static CancellationToken Cancellation => TestContext.Current.CancellationToken;

    [Fact]
    public async Task It_starts_a_child_waits_for_it_and_gives_its_result()
    {
        await using var run = new WorkflowRun();
        var workflow = WorkflowRun.OneNode("subworkflow", Config);
        var end = await run.RunAsync(workflow, """{"topic":"Tea"}""");
        Assert.Equal("waiting", end.Status);
        var child = Assert.Single(run.Journal.Children);
        Assert.Equal("""{"topic":"Tea"}""", child.Inputs.GetRawText());
        Assert.True(child.IsAwaited);
        Assert.Equal(DerivedId.OfChild(Parent, "it", 1, 1), child.Id);
        Assert.Equal(child.Id.ToString(), end.WaitingFor!.Value.GetProperty("steps")[0].GetProperty("awaits").GetProperty("execution_id").GetString());

        run.EndChild("it", new ChildEnd("completed", Json("""{"text":"done"}"""), null, null));
        end = await run.ClaimAsync(workflow, abort: Cancellation);
        Assert.Equal("completed", end.Status);
        Assert.Equal("done", end.Result!.Value.GetProperty("result").GetProperty("text").GetString());
        Assert.Equal("completed", end.Result.Value.GetProperty("status").GetString());
        Assert.Single(run.Journal.Children);
    }

    [Theory]
    [InlineData("failed", "boom")]
    [InlineData("cancelled", "cancelled")]
    [InlineData("deleted", "deleted")]
    public async Task A_child_that_does_not_complete_fails_the_node_without_being_started_again(string status, string said)
    {
        await using var run = new WorkflowRun { Retry = new() { MaxAttempts = 5 } };
        var workflow = WorkflowRun.OneNode("subworkflow", Config);
        await run.RunAsync(workflow, """{"topic":"Tea"}""");
        run.EndChild("it", new ChildEnd(status, null, "boom", Json("""{"code":"bad_luck"}""")));
        var end = await run.ClaimAsync(workflow, """{"topic":"Tea"}""", Cancellation);
        Assert.Equal("failed", end.Status);
        Assert.Equal("subworkflow_failed", end.ErrorDetails!.Value.GetProperty("code").GetString());
        Assert.Contains(said, end.Error, StringComparison.Ordinal);
        Assert.Equal("bad_luck", end.ErrorDetails.Value.GetProperty("details").GetProperty("error").GetProperty("code").GetString());
        Assert.Single(run.Journal.Children);
    }

    [Fact]
    public async Task A_node_with_a_retry_of_its_own_starts_another_child()
    {
        await using var run = new WorkflowRun();
        var workflow = WorkflowRun.OneNode("subworkflow", Config, ""","retry":{"max_attempts":2,"initial_delay":"1s","jitter":0}""");
        await run.RunAsync(workflow, """{"topic":"Tea"}""");
        run.EndChild("it", new ChildEnd("failed", null, "boom", null));
        await run.ClaimAsync(workflow, """{"topic":"Tea"}""", Cancellation);
        run.Now += TimeSpan.FromMinutes(1);
        Assert.Equal("waiting", (await run.ClaimAsync(workflow, """{"topic":"Tea"}""", Cancellation)).Status);
        Assert.Equal([DerivedId.OfChild(Parent, "it", 1, 1), DerivedId.OfChild(Parent, "it", 1, 2)], run.Journal.Children.Select(static child => child.Id));

        // What is heard of the first child now is no answer for the second.
        run.EndChild("it", new ChildEnd("completed", Json("{}"), null, null), attempt: 1);
        Assert.Equal("waiting", (await run.ClaimAsync(workflow, """{"topic":"Tea"}""", Cancellation)).Status);
        run.EndChild("it", new ChildEnd("completed", Json("{}"), null, null), attempt: 2);
        Assert.Equal("completed", (await run.ClaimAsync(workflow, """{"topic":"Tea"}""", Cancellation)).Status);
    }

    [Fact]
    public async Task A_child_that_was_cancelled_with_a_parent_that_goes_on_after_all_is_started_anew()
    {
        await using var run = new WorkflowRun();
        var workflow = WorkflowRun.OneNode("subworkflow", Config);
        await run.RunAsync(workflow, """{"topic":"Tea"}""");
        run.EndChild("it", new ChildEnd("cancelled", null, "cancelled with its parent", Json("""{"code":"cancelled","reason":"parent_ended"}""")));
        Assert.Equal("waiting", (await run.ClaimAsync(workflow, """{"topic":"Tea"}""", Cancellation)).Status);
        Assert.Equal(2, run.Journal.Children.Select(static child => child.Id).Distinct().Count());
    }

    [Fact]
    public async Task Not_waited_for_it_gives_the_childs_id_at_once()
    {
        await using var run = new WorkflowRun();
        var result = await run.ResultAsync(WorkflowRun.OneNode("subworkflow", """{"workflow_id":"6f1c1c1e-6d0e-4a57-9a3e-0d7c4f6f2b11","wait":false}"""));
        var child = Assert.Single(run.Journal.Children);
        Assert.False(child.IsAwaited);
        Assert.Equal(child.Id.ToString(), result.GetProperty("execution_id").GetString());
    }

    [Theory]
    [InlineData("workflow_not_found", 0, null)]
    [InlineData("workflow_inactive", 0, false)]
    [InlineData("subworkflow_depth", 8, true)]
    public async Task What_cannot_be_started_fails_with_its_reason(string expected, int depth, bool? isActive)
    {
        await using var run = new WorkflowRun();
        run.Children.Target = new ChildTarget(depth, isActive, "w");
        var (code, _) = await run.FailureAsync(WorkflowRun.OneNode("subworkflow", """{"workflow_id":"6f1c1c1e-6d0e-4a57-9a3e-0d7c4f6f2b11"}"""));
        Assert.Equal(expected, code);
        Assert.Empty(run.Journal.Children);
    }

    [Fact]
    public async Task A_wait_is_bounded_by_the_nodes_timeout()
    {
        await using var run = new WorkflowRun();
        var workflow = WorkflowRun.OneNode("subworkflow", Config, ""","timeout":"1h" """);
        await run.RunAsync(workflow, """{"topic":"Tea"}""");
        run.Now += TimeSpan.FromHours(2);
        var end = await run.ClaimAsync(workflow, """{"topic":"Tea"}""", Cancellation);
        Assert.Equal("node_timeout", end.ErrorDetails!.Value.GetProperty("code").GetString());
        Assert.Equal(run.Journal.Children[0].Id, Assert.Single(run.Journal.Last!.Aside!.Abandoned));
    }

    [Fact]
    public void Ids_are_of_version_5_as_the_rfc_makes_them() =>
        // The example of RFC 9562, appendix A.4.
        Assert.Equal(new Guid("2ed6657d-e927-568b-95e1-2665a8aea6a2"), DerivedId.Of(new Guid("6ba7b810-9dad-11d1-80b4-00c04fd430c8"), "www.example.com"));

    private static JsonElement Json(string text)
    {
        using var document = JsonDocument.Parse(text);
        return document.RootElement.Clone();
    }
}
