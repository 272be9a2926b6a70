using Lekhika.Inference.Tests.Support;
using Xunit;

namespace Lekhika.Inference.Tests.Lanes;

public sealed class PoolEndpointTests
{
    private static readonly TimeSpan Step = TimeSpan.FromMilliseconds(100);

    [Fact]
    public async Task A_request_goes_to_the_endpoint_that_has_the_model()
    {
        using var one = new FakeProvider("one", "a:latest") { Answer = (_, _, _) => Task.FromResult(FakeProvider.Reply()) };
        using var two = new FakeProvider("two", "b:7b") { Answer = (_, _, _) => Task.FromResult(FakeProvider.Reply()) };
        await using var bench = new PoolBench(PoolBench.Options("one", "two"), null, one, two);

        await bench.RunAsync("b:7b");
        await bench.RunAsync("A");

        Assert.Equal("A", Assert.Single(one.Calls).Request.Model);
        Assert.Equal("b:7b", Assert.Single(two.Calls).Request.Model);
    }

    [Fact]
    public async Task A_model_nobody_has_fails_fast_and_names_what_there_is()
    {
        using var provider = new FakeProvider("e", "mistral:7b");
        await using var bench = PoolBench.Single(provider);

        var failure = await Assert.ThrowsAsync<ModelException>(() => bench.RunAsync("qwen2.5:7b"));

        Assert.Equal(ModelFailure.NotFound, failure.Failure);
        Assert.Contains("ollama pull qwen2.5:7b", failure.Message, StringComparison.Ordinal);
        Assert.Contains("mistral:7b", failure.Message, StringComparison.Ordinal);
        Assert.Empty(provider.Calls);
    }

    [Fact]
    public async Task A_model_installed_a_moment_ago_is_found_but_misspelt_names_do_not_flood_the_server()
    {
        using var provider = new FakeProvider("e", "old") { Answer = (_, _, _) => Task.FromResult(FakeProvider.Reply()) };
        await using var bench = PoolBench.Single(provider);
        await bench.RunAsync("old");
        var before = provider.Listings;
        for (var i = 0; i < 20; i++)
            await Assert.ThrowsAsync<ModelException>(() => bench.RunAsync("new"));
        Assert.Equal(before, provider.Listings);

        provider.List = () => [new ModelInfo("old:latest"), new ModelInfo("new:latest")];
        bench.Time.Advance(TimeSpan.FromSeconds(2));

        await bench.RunAsync("new");
        Assert.Equal(before + 1, provider.Listings);
    }

    [Fact]
    public async Task A_server_that_does_not_tell_its_models_is_asked_for_any()
    {
        using var provider = new FakeProvider("e") { List = () => null, Answer = (_, _, _) => Task.FromResult(FakeProvider.Reply()) };
        await using var bench = PoolBench.Single(provider);

        Assert.Equal("ok", (await bench.RunAsync("whatever")).Text);
    }

    [Fact]
    public async Task Without_endpoints_every_model_is_not_found()
    {
        await using var bench = new PoolBench(new ModelPoolOptions());

        var failure = await Assert.ThrowsAsync<ModelException>(() => bench.RunAsync());

        Assert.Equal(ModelFailure.NotFound, failure.Failure);
        Assert.Contains("no endpoint is configured", failure.Message, StringComparison.Ordinal);
    }

    [Fact]
    public async Task Work_is_shared_by_weight()
    {
        using var small = new FakeProvider("small", "m");
        using var large = new FakeProvider("large", "m");
        var options = PoolBench.Options("small", "large");
        options = options with { Endpoints = [options.Endpoints[0], options.Endpoints[1] with { Weight = 3 }] };
        await using var bench = new PoolBench(options, null, small, large);
        await Warm(bench);
        var calls = Enumerable.Range(0, 40).Select(_ => bench.RunAsync()).ToList();
        await bench.UntilAsync(pool => pool.Endpoints.Sum(endpoint => endpoint.Depth + endpoint.InFlight) == 40);

        var snapshot = bench.Pool.Snapshot();
        Assert.InRange(snapshot.Endpoints[1].Depth + snapshot.Endpoints[1].InFlight, 28, 32);
        await bench.DisposeAsync();
        await Assert.ThrowsAsync<ModelException>(() => Task.WhenAll(calls));
    }

    [Fact]
    public async Task A_failing_endpoint_is_set_aside_its_waiting_requests_move_and_a_probe_brings_it_back()
    {
        using var one = new FakeProvider("one", "m");
        using var two = new FakeProvider("two", "m");
        await using var bench = new PoolBench(PoolBench.Options("one", "two"), null, one, two);
        await Warm(bench);
        var sinks = Enumerable.Range(0, 12).Select(_ => new RecordingSink()).ToList();
        var calls = sinks.ConvertAll(sink => bench.RunAsync(sink: sink));
        await bench.UntilAsync(pool => pool.Endpoints.Sum(endpoint => endpoint.Depth) == 10 && pool.Endpoints.Sum(endpoint => endpoint.InFlight) == 2);
        await bench.UntilAsync(_ => one.Calls.Count == 1 && two.Calls.Count == 1);

        two.Answer = (_, _, _) => Task.FromResult(FakeProvider.Reply("two"));
        one.Answer = (_, _, _) => throw PoolBench.Fault();
        one.List = () => throw PoolBench.Fault();
        one.Calls[0].Reply.SetException(PoolBench.Fault());
        await bench.UntilAsync(pool => pool.Endpoints[0].SetAside);
        await bench.UntilAsync(pool => pool.Endpoints[0].Depth == 0);
        Assert.Contains("it is down", bench.Pool.Snapshot().Endpoints[0].Problem, StringComparison.Ordinal);
        two.Calls[0].Reply.SetResult(FakeProvider.Reply("two"));
        await bench.Time.AdvanceUntilAsync(() => calls.TrueForAll(call => call.IsCompleted), Step, PoolBench.Token);
        foreach (var call in calls)
            Assert.Equal("two", (await call).Text);

        // Only what was in flight when it failed had to be tried again; what waited has just moved.
        Assert.InRange(sinks.Sum(sink => sink.Told.Count(line => line.StartsWith("restarted", StringComparison.Ordinal))), 1, 3);
        var failed = one.Calls.Count;
        await bench.Time.AdvanceUntilAsync(() => one.Listings >= 4, TimeSpan.FromSeconds(1), PoolBench.Token);
        Assert.True(bench.Pool.Snapshot().Endpoints[0].SetAside);
        Assert.Equal(failed, one.Calls.Count);
        one.List = () => [new ModelInfo("m:latest")];
        await bench.Time.AdvanceUntilAsync(() => !bench.Pool.Snapshot().Endpoints[0].SetAside, TimeSpan.FromSeconds(1), PoolBench.Token);
        Assert.Null(bench.Pool.Snapshot().Endpoints[0].Problem);
    }

    [Fact]
    public async Task With_nowhere_to_go_requests_wait_for_the_endpoint_to_come_back()
    {
        var up = false;
        using var provider = new FakeProvider("e", "m");
        provider.List = () => Volatile.Read(ref up) ? [new ModelInfo("m")] : throw PoolBench.Fault();
        provider.Answer = (_, _, _) => Task.FromResult(FakeProvider.Reply());
        await using var bench = PoolBench.Single(provider);
        var sink = new RecordingSink();

        var call = bench.RunAsync(sink: sink);
        await sink.WaitForAsync("queued 0", PoolBench.Token);
        await bench.Time.AdvanceUntilAsync(() => bench.Time.Elapsed > TimeSpan.FromSeconds(20), TimeSpan.FromSeconds(1), PoolBench.Token);
        Assert.False(call.IsCompleted);
        Assert.Equal(1, bench.Pool.Snapshot().Parked);
        Volatile.Write(ref up, true);
        await bench.Time.AdvanceUntilAsync(() => call.IsCompleted, TimeSpan.FromSeconds(1), PoolBench.Token);

        Assert.Equal("ok", (await call).Text);
    }

    [Fact]
    public async Task An_endpoint_with_nothing_to_do_takes_over_work_that_waits_elsewhere()
    {
        using var one = new FakeProvider("one", "m");
        using var two = new FakeProvider("two", "m") { List = () => throw PoolBench.Fault() };
        await using var bench = new PoolBench(PoolBench.Options("one", "two"), null, one, two);
        var calls = Enumerable.Range(0, 9).Select(_ => bench.RunAsync()).ToList();
        await bench.UntilAsync(pool => pool.Endpoints[0] is { Depth: 8, InFlight: 1 });

        two.List = () => [new ModelInfo("m")];
        await bench.Time.AdvanceUntilAsync(() => two.Calls.Count > 0, TimeSpan.FromMilliseconds(500), PoolBench.Token);
        await bench.UntilAsync(pool => pool.Endpoints[0].Depth == 4 && pool.Endpoints[1] is { Depth: 3, InFlight: 1 });

        one.Answer = two.Answer = (_, _, _) => Task.FromResult(FakeProvider.Reply());
        one.Calls[0].Reply.SetResult(FakeProvider.Reply());
        two.Calls[0].Reply.SetResult(FakeProvider.Reply());
        await Task.WhenAll(calls);
    }

    [Fact]
    public async Task But_not_longer_than_their_patience()
    {
        using var provider = new FakeProvider("e") { List = () => throw PoolBench.Fault() };
        await using var bench = PoolBench.Single(provider);

        var call = bench.RunAsync();
        await bench.Time.AdvanceUntilAsync(() => call.IsCompleted, TimeSpan.FromSeconds(1), PoolBench.Token);

        var failure = await Assert.ThrowsAsync<ModelException>(() => call);
        Assert.Equal(ModelFailure.Unavailable, failure.Failure);
        Assert.True(failure.Retryable);
        Assert.Contains("it is down", failure.Message, StringComparison.Ordinal);
        Assert.InRange(bench.Time.Elapsed, TimeSpan.FromSeconds(59), TimeSpan.FromSeconds(70));
    }

    [Fact]
    public async Task A_failure_that_is_the_models_does_not_set_the_endpoint_aside()
    {
        using var provider = new FakeProvider("e", "m") { Answer = (_, _, _) => throw new ModelException(ModelFailure.Refused, "bad option") };
        await using var bench = PoolBench.Single(provider);
        for (var i = 0; i < 10; i++)
            await Assert.ThrowsAsync<ModelException>(() => bench.RunAsync());

        Assert.False(bench.Pool.Snapshot().Endpoints[0].SetAside);
        Assert.Equal(10, provider.Calls.Count);
    }

    [Fact]
    public async Task Checking_tells_of_every_endpoint_also_of_one_that_is_down()
    {
        using var one = new FakeProvider("one", "m");
        using var two = new FakeProvider("two") { List = () => throw PoolBench.Fault() };
        await using var bench = new PoolBench(PoolBench.Options("one", "two"), null, one, two);

        var health = await bench.Pool.CheckAsync(PoolBench.Token);

        Assert.Equal((true, "1.2.3", "m"), (health[0].Reachable, health[0].Version, health[0].Models[0].Name));
        Assert.Equal((false, "it is down"), (health[1].Reachable, health[1].Problem));
    }

    private static async Task Warm(PoolBench bench)
    {
        // A name nobody has makes the pool read all lists.
        await Assert.ThrowsAsync<ModelException>(() => bench.RunAsync("nobody-has-this"));
        await bench.UntilAsync(pool => pool.Endpoints.All(endpoint => endpoint.Models == 1));
    }
}
