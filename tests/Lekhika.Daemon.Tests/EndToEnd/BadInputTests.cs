using System.Net;
using System.Net.Http.Headers;
using System.Text;
using Lekhika.Daemon.Tests.EndToEnd.Support;
using Xunit;

namespace Lekhika.Daemon.Tests.EndToEnd;

/// <summary>Bad input gets a clear error that names what and where; the row is failed, the next row runs, nothing is lost.</summary>
public sealed class BadInputTests(Servers servers)
{
    private static CancellationToken Cancellation => TestContext.Current.CancellationToken;

    [Fact]
    public async Task Rows_with_garbage_are_failed_with_a_code_and_the_next_ones_run()
    {
        await using var scene = await Scene.BeginAsync(servers);
        var inactive = await scene.WorkflowAsync(Flows.Trivial, isActive: false);
        var good = await scene.WorkflowAsync(Flows.Trivial);
        var undefined = Guid.NewGuid();
        await scene.Database.ExecuteAsync("INSERT INTO lekhika.workflows (id, name) VALUES ($1, 'empty')", Cancellation, undefined);
        var deep = new string('[', 3_000) + new string(']', 3_000);
        var node = """{"id":"a","type":"noop"}""";
        (string Name, string? Definition, Guid? Workflow, string? Inputs, string Code, string Says)[] cases =
        [
            ("inputs array", Flows.Trivial, null, "[1,2]", "invalid_input", "an array"),
            ("inputs string", Flows.Trivial, null, "\"text\"", "invalid_input", "a string"),
            ("inputs number", Flows.Trivial, null, "7", "invalid_input", "a number"),
            ("definition array", "[]", null, "{}", "invalid_workflow", ""),
            ("definition string", "\"x\"", null, "{}", "invalid_workflow", ""),
            ("definition empty", "{}", null, "{}", "invalid_workflow", "nodes"),
            ("no nodes", """{"nodes":[],"edges":[]}""", null, "{}", "invalid_workflow", "node"),
            ("nodes of the wrong type", """{"nodes":"three","edges":[]}""", null, "{}", "invalid_workflow", "nodes"),
            ("nodes of numbers", """{"nodes":[1,2],"edges":[]}""", null, "{}", "invalid_workflow", "nodes[0]"),
            ("unknown type", """{"nodes":[{"id":"a","type":"sracping"}],"edges":[]}""", null, "{}", "invalid_workflow", "sracping"),
            ("missing edge end", $$$"""{"nodes":[{{{node}}}],"edges":[{"from":"a","to":"b"}]}""", null, "{}", "invalid_workflow", "b"),
            ("edge without to", $$$"""{"nodes":[{{{node}}}],"edges":[{"from":"a"}]}""", null, "{}", "invalid_workflow", "edges[0]"),
            ("cycle", """{"nodes":[{"id":"a","type":"noop"},{"id":"b","type":"noop"}],"edges":[{"from":"a","to":"b"},{"from":"b","to":"a"}]}""", null, "{}", "invalid_workflow", "cycle"),
            ("unknown workflow", null, Guid.NewGuid(), "{}", "workflow_not_found", "no workflow"),
            ("inactive workflow", null, inactive, "{}", "workflow_inactive", "not active"),
            ("workflow without definition", null, undefined, "{}", "invalid_workflow", "no definition"),
            ("neither", null, null, "{}", "workflow_not_found", "workflow_id"),
            ("unknown model", Flows.OneModel("hello", "no-such-model"), null, "{}", "model_not_found", "no-such-model"),
            ("nested definition", $$$$"""{"nodes":[{"id":"a","type":"set","config":{"values":{"x":{{{{deep}}}} }}}],"edges":[]}""", null, "{}", "invalid_workflow", "deep"),
            ("nested inputs", Flows.Trivial, null, $$$"""{"x":{{{deep}}}}""", "invalid_input", ""),
        ];
        var daemon = await scene.DaemonAsync(static setup => setup.Settings["worker.max_retries"] = "0");
        var rows = new List<(Guid Bad, Guid Next)>();
        foreach (var one in cases)
        {
            rows.Add((await scene.InsertAsync(one.Definition, one.Workflow, one.Inputs), await scene.InsertAsync(workflow: good)));
        }

        for (var i = 0; i < cases.Length; i++)
        {
            var one = cases[i];
            var end = await scene.EndAsync(rows[i].Bad);
            Assert.True(end.Status == "failed", $"{one.Name}: {end}");
            Assert.True(end.Code == one.Code, $"{one.Name}: {end.Details}");
            Assert.True(end.Error!.Contains(one.Says, StringComparison.OrdinalIgnoreCase), $"{one.Name}: {end.Error}");
            Assert.True((await scene.EndAsync(rows[i].Next)).Status == "completed", $"the row after {one.Name}");
            var shown = await StatusAsync(daemon, rows[i].Bad, one.Name);
            Assert.Equal((200, "failed"), (shown.Status, shown.Body.GetProperty("status").GetString()));
        }

        Assert.DoesNotContain(daemon.Child.Lines, static line => line.Contains("fault of the daemon", StringComparison.Ordinal));
    }

    /// <summary>The status, or what the daemon said when it broke.</summary>
    private static async Task<(int Status, System.Text.Json.JsonElement Body)> StatusAsync(DaemonProcess daemon, Guid id, string name)
    {
        try
        {
            return await daemon.GetAsync($"status/{id}", Cancellation);
        }
        catch (HttpRequestException exception)
        {
            throw new InvalidOperationException($"the status of {name} was not told: {exception.Message}\n{daemon.Child.Tail()}", exception);
        }
    }

    [Fact]
    public async Task Three_megabytes_of_nesting_fail_their_row_and_nothing_else()
    {
        await using var scene = await Scene.BeginAsync(servers);
        // As deep as PostgreSQL itself takes it (max_stack_depth), many times side by side.
        var deep = new string('[', 2_000) + new string(']', 2_000);
        var many = string.Join(',', Enumerable.Repeat(deep, 750));
        var daemon = await scene.DaemonAsync();
        var definition = await scene.InsertAsync($$$$"""{"nodes":[{"id":"a","type":"set","config":{"values":{"x":[{{{{many}}}}]}}}],"edges":[]}""");
        var inputs = await scene.InsertAsync(Flows.Trivial, inputs: $$$"""{"x":[{{{many}}}]}""");
        var next = await scene.InsertAsync(Flows.Trivial);
        Assert.Equal("completed", (await scene.EndAsync(next)).Status);
        Assert.Equal(("failed", "invalid_workflow"), (await scene.EndAsync(definition) is var one ? (one.Status, one.Code!) : default));
        Assert.Equal(("failed", "invalid_input"), (await scene.EndAsync(inputs) is var two ? (two.Status, two.Code!) : default));
        Assert.False(daemon.Child.HasExited);
        Assert.Equal(200, (await daemon.GetAsync($"status/{definition}", Cancellation)).Status);
    }

    [Fact]
    public async Task Requests_are_refused_with_the_right_status_and_say_what_is_wrong()
    {
        await using var scene = await Scene.BeginAsync(servers);
        var daemon = await scene.DaemonAsync();
        var id = Guid.NewGuid();
        (string Name, string Body, int Status, string Code, string Says)[] cases =
        [
            ("malformed JSON", "{\"workflow\": ", 400, "malformed_json", ""),
            ("not JSON at all", "hello", 400, "malformed_json", ""),
            ("an array", "[]", 400, "malformed_json", "object"),
            ("empty", "", 400, "malformed_json", ""),
            ("missing fields", "{}", 400, "invalid_request", "workflow"),
            ("wrong types", """{"executionId":5,"workflow":[],"inputs":"x"}""", 400, "invalid_request", "executionId"),
            ("no uuid", $$$"""{"executionId":"abc","workflow":{{{Flows.Trivial}}}}""", 400, "invalid_request", "executionId"),
            ("no nodes", """{"workflow":{"nodes":[],"edges":[]}}""", 400, "invalid_workflow", "node"),
            ("cycle", """{"workflow":{"nodes":[{"id":"a","type":"noop"}],"edges":[{"from":"a","to":"a"}]}}""", 400, "invalid_workflow", "a"),
            ("missing edge end", """{"workflow":{"nodes":[{"id":"a","type":"noop"}],"edges":[{"from":"a","to":"zz"}]}}""", 400, "invalid_workflow", "zz"),
            ("unknown type", """{"workflow":{"nodes":[{"id":"a","type":"sracping"}],"edges":[]}}""", 400, "invalid_workflow", "sracping"),
        ];
        foreach (var one in cases)
        {
            var (status, body) = await daemon.PostAsync("execute", one.Body, Cancellation);
            Assert.True(status == one.Status, $"{one.Name}: {status} {body}");
            Assert.False(body.GetProperty("success").GetBoolean());
            Assert.True(body.GetProperty("code").GetString() == one.Code, $"{one.Name}: {body}");
            Assert.NotEqual("", body.GetProperty("error").GetString());
            Assert.True(body.GetRawText().Contains(one.Says, StringComparison.OrdinalIgnoreCase), $"{one.Name}: {body}");
        }

        foreach (var (path, isPost) in new[] { ($"status/{id}", false), ($"stop/{id}", true), ($"status/{id}/events", false) })
        {
            var (status, body) = isPost ? await daemon.PostAsync(path, "", Cancellation) : await daemon.GetAsync(path, Cancellation);
            Assert.Equal((404, "execution_not_found"), (status, body.GetProperty("code").GetString()));
        }

        Assert.Equal(400, (await daemon.GetAsync("status/not-an-id", Cancellation)).Status);
        Assert.Equal(404, (await daemon.GetAsync("no/such/route", Cancellation)).Status);
        Assert.Equal(0, await scene.Database.ScalarAsync<long>("SELECT count(*) FROM lekhika.workflow_executions", Cancellation));
        // Nothing of this has hurt it.
        var good = await daemon.PostAsync("execute", $$$"""{"workflow":{{{Flows.Trivial}}}}""", Cancellation);
        Assert.Equal(202, good.Status);
        Assert.Equal("completed", (await scene.EndAsync(good.Body.GetProperty("executionId").GetGuid())).Status);
    }

    [Fact]
    public async Task A_model_that_no_server_has_fails_the_execution_and_says_which()
    {
        await using var scene = await Scene.BeginAsync(servers);
        var daemon = await scene.DaemonAsync();
        var reply = await daemon.PostAsync("execute", $$$"""{"workflow":{{{Flows.OneModel("hello", "nowhere:7b")}}}}""", Cancellation);
        Assert.Equal(202, reply.Status);
        var end = await scene.EndAsync(reply.Body.GetProperty("executionId").GetGuid());
        Assert.Equal(("failed", "model_not_found"), (end.Status, end.Code));
        Assert.Contains("nowhere:7b", end.Error, StringComparison.Ordinal);
    }

    [Fact]
    public async Task Only_who_knows_the_secret_gets_in_and_health_is_open()
    {
        await using var scene = await Scene.BeginAsync(servers);
        var daemon = await scene.DaemonAsync();
        using var stranger = new HttpClient { BaseAddress = daemon.Http.BaseAddress };
        foreach (var secret in new[] { null, "", "wrong", DaemonSetup.Secret + "x", DaemonSetup.Secret[..^1] })
        {
            using var request = new HttpRequestMessage(HttpMethod.Post, "execute") { Content = new StringContent($$$"""{"workflow":{{{Flows.Trivial}}}}""") };
            if (secret is not null) request.Headers.TryAddWithoutValidation("X-Internal-Auth", secret);
            using var response = await stranger.SendAsync(request, Cancellation);
            Assert.Equal(HttpStatusCode.Unauthorized, response.StatusCode);
            Assert.Contains("\"unauthorized\"", await response.Content.ReadAsStringAsync(Cancellation), StringComparison.Ordinal);
        }

        using var health = await stranger.GetAsync(new Uri("health", UriKind.Relative), Cancellation);
        Assert.Equal(HttpStatusCode.OK, health.StatusCode);
        Assert.Equal(0, await scene.Database.ScalarAsync<long>("SELECT count(*) FROM lekhika.workflow_executions", Cancellation));
        Assert.DoesNotContain(daemon.Child.Lines, static line => line.Contains(DaemonSetup.Secret, StringComparison.Ordinal));
    }

    [Fact]
    public async Task A_body_of_two_hundred_megabytes_is_refused_and_not_swallowed()
    {
        await using var scene = await Scene.BeginAsync(servers);
        var daemon = await scene.DaemonAsync();
        using var content = new Zeros(200L * 1024 * 1024);
        content.Headers.ContentType = new MediaTypeHeaderValue("application/json");
        using var request = new HttpRequestMessage(HttpMethod.Post, "execute") { Content = content };
        request.Headers.ExpectContinue = true;
        request.Headers.Add("X-Internal-Auth", DaemonSetup.Secret);
        using var handler = new SocketsHttpHandler { Expect100ContinueTimeout = TimeSpan.FromSeconds(30) };
        using var client = new HttpClient(handler) { BaseAddress = daemon.Http.BaseAddress };
        using var response = await client.SendAsync(request, Cancellation);
        Assert.Equal(HttpStatusCode.RequestEntityTooLarge, response.StatusCode);
        Assert.Contains("body_too_large", await response.Content.ReadAsStringAsync(Cancellation), StringComparison.Ordinal);
        var memory = await daemon.GetAsync("health", Cancellation);
        Assert.Equal(200, memory.Status);
        Assert.True(content.Sent < 100L * 1024 * 1024, $"{content.Sent} bytes were taken");
    }

    private sealed class Zeros(long length) : HttpContent
    {
        public long Sent { get; private set; }

        protected override async Task SerializeToStreamAsync(Stream stream, TransportContext? context)
        {
            var piece = Encoding.ASCII.GetBytes(new string('0', 64 * 1024));
            for (; Sent < length; Sent += piece.Length) await stream.WriteAsync(piece);
        }

        protected override bool TryComputeLength(out long size)
        {
            size = length;
            return true;
        }
    }
}
