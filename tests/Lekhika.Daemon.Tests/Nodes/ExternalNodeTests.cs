using System.Text.Json;
using Lekhika.Daemon.Tests.Nodes.Support;
using Xunit;

namespace Lekhika.Daemon.Tests.Nodes;

public sealed class ExternalNodeTests
{
    [Fact]
    public async Task An_endpoint_is_sent_the_step_and_answers_with_output_and_branch()
    {
        await using var server = await SmallServer.JsonAsync("""{"pages":3,"branch":"many"}""");
        await using var run = new WorkflowRun(configuration: $"[nodes]\nscraping = http://user:pass@127.0.0.1:{server.Port}/scrape\n");
        var result = await run.ResultAsync("""
            {"nodes":[{"id":"start","type":"trigger"},{"id":"pick","type":"set","config":{"values":{"site":"a.example"}}},
              {"id":"scrape","type":"scraping","name":"Scrape","config":{"url":"https://{{ previous.site }}/"}},
              {"id":"many","type":"set","config":{"values":{"n":"{{ previous.pages }}"}}},{"id":"few","type":"noop"}],
             "edges":[{"from":"start","to":"pick"},{"from":"pick","to":"scrape"},{"from":"scrape","to":"many","when":"many"},{"from":"scrape","to":"few","when":"few"}]}
            """, """{"topic":"Tea"}""");
        Assert.Equal(3, result.GetProperty("n").GetInt32());
        var sent = Assert.Single(server.Requests);
        Assert.Equal("/scrape", sent.Path);
        Assert.Equal("Basic dXNlcjpwYXNz", sent.Headers["Authorization"]);
        using var body = JsonDocument.Parse(sent.Body);
        var root = body.RootElement;
        Assert.Equal("0190f0de-0000-7000-8000-000000000001", root.GetProperty("execution").GetProperty("id").GetString());
        Assert.Equal("user-1", root.GetProperty("execution").GetProperty("userId").GetString());
        Assert.Equal("""{"id":"scrape","type":"scraping","name":"Scrape"}""", root.GetProperty("node").GetRawText());
        Assert.Equal("https://a.example/", root.GetProperty("config").GetProperty("url").GetString());
        Assert.Equal("a.example", root.GetProperty("input").GetProperty("site").GetString());
        Assert.Equal("Tea", root.GetProperty("inputs").GetProperty("topic").GetString());
        Assert.Equal(1, root.GetProperty("attempt").GetInt32());
        Assert.Equal(sent.Headers["Idempotency-Key"], root.GetProperty("idempotencyKey").GetString());
    }

    [Theory]
    [InlineData(200, """{"error":"no such site","code":"no_site"}""", "no_site", "no such site", false)]
    [InlineData(500, """{"error":{"message":"try later"},"retryable":true}""", "http_status", "try later", true)]
    [InlineData(503, "busy", "http_status", "answered 503", true)]
    [InlineData(404, "{}", "http_status", "answered 404", false)]
    [InlineData(200, "[1]", "http_failed", "something else than a JSON object", false)]
    public async Task An_error_of_an_endpoint_becomes_the_steps(int status, string answer, string code, string message, bool isTriedAgain)
    {
        await using var server = await SmallServer.JsonAsync(answer, status);
        await using var run = new WorkflowRun(configuration: $"[nodes]\nscraping = {server.Url}\n") { Retry = new() { MaxAttempts = 2, InitialDelay = TimeSpan.FromHours(1) } };
        var workflow = WorkflowRun.OneNode("scraping", "{}");
        var end = await run.RunAsync(workflow);
        Assert.Equal(isTriedAgain ? "waiting" : "failed", end.Status);
        if (isTriedAgain)
        {
            run.Now += TimeSpan.FromHours(2);
            end = await run.ClaimAsync(workflow, abort: TestContext.Current.CancellationToken);
        }

        Assert.Equal("failed", end.Status);
        Assert.Equal(code, end.ErrorDetails!.Value.GetProperty("code").GetString());
        Assert.Contains(message, end.Error, StringComparison.Ordinal);
        Assert.Equal(isTriedAgain ? 2 : 1, server.Requests.Count);
    }

    [Fact]
    public async Task An_image_is_passed_over_with_a_warning_where_no_endpoint_makes_one()
    {
        await using var run = new WorkflowRun();
        var result = await run.ResultAsync(WorkflowRun.OneNode("image", """{"prompt":"A cover","purpose":"cover"}"""));
        Assert.True(result.GetProperty("skipped").GetBoolean());
        Assert.Contains("[openai] url", result.GetProperty("warning").GetString(), StringComparison.Ordinal);
        Assert.Equal(0, result.GetProperty("images").GetArrayLength());
    }

    [Fact]
    public async Task An_image_is_made_at_the_configured_endpoint()
    {
        await using var server = await SmallServer.JsonAsync("""{"data":[{"b64_json":"/9j/AAAA"},{"url":"https://i.example/1.png"}]}""");
        await using var run = new WorkflowRun(configuration: $"[openai]\nurl = {server.Url}v1\napi_key = sk-0123456789abcdef\n");
        var result = await run.ResultAsync(WorkflowRun.OneNode("image", """{"prompt":"A cup","negative_prompt":"milk","count":2}"""));
        Assert.Equal("image/jpeg", result.GetProperty("images")[0].GetProperty("media_type").GetString());
        Assert.Equal("https://i.example/1.png", result.GetProperty("images")[1].GetProperty("url").GetString());
        // The pool of text models asks the same server what it has.
        var sent = server.Requests.Single(static request => request.Method == "POST");
        Assert.Equal(("/v1/images/generations", "Bearer sk-0123456789abcdef"), (sent.Path, sent.Headers["Authorization"]));
        Assert.Contains("milk", sent.Body, StringComparison.Ordinal);
    }
}
