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
    public async Task A_signal_that_came_early_is_taken_without_waiting_and_once()
    {
        const string Workflow = """
            {"nodes":[{"id":"start","type":"trigger"},{"id":"one","type":"delay","config":{"signal":"go"}},{"id":"two","type":"wait_for_signal","config":{"signal":"go","timeout":"1h"}}],
             "edges":[{"from":"start","to":"one"},{"from":"one","to":"two"}]}
            """;
        await using var run = new WorkflowRun();
        Assert.Equal("waiting", (await run.RunAsync(Workflow)).Status);
        run.Send("other");
        run.Send("go", payload: """{"n":1}""");
        var end = await run.ClaimAsync(Workflow, abort: TestContext.Current.CancellationToken);
        Assert.Equal("waiting", end.Status);
        Assert.Equal("two", end.WaitingFor!.Value.GetProperty("steps")[0].GetProperty("step").GetString());
        Assert.Equal("other", Assert.Single(run.Journal.Events).Name);

        run.Send("go", "two", """{"n":2}""");
        end = await run.ClaimAsync(Workflow, abort: TestContext.Current.CancellationToken);
        Assert.Equal("completed", end.Status);
        Assert.Equal(2, end.Result!.Value.GetProperty("payload").GetProperty("n").GetInt32());
    }

    [Fact]
    public async Task A_signal_that_does_not_come_in_time_fails_the_node()
    {
        await using var run = new WorkflowRun();
        var workflow = WorkflowRun.OneNode("wait_for_signal", """{"signal":"paid","timeout":"1h"}""");
        Assert.Equal("waiting", (await run.RunAsync(workflow)).Status);
        run.Now += TimeSpan.FromHours(2);
        var end = await run.ClaimAsync(workflow, abort: TestContext.Current.CancellationToken);
        Assert.Equal("node_timeout", end.ErrorDetails!.Value.GetProperty("code").GetString());
    }

    [Fact]
    public async Task An_answer_goes_before_the_end_of_the_time_if_it_is_there()
    {
        await using var run = new WorkflowRun();
        var workflow = WorkflowRun.OneNode("approval", """{"message":"?","timeout":"1h","default":"reject"}""");
        Assert.Equal("waiting", (await run.RunAsync(workflow)).Status);
        run.Now += TimeSpan.FromHours(2);
        run.Send("approve", "it", """{"by":"ana","comment":"fine","payload":{"edition":2}}""");
        var end = await run.ClaimAsync(workflow, abort: TestContext.Current.CancellationToken);
        var output = end.Result!.Value;
        Assert.Equal(
            ("approve", "ana", "fine", 2),
            (output.GetProperty("answer").GetString(), output.GetProperty("by").GetString(), output.GetProperty("comment").GetString(),
                output.GetProperty("data").GetProperty("edition").GetInt32()));
        Assert.False(output.GetProperty("timed_out").GetBoolean());
        Assert.Empty(run.Journal.Events);
    }

    [Theory]
    [InlineData("publish", null, "publish")]
    [InlineData("approval", """{"answer":"drop"}""", "drop")]
    [InlineData("approval", """{"answer":"burn"}""", null)]
    [InlineData("approve", null, null)]
    public async Task A_signal_answers_by_its_name_or_by_its_payload_and_what_is_no_answer_is_dropped(string name, string? payload, string? answer)
    {
        await using var run = new WorkflowRun();
        var workflow = WorkflowRun.OneNode("approval", """{"message":"?","options":["publish","drop"]}""");
        await run.RunAsync(workflow);
        run.Send(name, payload: payload);
        var end = await run.ClaimAsync(workflow, abort: TestContext.Current.CancellationToken);
        Assert.Equal(answer is null ? "waiting" : "completed", end.Status);
        Assert.Equal(answer, end.Result?.GetProperty("answer").GetString());

        // An unknown name wakes nobody and may be for a node to come; a false answer woke it and is gone.
        Assert.Equal(name == "approve" ? 1 : 0, run.Journal.Events.Count);
    }

    [Fact]
    public async Task With_several_approvals_open_only_answers_that_name_one_are_taken()
    {
        const string Workflow = """
            {"nodes":[{"id":"start","type":"trigger"},{"id":"each","type":"map","config":{"items":"{{ [1,2,3] }}","concurrency":2,
               "body":{"nodes":[{"id":"check","type":"approval","config":{"message":"{{ item }}?","options":["yes","no"]}}],"edges":[]}}}],
             "edges":[{"from":"start","to":"each"}]}
            """;
        await using var run = new WorkflowRun();
        var end = await run.RunAsync(Workflow);
        Assert.Equal(2, end.WaitingFor!.Value.GetProperty("steps").GetArrayLength());
        run.Send("yes");
        run.Send("yes", "each[2].check");
        Assert.Equal("waiting", (await run.ClaimAsync(Workflow, abort: TestContext.Current.CancellationToken)).Status);
        Assert.Equal(2, run.Journal.Events.Count);

        // The first is answered; the third comes up and finds its early answer; the second is then alone, and takes the one that names none.
        run.Send("no", "each[0].check");
        end = await run.ClaimAsync(Workflow, abort: TestContext.Current.CancellationToken);
        Assert.Equal("completed", end.Status);
        Assert.Equal(["no", "yes", "yes"], end.Result!.Value.GetProperty("items").EnumerateArray().Select(static item => item.GetProperty("answer").GetString()));
        Assert.Empty(run.Journal.Events);
    }
}
