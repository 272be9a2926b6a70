using System.Net;
using Lekhika.Daemon.Tests.Http.Support;
using Lekhika.Postgres.Executions;
using Lekhika.Postgres.Queue;
using Lekhika.Workflows.Execution;
using Xunit;

namespace Lekhika.Daemon.Tests.Http;

public sealed class BrowseTests
{
    private static readonly DateTimeOffset Noon = new(2026, 11, 22, 12, 0, 0, TimeSpan.Zero);

    private static ExecutionListItem Item(Guid id, long exec, string status = "completed") => new()
    {
        Id = id,
        Exec = exec,
        Status = status,
        Run = 1,
        WorkflowName = "Rivers",
        CreatedAt = Noon,
        StartedAt = Noon.AddSeconds(1),
        FinishedAt = status == "completed" ? Noon.AddSeconds(3) : null,
    };

    [Fact]
    public async Task A_list_has_all_fields_and_a_cursor_to_go_on()
    {
        await using var server = await TestServer.StartAsync();
        for (var i = 1; i <= 3; i++) server.Browse.Items.Add(Item(Guid.NewGuid(), i));
        var (response, body) = await server.GetAsync("/executions?limit=2&status=completed,failed&user=asha&workflow=Rivers&model=qwen&q=x");
        Assert.Equal(HttpStatusCode.OK, response.StatusCode);
        Assert.Equal("2", body.GetProperty("next").GetString());
        var first = body.GetProperty("executions")[0];
        foreach (var name in "executionId workflowId workflowName status priority userId progress currentNodeId createdAt startedAt finishedAt durationMs error code waitingFor tokensIn tokensOut words run attempts parentId workerId".Split(' '))
            Assert.True(first.TryGetProperty(name, out _), name);
        Assert.Equal(2000, first.GetProperty("durationMs").GetInt64());
        Assert.Equal(["completed", "failed"], server.Browse.Filter!.Statuses);
        Assert.Equal(("asha", "Rivers", "qwen", "x"), (server.Browse.Filter.User, server.Browse.Filter.Workflow, server.Browse.Filter.Model, server.Browse.Filter.Query));

        (_, body) = await server.GetAsync("/executions?limit=2&cursor=2");
        Assert.Equal(1, body.GetProperty("executions").GetArrayLength());
        Assert.Equal(System.Text.Json.JsonValueKind.Null, body.GetProperty("next").ValueKind);
    }

    [Theory]
    [InlineData("limit=0", "limit")]
    [InlineData("limit=201", "limit")]
    [InlineData("limit=ten", "limit")]
    [InlineData("cursor=-1", "cursor")]
    [InlineData("cursor=99999999999999999999", "cursor")]
    [InlineData("status=done", "done")]
    [InlineData("status=completed&status=failed", "more than once")]
    [InlineData("colour=red", "colour")]
    [InlineData("q=a%00b", "NUL")]
    public async Task A_parameter_that_cannot_be_is_refused_by_name(string query, string named)
    {
        await using var server = await TestServer.StartAsync();
        var (response, body) = await server.GetAsync("/executions?" + query);
        Assert.Equal(HttpStatusCode.BadRequest, response.StatusCode);
        Assert.Contains(named, body.GetProperty("error").GetString(), StringComparison.Ordinal);
    }

    [Fact]
    public async Task What_runs_here_is_listed_as_it_is_at_this_moment()
    {
        await using var server = await TestServer.StartAsync();
        var id = Guid.NewGuid();
        var run = new TestRun(id).Begin().Answer("a long river");
        server.Live.Add(run.Live);
        server.Browse.Items.Add(Item(id, 42, "running"));
        var (_, body) = await server.GetAsync("/executions");
        var item = body.GetProperty("executions")[0];
        Assert.Equal(("running", 90, "ask", 7), (
            item.GetProperty("status").GetString(), item.GetProperty("progress").GetDouble(),
            item.GetProperty("currentNodeId").GetString(), item.GetProperty("tokensIn").GetInt64()));
        run.Complete();
        (_, body) = await server.GetAsync("/executions");
        item = body.GetProperty("executions")[0];
        Assert.Equal(("completed", 100), (item.GetProperty("status").GetString(), item.GetProperty("progress").GetDouble()));
    }

    [Fact]
    public async Task Counts_are_asked_of_the_database_once_for_many_who_look()
    {
        await using var server = await TestServer.StartAsync();
        for (var i = 0; i < 5; i++)
        {
            var (_, body) = await server.GetAsync("/executions/counts");
            Assert.Equal("""{"pending":1,"running":2,"waiting":3,"paused":4,"completed":5,"failed":6,"cancelled":7,"exact":true}""", body.GetRawText());
        }

        Assert.InRange(server.Browse.Counted, 1, 4);
    }

    [Fact]
    public async Task One_execution_is_its_status_with_inputs_result_and_definition()
    {
        await using var server = await TestServer.StartAsync();
        var id = Guid.NewGuid();
        server.Store.Put(TestServer.Row(id, "completed") with { Result = TestServer.Json("""{"value":1}""") });
        server.Browse.Items.Add(Item(id, 42));
        var (response, body) = await server.GetAsync($"/executions/{id}");
        Assert.Equal(HttpStatusCode.OK, response.StatusCode);
        Assert.Equal(("completed", "Rivers", "rivers", 1, 100), (
            body.GetProperty("status").GetString(), body.GetProperty("workflowName").GetString(), body.GetProperty("inputs").GetProperty("topic").GetString(),
            body.GetProperty("result").GetProperty("value").GetInt32(), body.GetProperty("progress").GetDouble()));
        Assert.Equal(2, body.GetProperty("definition").GetProperty("nodes").GetArrayLength());
        var names = body.EnumerateObject().Select(static property => property.Name).ToList();
        Assert.Equal(names.Distinct(StringComparer.Ordinal), names);
        Assert.Equal(HttpStatusCode.NotFound, (await server.GetAsync($"/executions/{Guid.NewGuid()}")).Response.StatusCode);
        Assert.Equal(HttpStatusCode.BadRequest, (await server.GetAsync("/executions/nonsense")).Response.StatusCode);
    }

    [Fact]
    public async Task Steps_and_timeline_tell_what_happened_in_order()
    {
        await using var server = await TestServer.StartAsync();
        var id = Guid.NewGuid();
        server.Store.Put(TestServer.Row(id, "failed") with { Run = 2, CreatedAt = Noon });
        server.Browse.Items.Add(Item(id, 42, "failed") with { FinishedAt = Noon.AddSeconds(9), Error = "no model", Run = 2 });
        server.Browse.Runs.Add(new OpenedRun(2, Noon.AddSeconds(5), "retry"));
        server.Browse.Steps.Add(new StepRecord
        {
            Run = 2,
            Key = "ask",
            Attempt = 1,
            Outcome = StepOutcome.Retrying,
            Error = new StepError("model_failed", "broke"),
            StartedAt = Noon.AddSeconds(6),
            FinishedAt = Noon.AddSeconds(7),
            DueAt = Noon.AddSeconds(8),
        });
        server.Browse.Steps.Add(new StepRecord
        {
            Run = 2,
            Key = "chapters[3].draft",
            Attempt = 2,
            Outcome = StepOutcome.Succeeded,
            Output = TestServer.Json("""{"text":"…"}"""),
            StartedAt = Noon.AddSeconds(8),
            FinishedAt = Noon.AddSeconds(8.5),
        });
        var (_, steps) = await server.GetAsync($"/executions/{id}/steps");
        Assert.Equal(["ask", "draft"], steps.GetProperty("steps").EnumerateArray().Select(static step => step.GetProperty("nodeId").GetString()));
        Assert.Equal(["retrying", "succeeded"], steps.GetProperty("steps").EnumerateArray().Select(static step => step.GetProperty("outcome").GetString()));
        Assert.Equal("model_failed", steps.GetProperty("steps")[0].GetProperty("error").GetProperty("code").GetString());
        Assert.Equal(0, (await server.GetAsync($"/executions/{id}/steps?run=1")).Body.GetProperty("steps").GetArrayLength());

        var (_, timeline) = await server.GetAsync($"/executions/{id}/timeline");
        var entries = timeline.GetProperty("entries").EnumerateArray().ToList();
        Assert.Equal(
            ["created", "started", "run", "node_started", "node_retrying", "node_started", "node_succeeded", "failed"],
            entries.Select(static entry => entry.GetProperty("kind").GetString()));
        Assert.Equal("failed: no model", entries[^1].GetProperty("text").GetString());
        Assert.Equal(500, entries[6].GetProperty("durationMs").GetInt64());
    }

    [Fact]
    public async Task A_workflow_is_stored_read_changed_and_executed()
    {
        await using var server = await TestServer.StartAsync();
        var (response, body) = await server.PostAsync("/workflows", """{"name":"Haiku","definition":{"nodes":[{"id":"a","type":"old"}]}}""");
        Assert.Equal(HttpStatusCode.Created, response.StatusCode);
        var id = body.GetProperty("id").GetString();
        Assert.Equal($"/workflows/{id}", response.Headers.Location?.ToString());
        Assert.Equal("definition.nodes[0].type", body.GetProperty("warnings")[0].GetProperty("path").GetString());
        Assert.Equal("Haiku", (await server.GetAsync($"/workflows/{id}")).Body.GetProperty("name").GetString());
        Assert.Equal(1, (await server.GetAsync("/workflows?q=hai")).Body.GetProperty("workflows").GetArrayLength());

        (response, body) = await PutAsync(server, $"/workflows/{id}", """{"definition":{"nodes":[{"id":"b"}]},"version":1}""");
        Assert.Equal((HttpStatusCode.OK, 2), (response.StatusCode, body.GetProperty("version").GetInt32()));
        (response, body) = await PutAsync(server, $"/workflows/{id}", """{"name":"x","version":1}""");
        Assert.Equal((HttpStatusCode.Conflict, "conflict"), (response.StatusCode, body.GetProperty("code").GetString()));

        (response, body) = await server.PostAsync($"/workflows/{id}/execute", """{"inputs":{"topic":"rain"}}""");
        Assert.Equal(HttpStatusCode.Accepted, response.StatusCode);
        var submission = Assert.Single(server.Intake.Submissions);
        Assert.Equal((id, """{"topic":"rain"}"""), (submission.WorkflowId?.ToString(), submission.Inputs));
        (response, _) = await server.PostAsync($"/workflows/{id}/execute", """{"workflow":{"nodes":[{"id":"a"}]}}""");
        Assert.Equal(HttpStatusCode.BadRequest, response.StatusCode);
    }

    [Fact]
    public async Task Everything_that_is_wrong_with_a_workflow_is_said_at_once()
    {
        await using var server = await TestServer.StartAsync();
        var (response, body) = await server.PostAsync(
            "/workflows", """{"name":"","isActive":"yes","definition":{"nodes":[{"type":"sracping"},{"type":"sracping"}]}}""");
        Assert.Equal(HttpStatusCode.BadRequest, response.StatusCode);
        Assert.Equal(
            ["definition.nodes[0].type", "definition.nodes[1].type", "name", "isActive"],
            body.GetProperty("problems").EnumerateArray().Select(static problem => problem.GetProperty("path").GetString()));
        Assert.Empty(server.Browse.Workflows);
        (response, body) = await server.PostAsync("/workflows", """{"name":"a"}""");
        Assert.Equal("definition", body.GetProperty("required")[0].GetString());
        (response, body) = await PutAsync(server, $"/workflows/{Guid.NewGuid()}", """{"name":"a"}""");
        Assert.Equal((HttpStatusCode.NotFound, "workflow_not_found"), (response.StatusCode, body.GetProperty("code").GetString()));
    }

    [Fact]
    public async Task Workers_and_queue_are_told()
    {
        await using var server = await TestServer.StartAsync();
        server.Browse.Workers.Add(new WorkerFact
        {
            WorkerId = "w",
            Incarnation = 7,
            Host = "h",
            Version = "1",
            Slots = 4,
            StartedAt = Noon,
            HeartbeatAt = Noon,
            ExpiresAt = Noon,
            Alive = true,
            Held = 2,
        });
        var (_, workers) = await server.GetAsync("/workers");
        Assert.Equal("workerId incarnation host url version slots startedAt heartbeatAt expiresAt alive held", string.Join(
            ' ', workers.GetProperty("workers")[0].EnumerateObject().Select(static property => property.Name)));
        Assert.Equal("""{"ready":3,"held":2,"parked":1,"oldestAgeMs":1500}""", (await server.GetAsync("/queue")).Body.GetRawText());
    }

    private static async Task<(HttpResponseMessage Response, System.Text.Json.JsonElement Body)> PutAsync(TestServer server, string path, string body)
    {
        using var content = new StringContent(body, System.Text.Encoding.UTF8, "application/json");
        return await TestServer.ReadAsync(await server.Client.PutAsync(new Uri(path, UriKind.Relative), content, TestContext.Current.CancellationToken));
    }
}
