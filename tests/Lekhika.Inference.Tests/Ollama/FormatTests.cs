using Lekhika.Inference.Tests.Support;
using Xunit;
using static Lekhika.Inference.Tests.Ollama.OllamaCalls;

namespace Lekhika.Inference.Tests.Ollama;

public sealed class FormatTests
{
    private static readonly ModelRequest AsksJson = Requests.For() with { Format = Requests.Json("\"json\"") };

    [Fact]
    public async Task Valid_JSON_passes_even_if_cut_by_length()
    {
        var reply = await CallAsync(
            exchange => exchange.StreamAsync(Line("""{\"a\": [1]}\n"""), """{"message":{"content":""},"done":true,"done_reason":"length"}"""), AsksJson);

        Assert.Equal("{\"a\": [1]}\n", reply.Text);
        Assert.Equal("length", reply.DoneReason);
    }

    [Fact]
    public async Task JSON_cut_by_length_fails_and_says_so()
    {
        var failure = await FailAsync(
            exchange => exchange.StreamAsync(Line("""{\"a\": [1"""), """{"message":{"content":""},"done":true,"done_reason":"length"}"""), AsksJson);

        Assert.Equal(ModelFailure.InvalidOutput, failure.Failure);
        Assert.Contains("token limit", failure.Message, StringComparison.Ordinal);
        Assert.False(failure.Repeatable);
    }

    [Theory]
    [InlineData("""{\"a\": 1} and more""")]
    [InlineData("""Here you are: {}""")]
    [InlineData("")]
    public async Task What_is_not_JSON_fails_where_JSON_was_asked_for(string text)
    {
        var failure = await FailAsync(exchange => exchange.StreamAsync(Line(text), Last), AsksJson);

        Assert.Equal(ModelFailure.InvalidOutput, failure.Failure);
        Assert.Contains("not valid JSON", failure.Message, StringComparison.Ordinal);
    }

    [Theory]
    [InlineData("null")]
    [InlineData("\"\"")]
    public async Task A_format_of_nothing_asks_for_nothing(string format)
    {
        var reply = await CallAsync(exchange => exchange.StreamAsync(Line("free"), Last), Requests.For() with { Format = Requests.Json(format) });

        Assert.Equal("free", reply.Text);
    }

    [Fact]
    public async Task A_cut_by_length_without_a_format_is_only_reported()
    {
        var reply = await CallAsync(exchange => exchange.StreamAsync(Line("half"), """{"message":{"content":""},"done":true,"done_reason":"length"}"""));

        Assert.Equal("length", reply.DoneReason);
    }
}
