using System.Net;
using Lekhika.Doubles;
using Xunit;

namespace Lekhika.Inference.Tests.Double;

/// <summary>Runners and servers that die, as recorded under F.</summary>
public sealed class CrashTests
{
    private const string Gone = "an error was encountered while running the model: unexpected EOF";
    private const string Long = ""","options":{"double_tokens":100000}""";
    private static readonly OllamaDoubleOptions Slow = new() { TokensPerSecond = 100, Models = [ReplaySetting.Tiny("slow", "slow")] };

    private static CancellationToken Token => TestContext.Current.CancellationToken;

    [Fact]
    public async Task A_runner_killed_in_mid_stream_ends_with_an_error_line_and_the_next_request_loads_again()
    {
        await using var ollama = await OllamaDouble.StartAsync(Slow, Token);
        using var client = new DoubleClient(ollama);
        using var stream = await client.StreamAsync("slow", Token, Long);
        Assert.NotNull(await stream.LineAsync(Token));
        Assert.True(ollama.KillRunner("slow"));
        var lines = await stream.RestAsync(Token);
        Assert.Equal(HttpStatusCode.OK, stream.Status);
        Assert.Equal(Gone, lines[^1].GetProperty("error").GetString());
        var next = await client.GenerateAsync("slow", Token, more: ""","options":{"double_tokens":2}""");
        Assert.Equal(HttpStatusCode.OK, next.Status);
        Assert.Equal(2, ollama.Stats.Loads);
    }

    [Fact]
    public async Task A_runner_killed_under_a_plain_request_is_a_500()
    {
        await using var ollama = await OllamaDouble.StartAsync(Slow, Token);
        using var client = new DoubleClient(ollama);
        var asked = client.GenerateAsync("slow", Token, more: Long);
        await DoubleClient.UntilAsync(() => ollama.Stats.Generating == 1, Token);
        Assert.True(ollama.KillRunner("slow"));
        var reply = await asked;
        Assert.Equal((HttpStatusCode.InternalServerError, Gone), (reply.Status, reply.Error));
    }

    [Fact]
    public async Task A_runner_that_died_idle_is_still_listed_and_loaded_again_on_demand()
    {
        await using var ollama = await OllamaDouble.StartAsync(Slow, Token);
        using var client = new DoubleClient(ollama);
        await client.LoadAsync("slow", Token);
        Assert.True(ollama.KillRunner("slow"));
        Assert.Single(await client.LoadedAsync(Token));
        Assert.Equal(HttpStatusCode.OK, (await client.GenerateAsync("slow", Token, more: ""","options":{"double_tokens":2}""")).Status);
        Assert.Equal(2, ollama.Stats.Loads);
    }

    [Fact]
    public async Task A_frozen_runner_sends_nothing_until_it_goes_on()
    {
        await using var ollama = await OllamaDouble.StartAsync(Slow with { TokensPerSecond = 0 }, Token);
        using var client = new DoubleClient(ollama);
        await client.LoadAsync("slow", Token);
        Assert.True(ollama.FreezeRunner("slow"));
        var asked = client.GenerateAsync("slow", Token);
        await DoubleClient.UntilAsync(() => ollama.Stats.Generating == 1, Token);
        await Task.Delay(TimeSpan.FromMilliseconds(50), TimeProvider.System, Token);
        Assert.False(asked.IsCompleted);
        Assert.True(ollama.ThawRunner("slow"));
        Assert.Equal(HttpStatusCode.OK, (await asked).Status);
    }

    [Fact]
    public async Task A_server_that_ends_cuts_the_stream_without_a_last_chunk()
    {
        var ollama = await OllamaDouble.StartAsync(Slow, Token);
        using var client = new DoubleClient(ollama);
        using var stream = await client.StreamAsync("slow", Token, Long);
        Assert.NotNull(await stream.LineAsync(Token));
        await ollama.DisposeAsync();
        // Everything that was sent is whole lines; what is missing is the end.
        await Assert.ThrowsAnyAsync<IOException>(() => stream.RestAsync(Token));
    }
}
