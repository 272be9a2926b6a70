using System.Diagnostics;
using System.IO.Compression;
using System.Text;
using Lekhika.Daemon.Tests.Nodes.Support;
using Microsoft.AspNetCore.Http;
using Xunit;

namespace Lekhika.Daemon.Tests.Nodes;

public sealed class HttpNodeTests
{
    private const string Allowed = "[http]\nallow = 127.0.0.1\n";

    [Fact]
    public async Task A_call_sends_its_fields_and_the_idempotency_key_and_gives_the_answer_parsed()
    {
        await using var server = await SmallServer.JsonAsync("""{"id":7}""", 201);
        await using var run = new WorkflowRun(configuration: Allowed);
        var result = await run.ResultAsync(WorkflowRun.OneNode("http", $$$"""
            {"method":"POST","url":"{{{server.Url}}}items?a=1","query":{"b":"x y","c":[1,2]},"headers":{"X-Kind":"{{ inputs.kind }}"},"body":{"title":"{{ inputs.topic }}"}}
            """), """{"kind":"book","topic":"Tea"}""");
        Assert.Equal(201, result.GetProperty("status").GetInt32());
        Assert.Equal(7, result.GetProperty("json").GetProperty("id").GetInt32());
        Assert.Equal("application/json", result.GetProperty("headers").GetProperty("content-type").GetString());
        var sent = Assert.Single(server.Requests);
        Assert.Equal(("POST", "/items?a=1&b=x%20y&c=1&c=2", """{"title":"Tea"}"""), (sent.Method, sent.Path, sent.Body));
        Assert.Equal("book", sent.Headers["X-Kind"]);
        Assert.Equal("0190f0de-0000-7000-8000-000000000001:it:1", sent.Headers["Idempotency-Key"]);
        Assert.StartsWith("application/json", sent.Headers["Content-Type"], StringComparison.Ordinal);
    }

    [Theory]
    [InlineData("http://127.0.0.1:{0}/")]
    [InlineData("http://localhost:{0}/")]
    [InlineData("http://2130706433:{0}/")]
    [InlineData("http://0177.0.0.1:{0}/")]
    [InlineData("http://0x7f.1:{0}/")]
    [InlineData("http://0.0.0.0:{0}/")]
    [InlineData("http://[::1]:{0}/")]
    [InlineData("http://[::]:{0}/")]
    [InlineData("http://[::ffff:127.0.0.1]:{0}/")]
    [InlineData("http://[64:ff9b::7f00:1]:{0}/")]
    [InlineData("http://[fd00:ec2::254]:{0}/")]
    [InlineData("http://[fe80::1]:{0}/")]
    [InlineData("http://169.254.169.254:{0}/latest/meta-data/")]
    [InlineData("http://10.0.0.1:{0}/")]
    [InlineData("http://172.31.255.255:{0}/")]
    [InlineData("http://192.168.1.1:{0}/")]
    [InlineData("http://100.64.0.1:{0}/")]
    [InlineData("http://224.0.0.1:{0}/")]
    [InlineData("http://255.255.255.255:{0}/")]
    [InlineData("file:///etc/passwd")]
    [InlineData("gopher://127.0.0.1:{0}/")]
    public async Task An_address_that_is_not_public_is_refused_and_never_reached(string url)
    {
        await using var server = await SmallServer.JsonAsync("{}");
        await using var run = new WorkflowRun();
        var address = string.Format(System.Globalization.CultureInfo.InvariantCulture, url, server.Port);
        var (code, message) = await run.FailureAsync(WorkflowRun.OneNode("http", $$"""{"url":"{{address}}","timeout":"5s"}"""));
        Assert.True(code is "http_forbidden" || (code == "http_failed" && message.Contains("only http and https", StringComparison.Ordinal)), $"{code}: {message}");
        Assert.Empty(server.Requests);
    }

    [Fact]
    public async Task A_redirect_to_an_address_that_is_not_allowed_is_refused()
    {
        await using var inner = await SmallServer.JsonAsync("""{"secret":1}""");
        await using var outer = await SmallServer.StartAsync(context =>
        {
            context.Response.Redirect(inner.Url.AbsoluteUri);
            return Task.CompletedTask;
        });
        await using var run = new WorkflowRun(configuration: $"[http]\nallow = 127.0.0.1:{outer.Port}\n");
        var (code, message) = await run.FailureAsync(WorkflowRun.OneNode("http", $$"""{"url":"{{outer.Url}}"}"""));
        Assert.Equal("http_forbidden", code);
        Assert.Contains($"allow = 127.0.0.1:{inner.Port}", message, StringComparison.Ordinal);
        Assert.Single(outer.Requests);
        Assert.Empty(inner.Requests);
    }

    [Fact]
    public async Task Credentials_do_not_follow_a_redirect_to_another_host_and_a_post_becomes_a_get()
    {
        await using var other = await SmallServer.JsonAsync("""{"ok":true}""");
        await using var first = await SmallServer.StartAsync(context =>
        {
            context.Response.Redirect(other.Url.AbsoluteUri);
            return Task.CompletedTask;
        });
        await using var run = new WorkflowRun(configuration: Allowed);
        var result = await run.ResultAsync(WorkflowRun.OneNode("http", $$$"""
            {"method":"POST","url":"{{{first.Url}}}","headers":{"Authorization":"Bearer abcdefghijkl","X-Api-Key":"k","Accept-Language":"de"},"body":"text"}
            """));
        Assert.True(result.GetProperty("json").GetProperty("ok").GetBoolean());
        Assert.Equal("Bearer abcdefghijkl", Assert.Single(first.Requests).Headers["Authorization"]);
        var sent = Assert.Single(other.Requests);
        Assert.Equal(("GET", ""), (sent.Method, sent.Body));
        Assert.False(sent.Headers.ContainsKey("Authorization"));
        Assert.False(sent.Headers.ContainsKey("X-Api-Key"));
        Assert.Equal("de", sent.Headers["Accept-Language"]);
    }

    [Fact]
    public async Task An_endless_row_of_redirects_ends()
    {
        await using var server = await SmallServer.StartAsync(context =>
        {
            context.Response.Redirect("/again");
            return Task.CompletedTask;
        });
        await using var run = new WorkflowRun(configuration: Allowed);
        var (code, message) = await run.FailureAsync(WorkflowRun.OneNode("http", $$"""{"url":"{{server.Url}}"}"""));
        Assert.Equal("http_failed", code);
        Assert.Contains("more than 5 times", message, StringComparison.Ordinal);
        Assert.Equal(6, server.Requests.Count);
    }

    [Theory]
    [InlineData(404, "404", true)]
    [InlineData(404, "[200, \"4xx\"]", true)]
    [InlineData(302, "302", true)]
    [InlineData(204, "\"200-204\"", true)]
    [InlineData(404, "\"2xx\"", false)]
    [InlineData(201, "200", false)]
    public async Task Expected_statuses_decide_what_succeeds(int status, string expected, bool succeeds)
    {
        await using var server = await SmallServer.StartAsync(context =>
        {
            context.Response.StatusCode = status;
            if (status == 302) context.Response.Headers.Location = "/elsewhere";
            return Task.CompletedTask;
        });
        await using var run = new WorkflowRun(configuration: Allowed);
        var workflow = WorkflowRun.OneNode("http", $$"""{"url":"{{server.Url}}","expect_status":{{expected}}}""");
        if (succeeds) Assert.Equal(status, (await run.ResultAsync(workflow)).GetProperty("status").GetInt32());
        else Assert.Equal("http_status", (await run.FailureAsync(workflow)).Code);
    }

    [Theory]
    [InlineData(429, 2)]
    [InlineData(503, 2)]
    [InlineData(400, 1)]
    [InlineData(500, 1)]
    public async Task Only_overload_is_tried_again(int status, int calls)
    {
        await using var server = await SmallServer.JsonAsync("{}", status);
        await using var run = new WorkflowRun(configuration: Allowed) { Retry = new() { MaxAttempts = 2, InitialDelay = TimeSpan.Zero } };
        var end = await run.RunAsync(WorkflowRun.OneNode("http", $$"""{"url":"{{server.Url}}"}"""));
        if (end.Status == "waiting")
        {
            run.Now += TimeSpan.FromMinutes(1);
            end = await run.ClaimAsync(WorkflowRun.OneNode("http", $$"""{"url":"{{server.Url}}"}"""), abort: TestContext.Current.CancellationToken);
        }

        Assert.Equal("failed", end.Status);
        Assert.Equal(calls, server.Requests.Count);
        Assert.Single(server.Requests.Select(static request => request.Headers["Idempotency-Key"]).Distinct(StringComparer.Ordinal));
    }

    [Fact]
    public async Task An_answer_beyond_the_limit_fails_even_if_it_is_small_on_the_wire()
    {
        var packed = new MemoryStream();
        await using (var gzip = new GZipStream(packed, CompressionLevel.SmallestSize, leaveOpen: true))
            await gzip.WriteAsync(new byte[4 << 20], TestContext.Current.CancellationToken);
        await using var server = await SmallServer.StartAsync(async context =>
        {
            context.Response.Headers.ContentEncoding = "gzip";
            await context.Response.Body.WriteAsync(packed.ToArray(), context.RequestAborted);
        });
        Assert.True(packed.Length < 64 << 10);
        await using var run = new WorkflowRun(configuration: Allowed + "max_response = 1MB\n");
        var (code, message) = await run.FailureAsync(WorkflowRun.OneNode("http", $$"""{"url":"{{server.Url}}"}"""));
        Assert.Equal("http_failed", code);
        Assert.Contains("larger than", message, StringComparison.Ordinal);
    }

    [Fact]
    public async Task A_server_that_does_not_answer_ends_at_the_time_limit()
    {
        await using var server = await SmallServer.StartAsync(static context => Task.Delay(Timeout.InfiniteTimeSpan, TimeProvider.System, context.RequestAborted));
        await using var run = new WorkflowRun(configuration: Allowed);
        var began = Stopwatch.GetTimestamp();
        var (code, message) = await run.FailureAsync(WorkflowRun.OneNode("http", $$"""{"url":"{{server.Url}}","timeout":"200ms"}"""));
        Assert.Equal("http_failed", code);
        Assert.Contains("no answer within 0.2 s", message, StringComparison.Ordinal);
        Assert.True(Stopwatch.GetElapsedTime(began) < TimeSpan.FromSeconds(20));
    }

    [Fact]
    public async Task Bytes_come_as_base64_and_other_charsets_as_text()
    {
        await using var server = await SmallServer.StartAsync(context =>
        {
            var binary = context.Request.Path == "/image";
            context.Response.ContentType = binary ? "image/png" : "text/plain; charset=windows-1252";
            return context.Response.Body.WriteAsync(binary ? new byte[] { 0x89, 0x50, 0, 0xff } : [0x80, 0x20, 0xe4], context.RequestAborted).AsTask();
        });
        await using var run = new WorkflowRun(configuration: Allowed);
        var image = await run.ResultAsync(WorkflowRun.OneNode("http", $$"""{"url":"{{server.Url}}image"}"""));
        Assert.Equal("base64", image.GetProperty("body_encoding").GetString());
        Assert.Equal([0x89, 0x50, 0, 0xff], image.GetProperty("body").GetBytesFromBase64());
        var text = await run.ResultAsync(WorkflowRun.OneNode("http", $$"""{"url":"{{server.Url}}text"}"""));
        Assert.Equal("€ ä", text.GetProperty("body").GetString());
    }

    [Fact]
    public async Task Credentials_reach_neither_outputs_nor_errors()
    {
        await using var server = await SmallServer.StartAsync(context =>
        {
            context.Response.StatusCode = context.Request.Path == "/bad" ? 400 : 200;
            context.Response.Headers["Set-Cookie"] = "session=very-secret-session";
            return context.Response.WriteAsync($"you sent {context.Request.Headers.Authorization}", context.RequestAborted);
        });
        await using var run = new WorkflowRun(configuration: Allowed);
        foreach (var path in new[] { "good", "bad" })
        {
            var end = await run.RunAsync(WorkflowRun.OneNode("http", $$$"""
                {"url":"{{{server.Url}}}{{{path}}}?api_key=query-secret-1","headers":{"Authorization":"Bearer header-secret-1"}}
                """));
            var records = await run.Journal.StepsAsync(1, 1, TestContext.Current.CancellationToken);
            var all = new StringBuilder($"{end.Result}{end.Error}{end.ErrorDetails}");
            foreach (var record in records) all.Append(record.Output).Append(record.Error);
            Assert.DoesNotContain("header-secret-1", all.ToString(), StringComparison.Ordinal);
            Assert.DoesNotContain("query-secret-1", all.ToString(), StringComparison.Ordinal);
            Assert.DoesNotContain("very-secret-session", all.ToString(), StringComparison.Ordinal);
            Assert.Contains("you sent [redacted]", all.ToString(), StringComparison.Ordinal);
        }
    }

    [Fact]
    public async Task A_header_with_a_line_break_is_refused()
    {
        await using var run = new WorkflowRun(configuration: Allowed);
        var (code, message) = await run.FailureAsync(
            WorkflowRun.OneNode("http", """{"url":"http://127.0.0.1:9/","headers":{"X-A":"{{ inputs.value }}"}}"""), """{"value":"a\r\nHost: evil"}""");
        Assert.Equal("http_failed", code);
        Assert.Contains("line break", message, StringComparison.Ordinal);
    }
}
