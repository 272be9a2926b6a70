using System.Net;
using Lekhika.Doubles;
using Xunit;

namespace Lekhika.Inference.Tests.Double;

/// <summary>Clients that leave, as recorded under E, H2 and I.</summary>
public sealed class LeavingTests
{
    private static readonly OllamaDoubleOptions Slow = new()
    {
        TokensPerSecond = 100,
        LoadTime = TimeSpan.FromMilliseconds(20),
        Models = [ReplaySetting.Tiny("slow", "slow"), ReplaySetting.Tiny("stories260K", "a")],
    };

    private static CancellationToken Token => TestContext.Current.CancellationToken;

    [Fact]
    public async Task Leaving_in_mid_stream_frees_the_slot()
    {
        await using var ollama = await OllamaDouble.StartAsync(Slow, Token);
        using var client = new DoubleClient(ollama);
        using (var stream = await client.StreamAsync("slow", Token, ""","options":{"double_tokens":100000}"""))
            Assert.NotNull(await stream.LineAsync(Token));
        var next = await client.GenerateAsync("slow", Token, more: ""","options":{"double_tokens":2}""");
        Assert.Equal(HttpStatusCode.OK, next.Status);
        await DoubleClient.UntilAsync(() => ollama.Stats is { Cancellations: 1, Generating: 0, InFlight: 0 }, Token);
    }

    [Fact]
    public async Task Leaving_a_plain_request_frees_the_slot()
    {
        await using var ollama = await OllamaDouble.StartAsync(Slow, Token);
        using var client = new DoubleClient(ollama);
        using var leaving = CancellationTokenSource.CreateLinkedTokenSource(Token);
        var asked = client.GenerateAsync("slow", leaving.Token, more: ""","options":{"double_tokens":100000}""");
        await DoubleClient.UntilAsync(() => ollama.Stats.Generating == 1, Token);
        await leaving.CancelAsync();
        await Assert.ThrowsAnyAsync<OperationCanceledException>(() => asked);
        await DoubleClient.UntilAsync(() => ollama.Stats is { Cancellations: 1, Generating: 0 }, Token);
    }

    [Fact]
    public async Task Leaving_the_queue_of_a_loaded_model_frees_the_place()
    {
        await using var ollama = await OllamaDouble.StartAsync(Slow, Token);
        using var client = new DoubleClient(ollama);
        using var first = await client.StreamAsync("slow", Token, ""","options":{"double_tokens":30}""");
        using var leaving = CancellationTokenSource.CreateLinkedTokenSource(Token);
        var queued = client.GenerateAsync("slow", leaving.Token, more: ""","options":{"double_tokens":100000}""");
        await DoubleClient.UntilAsync(() => ollama.Stats.Waiting == 1, Token);
        var after = client.GenerateAsync("slow", Token, more: ""","options":{"double_tokens":2}""");
        await leaving.CancelAsync();
        await Assert.ThrowsAnyAsync<OperationCanceledException>(() => queued);
        Assert.Equal(HttpStatusCode.OK, (await after).Status);
        await first.RestAsync(Token);
        await DoubleClient.UntilAsync(() => ollama.Stats is { Cancellations: 1, Completed: 2 }, Token);
    }

    [Fact]
    public async Task Leaving_during_a_load_cancels_it()
    {
        await using var ollama = await OllamaDouble.StartAsync(Slow with { LoadTime = TimeSpan.FromSeconds(30) }, Token);
        using var client = new DoubleClient(ollama);
        using var leaving = CancellationTokenSource.CreateLinkedTokenSource(Token);
        var asked = client.GenerateAsync("slow", leaving.Token);
        await DoubleClient.UntilAsync(() => ollama.Stats.Waiting == 1, Token);
        await leaving.CancelAsync();
        await Assert.ThrowsAnyAsync<OperationCanceledException>(() => asked);
        await DoubleClient.UntilAsync(() => ollama.Stats is { Cancellations: 1, InFlight: 0 }, Token);
        Assert.Equal(0, ollama.Stats.Loads);
        Assert.Empty(await client.LoadedAsync(Token));
    }

    [Fact]
    public async Task Leaving_while_a_swap_waits_does_not_undo_the_eviction()
    {
        await using var ollama = await OllamaDouble.StartAsync(Slow with { MaxLoadedModels = 1 }, Token);
        using var client = new DoubleClient(ollama);
        using var first = await client.StreamAsync("slow", Token, ""","options":{"double_tokens":30}""");
        using var leaving = CancellationTokenSource.CreateLinkedTokenSource(Token);
        var waiting = client.GenerateAsync("stories260K", leaving.Token);
        await DoubleClient.UntilAsync(() => ollama.Stats.Evictions == 1, Token);
        await leaving.CancelAsync();
        await Assert.ThrowsAnyAsync<OperationCanceledException>(() => waiting);
        await first.RestAsync(Token);
        await DoubleClient.UntilAsync(() => ollama.Stats.Unloads == 1, Token);
        Assert.Empty(await client.LoadedAsync(Token));
        Assert.Equal(HttpStatusCode.OK, (await client.GenerateAsync("stories260K", Token, more: ""","options":{"double_tokens":2}""")).Status);
    }

    [Fact]
    public async Task Unload_of_a_busy_model_answers_at_once_and_takes_effect_after_the_stream()
    {
        await using var ollama = await OllamaDouble.StartAsync(Slow, Token);
        using var client = new DoubleClient(ollama);
        using var stream = await client.StreamAsync("slow", Token, ""","options":{"double_tokens":100}""");
        var unload = await client.PostAsync("/api/generate", """{"model":"slow","keep_alive":0,"stream":false}""", Token);
        Assert.Equal("unload", unload.Last.GetProperty("done_reason").GetString());
        Assert.Single(await client.LoadedAsync(Token));
        var lines = await stream.RestAsync(Token);
        Assert.True(lines[^1].GetProperty("done").GetBoolean());
        await DoubleClient.UntilAsync(() => ollama.Stats.Unloads == 1, Token);
        Assert.Empty(await client.LoadedAsync(Token));
    }
}
