using Lekhika.Inference.Tests.Support;
using Xunit;

namespace Lekhika.Inference.Tests.Lanes;

public sealed class PoolStressTests
{
    [Theory]
    [InlineData(11)]
    [InlineData(12)]
    [InlineData(13)]
    public async Task With_callers_leaving_endpoints_failing_and_options_changing_every_call_ends_and_no_slot_is_lost(int seed)
    {
        using var one = Flaky(new FakeProvider("one", "a", "b", "c"), seed);
        using var two = Flaky(new FakeProvider("two", "b", "c", "d"), seed + 100);
        var options = PoolBench.Options("one", "two") with
        {
            Retries = new ModelRetries { Attempts = 6, FirstDelay = TimeSpan.FromMilliseconds(5), MaxDelay = TimeSpan.FromMilliseconds(20) },
            SetAsideFor = TimeSpan.FromMilliseconds(500),
        };
        await using var bench = new PoolBench(options, null, one, two);
        var random = new Random(seed);
        var calls = new List<Task<bool>>();
        for (var i = 0; i < 2000; i++)
        {
            calls.Add(CallAsync(bench, "abcd"[random.Next(4)].ToString(), random.Next(4) == 0 ? random.Next(5) : null));
            if (i % 500 == 250)
            {
                await bench.Pool.ReplaceOptionsAsync(options with
                {
                    Endpoints = [.. options.Endpoints.Select(endpoint => endpoint with { Parallelism = random.Next(1, 4) })],
                });
            }
        }

        var all = Task.WhenAll(calls);
        await bench.Time.AdvanceUntilAsync(() => all.IsCompleted, TimeSpan.FromMilliseconds(50), PoolBench.Token);

        Assert.True((await all).Count(ended => ended) > 1000, "most calls should have been answered");
        await bench.UntilAsync(pool => pool.Parked == 0 && pool.Endpoints.All(endpoint => endpoint is { InFlight: 0, Depth: 0 }));
    }

    private static FakeProvider Flaky(FakeProvider provider, int seed)
    {
        var random = new Random(seed);
        provider.Answer = async (_, _, token) =>
        {
            int dice;
            lock (random)
                dice = random.Next(40);
            await Task.Yield();
            token.ThrowIfCancellationRequested();
            return dice switch
            {
                0 => throw PoolBench.Fault(ModelFailure.Broken),
                1 => throw new ModelException(ModelFailure.Refused, "no"),
                2 or 3 => throw new ModelException(ModelFailure.Broken, "runner died"),
                _ => FakeProvider.Reply(),
            };
        };
        return provider;
    }

    // True if answered; false if it failed or its caller left. Anything else is the test's failure.
    private static async Task<bool> CallAsync(PoolBench bench, string model, int? leaveAfter)
    {
        using var cancel = new CancellationTokenSource();
        var call = bench.RunAsync(model, token: cancel.Token);
        if (leaveAfter is { } yields)
        {
            for (var i = 0; i < yields; i++)
                await Task.Yield();
            await cancel.CancelAsync();
        }

        try
        {
            await call;
            return true;
        }
        catch (Exception exception) when (exception is OperationCanceledException or ModelException)
        {
            return false;
        }
    }
}
