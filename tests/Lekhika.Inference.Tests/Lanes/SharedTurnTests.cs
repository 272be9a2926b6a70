using System.Collections.Concurrent;
using Lekhika.Inference.Lanes;
using Lekhika.Inference.Tests.Support;
using Xunit;

namespace Lekhika.Inference.Tests.Lanes;

public sealed class SharedTurnTests
{
    [Fact]
    public async Task No_request_goes_out_before_the_shared_turn_is_had_and_it_is_given_back_before_the_next_model()
    {
        using var provider = new FakeProvider("e", "a", "b") { Answer = (_, _, _) => Task.FromResult(FakeProvider.Reply()) };
        var turn = new Turn();
        await using var bench = new PoolBench(PoolBench.Options("e"), turn, provider);

        var call = bench.RunAsync("a");
        await bench.UntilAsync(pool => pool.Endpoints[0].Lanes is [{ State: "entering" }]);
        Assert.Empty(provider.Calls);
        var lease = turn.Grant();
        await call;
        await bench.RunAsync("a");
        Assert.False(lease.Returned);

        var other = bench.RunAsync("b");
        await bench.Time.AdvanceUntilAsync(() => lease.Returned, TimeSpan.FromMilliseconds(100), PoolBench.Token);
        await bench.UntilAsync(_ => turn.Asked.Count == 2);
        turn.Grant();
        await other;

        Assert.Equal(["http://e 1 a:latest", "http://e 1 b:latest"], turn.Asked);
    }

    [Theory]
    [InlineData(true)]
    [InlineData(false)]
    public async Task The_next_model_is_loaded_ahead_only_while_no_other_daemon_is_there(bool isAlone)
    {
        using var provider = new FakeProvider("e", "a", "b");
        var turn = new Turn();
        var options = PoolBench.Options("e");
        await using var bench = new PoolBench(options with { Lanes = options.Lanes with { Preload = true } }, turn, provider);
        var first = bench.RunAsync("a");
        await bench.UntilAsync(_ => turn.Asked.Count == 1);
        turn.Grant(isAlone);
        var held = await provider.NextAsync(PoolBench.Token);
        var other = bench.RunAsync("b");
        await bench.UntilAsync(pool => pool.Endpoints[0].Depth == 1);
        if (isAlone) await bench.UntilAsync(_ => !provider.Preloads.IsEmpty);

        held.Reply.SetResult(FakeProvider.Reply());
        await first;
        await bench.Time.AdvanceUntilAsync(() => turn.Asked.Count == 2, TimeSpan.FromMilliseconds(100), PoolBench.Token);
        turn.Grant(isAlone);
        (await provider.NextAsync(PoolBench.Token)).Reply.SetResult(FakeProvider.Reply());
        await other;

        Assert.Equal(isAlone ? ["b"] : [], provider.Preloads);
    }

    [Fact]
    public async Task An_idle_turn_is_given_back_when_another_daemon_wants_it()
    {
        using var provider = new FakeProvider("e", "a") { Answer = (_, _, _) => Task.FromResult(FakeProvider.Reply()) };
        var turn = new Turn();
        await using var bench = new PoolBench(PoolBench.Options("e"), turn, provider);
        var call = bench.RunAsync("a");
        await bench.UntilAsync(_ => turn.Asked.Count == 1);
        var lease = turn.Grant();
        await call;
        await bench.UntilAsync(pool => pool.Endpoints[0].InFlight == 0);

        await lease.Source.CancelAsync();

        await bench.UntilAsync(_ => lease.Returned);
    }

    [Fact]
    public async Task A_busy_turn_is_given_back_after_the_age_bound()
    {
        using var provider = new FakeProvider("e", "a");
        var turn = new Turn();
        await using var bench = new PoolBench(PoolBench.Options("e"), turn, provider);
        var first = bench.RunAsync("a");
        await bench.UntilAsync(_ => turn.Asked.Count == 1);
        var lease = turn.Grant();
        var held = await provider.NextAsync(PoolBench.Token);
        var second = bench.RunAsync("a");
        await bench.UntilAsync(pool => pool.Endpoints[0].Depth == 1);
        // A turn that is old already has the whole age bound from the wish on.
        bench.Time.Advance(TimeSpan.FromMinutes(10));
        await lease.Source.CancelAsync();
        await bench.Time.AdvanceUntilAsync(
            () => bench.Pool.Snapshot().Endpoints[0].Lanes[0].State == "closing", TimeSpan.FromSeconds(2), PoolBench.Token);
        Assert.InRange(bench.Time.Elapsed, TimeSpan.FromMinutes(12), TimeSpan.FromMinutes(14));
        Assert.False(lease.Returned);

        held.Reply.SetResult(FakeProvider.Reply());
        await first;

        await bench.UntilAsync(_ => lease.Returned && turn.Asked.Count == 2);
        turn.Grant();
        (await provider.NextAsync(PoolBench.Token)).Reply.SetResult(FakeProvider.Reply());
        await second;
    }

    [Fact]
    public async Task A_turn_that_is_idle_for_two_seconds_is_given_back_and_asked_for_again()
    {
        using var provider = new FakeProvider("e", "a") { Answer = (_, _, _) => Task.FromResult(FakeProvider.Reply()) };
        var turn = new Turn();
        await using var bench = new PoolBench(PoolBench.Options("e"), turn, provider);
        var call = bench.RunAsync("a");
        await bench.UntilAsync(_ => turn.Asked.Count == 1);
        var lease = turn.Grant();
        await call;
        await bench.UntilAsync(pool => pool.Endpoints[0].InFlight == 0);

        bench.Time.Advance(TimeSpan.FromSeconds(1.9));
        Assert.False(lease.Returned);
        bench.Time.Advance(TimeSpan.FromSeconds(0.2));
        await bench.UntilAsync(_ => lease.Returned);

        var again = bench.RunAsync("a");
        await bench.UntilAsync(_ => turn.Asked.Count == 2);
        turn.Grant();
        await again;
        Assert.Equal(0, bench.Pool.Snapshot().Endpoints[0].Lanes[0].Swaps);
    }

    [Fact]
    public async Task A_server_that_does_not_swap_models_has_no_turn()
    {
        using var provider = new FakeProvider("e", "a") { Answer = (_, _, _) => Task.FromResult(FakeProvider.Reply()) };
        var turn = new Turn();
        var options = new ModelPoolOptions
        {
            Endpoints = [new ModelEndpointOptions { Name = "e", Kind = ModelEndpointKind.OpenAi, BaseUrl = new Uri("http://e") }],
        };
        await using var bench = new PoolBench(options, turn, provider);

        Assert.Equal("ok", (await bench.RunAsync("a")).Text);
        Assert.Empty(turn.Asked);
    }

    [Fact]
    public async Task If_the_turn_cannot_be_asked_for_the_pool_goes_on_alone()
    {
        using var provider = new FakeProvider("e", "a") { Answer = (_, _, _) => Task.FromResult(FakeProvider.Reply()) };
        await using var bench = new PoolBench(PoolBench.Options("e"), new BrokenTurn(), provider);

        Assert.Equal("ok", (await bench.RunAsync("a")).Text);
    }

    [Fact]
    public async Task Turns_are_given_back_when_the_pool_stops()
    {
        using var provider = new FakeProvider("e", "a") { Answer = (_, _, _) => Task.FromResult(FakeProvider.Reply()) };
        var turn = new Turn();
        var bench = new PoolBench(PoolBench.Options("e"), turn, provider);
        var call = bench.RunAsync("a");
        await bench.UntilAsync(_ => turn.Asked.Count == 1);
        var lease = turn.Grant();
        await call;

        await bench.DisposeAsync();

        Assert.True(lease.Returned);
    }

    private sealed class Turn : ILaneTurn
    {
        private readonly ConcurrentQueue<TaskCompletionSource<ILaneLease>> _waiting = new();

        public ConcurrentQueue<string> Asked { get; } = new();

        public async ValueTask<ILaneLease> EnterAsync(string endpoint, int places, string model, CancellationToken cancellationToken)
        {
            var granted = new TaskCompletionSource<ILaneLease>(TaskCreationOptions.RunContinuationsAsynchronously);
            _waiting.Enqueue(granted);
            Asked.Enqueue($"{endpoint} {places} {model}");
            return await granted.Task.WaitAsync(cancellationToken);
        }

        public Lease Grant(bool isAlone = false)
        {
            var lease = new Lease { IsAlone = isAlone };
            Assert.True(_waiting.TryDequeue(out var granted));
            granted.SetResult(lease);
            return lease;
        }
    }

    private sealed class BrokenTurn : ILaneTurn
    {
        public ValueTask<ILaneLease> EnterAsync(string endpoint, int places, string model, CancellationToken cancellationToken) =>
            throw new InvalidOperationException("the database is away");
    }

    private sealed class Lease : ILaneLease
    {
        public CancellationTokenSource Source { get; } = new();

        public CancellationToken Wanted => Source.Token;

        public bool IsAlone { get; init; }

        public bool Returned { get; private set; }

        public ValueTask DisposeAsync()
        {
            Returned = true;
            return ValueTask.CompletedTask;
        }
    }
}
