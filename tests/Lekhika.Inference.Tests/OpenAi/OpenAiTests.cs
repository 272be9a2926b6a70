using System.Text;
using Lekhika.Inference.OpenAi;
using Lekhika.Inference.Tests.Support;
using Xunit;

namespace Lekhika.Inference.Tests.OpenAi;

public sealed class OpenAiTests
{
    private const string Usage =
        """{"id":"c","object":"chat.completion.chunk","created":1,"model":"m","choices":[],"usage":{"prompt_tokens":46,"completion_tokens":5,"total_tokens":51,"prompt_tokens_details":{"cached_tokens":0}}}""";

    [Fact]
    public async Task A_stream_gives_text_finish_and_usage()
    {
        var sink = new RecordingSink();
        var reply = await CallAsync(exchange => SendAsync(exchange, Delta("Once "), Delta("upon"), Finish("stop"), Usage, "[DONE]"), sink: sink);

        Assert.Equal("Once upon", reply.Text);
        Assert.Equal(("stop", 46, 5), (reply.DoneReason, reply.TokensIn, reply.TokensOut));
        Assert.Equal(["text Once ", "text upon"], sink.Told);
    }

    [Theory]
    [InlineData(1)]
    [InlineData(5)]
    [InlineData(1000)]
    public async Task Events_may_be_split_anywhere_with_comments_and_other_fields_between(int size)
    {
        var bytes = Encoding.UTF8.GetBytes(
            $": keep-alive\r\n\r\nevent: x\r\nid: 1\r\ndata:{Delta("नमस्ते")}\r\n\r\ndata: {Finish("length")}\n\n: more\n\ndata: [DONE]\n\n");
        var reply = await CallAsync(async exchange =>
        {
            await exchange.BeginAsync("text/event-stream");
            for (var at = 0; at < bytes.Length; at += size)
                await exchange.PieceAsync(bytes.AsSpan(at, Math.Min(size, bytes.Length - at)));
            await exchange.EndAsync();
        });

        Assert.Equal("नमस्ते", reply.Text);
        Assert.Equal("length", reply.DoneReason);
    }

    [Fact]
    public async Task Everything_asked_for_is_sent_and_the_key_goes_as_a_bearer_token()
    {
        var (body, head) = ("", "");
        await CallAsync(
            exchange =>
            {
                (body, head) = (exchange.Body, exchange.Head);
                return SendAsync(exchange, Delta("{}"), Finish("stop"), "[DONE]");
            },
            new ModelRequest
            {
                Model = "m",
                Messages = [new("user", "hi")],
                Temperature = 0.5,
                MaxTokens = 9,
                Stop = ["END"],
                Think = Requests.Json("\"low\""),
                Format = Requests.Json("""{"type":"object"}"""),
                ContextTokens = 4096,
                Options = Requests.Json("""{"seed":7,"stream":false,"max_tokens":1}"""),
            },
            key: "sk-secret");

        Assert.Equal(
            """{"model":"m","messages":[{"role":"user","content":"hi"}],"stream":true,"stream_options":{"include_usage":true},"temperature":0.5,"max_tokens":9,"stop":["END"],"reasoning_effort":"low","response_format":{"type":"json_schema","json_schema":{"name":"reply","schema":{"type":"object"}}},"seed":7}""",
            body);
        Assert.Contains("Authorization: Bearer sk-secret", head, StringComparison.Ordinal);
        Assert.StartsWith("POST /v1/chat/completions ", head, StringComparison.Ordinal);
    }

    [Fact]
    public async Task Plain_JSON_mode_and_the_newer_name_of_the_limit_can_be_asked_for()
    {
        var body = "";
        await CallAsync(
            exchange =>
            {
                body = exchange.Body;
                return SendAsync(exchange, Delta("[]"), Finish("stop"), "[DONE]");
            },
            Requests.For() with
            {
                MaxTokens = 5,
                Format = Requests.Json("\"json\""),
                Options = Requests.Json("""{"max_completion_tokens":5}"""),
            });

        Assert.EndsWith(""","response_format":{"type":"json_object"},"max_completion_tokens":5}""", body, StringComparison.Ordinal);
        Assert.DoesNotContain("max_tokens", body, StringComparison.Ordinal);
    }

    [Theory]
    [InlineData("", "/v1/models")]
    [InlineData("/v1", "/v1/models")]
    [InlineData("/v1/", "/v1/models")]
    [InlineData("/api", "/api/v1/models")]
    [InlineData("/v1beta/openai", "/v1beta/openai/models")]
    public async Task The_version_is_added_to_the_address_only_where_it_is_missing(string path, string expected)
    {
        var asked = "";
        await using var server = new ScriptedServer(exchange =>
        {
            asked = exchange.Path;
            return exchange.ReplyAsync(404, "{}");
        });
        using var provider = Provider(new Uri(server.Url, path));

        var models = await provider.ListModelsAsync(TestContext.Current.CancellationToken);

        if (expected == "/v1/models")
            Assert.Equal("m:latest", Assert.Single(models!.Value).Name);
        else
            Assert.Equal((expected, null), (asked, models?.Length));
    }

    [Fact]
    public async Task Without_DONE_a_clean_end_is_a_failure() =>
        await BrokenAsync(exchange => SendAsync(exchange, Delta("looks fine"), Finish("stop"), Usage), "[DONE]");

    [Fact]
    public async Task Without_a_finish_reason_DONE_is_not_enough() =>
        await BrokenAsync(exchange => SendAsync(exchange, Delta("looks fine"), "[DONE]"), "finish_reason");

    [Fact]
    public async Task An_error_in_the_stream_is_a_failure() =>
        await BrokenAsync(exchange => SendAsync(exchange, Delta("some"), """{"error":{"message":"engine died","code":500}}"""), "engine died");

    [Fact]
    public async Task A_cut_connection_is_a_failure()
    {
        await BrokenAsync(
            async exchange =>
            {
                await exchange.BeginAsync("text/event-stream");
                await exchange.PieceAsync($"data: {Delta("some")}\n\n");
                exchange.Reset();
            },
            "broke off");
    }

    [Theory]
    [InlineData(400, ModelFailure.Refused)]
    [InlineData(401, ModelFailure.Refused)]
    [InlineData(403, ModelFailure.Refused)]
    [InlineData(404, ModelFailure.NotFound)]
    [InlineData(422, ModelFailure.Refused)]
    [InlineData(429, ModelFailure.Unavailable)]
    [InlineData(500, ModelFailure.Broken)]
    [InlineData(503, ModelFailure.Unavailable)]
    public async Task A_status_decides_the_failure_and_no_message_holds_the_key(int status, ModelFailure expected)
    {
        var failure = await Assert.ThrowsAsync<ModelException>(() => CallAsync(
            exchange => exchange.ReplyAsync(
                status, """{"error":{"message":"model 'm' not found","type":"not_found_error","param":null,"code":null}}""", "Retry-After: 7\r\n"),
            key: "sk-secret"));

        Assert.Equal(expected, failure.Failure);
        Assert.DoesNotContain("sk-secret", failure.ToString(), StringComparison.Ordinal);
        Assert.Equal(TimeSpan.FromSeconds(7), failure.RetryAfter);
    }

    [Theory]
    [InlineData("""{"choices":[{"index":0,"delta":{"tool_calls":[{"index":0,"id":"x","type":"function","function":{"name":"get_weather","arguments":""}}]},"finish_reason":null}]}""")]
    [InlineData("""{"choices":[{"index":0,"delta":{},"finish_reason":"tool_calls"}]}""")]
    public async Task A_tool_call_is_a_failure(string chunk)
    {
        var failure = await Assert.ThrowsAsync<ModelException>(() => CallAsync(exchange => SendAsync(exchange, chunk, "[DONE]")));

        Assert.Equal(ModelFailure.ToolCall, failure.Failure);
    }

    [Fact]
    public async Task Reasoning_is_kept_apart()
    {
        var reply = await CallAsync(exchange => SendAsync(
            exchange, """{"choices":[{"delta":{"role":"assistant","content":null,"reasoning_content":"hm"}}]}""", Delta("42"), Finish("stop"), "[DONE]"));

        Assert.Equal(("42", "hm"), (reply.Text, reply.Thinking));
    }

    [Fact]
    public async Task JSON_cut_by_length_fails_where_JSON_was_asked_for()
    {
        var failure = await Assert.ThrowsAsync<ModelException>(() => CallAsync(
            exchange => SendAsync(exchange, Delta("{"), Finish("length"), "[DONE]"), Requests.For() with { Format = Requests.Json("\"json\"") }));

        Assert.Equal(ModelFailure.InvalidOutput, failure.Failure);
    }

    private static string Delta(string text) =>
        $$"""{"id":"c","object":"chat.completion.chunk","model":"m","choices":[{"index":0,"delta":{"role":"assistant","content":"{{text.Replace("\"", "\\\"", StringComparison.Ordinal)}}"},"finish_reason":null}]}""";

    private static string Finish(string reason) => $$"""{"choices":[{"index":0,"delta":{},"finish_reason":"{{reason}}"}]}""";

    private static async Task SendAsync(Exchange exchange, params string[] data)
    {
        await exchange.BeginAsync("text/event-stream");
        foreach (var line in data)
            await exchange.PieceAsync($"data: {line}\n\n");
        await exchange.EndAsync();
    }

    private static OpenAiProvider Provider(Uri url, string? key = null) => new(
        new ModelEndpointOptions { Name = "hosted", Kind = ModelEndpointKind.OpenAi, BaseUrl = url, ApiKey = key }, new ModelPoolOptions(), TimeProvider.System);

    private static async Task<ModelReply> CallAsync(
        Func<Exchange, Task> script, ModelRequest? request = null, IModelSink? sink = null, string? key = null)
    {
        await using var server = new ScriptedServer(script);
        using var provider = Provider(server.Url, key);
        return await provider.CallAsync(
            request ?? Requests.For(), TimeSpan.FromMinutes(1), sink ?? new RecordingSink(), TestContext.Current.CancellationToken);
    }

    private static async Task BrokenAsync(Func<Exchange, Task> script, string part)
    {
        var failure = await Assert.ThrowsAsync<ModelException>(() => CallAsync(script));
        Assert.Equal(ModelFailure.Broken, failure.Failure);
        Assert.True(failure.Repeatable);
        Assert.Contains(part, failure.Message, StringComparison.Ordinal);
    }
}
