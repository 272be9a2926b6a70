using System.Net;
using Lekhika.Daemon.Tests.Http.Support;
using Xunit;

namespace Lekhika.Daemon.Tests.Http;

/// <summary>Resume and retry: what is asked for, what is refused and why. What comes of it is tested end to end.</summary>
public sealed class ResumeTests
{
    private static readonly Guid Id = Guid.Parse("0197f3a0-4c1e-7d2b-9a55-3f6f0b1c2d3e");

    private static async Task<TestServer> FailedAsync(string status = "failed")
    {
        var server = await TestServer.StartAsync();
        server.Store.Put(TestServer.Row(Id, status) with
        {
            ErrorDetails = TestServer.Json("""{"code":"http_error","step":"c","resume_at":["c"]}"""),
            Inputs = TestServer.Json("""{"topic":"rain"}"""),
        });
        return server;
    }

    [Theory]
    [InlineData("/resume/{0}", "")]
    [InlineData("/retry/{0}", "{}")]
    [InlineData("/resume", """{"executionId":"{0}","lekhikaApiKey":"LEKH-2-x","userId":"u","inputs":{},"options":{},"regenerateContext":null}""")]
    [InlineData("/resume/{0}", """{"inputs":{"topic":"rain"}}""")]
    public async Task A_failed_one_goes_on_where_it_failed(string path, string body)
    {
        await using var server = await FailedAsync();
        var (response, reply) = await server.PostAsync(
            path.Replace("{0}", Id.ToString(), StringComparison.Ordinal), body.Replace("{0}", Id.ToString(), StringComparison.Ordinal));
        Assert.True(response.StatusCode == HttpStatusCode.OK, reply.GetRawText());
        Assert.Equal(("pending", 2), (reply.GetProperty("status").GetString(), reply.GetProperty("run").GetInt32()));
        Assert.Equal("c", reply.GetProperty("resumedAt")[0].GetString());
        Assert.Equal(["c"], server.Store.Opened!.Again);
        Assert.Null(server.Store.Opened.Instruction);
        Assert.Equal(1, server.Intake.Hints);

        (response, reply) = await server.PostAsync($"/resume/{Id}");
        Assert.Equal(HttpStatusCode.Conflict, response.StatusCode);
        Assert.Contains("resumed already", reply.GetProperty("error").GetString(), StringComparison.Ordinal);
    }

    [Fact]
    public async Task An_instruction_is_for_the_node_that_failed()
    {
        await using var server = await FailedAsync();
        await server.PostAsync($"/retry/{Id}", """{"regenerateContext":{"manualInstruction":"shorter"}}""");
        Assert.Equal("shorter", server.Store.Opened!.Instruction);
        Assert.Equal(["c"], server.Store.Opened.InstructionAt);
    }

    [Theory]
    [InlineData("/resume", "{}", "executionId")]
    [InlineData("/resume", """{"executionId":"no"}""", "executionId")]
    [InlineData("/resume/0197f3a0-4c1e-7d2b-9a55-3f6f0b1c2d3e", """{"inputs":{"topic":"snow"}}""", "inputs")]
    [InlineData("/resume/0197f3a0-4c1e-7d2b-9a55-3f6f0b1c2d3e", """{"nodes":{}}""", "nodes")]
    [InlineData("/resume/0197f3a0-4c1e-7d2b-9a55-3f6f0b1c2d3e", """{"from":7}""", "from")]
    [InlineData("/resume/0197f3a0-4c1e-7d2b-9a55-3f6f0b1c2d3e", "[]", "array")]
    [InlineData("/resume/0197f3a0-4c1e-7d2b-9a55-3f6f0b1c2d3e", """{"executionId":"11111111-1111-1111-1111-111111111111"}""", "executionId")]
    public async Task What_cannot_be_read_is_a_400_that_says_what(string path, string body, string says)
    {
        await using var server = await FailedAsync();
        var (response, reply) = await server.PostAsync(path, body);
        Assert.Equal(HttpStatusCode.BadRequest, response.StatusCode);
        Assert.Contains(says, reply.GetProperty("error").GetString(), StringComparison.Ordinal);
        Assert.Null(server.Store.Opened);
    }

    [Theory]
    [InlineData("running", "running")]
    [InlineData("pending", "about to start")]
    [InlineData("completed", "completed")]
    [InlineData("cancelled", "cancelled")]
    [InlineData("paused", "paused")]
    public async Task What_has_not_failed_is_a_409_that_says_why(string status, string says)
    {
        await using var server = await FailedAsync(status);
        var (response, reply) = await server.PostAsync($"/retry/{Id}", """{"instruction":"shorter"}""");
        Assert.Equal(HttpStatusCode.Conflict, response.StatusCode);
        Assert.Contains(says, reply.GetProperty("error").GetString(), StringComparison.Ordinal);
        Assert.Equal(status, reply.GetProperty("status").GetString());
        Assert.Null(server.Store.Opened);
    }

    [Fact]
    public async Task An_unknown_one_is_a_404()
    {
        await using var server = await TestServer.StartAsync();
        var (response, reply) = await server.PostAsync($"/resume/{Id}");
        Assert.Equal(HttpStatusCode.NotFound, response.StatusCode);
        Assert.Equal("execution_not_found", reply.GetProperty("code").GetString());
    }
}
