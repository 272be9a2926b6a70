using System.Text;
using Lekhika.Inference.Tests.Support;
using Xunit;
using static Lekhika.Inference.Tests.Ollama.OllamaCalls;

namespace Lekhika.Inference.Tests.Ollama;

public sealed class StreamTests
{
    [Fact]
    public async Task A_plain_stream_gives_text_counters_and_times()
    {
        var sink = new RecordingSink();
        var reply = await CallAsync(exchange => exchange.StreamAsync(Line("Once "), Line("upon"), Last), sink: sink);

        Assert.Equal("Once upon", reply.Text);
        Assert.Equal("stop", reply.DoneReason);
        Assert.Equal("m", reply.Model);
        Assert.Equal(46, reply.TokensIn);
        Assert.Equal(16, reply.TokensOut);
        Assert.Equal(TimeSpan.FromTicks(11831), reply.LoadTime);
        Assert.Equal(TimeSpan.FromTicks(7200), reply.PromptTime);
        Assert.Equal(TimeSpan.FromTicks(49300), reply.GenerationTime);
        Assert.Equal(["text Once ", "text upon"], sink.Told);
    }

    [Theory]
    [InlineData(1)]
    [InlineData(2)]
    [InlineData(3)]
    [InlineData(7)]
    [InlineData(64)]
    [InlineData(100_000)]
    public async Task Pieces_may_be_split_anywhere_even_inside_a_character(int size)
    {
        var bytes = Encoding.UTF8.GetBytes(Line("नमस्ते ") + "\n\n" + Line("😀é") + "\r\n" + Last + "\n");
        var reply = await CallAsync(async exchange =>
        {
            await exchange.BeginAsync();
            for (var at = 0; at < bytes.Length; at += size)
                await exchange.PieceAsync(bytes.AsSpan(at, Math.Min(size, bytes.Length - at)));
            await exchange.EndAsync();
        });

        Assert.Equal("नमस्ते 😀é", reply.Text);
    }

    [Fact]
    public async Task Several_objects_in_one_line_and_a_last_line_without_end_are_read()
    {
        var reply = await CallAsync(async exchange =>
        {
            await exchange.BeginAsync();
            await exchange.PieceAsync(Line("a") + Line("b") + "\n" + Line("c") + "\n" + Last);
            await exchange.EndAsync();
        });

        Assert.Equal("abc", reply.Text);
    }

    [Fact]
    public async Task The_last_object_may_carry_text_and_leave_out_its_counters()
    {
        var reply = await CallAsync(exchange => exchange.StreamAsync("""{"message":{"content":"all of it"},"done":true}"""));

        Assert.Equal("all of it", reply.Text);
        Assert.Equal("stop", reply.DoneReason);
        Assert.Equal(0, reply.TokensOut);
        Assert.Equal(TimeSpan.Zero, reply.LoadTime);
    }

    [Fact]
    public async Task Unknown_fields_are_skipped_wherever_they_stand()
    {
        var reply = await CallAsync(exchange => exchange.StreamAsync(
            """{"x":{"done":true,"error":"no"},"logprobs":[{"token":"a"}],"message":{"role":"assistant","new":[1,{"content":"no"}],"content":"yes","images":null},"done":false}""",
            """{"message":null,"done":true,"done_reason":"length","eval_count":2.0,"load_duration":"soon","context":[1,2,3]}"""));

        Assert.Equal("yes", reply.Text);
        Assert.Equal("length", reply.DoneReason);
        Assert.Equal(2, reply.TokensOut);
    }

    [Fact]
    public async Task Thinking_is_kept_apart_even_if_nobody_asked_for_it()
    {
        var sink = new RecordingSink();
        var reply = await CallAsync(
            exchange => exchange.StreamAsync(
                """{"message":{"role":"assistant","content":"","thinking":"hm "},"done":false}""",
                """{"message":{"role":"assistant","content":"","thinking":"so"},"done":false}""",
                Line("42"),
                Last),
            sink: sink);

        Assert.Equal("42", reply.Text);
        Assert.Equal("hm so", reply.Thinking);
        Assert.Equal(["thinking hm ", "thinking so", "text 42"], sink.Told);
    }

    [Fact]
    public async Task A_line_of_many_megabytes_is_read()
    {
        var text = new string('x', 6 * 1024 * 1024);
        var reply = await CallAsync(exchange => exchange.StreamAsync(Line(text), Last));

        Assert.Equal(text.Length, reply.Text.Length);
    }

    [Fact]
    public async Task A_line_beyond_the_bound_fails_without_being_held()
    {
        var failure = await FailAsync(
            async exchange =>
            {
                await exchange.BeginAsync();
                await exchange.PieceAsync(new string('x', 10_000));
                await exchange.StallAsync();
            },
            options: new ModelPoolOptions { MaxLineBytes = 4096 });

        Assert.Equal(ModelFailure.Broken, failure.Failure);
        Assert.Contains("4096", failure.Message, StringComparison.Ordinal);
        Assert.False(failure.Repeatable);
    }

    [Fact]
    public async Task A_reply_beyond_the_bound_fails()
    {
        var failure = await FailAsync(
            exchange => exchange.StreamAsync(Line("12345678"), Line("12345678"), Last), options: new ModelPoolOptions { MaxReplyLength = 10 });

        Assert.Equal(ModelFailure.InvalidOutput, failure.Failure);
    }

    [Fact]
    public async Task Without_done_a_clean_end_is_a_failure()
    {
        var failure = await FailAsync(exchange => exchange.StreamAsync(Line("looks "), Line("fine")));

        Assert.Equal(ModelFailure.Broken, failure.Failure);
        Assert.True(failure.Repeatable);
        Assert.Contains("done", failure.Message, StringComparison.Ordinal);
    }

    [Fact]
    public async Task A_plain_reply_with_done_false_is_a_failure()
    {
        var failure = await FailAsync(exchange => exchange.ReplyAsync(200, Line("looks fine")));

        Assert.Equal(ModelFailure.Broken, failure.Failure);
    }

    [Fact]
    public async Task A_load_reply_is_not_taken_for_an_answer()
    {
        var failure = await FailAsync(exchange => exchange.ReplyAsync(
            200, """{"model":"m","message":{"role":"assistant","content":""},"done":true,"done_reason":"load"}"""));

        Assert.Equal(ModelFailure.Broken, failure.Failure);
    }

    [Fact]
    public async Task An_error_object_in_the_stream_is_a_failure()
    {
        var failure = await FailAsync(exchange => exchange.StreamAsync(
            Line("some"), """{"error":"an error was encountered while running the model: unexpected EOF"}"""));

        Assert.Equal(ModelFailure.Broken, failure.Failure);
        Assert.Contains("unexpected EOF", failure.Message, StringComparison.Ordinal);
    }

    [Fact]
    public async Task A_connection_cut_in_the_stream_is_a_failure_of_the_endpoint()
    {
        var failure = await FailAsync(async exchange =>
        {
            await exchange.BeginAsync();
            await exchange.PieceAsync(Line("some") + "\n");
            exchange.Reset();
        });

        Assert.Equal(ModelFailure.Broken, failure.Failure);
        Assert.True(failure.EndpointFault);
        Assert.True(failure.Repeatable);
    }

    [Fact]
    public async Task A_body_that_stops_without_its_last_chunk_is_a_failure()
    {
        var failure = await FailAsync(async exchange =>
        {
            await exchange.BeginAsync();
            await exchange.PieceAsync(Line("some") + "\n");
        });

        Assert.Equal(ModelFailure.Broken, failure.Failure);
        Assert.True(failure.EndpointFault);
    }

    [Fact]
    public async Task Garbage_in_the_stream_is_a_failure_with_the_place()
    {
        var failure = await FailAsync(exchange => exchange.StreamAsync(Line("some"), """{"message": oops"""));

        Assert.Equal(ModelFailure.Broken, failure.Failure);
        Assert.Contains("JSON", failure.Message, StringComparison.Ordinal);
    }

    [Theory]
    [InlineData("""{"message":{"role":"assistant","content":"","tool_calls":[{"id":"call_1","function":{"index":0,"name":"get_weather","arguments":{"name":"x"}}}]},"done":true,"done_reason":"stop"}""")]
    [InlineData("""{"message":{"role":"assistant","content":"","tool_calls":[{"function":{"arguments":{"city":"x"},"name":"get_weather"}},{"function":{"name":"b"}}]},"done":false}""")]
    public async Task A_tool_call_is_a_failure_that_names_the_tool(string line)
    {
        var failure = await FailAsync(exchange => exchange.StreamAsync(line, Last));

        Assert.Equal(ModelFailure.ToolCall, failure.Failure);
        Assert.Contains("get_weather", failure.Message, StringComparison.Ordinal);
        Assert.False(failure.Retryable);
    }

    [Fact]
    public async Task An_empty_list_of_tool_calls_is_no_tool_call()
    {
        var reply = await CallAsync(exchange => exchange.StreamAsync("""{"message":{"content":"ok","tool_calls":[]},"done":true}"""));

        Assert.Equal("ok", reply.Text);
    }

    [Fact]
    public async Task What_follows_the_last_object_is_not_waited_for()
    {
        var reply = await CallAsync(async exchange =>
        {
            await exchange.BeginAsync();
            await exchange.PieceAsync(Line("ok") + "\n" + Last + "\n");
            await exchange.StallAsync();
        });

        Assert.Equal("ok", reply.Text);
    }

    [Fact]
    public async Task Broken_bytes_become_replacement_characters()
    {
        var reply = await CallAsync(async exchange =>
        {
            await exchange.BeginAsync();
            await exchange.PieceAsync([.. "{\"message\":{\"content\":\"a"u8, 0xC3, 0x28, .. "\"},\"done\":true}\n"u8]);
            await exchange.EndAsync();
        });

        Assert.Equal("a\uFFFD(", reply.Text);
    }
}
