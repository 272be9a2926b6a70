using System.Diagnostics;
using Lekhika.Doubles;
using Xunit;

namespace Lekhika.Inference.Tests.Double;

public sealed class SpeedTests
{
    private static CancellationToken Token => TestContext.Current.CancellationToken;

    [Theory]
    [InlineData("double-t60-s100", "")]
    [InlineData("llama3.2", ""","options":{"double_tokens":60,"double_speed":100}""")]
    public async Task Tokens_come_at_the_speed_that_was_asked_for(string model, string more)
    {
        await using var ollama = await OllamaDouble.StartAsync(cancellationToken: Token);
        using var client = new DoubleClient(ollama);
        await client.LoadAsync(model, Token);
        var reply = await client.GenerateAsync(model, Token, more: more);
        var seconds = reply.Duration("eval_duration") / 1e9;
        var tokens = reply.Last.GetProperty("eval_count").GetInt32();
        // A busy machine makes it slower, nothing makes it faster.
        Assert.InRange(tokens / seconds, 20, 105);
        Assert.InRange(tokens, 60, 75);
    }

    [Fact]
    public async Task Without_a_speed_a_long_reply_takes_no_time_to_speak_of()
    {
        await using var ollama = await OllamaDouble.StartAsync(new OllamaDoubleOptions { TokensPerSecond = 0, ReplyTokens = 20_000 }, Token);
        using var client = new DoubleClient(ollama);
        var clock = Stopwatch.StartNew();
        var reply = await client.PostAsync("/api/generate", """{"model":"mistral:7b","prompt":"x"}""", Token);
        Assert.True(reply.Lines.Count > 20_000);
        Assert.True(clock.Elapsed < TimeSpan.FromSeconds(10), $"took {clock.Elapsed}");
    }
}
