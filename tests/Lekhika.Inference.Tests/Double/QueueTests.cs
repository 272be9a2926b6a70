using System.Net;
using Lekhika.Doubles;
using Xunit;

namespace Lekhika.Inference.Tests.Double;

/// <summary>Slots, the load queue and swaps, as recorded under B, C, C2, D, D1, H4, K and K2.</summary>
public sealed class QueueTests
{
    private const string Busy = "server busy, please try again.  maximum pending requests exceeded";
    private static readonly OllamaDoubleOptions Quick = new()
    {
        TokensPerSecond = 200,
        ReplyTokens = 20,
        LoadTime = TimeSpan.FromMilliseconds(40),
        SwapTime = TimeSpan.FromMilliseconds(20),
        Models = [ReplaySetting.Tiny("slow", "slow"), ReplaySetting.Tiny("stories260K", "a"), ReplaySetting.Tiny("alias260K", "a"), ReplaySetting.Tiny("stories260K-b", "b")],
    };

    private static CancellationToken Token => TestContext.Current.CancellationToken;

    [Fact]
    public async Task A_swap_costs_a_load_and_an_alias_costs_nothing()
    {
        await using var ollama = await OllamaDouble.StartAsync(Quick with { MaxLoadedModels = 1, LoadTime = TimeSpan.FromMilliseconds(150) }, Token);
        using var client = new DoubleClient(ollama);
        var loads = new List<TimeSpan>();
        foreach (var model in (string[])["stories260K", "stories260K", "stories260K-b", "stories260K", "alias260K"])
        {
            var reply = await client.GenerateAsync(model, Token, more: """,  "options":{"num_predict":2}""");
            loads.Add(TimeSpan.FromTicks(reply.Duration("load_duration") / 100));
        }
        // Timers may be a little early, and a warm model on a busy machine a little late.
        var load = TimeSpan.FromMilliseconds(140);
        Assert.True(loads[0] >= load, $"first load took {loads[0]}");
        Assert.True(loads[1] < load, $"warm took {loads[1]}");
        Assert.True(loads[2] >= load + Quick.SwapTime, $"swap took {loads[2]}");
        Assert.True(loads[3] >= load + Quick.SwapTime, $"swap back took {loads[3]}");
        Assert.True(loads[4] < load, $"alias took {loads[4]}");
        Assert.Equal((3, 2), (ollama.Stats.Loads, ollama.Stats.Swaps));
    }

    [Fact]
    public async Task Another_context_size_loads_the_same_model_again()
    {
        await using var ollama = await OllamaDouble.StartAsync(Quick, Token);
        using var client = new DoubleClient(ollama);
        foreach (var (size, loads) in ((int, long)[])[(256, 1), (256, 1), (128, 2)])
        {
            await client.GenerateAsync("slow", Token, more: $$""","options":{"num_ctx":{{size}},"num_predict":1}""");
            Assert.Equal(loads, ollama.Stats.Loads);
        }
        var loaded = Assert.Single(await client.LoadedAsync(Token));
        Assert.Equal(128, loaded.GetProperty("context_length").GetInt32());
    }

    [Fact]
    public async Task A_full_load_queue_answers_503_and_a_loaded_model_never_does()
    {
        await using var ollama = await OllamaDouble.StartAsync(Quick with { MaxQueue = 1, LoadTime = TimeSpan.FromMilliseconds(200) }, Token);
        using var client = new DoubleClient(ollama);
        var burst = await Task.WhenAll(Enumerable.Range(0, 8).Select(_ => client.GenerateAsync("slow", Token)));
        Assert.Equal(2, burst.Count(reply => reply.Status == HttpStatusCode.OK));
        Assert.All(burst.Where(reply => reply.Status != HttpStatusCode.OK), reply => Assert.Equal((HttpStatusCode.ServiceUnavailable, Busy), (reply.Status, reply.Error)));

        var loaded = await Task.WhenAll(Enumerable.Range(0, 8).Select(_ => client.GenerateAsync("slow", Token)));
        Assert.All(loaded, reply => Assert.Equal(HttpStatusCode.OK, reply.Status));
        Assert.Equal(6, ollama.Stats.Rejected);
    }

    [Fact]
    public async Task A_queue_of_none_still_serves_one_at_a_time()
    {
        await using var ollama = await OllamaDouble.StartAsync(Quick with { MaxQueue = 0, LoadTime = TimeSpan.FromMilliseconds(100) }, Token);
        using var client = new DoubleClient(ollama);
        var both = await Task.WhenAll(client.GenerateAsync("slow", Token), client.GenerateAsync("stories260K", Token));
        Assert.Equal([HttpStatusCode.OK, HttpStatusCode.ServiceUnavailable], both.Select(reply => reply.Status).Order());
    }

    [Fact]
    public async Task While_a_swap_waits_every_way_in_answers_503_and_control_calls_are_served()
    {
        await using var ollama = await OllamaDouble.StartAsync(Quick with { MaxQueue = 1, MaxLoadedModels = 1 }, Token);
        using var client = new DoubleClient(ollama);
        using var busy = await client.StreamAsync("slow", Token, ""","options":{"double_tokens":100000}""");
        var waiting = client.GenerateAsync("stories260K", Token);
        await DoubleClient.UntilAsync(() => ollama.Stats.Evictions == 1, Token);
        var queued = client.GenerateAsync("stories260K-b", Token);
        await DoubleClient.UntilAsync(() => ollama.Stats.Waiting == 2, Token);

        var streamed = await client.PostAsync("/api/generate", """{"model":"stories260K","prompt":"x"}""", Token);
        var chat = await client.ChatAsync("stories260K", "x", Token);
        var embed = await client.PostAsync("/api/embed", """{"model":"stories260K","input":"x"}""", Token);
        var openAi = await client.PostAsync("/v1/chat/completions", """{"model":"stories260K","messages":[{"role":"user","content":"x"}]}""", Token);
        var show = await client.PostAsync("/api/show", """{"model":"stories260K"}""", Token);

        Assert.All((DoubleReply[])[streamed, chat, embed], reply => Assert.Equal((HttpStatusCode.ServiceUnavailable, Busy), (reply.Status, reply.Error)));
        var recorded = """{"error":{"message":"server busy, please try again.  maximum pending requests exceeded","type":"api_error","param":null,"code":null}}""";
        Assert.Equal((HttpStatusCode.ServiceUnavailable, recorded), (openAi.Status, openAi.Body));
        Assert.Equal(HttpStatusCode.OK, show.Status);
        busy.Dispose();
        Assert.Equal(HttpStatusCode.OK, (await waiting).Status);
        Assert.Equal(HttpStatusCode.OK, (await queued).Status);
    }

    [Fact]
    public async Task One_slot_serves_first_come_first_served()
    {
        await using var ollama = await OllamaDouble.StartAsync(Quick, Token);
        using var client = new DoubleClient(ollama);
        var holder = await client.StreamAsync("slow", Token, ""","options":{"double_tokens":100000}""");
        var finished = new List<int>();
        var asked = new List<Task>();
        for (var i = 0; i < 6; i++)
        {
            asked.Add(AskAsync(i));
            var waiting = i + 1;
            await DoubleClient.UntilAsync(() => ollama.Stats.Waiting == waiting, Token);
        }
        holder.Dispose();
        await Task.WhenAll(asked);
        Assert.Equal([0, 1, 2, 3, 4, 5], finished);
        Assert.Equal(1, ollama.Stats.GeneratingMax);

        async Task AskAsync(int number)
        {
            await client.GenerateAsync("slow", Token);
            lock (finished)
                finished.Add(number);
        }
    }

    [Fact]
    public async Task Two_slots_run_two_requests_and_the_third_waits()
    {
        await using var ollama = await OllamaDouble.StartAsync(Quick with { Parallel = 2 }, Token);
        using var client = new DoubleClient(ollama);
        await client.LoadAsync("slow", Token);
        using var a = await client.StreamAsync("slow", Token, ""","options":{"double_tokens":60}""");
        using var b = await client.StreamAsync("slow", Token, ""","options":{"double_tokens":60}""");
        var c = await client.GenerateAsync("slow", Token, more: ""","options":{"double_tokens":5}""");
        Assert.Equal(2, ollama.Stats.GeneratingMax);
        var wait = c.Duration("total_duration") - c.Duration("load_duration") - c.Duration("prompt_eval_duration") - c.Duration("eval_duration");
        Assert.True(wait > 50_000_000, $"the third waited {wait} ns for a slot, and load_duration must not show it");
        Assert.True(c.Duration("load_duration") < wait);
        await a.RestAsync(Token);
        await b.RestAsync(Token);
    }

    [Fact]
    public async Task Requests_for_the_loaded_model_overtake_a_waiting_swap()
    {
        await using var ollama = await OllamaDouble.StartAsync(Quick with { MaxLoadedModels = 1, Parallel = 2 }, Token);
        using var client = new DoubleClient(ollama);
        var first = await client.StreamAsync("slow", Token, ""","options":{"double_tokens":100000}""");
        var other = client.GenerateAsync("stories260K", Token);
        await DoubleClient.UntilAsync(() => ollama.Stats.Evictions == 1, Token);
        // Sent after the other one, and served before it, because the victim never becomes idle.
        var later = await Task.WhenAll(client.GenerateAsync("slow", Token), client.GenerateAsync("slow", Token));
        Assert.All(later, reply => Assert.Equal(HttpStatusCode.OK, reply.Status));
        Assert.False(other.IsCompleted);
        first.Dispose();
        var swapped = await other;
        Assert.Equal(HttpStatusCode.OK, swapped.Status);
        Assert.True(swapped.Duration("load_duration") > 90_000_000, "the wait for the swap belongs to load_duration");
        Assert.Equal(1, ollama.Stats.Swaps);
    }

    [Fact]
    public async Task An_idle_model_leaves_when_its_keep_alive_is_over()
    {
        await using var ollama = await OllamaDouble.StartAsync(Quick with { KeepAlive = TimeSpan.FromMilliseconds(100) }, Token);
        using var client = new DoubleClient(ollama);
        await client.LoadAsync("slow", Token);
        await client.PostAsync("/api/generate", """{"model":"stories260K","keep_alive":-1}""", Token);
        await DoubleClient.UntilAsync(() => ollama.Stats.Unloads == 1, Token);
        var left = Assert.Single(await client.LoadedAsync(Token));
        Assert.Equal("stories260K:latest", left.GetProperty("name").GetString());
        Assert.StartsWith("23", left.GetProperty("expires_at").GetString(), StringComparison.Ordinal);
    }
}
