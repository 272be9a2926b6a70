using Lekhika.Inference.Tests.Support;
using Xunit;

namespace Lekhika.Inference.Tests.Lanes;

public sealed class PoolReloadTests
{
    [Fact]
    public async Task More_slots_take_effect_at_once_and_nothing_is_lost()
    {
        using var provider = new FakeProvider("e", "m");
        await using var bench = PoolBench.Single(provider);
        var calls = Enumerable.Range(0, 3).Select(_ => bench.RunAsync()).ToList();
        await provider.NextAsync(PoolBench.Token);
        await bench.UntilAsync(pool => pool.Endpoints[0].Depth == 2);
        var options = PoolBench.Options("e");

        await bench.Pool.ReplaceOptionsAsync(options with { Endpoints = [options.Endpoints[0] with { Parallelism = 3 }] });
        await bench.UntilAsync(pool => pool.Endpoints[0].InFlight == 3);

        await provider.NextAsync(PoolBench.Token);
        await provider.NextAsync(PoolBench.Token);
        foreach (var call in provider.Calls)
            call.Reply.SetResult(FakeProvider.Reply());
        await Task.WhenAll(calls);
        Assert.False(provider.Disposed);
    }

    [Fact]
    public async Task What_waits_at_an_endpoint_that_goes_moves_and_what_runs_there_ends()
    {
        using var old = new FakeProvider("old", "m");
        using var fresh = new FakeProvider("fresh", "m") { Answer = (_, _, _) => Task.FromResult(FakeProvider.Reply("fresh")) };
        await using var bench = new PoolBench(PoolBench.Options("old"), null, old);
        bench.Add(fresh);
        var running = bench.RunAsync();
        var held = await old.NextAsync(PoolBench.Token);
        var waiting = bench.RunAsync();
        await bench.UntilAsync(pool => pool.Endpoints[0].Depth == 1);

        await bench.Pool.ReplaceOptionsAsync(PoolBench.Options("fresh"));

        Assert.Equal("fresh", (await waiting).Text);
        Assert.False(old.Disposed);
        held.Reply.SetResult(FakeProvider.Reply("old"));
        Assert.Equal("old", (await running).Text);
        await bench.UntilAsync(_ => old.Disposed);
    }

    [Fact]
    public async Task Bad_options_are_refused_with_every_problem_and_the_old_ones_stay()
    {
        using var provider = new FakeProvider("e", "m") { Answer = (_, _, _) => Task.FromResult(FakeProvider.Reply()) };
        await using var bench = PoolBench.Single(provider);
        var bad = new ModelPoolOptions
        {
            Endpoints =
            [
                new ModelEndpointOptions { Name = "a", BaseUrl = new Uri("ftp://x"), Parallelism = 0 },
                new ModelEndpointOptions { Name = "A", BaseUrl = new Uri("http://x"), Weight = double.NaN },
            ],
            Retries = new ModelRetries { Attempts = 0 },
        };

        var failure = await Assert.ThrowsAsync<ArgumentException>(() => bench.Pool.ReplaceOptionsAsync(bad));

        foreach (var part in (string[])["http or https", "parallelism is 0", "used twice", "weight", "retries.attempts"])
            Assert.Contains(part, failure.Message, StringComparison.Ordinal);
        Assert.Equal("ok", (await bench.RunAsync()).Text);
    }

    [Fact]
    public void A_key_is_not_in_the_text_of_the_options()
    {
        var options = new ModelPoolOptions
        {
            Endpoints = [new ModelEndpointOptions { Name = "hosted", BaseUrl = new Uri("https://u:pw@x"), ApiKey = "sk-secret" }],
        };

        var text = options.Endpoints[0].ToString();
        Assert.Contains("hosted", text, StringComparison.Ordinal);
        Assert.DoesNotContain("sk-secret", text, StringComparison.Ordinal);
        Assert.DoesNotContain("pw", text, StringComparison.Ordinal);
    }
}
