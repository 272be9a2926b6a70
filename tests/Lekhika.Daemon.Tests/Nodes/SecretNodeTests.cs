using System.Text;
using System.Text.Json;
using Lekhika.Daemon.Tests.Nodes.Support;
using Microsoft.AspNetCore.Http;
using Xunit;

namespace Lekhika.Daemon.Tests.Nodes;

/// <summary>Secrets of the configuration in http and external nodes: where they go, where they must not go, and that nothing keeps them.</summary>
public sealed class SecretNodeTests
{
    // Its characters are all written otherwise in addresses, forms, JSON and HTML.
    private const string Value = "pa+ss/w\"ord <&ü> s%zcr&t=1";

    private static string Configuration(int port, string rule = "users = *", string value = Value) =>
        $"[http]\nallow = 127.0.0.1\n[secret.KEY]\nvalue = \"{value.Replace("\"", "\\\"", StringComparison.Ordinal)}\"\nhosts = http://127.0.0.1:{port}\n{rule}\n";

    [Fact]
    public async Task The_value_goes_into_address_query_headers_and_body_and_comes_back_masked()
    {
        await using var server = await EchoAsync();
        await using var run = new WorkflowRun(configuration: Configuration(server.Port));
        var end = await run.RunAsync(WorkflowRun.OneNode("http", $$$"""
            {"method":"POST","url":"{{{server.Url}}}v1/{{ secrets.KEY }}/x?a={{ secrets.KEY }}","query":{"q":"{{ secrets.KEY }}"},
             "headers":{"X-Custom":"{{ 'Bearer ' + secrets.KEY }}"},"body":{"deep":[{"k":"<{{ secrets.KEY }}>"}]}}
            """));
        Assert.True(end.Status == "completed", end.Error);
        var sent = Assert.Single(server.Requests);
        var (path, query) = (sent.Path.Split('?')[0], sent.Path.Split('?')[1]);
        Assert.Equal($"/v1/{Value}/x", Uri.UnescapeDataString(path));
        Assert.Equal($"a={Uri.EscapeDataString(Value)}&q={Uri.EscapeDataString(Value)}", query);
        Assert.Equal("Bearer " + Value, sent.Headers["X-Custom"]);
        Assert.Equal($"<{Value}>", JsonSerializer.Deserialize<JsonElement>(sent.Body).GetProperty("deep")[0].GetProperty("k").GetString());
        AssertNowhere(run, end.Result!.Value.GetRawText());
        Assert.Contains("[redacted]", end.Result!.Value.GetProperty("body").GetString(), StringComparison.Ordinal);
    }

    [Theory]
    [InlineData("raw")]
    [InlineData("json")]
    [InlineData("unicode")]
    [InlineData("url")]
    [InlineData("form")]
    [InlineData("html")]
    [InlineData("latin1")]
    [InlineData("ascii json in a text")]
    [InlineData("json in json")]
    [InlineData("base64")]
    [InlineData("bytes")]
    [InlineData("header")]
    public async Task However_a_server_writes_it_back_it_is_masked(string how)
    {
        await using var server = await SmallServer.StartAsync(async context =>
        {
            var answer = how switch
            {
                "json" => JsonSerializer.Serialize(new { said = Value }),
                "unicode" => "{\"said\":\"" + string.Concat(Value.Select(static c => $"\\u{(int)c:x4}")) + "\",\"" + string.Concat(Value.Select(static c => $"\\u{(int)c:X4}")) + "\":1}",
                "url" => Uri.EscapeDataString(Value),
                "form" => System.Net.WebUtility.UrlEncode(Value),
                "latin1" => Encoding.Latin1.GetString(Encoding.UTF8.GetBytes(Value)),
                "ascii json in a text" => Value.Replace("\"", "\\\"", StringComparison.Ordinal).Replace("ü", "\\u00fc", StringComparison.Ordinal).Replace("/", "\\/", StringComparison.Ordinal),
                "json in json" => JsonSerializer.Serialize(new { said = JsonSerializer.Serialize(new { deep = Value }) }),
                "html" => System.Net.WebUtility.HtmlEncode(Value),
                "base64" => Convert.ToBase64String(Encoding.UTF8.GetBytes(Value)),
                _ => Value,
            };
            if (how == "header") context.Response.Headers["X-Echo"] = Uri.EscapeDataString(Value);
            context.Response.ContentType = how is "json" or "unicode" or "json in json" ? "application/json" : how == "bytes" ? "image/png" : "text/plain; charset=utf-8";
            byte[] begin = how == "bytes" ? [0xff, 0xfe, 0x00] : [];
            var text = how is "json" or "unicode" or "json in json" ? answer : $"before {answer} after";
            await context.Response.Body.WriteAsync((byte[])[.. begin, .. Encoding.UTF8.GetBytes(text)], context.RequestAborted);
        });
        await using var run = new WorkflowRun(configuration: Configuration(server.Port));
        var end = await run.RunAsync(WorkflowRun.OneNode("http", $$$"""{"url":"{{{server.Url}}}","headers":{"X-Key":"{{ secrets.KEY }}"},"expect_status":"2xx"}"""));
        Assert.True(end.Status == "completed", end.Error);
        AssertNowhere(run, end.Result!.Value.GetRawText());
    }

    [Theory]
    [InlineData("status")]
    [InlineData("drop")]
    [InlineData("large")]
    public async Task A_failure_tells_nothing_of_it(string how)
    {
        await using var server = await SmallServer.StartAsync(async context =>
        {
            context.Response.StatusCode = how == "status" ? 404 : 200;
            if (how == "drop") context.Abort();
            else await context.Response.WriteAsync($"Cannot GET {context.Request.Path} {Value} {(how == "large" ? new string('x', 3000) : "")}", context.RequestAborted);
        });
        await using var run = new WorkflowRun(configuration: Configuration(server.Port).Replace("[http]", "[http]\nmax_response = 1KB", StringComparison.Ordinal));
        var (code, message) = await run.FailureAsync(WorkflowRun.OneNode("http", $$$"""{"url":"{{{server.Url}}}hook/{{ secrets.KEY }}"}"""));
        Assert.Equal(how == "status" ? "http_status" : "http_failed", code);
        Assert.Contains("/hook/[redacted]", message, StringComparison.Ordinal);
        AssertNowhere(run, message);
    }

    [Fact]
    public async Task A_whole_address_and_a_password_in_one_may_be_secrets()
    {
        await using var server = await EchoAsync(404);
        var address = $"http://127.0.0.1:{server.Port}/services/T000/B000/xyzxyzxyz?sig=abcdefgh";
        await using var run = new WorkflowRun(configuration: Configuration(server.Port, value: address));
        var (code, message) = await run.FailureAsync(WorkflowRun.OneNode("http", """{"method":"POST","url":"{{ secrets.KEY }}","body":{"text":"hi"}}"""));
        Assert.Equal("http_status", code);
        Assert.Contains($"POST http://127.0.0.1:{server.Port}/… answered 404", message, StringComparison.Ordinal);
        Assert.Equal("/services/T000/B000/xyzxyzxyz?sig=abcdefgh", Assert.Single(server.Requests).Path);
        foreach (var part in new[] { "xyzxyzxyz", "abcdefgh", "B000" }) Assert.DoesNotContain(part, message + end(run), StringComparison.Ordinal);

        await using var other = await EchoAsync();
        await using var basic = new WorkflowRun(configuration: Configuration(other.Port, value: "p:a@ss/wörd"));
        var result = await basic.ResultAsync(WorkflowRun.OneNode("http", $$$"""{"url":"http://me:{{ secrets.KEY }}@127.0.0.1:{{{other.Port}}}/"}"""));
        Assert.Equal("Basic " + Convert.ToBase64String(Encoding.UTF8.GetBytes("me:p:a@ss/wörd")), Assert.Single(other.Requests).Headers["Authorization"]);
        Assert.DoesNotContain(Convert.ToBase64String(Encoding.UTF8.GetBytes("me:p:a@ss/wörd")), result.GetRawText(), StringComparison.Ordinal);

        static string end(WorkflowRun run) => run.Live.Snapshot().ErrorDetails?.GetRawText() ?? "";
    }

    [Theory]
    [InlineData("users = user-1", null, null)]
    [InlineData("users = somebody, USER-1", "is not for the user user-1", null)]
    [InlineData("workflows = 0190f0de-0000-7000-8000-00000000aaaa", "has a definition of its own", null)]
    [InlineData("users = user-1\nworkflows = 0190f0de-0000-7000-8000-00000000aaaa", "has a definition of its own", null)]
    [InlineData("users = *", "may not be sent to http://127.0.0.1:", "hosts = api.example.com, http://localhost")]
    [InlineData("users = *", "may not be sent to http://127.0.0.1:", "hosts = 127.0.0.1")]
    public async Task Who_may_not_use_it_is_told_so_and_nothing_is_sent(string rule, string? refusal, string? hosts)
    {
        await using var server = await EchoAsync();
        var configuration = Configuration(server.Port, rule);
        if (hosts is not null) configuration = configuration.Replace($"hosts = http://127.0.0.1:{server.Port}", hosts, StringComparison.Ordinal);
        await using var run = new WorkflowRun(configuration: configuration);
        var workflow = WorkflowRun.OneNode("http", $$$"""{"url":"{{{server.Url}}}","headers":{"X-Key":"{{ secrets.KEY }}"}}""");
        if (refusal is null)
        {
            await run.ResultAsync(workflow);
            Assert.Single(server.Requests);
            return;
        }

        var (code, message) = await run.FailureAsync(workflow);
        Assert.Equal("secret_not_allowed", code);
        Assert.Contains("secrets.KEY", message, StringComparison.Ordinal);
        Assert.Contains(refusal, message, StringComparison.Ordinal);
        Assert.Empty(server.Requests);
        AssertNowhere(run, message);
    }

    [Fact]
    public async Task A_redirect_to_a_host_that_is_not_listed_fails_and_the_other_host_is_never_asked()
    {
        await using var other = await EchoAsync();
        await using var first = await SmallServer.StartAsync(context =>
        {
            context.Response.Redirect(other.Url.AbsoluteUri + "?stolen=" + Uri.EscapeDataString(Value));
            return Task.CompletedTask;
        });
        await using var run = new WorkflowRun(configuration: Configuration(first.Port));
        var (code, message) = await run.FailureAsync(WorkflowRun.OneNode("http", $$$"""{"method":"POST","url":"{{{first.Url}}}","body":"{{ secrets.KEY }}"}"""));
        Assert.Equal("secret_not_allowed", code);
        Assert.Contains($"redirected, but secrets.KEY may not be sent to http://127.0.0.1:{other.Port}", message, StringComparison.Ordinal);
        Assert.Equal(Value, Assert.Single(first.Requests).Body);
        Assert.Empty(other.Requests);
        AssertNowhere(run, message);
    }

    [Fact]
    public async Task A_host_that_comes_from_a_secret_is_refused()
    {
        await using var run = new WorkflowRun(configuration: Configuration(1));
        var (code, message) = await run.FailureAsync(WorkflowRun.OneNode("http", """{"url":"https://{{ secrets.KEY }}.example.com/"}"""));
        Assert.Equal("http_failed", code);
        Assert.Contains("host from a secret", message, StringComparison.Ordinal);
    }

    [Fact]
    public async Task An_endpoint_of_the_operators_gets_the_value_and_its_answer_is_masked()
    {
        await using var server = await SmallServer.StartAsync(async context =>
        {
            context.Response.ContentType = "application/json";
            await context.Response.WriteAsync(JsonSerializer.Serialize(new { text = $"I was sent {Value}" }), context.RequestAborted);
        });
        await using var run = new WorkflowRun(configuration: $"{Configuration(server.Port)}[nodes]\nscraping = {server.Url}scrape\n");
        var end = await run.RunAsync(WorkflowRun.OneNode("scraping", """{"login":{"password":"{{ secrets.KEY }}"}}"""));
        Assert.True(end.Status == "completed", end.Error);
        var body = JsonSerializer.Deserialize<JsonElement>(Assert.Single(server.Requests).Body);
        Assert.Equal(Value, body.GetProperty("config").GetProperty("login").GetProperty("password").GetString());
        Assert.Equal("I was sent [redacted]", end.Result!.Value.GetProperty("text").GetString());
        AssertNowhere(run, end.Result!.Value.GetRawText());
    }

    [Theory]
    [InlineData("http", """{"url":"https://a.example/","headers":{"X":"{{ secrets.KYE }}"}}""", "no secret 'KYE'; did you mean 'KEY'?")]
    [InlineData("http", """{"url":"https://a.example/","headers":{"X":"{{ base64.encode(bytes(secrets.KEY)) }}"}}""", "can only be put in its place")]
    [InlineData("http", """{"url":"https://a.example/","query":{"n":"{{ secrets.KEY.startsWith('a') ? 1 : 2 }}"}}""", "can only be put in its place")]
    [InlineData("http", """{"url":"https://a.example/","query":{"n":"{{ secrets.KEY == 'a' ? 1 : 2 }}"}}""", "can only be put in its place")]
    [InlineData("http", """{"url":"https://a.example/","body":"{{ secrets }}"}""", "named one by one")]
    [InlineData("http", """{"url":"https://a.example/","body":"{{ secrets[inputs.name] }}"}""", "named one by one")]
    [InlineData("http", """{"url":"https://a.example/","method":"{{ secrets.KEY }}"}""", "may not name secrets")]
    [InlineData("set", """{"values":{"x":"{{ secrets.KEY }}"}}""", "may not name secrets")]
    [InlineData("llm", """{"prompt":"{{ secrets.KEY }}"}""", "may not name secrets")]
    public async Task A_workflow_that_names_secrets_wrongly_is_refused_with_the_reason(string type, string config, string says)
    {
        await using var run = new WorkflowRun(configuration: Configuration(1));
        var (code, message) = await run.FailureAsync(WorkflowRun.OneNode(type, config));
        Assert.Equal("invalid_workflow", code);
        Assert.Contains(says, message, StringComparison.Ordinal);
    }

    [Fact]
    public async Task A_stand_in_that_comes_along_in_data_means_nothing()
    {
        await using var server = await EchoAsync();
        await using var run = new WorkflowRun(configuration: Configuration(server.Port));
        var standIn = Lekhika.Daemon.Nodes.Secrets.StandIn.Of("KEY");
        await run.ResultAsync(
            WorkflowRun.OneNode("http", $$$"""{"method":"POST","url":"{{{server.Url}}}","body":"{{ inputs.text }}"}"""),
            JsonSerializer.Serialize(new { text = standIn }));
        Assert.Equal(standIn, Assert.Single(server.Requests).Body);
    }

    private static Task<SmallServer> EchoAsync(int status = 200) => SmallServer.StartAsync(async context =>
    {
        context.Response.StatusCode = status;
        context.Response.ContentType = "text/plain; charset=utf-8";
        var headers = string.Join("\n", context.Request.Headers.Select(static header => $"{header.Key}: {header.Value}"));
        await context.Response.WriteAsync($"{context.Request.Path}{context.Request.QueryString}\n{headers}\n{Value}", context.RequestAborted);
    });

    /// <summary>Neither what is given, nor the recorded steps, nor the live picture hold the value in any form.</summary>
    private static void AssertNowhere(WorkflowRun run, string shown)
    {
        var steps = run.Journal.StepsAsync(1, 1, TestContext.Current.CancellationToken).Result;
        var live = run.Live.Snapshot();
        var everything = new StringBuilder(shown).Append(live.Error).Append(live.ErrorDetails).Append(live.Result);
        foreach (var step in steps) everything.Append(step.Output).Append(step.Error).Append(step.Error?.Details).Append(step.Decision).Append(step.Metrics);
        var text = everything.ToString();
        string[] forms =
        [
            Value, Uri.EscapeDataString(Value), System.Net.WebUtility.UrlEncode(Value), System.Net.WebUtility.HtmlEncode(Value),
            JsonEncodedText.Encode(Value).Value, Value.Replace("\"", "\\\"", StringComparison.Ordinal), Convert.ToBase64String(Encoding.UTF8.GetBytes(Value)), "\\u0070\\u0061", "w\"ord", "w\\\"ord", "s%zcr",
        ];
        foreach (var form in forms) Assert.DoesNotContain(form, text, StringComparison.OrdinalIgnoreCase);
    }
}
