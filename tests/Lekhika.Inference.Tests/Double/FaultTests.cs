using System.Net;
using System.Text;
using System.Text.Json;
using Lekhika.Doubles;
using Xunit;

namespace Lekhika.Inference.Tests.Double;

/// <summary>Every fault the double can show, as a client sees it.</summary>
public sealed class FaultTests
{
    private const string Gone = "an error was encountered while running the model: unexpected EOF";
    private static readonly OllamaDoubleOptions Fast = new() { TokensPerSecond = 0, LoadTime = TimeSpan.Zero, SwapTime = TimeSpan.Zero };

    private static CancellationToken Token => TestContext.Current.CancellationToken;

    [Fact]
    public async Task Eof_ends_a_stream_and_a_plain_reply_without_done()
    {
        await using var ollama = await OllamaDouble.StartAsync(Fast, Token);
        using var client = new DoubleClient(ollama);
        var stream = await client.ChatAsync("fault-eof-a3", "x", Token);
        Assert.Equal((HttpStatusCode.OK, 3), (stream.Status, stream.Lines.Count));
        Assert.All(stream.Lines, line => Assert.False(line.GetProperty("done").GetBoolean()));
        var plain = await client.GenerateAsync("fault-eof-a3", Token);
        Assert.Equal(["model", "created_at", "response", "done"], plain.Last.EnumerateObject().Select(field => field.Name));
        Assert.False(plain.Last.GetProperty("done").GetBoolean());
    }

    [Fact]
    public async Task The_repeat_guard_ends_with_the_same_token_again_and_again()
    {
        await using var ollama = await OllamaDouble.StartAsync(Fast, Token);
        using var client = new DoubleClient(ollama);
        var old = await client.ChatAsync("fault-repeat-a3", "x", Token);
        Assert.Equal(33, old.Lines.Count);
        Assert.EndsWith(new string('\n', 30), old.Text, StringComparison.Ordinal);
        Assert.False(old.Last.GetProperty("done").GetBoolean());
        var later = await client.GenerateAsync("fault-repeat-error", Token);
        Assert.Equal(HttpStatusCode.InternalServerError, later.Status);
    }

    [Fact]
    public async Task An_error_in_mid_stream_is_a_line_and_before_it_a_status()
    {
        await using var ollama = await OllamaDouble.StartAsync(Fast, Token);
        using var client = new DoubleClient(ollama);
        var stream = await client.ChatAsync("fault-midstream-error-a3", "x", Token);
        Assert.Equal((HttpStatusCode.OK, 4, Gone), (stream.Status, stream.Lines.Count, stream.Error));
        var first = await client.ChatAsync("fault-midstream-error-a0", "x", Token);
        Assert.Equal((HttpStatusCode.InternalServerError, Gone), (first.Status, first.Error));
        var plain = await client.GenerateAsync("fault-midstream-error", Token);
        Assert.Equal((HttpStatusCode.InternalServerError, Gone), (plain.Status, plain.Error));
        var worded = await client.ChatAsync("llama3.2", "[[double:fault:midstream-error after=1 message=out of memory]]", Token);
        Assert.Equal("out of memory", worded.Error);
    }

    [Fact]
    public async Task A_crash_of_the_runner_makes_the_next_request_load_again()
    {
        await using var ollama = await OllamaDouble.StartAsync(Fast, Token);
        using var client = new DoubleClient(ollama);
        var crashed = await client.ChatAsync("llama3.2", "[[double:fault:runner-crash after=2]]", Token);
        Assert.Equal(Gone, crashed.Error);
        Assert.True((await client.ChatAsync("llama3.2", "x", Token)).Last.GetProperty("done").GetBoolean());
        Assert.Equal(2, ollama.Stats.Loads);
    }

    [Theory]
    [InlineData("fault-reset-a3")]
    [InlineData("fault-cut-a3")]
    public async Task A_broken_connection_ends_in_the_middle_without_a_last_chunk(string model)
    {
        await using var ollama = await OllamaDouble.StartAsync(Fast, Token);
        using var client = new DoubleClient(ollama);
        using var stream = await client.StreamAsync(model, Token);
        Assert.NotNull(await stream.LineAsync(Token));
        await Assert.ThrowsAnyAsync<IOException>(() => stream.RestAsync(Token));
    }

    [Theory]
    [InlineData("fault-reset-a0")]
    [InlineData("fault-cut-a0")]
    public async Task A_connection_may_break_before_the_headers(string model)
    {
        await using var ollama = await OllamaDouble.StartAsync(Fast, Token);
        using var client = new DoubleClient(ollama);
        await Assert.ThrowsAsync<HttpRequestException>(() => client.GenerateAsync(model, Token));
    }

    [Fact]
    public async Task A_stall_is_silence_until_the_client_leaves_or_its_time_is_over()
    {
        await using var ollama = await OllamaDouble.StartAsync(Fast, Token);
        using var client = new DoubleClient(ollama);
        using (var stream = await client.StreamAsync("fault-stall-a2", Token))
        {
            Assert.NotNull(await stream.LineAsync(Token));
            Assert.NotNull(await stream.LineAsync(Token));
            using var patience = CancellationTokenSource.CreateLinkedTokenSource(Token);
            patience.CancelAfter(TimeSpan.FromMilliseconds(100));
            await Assert.ThrowsAnyAsync<OperationCanceledException>(() => stream.LineAsync(patience.Token).AsTask());
        }
        await DoubleClient.UntilAsync(() => ollama.Stats is { Cancellations: 1, InFlight: 0 }, Token);
        var late = await client.GenerateAsync("fault-stall-a2-d60", Token);
        Assert.True(late.Duration("eval_duration") > 55_000_000);
        Assert.True(late.Last.GetProperty("done").GetBoolean());
    }

    [Fact]
    public async Task A_slow_load_and_a_slow_first_token_send_no_headers()
    {
        await using var ollama = await OllamaDouble.StartAsync(Fast, Token);
        using var client = new DoubleClient(ollama);
        var load = await client.GenerateAsync("fault-slow-load-l80", Token);
        Assert.True(load.Duration("load_duration") > 75_000_000);
        var marked = await client.ChatAsync("llama3.2", "[[double:fault:slow-load delay=80]]", Token);
        Assert.True(marked.Duration("load_duration") > 75_000_000);
        var first = await client.GenerateAsync("fault-slow-first-d80", Token);
        Assert.True(first.Duration("prompt_eval_duration") > 75_000_000);
        Assert.True(first.Duration("load_duration") < 75_000_000);
    }

    [Fact]
    public async Task A_busy_server_and_any_other_status_can_be_had()
    {
        await using var ollama = await OllamaDouble.StartAsync(Fast, Token);
        using var client = new DoubleClient(ollama);
        var busy = await client.GenerateAsync("fault-503", Token);
        Assert.Equal((HttpStatusCode.ServiceUnavailable, "server busy, please try again.  maximum pending requests exceeded"), (busy.Status, busy.Error));
        Assert.Equal(HttpStatusCode.TooManyRequests, (await client.GenerateAsync("fault-429", Token)).Status);
        var worded = await client.GenerateAsync("llama3.2", Token, more: ""","options":{"double_fault":"500","double_message":"llama runner process has terminated"}""");
        Assert.Equal((HttpStatusCode.InternalServerError, "llama runner process has terminated"), (worded.Status, worded.Error));
        var proxy = await client.GenerateAsync("fault-html", Token);
        Assert.Equal(HttpStatusCode.BadGateway, proxy.Status);
        Assert.StartsWith("<html>", proxy.Body, StringComparison.Ordinal);
    }

    [Fact]
    public async Task A_fault_can_strike_a_number_of_times_under_a_key_and_then_no_more()
    {
        await using var ollama = await OllamaDouble.StartAsync(Fast, Token);
        using var client = new DoubleClient(ollama);
        const string Options = ""","options":{"double_fault":"503","double_fault_times":2,"double_fault_key":"KEY","num_predict":2}""";
        foreach (var key in (string[])["a", "b"])
        {
            var statuses = new List<HttpStatusCode>();
            for (var i = 0; i < 3; i++)
                statuses.Add((await client.GenerateAsync("llama3.2", Token, more: Options.Replace("KEY", key, StringComparison.Ordinal))).Status);
            Assert.Equal([HttpStatusCode.ServiceUnavailable, HttpStatusCode.ServiceUnavailable, HttpStatusCode.OK], statuses);
        }
        Assert.Equal(HttpStatusCode.ServiceUnavailable, (await client.GenerateAsync("fault-503-n1", Token)).Status);
        Assert.Equal(HttpStatusCode.OK, (await client.GenerateAsync("fault-503-n1", Token)).Status);
        Assert.Equal(5, ollama.Stats.Faults);
        ollama.Reset();
        Assert.Equal(HttpStatusCode.ServiceUnavailable, (await client.GenerateAsync("fault-503-n1", Token)).Status);
    }

    [Fact]
    public async Task Odd_chunks_carry_the_same_text()
    {
        await using var ollama = await OllamaDouble.StartAsync(Fast, Token);
        using var client = new DoubleClient(ollama);
        var plain = await client.ChatAsync("double-t30", "x", Token);
        foreach (var model in (string[])["fault-split-t30", "fault-coalesce-t30", "fault-final-content-t30", "fault-empty-chunks-t30", "fault-extra-fields-t30"])
        {
            var reply = await client.ChatAsync(model, "x", Token);
            Assert.Equal(plain.Text, reply.Text);
            Assert.True(reply.Last.GetProperty("done").GetBoolean());
        }
        Assert.NotEqual("", (await client.ChatAsync("fault-final-content-t30", "x", Token)).Last.GetProperty("message").GetProperty("content").GetString());
        Assert.Contains((await client.ChatAsync("fault-empty-chunks-t30", "x", Token)).Lines.SkipLast(1), line => line.GetProperty("message").GetProperty("content").GetString() == "");
        Assert.All((await client.ChatAsync("fault-extra-fields-t30", "x", Token)).Lines, line => Assert.True(line.TryGetProperty("x_double_nested", out _)));
    }

    [Fact]
    public async Task Split_tears_lines_and_characters_apart()
    {
        await using var ollama = await OllamaDouble.StartAsync(Fast, Token);
        using var client = new DoubleClient(ollama);
        var text = "naïve 漢字漢字漢字漢字 🦙🦙 end";
        ollama.Script(new ScriptRule { Reply = text, Fault = new DoubleFault { Kind = FaultKind.Split, Bytes = 1, Delay = TimeSpan.FromMilliseconds(3) } });
        using var request = new HttpRequestMessage(HttpMethod.Post, "/api/chat")
        {
            Content = new StringContent("""{"model":"llama3.2","messages":[{"role":"user","content":"x"}]}"""),
        };
        using var response = await client.Http.SendAsync(request, HttpCompletionOption.ResponseHeadersRead, Token);
        await using var stream = await response.Content.ReadAsStreamAsync(Token);
        var all = new List<byte>();
        var buffer = new byte[4096];
        var unfinished = 0;
        int read;
        while ((read = await stream.ReadAsync(buffer, Token)) > 0)
        {
            all.AddRange(buffer.AsSpan(0, read));
            if (Encoding.UTF8.GetString(buffer, 0, read).Contains('\uFFFD', StringComparison.Ordinal))
                unfinished++;
        }
        Assert.True(unfinished > 0, "no read ended inside a character");
        Assert.Equal(text, new DoubleReply(HttpStatusCode.OK, Encoding.UTF8.GetString([.. all])).Text);
    }

    [Fact]
    public async Task One_line_can_be_eight_megabytes()
    {
        await using var ollama = await OllamaDouble.StartAsync(Fast, Token);
        using var client = new DoubleClient(ollama);
        var reply = await client.ChatAsync("llama3.2", "[[double:fault:big-line bytes=8388608]]", Token);
        Assert.Contains(reply.Body.Split('\n'), line => line.Length > 8 * 1024 * 1024);
        Assert.True(reply.Last.GetProperty("done").GetBoolean());
    }

    [Fact]
    public async Task Thinking_can_come_unasked()
    {
        await using var ollama = await OllamaDouble.StartAsync(Fast, Token);
        using var client = new DoubleClient(ollama);
        var reply = await client.ChatAsync("fault-thinking", "x", Token);
        Assert.NotEqual("", reply.Lines[0].GetProperty("message").GetProperty("thinking").GetString());
        Assert.NotEqual("", reply.Text);
        var plain = await client.GenerateAsync("fault-thinking", Token);
        Assert.True(plain.Last.TryGetProperty("thinking", out _));
    }

    [Theory]
    [InlineData("fault-tool-call", 1, false)]
    [InlineData("fault-tool-calls", 2, false)]
    [InlineData("fault-tool-call-final", 1, true)]
    public async Task Tool_calls_come_before_or_in_the_done_line(string model, int count, bool final)
    {
        await using var ollama = await OllamaDouble.StartAsync(Fast, Token);
        using var client = new DoubleClient(ollama);
        var reply = await client.ChatAsync(model, "x", Token);
        var line = Assert.Single(reply.Lines, line => line.GetProperty("message").TryGetProperty("tool_calls", out _));
        Assert.Equal(final, line.GetProperty("done").GetBoolean());
        var calls = line.GetProperty("message").GetProperty("tool_calls").EnumerateArray().ToList();
        Assert.Equal(Enumerable.Range(0, count), calls.Select(call => call.GetProperty("function").GetProperty("index").GetInt32()));
        Assert.All(calls, call => Assert.Equal(JsonValueKind.Object, call.GetProperty("function").GetProperty("arguments").ValueKind));
        Assert.Equal("stop", reply.Last.GetProperty("done_reason").GetString());
    }

    [Fact]
    public async Task Json_can_be_cut_or_broken_or_fenced_in_spite_of_a_format()
    {
        await using var ollama = await OllamaDouble.StartAsync(Fast, Token);
        using var client = new DoubleClient(ollama);
        const string Format = ""","format":"json" """;
        var cut = await client.GenerateAsync("fault-truncated-json", Token, more: Format);
        Assert.Equal("length", cut.Last.GetProperty("done_reason").GetString());
        var broken = await client.GenerateAsync("fault-bad-json", Token, more: Format);
        Assert.Equal("stop", broken.Last.GetProperty("done_reason").GetString());
        var fenced = await client.GenerateAsync("fault-fenced-json", Token, more: Format);
        Assert.Contains("```json", fenced.Text, StringComparison.Ordinal);
        Assert.All((DoubleReply[])[cut, broken, fenced], reply => Assert.ThrowsAny<JsonException>(() => JsonElement.Parse(reply.Text)));
    }

    [Fact]
    public async Task Lines_may_be_no_json_have_no_end_or_be_missing_altogether()
    {
        await using var ollama = await OllamaDouble.StartAsync(Fast, Token);
        using var client = new DoubleClient(ollama);
        Assert.Contains("<html>upstream timed out</html>\n", (await client.ChatAsync("fault-garbage-line", "x", Token)).Body, StringComparison.Ordinal);
        Assert.False((await client.ChatAsync("fault-no-newline", "x", Token)).Body.EndsWith('\n'));
        var empty = await client.ChatAsync("fault-empty-reply", "x", Token);
        Assert.Equal("", empty.Text);
        Assert.False(empty.Last.TryGetProperty("eval_count", out _));
        Assert.Contains('\uFFFD', (await client.ChatAsync("fault-broken-utf8", "x", Token)).Text);
    }

    [Fact]
    public async Task An_unknown_fault_is_refused_with_the_list_of_those_known()
    {
        await using var ollama = await OllamaDouble.StartAsync(Fast, Token);
        using var client = new DoubleClient(ollama);
        var reply = await client.GenerateAsync("llama3.2", Token, more: ""","options":{"double_fault":"tea-time"}""");
        Assert.Equal(HttpStatusCode.BadRequest, reply.Status);
        Assert.Contains("midstream-error", reply.Error, StringComparison.Ordinal);
        Assert.Equal(HttpStatusCode.NotFound, (await client.GenerateAsync("fault-tea-time", Token)).Status);
    }

    [Fact]
    public void Every_fault_has_a_name_that_reads_back()
    {
        foreach (var name in FaultNames.All)
        {
            Assert.True(FaultNames.TryParse(name, new DoubleFault(), out var fault));
            Assert.Equal(name, FaultNames.Kebab(fault.Kind));
        }
        Assert.Equal(Enum.GetValues<FaultKind>().Length - 1, FaultNames.All.Count());
    }
}
