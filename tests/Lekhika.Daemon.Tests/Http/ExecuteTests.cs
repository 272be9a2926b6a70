using System.Net;
using System.Text;
using System.Text.Json;
using Lekhika.Daemon.Dispatch;
using Lekhika.Daemon.Tests.Http.Support;
using Npgsql;
using Xunit;

namespace Lekhika.Daemon.Tests.Http;

public sealed class ExecuteTests
{
    private const string Id = "0197f3a0-4c1e-7d2b-9a55-3f6f0b1c2d3e";

    private const string Body =
        """
        {"executionId":"0197f3a0-4c1e-7d2b-9a55-3f6f0b1c2d3e","lekhikaApiKey":"LEKH-2-very-secret","userEngineId":"ue-1","masterEngineId":"me-1","userId":"u-1",
         "workflow":{"nodes":[{"id":"a","type":"llm"}],"edges":[],"models":["qwen2.5:0.5b"]},"inputs":{"b":1,"a":"नदी"},"options":{"tone":"calm","api_key":"also-secret"}}
        """;

    [Fact]
    public async Task The_edge_functions_body_is_accepted_and_kept_without_its_keys()
    {
        await using var server = await TestServer.StartAsync();
        var (response, body) = await server.PostAsync("/execute", Body);

        Assert.Equal(HttpStatusCode.Accepted, response.StatusCode);
        Assert.True(body.GetProperty("success").GetBoolean());
        Assert.True(body.GetProperty("queued").GetBoolean());
        Assert.True(body.GetProperty("created").GetBoolean());
        Assert.Equal(Id, body.GetProperty("executionId").GetString());
        Assert.Equal("pending", body.GetProperty("status").GetString());
        Assert.Equal($"/status/{Id}", body.GetProperty("statusUrl").GetString());
        Assert.Equal($"/status/{Id}/events", body.GetProperty("eventsUrl").GetString());
        var kept = Assert.Single(server.Intake.Submissions);
        Assert.Equal("u-1", kept.UserId);
        Assert.Equal("नदी", TestServer.Json(kept.Inputs!).GetProperty("a").GetString());
        Assert.Equal(1, TestServer.Json(kept.Definition!).GetProperty("nodes").GetArrayLength());
        var request = TestServer.Json(kept.Request!);
        Assert.Equal("ue-1", request.GetProperty("userEngineId").GetString());
        Assert.Equal("me-1", request.GetProperty("masterEngineId").GetString());
        Assert.Equal("calm", request.GetProperty("options").GetProperty("tone").GetString());
        Assert.Equal("qwen2.5:0.5b", request.GetProperty("models")[0].GetString());
        Assert.DoesNotContain("secret", $"{kept.Request}{kept.Inputs}{kept.Definition}", StringComparison.Ordinal);
    }

    [Fact]
    public async Task The_reply_goes_out_after_the_commit()
    {
        await using var server = await TestServer.StartAsync();
        var commit = new TaskCompletionSource();
        server.Intake.Commit = commit.Task;
        var reply = server.PostAsync("/execute", Body);
        // Another request goes round meanwhile; the first one is still waiting for its commit.
        await server.GetAsync("/health");
        Assert.False(reply.IsCompleted);
        commit.SetResult();
        var (response, _) = await reply;
        Assert.Equal(HttpStatusCode.Accepted, response.StatusCode);
    }

    [Fact]
    public async Task The_same_request_again_is_the_same_execution_however_it_is_written()
    {
        await using var server = await TestServer.StartAsync();
        await server.PostAsync("/execute", Body);
        var other = Body.Replace("\"b\":1,\"a\":\"नदी\"", "\"a\": \"\\u0928\\u0926\\u0940\", \"b\": 1", StringComparison.Ordinal)
            .Replace("LEKH-2-very-secret", "LEKH-2-renewed", StringComparison.Ordinal);
        Assert.NotEqual(Body, other);
        var (response, body) = await server.PostAsync("/execute", other);
        Assert.Equal(HttpStatusCode.Accepted, response.StatusCode);
        Assert.False(body.GetProperty("created").GetBoolean());
        Assert.Equal(Id, body.GetProperty("executionId").GetString());
        Assert.Single(server.Intake.Submissions);
    }

    [Theory]
    [InlineData("\"b\":1", "\"b\":2")]
    [InlineData("\"type\":\"llm\"", "\"type\":\"set\"")]
    [InlineData("\"tone\":\"calm\"", "\"tone\":\"loud\"")]
    [InlineData("\"userId\":\"u-1\"", "\"userId\":\"u-2\"")]
    [InlineData("\"userEngineId\":\"ue-1\"", "\"priority\":3,\"userEngineId\":\"ue-1\"")]
    public async Task Another_body_under_the_same_id_is_a_409(string was, string becomes)
    {
        await using var server = await TestServer.StartAsync();
        await server.PostAsync("/execute", Body);
        var (response, body) = await server.PostAsync("/execute", Body.Replace(was, becomes, StringComparison.Ordinal));
        Assert.Equal(HttpStatusCode.Conflict, response.StatusCode);
        Assert.Equal("conflict", body.GetProperty("code").GetString());
        Assert.Equal(Id, body.GetProperty("executionId").GetString());
        Assert.Single(server.Intake.Submissions);
    }

    [Fact]
    public async Task Without_an_id_one_is_made_and_an_idempotency_key_finds_it_again()
    {
        await using var server = await TestServer.StartAsync();
        const string request = """{"workflow":{"nodes":[{"id":"a","type":"set"}]},"options":{"idempotencyKey":"order-7"}}""";
        var (response, body) = await server.PostAsync("/execute", request);
        Assert.Equal(HttpStatusCode.Accepted, response.StatusCode);
        var id = body.GetProperty("executionId").GetGuid();
        Assert.Equal(7, id.Version);
        var (_, again) = await server.PostAsync("/execute", request);
        Assert.Equal(id, again.GetProperty("executionId").GetGuid());
        Assert.False(again.GetProperty("created").GetBoolean());
    }

    [Fact]
    public async Task Priority_due_time_and_time_limit_are_read_at_the_top_and_in_the_options()
    {
        await using var server = await TestServer.StartAsync();
        await server.PostAsync("/execute", """
            {"workflowId":"0197f3a0-0000-7000-8000-000000000001","priority":5,"runAt":"2126-01-01T00:00:00Z","options":{"priority":1,"timeoutSeconds":60}}
            """);
        var kept = Assert.Single(server.Intake.Submissions);
        Assert.Equal(5, kept.Priority);
        Assert.Equal(new DateTimeOffset(2126, 1, 1, 0, 0, 0, TimeSpan.Zero), kept.RunAt);
        Assert.Equal(kept.RunAt + TimeSpan.FromMinutes(1), kept.TimeoutAt);
        Assert.Equal(Guid.Parse("0197f3a0-0000-7000-8000-000000000001"), kept.WorkflowId);
        Assert.Null(kept.Definition);
    }

    [Fact]
    public async Task Everything_wrong_is_told_at_once()
    {
        await using var server = await TestServer.StartAsync();
        var (response, body) = await server.PostAsync("/execute", """
            {"executionId":"42","userId":7,"inputs":[],"options":{"priority":"high"},"runAt":"tomorrow","timeoutSeconds":-1,"idempotencyKey":{}}
            """);
        Assert.Equal(HttpStatusCode.BadRequest, response.StatusCode);
        Assert.False(body.GetProperty("success").GetBoolean());
        Assert.Equal(["workflow"], body.GetProperty("required").EnumerateArray().Select(static name => name.GetString()));
        var paths = body.GetProperty("problems").EnumerateArray().Select(static problem => problem.GetProperty("path").GetString()!).Order();
        Assert.Equal(["executionId", "idempotencyKey", "inputs", "options.priority", "runAt", "timeoutSeconds", "userId", "workflow"], paths);
        Assert.All(body.GetProperty("problems").EnumerateArray(), static problem => Assert.NotEmpty(problem.GetProperty("message").GetString()!));
        Assert.Empty(server.Intake.Submissions);
    }

    [Fact]
    public async Task A_workflow_that_does_not_validate_is_refused_with_the_places_in_the_body()
    {
        await using var server = await TestServer.StartAsync();
        var (response, body) = await server.PostAsync(
            "/execute", """{"workflow":{"nodes":[{"id":"a","type":"sracping"},{"id":"b","type":"set"},{"id":"c","type":"sracping"}]}}""");
        Assert.Equal(HttpStatusCode.BadRequest, response.StatusCode);
        Assert.Equal("invalid_workflow", body.GetProperty("code").GetString());
        Assert.Equal(
            ["workflow.nodes[0].type", "workflow.nodes[2].type"],
            body.GetProperty("problems").EnumerateArray().Select(static problem => problem.GetProperty("path").GetString()));
        Assert.Equal("scraping", body.GetProperty("problems")[0].GetProperty("suggestion").GetString());
        Assert.Empty(server.Intake.Submissions);
    }

    [Fact]
    public async Task Malformed_json_is_told_with_line_and_column()
    {
        await using var server = await TestServer.StartAsync();
        var (response, body) = await server.PostAsync("/execute", "{\n  \"workflow\": {,}\n}");
        Assert.Equal(HttpStatusCode.BadRequest, response.StatusCode);
        Assert.Equal("malformed_json", body.GetProperty("code").GetString());
        Assert.Contains("line 2, column 16", body.GetProperty("error").GetString(), StringComparison.Ordinal);
    }

    [Theory]
    [InlineData("", "malformed_json")]
    [InlineData("[1]", "malformed_json")]
    [InlineData("null", "malformed_json")]
    [InlineData("{\"workflow\":{\"nodes\":[{\"id\":\"a\"}]},\"inputs\":{\"t\":\"\\u0000\"}}", "invalid_request")]
    [InlineData("{\"workflow\":{\"nodes\":[{\"id\":\"a\"}]},\"userId\":\"\\ud800\"}", "invalid_request")]
    public async Task A_body_that_cannot_be_kept_is_a_400(string text, string code)
    {
        await using var server = await TestServer.StartAsync();
        var (response, body) = await server.PostAsync("/execute", text);
        Assert.Equal(HttpStatusCode.BadRequest, response.StatusCode);
        Assert.Equal(code, body.GetProperty("code").GetString());
        Assert.Empty(server.Intake.Submissions);
    }

    [Fact]
    public async Task Bytes_that_are_no_utf8_and_nesting_without_end_are_a_400()
    {
        await using var server = await TestServer.StartAsync();
        var (latin, _) = await server.PostAsync("/execute", [.. "{\"a\":\""u8, 0xE9, .. "\"}"u8], "application/json");
        Assert.Equal(HttpStatusCode.BadRequest, latin.StatusCode);
        var (deep, _) = await server.PostAsync("/execute", "{\"a\":" + new string('[', 100_000));
        Assert.Equal(HttpStatusCode.BadRequest, deep.StatusCode);
    }

    [Fact]
    public async Task Content_types_that_clients_get_wrong_are_read_and_absurd_ones_are_not()
    {
        await using var server = await TestServer.StartAsync();
        var (form, _) = await server.PostAsync("/execute", Encoding.UTF8.GetBytes(Body), "application/x-www-form-urlencoded");
        Assert.Equal(HttpStatusCode.Accepted, form.StatusCode);
        var (file, body) = await server.PostAsync("/execute", Encoding.UTF8.GetBytes(Body), "multipart/form-data");
        Assert.Equal(HttpStatusCode.UnsupportedMediaType, file.StatusCode);
        Assert.Equal("unsupported_body", body.GetProperty("code").GetString());
    }

    [Fact]
    public async Task A_closed_intake_is_a_503_with_retry_after()
    {
        await using var server = await TestServer.StartAsync();
        server.Intake.Refuse = static _ => new IntakeClosedException("the worker is shutting down");
        var (response, body) = await server.PostAsync("/execute", Body);
        Assert.Equal(HttpStatusCode.ServiceUnavailable, response.StatusCode);
        Assert.NotNull(response.Headers.RetryAfter);
        Assert.Contains("shutting down", body.GetProperty("error").GetString(), StringComparison.Ordinal);
    }

    [Fact]
    public async Task What_only_the_database_finds_wrong_is_a_400()
    {
        await using var server = await TestServer.StartAsync();
        server.Intake.Refuse = static _ => new PostgresException("a number out of range", "ERROR", "ERROR", "22003");
        var (response, body) = await server.PostAsync("/execute", Body);
        Assert.Equal(HttpStatusCode.BadRequest, response.StatusCode);
        Assert.Equal("bad_data", body.GetProperty("code").GetString());
    }

    [Fact]
    public async Task A_body_that_announces_too_much_is_a_413()
    {
        await using var server = await TestServer.StartAsync();
        var (response, body) = await server.PostAsync("/execute", new string(' ', 2 << 20));
        Assert.Equal(HttpStatusCode.RequestEntityTooLarge, response.StatusCode);
        Assert.Equal("body_too_large", body.GetProperty("code").GetString());
    }

    [Fact]
    public async Task A_chunked_body_of_200_MB_is_cut_off_at_the_limit()
    {
        await using var server = await TestServer.StartAsync();
        await using var connection = await server.ConnectAsync();
        var cancellation = TestContext.Current.CancellationToken;
        await connection.WriteAsync(Encoding.ASCII.GetBytes(
            $"POST /execute HTTP/1.1\r\nHost: 127.0.0.1\r\nX-Internal-Auth: {TestServer.Secret}\r\nTransfer-Encoding: chunked\r\n\r\n"), cancellation);
        var chunk = Encoding.ASCII.GetBytes("10000\r\n" + new string(' ', 0x10000) + "\r\n");
        var before = GC.GetTotalAllocatedBytes(precise: true);
        var sent = 0L;
        var reply = ReadHeadAsync(connection, cancellation);
        try
        {
            while (sent < 200 << 20 && !reply.IsCompleted)
            {
                await connection.WriteAsync(chunk, cancellation);
                sent += 0x10000;
            }
        }
        catch (IOException)
        {
            // It has closed the connection.
        }

        Assert.StartsWith("HTTP/1.1 413", await reply, StringComparison.Ordinal);
        Assert.True(sent < 100 << 20, $"{sent} bytes were taken");
        Assert.True(GC.GetTotalAllocatedBytes(precise: true) - before < 64 << 20, "the body was kept in memory");
    }

    private static async Task<string> ReadHeadAsync(Stream connection, CancellationToken cancellation)
    {
        var buffer = new byte[64];
        var length = 0;
        while (length < 12)
        {
            var read = await connection.ReadAsync(buffer.AsMemory(length), cancellation);
            if (read == 0) break;
            length += read;
        }

        return Encoding.ASCII.GetString(buffer, 0, length);
    }
}
