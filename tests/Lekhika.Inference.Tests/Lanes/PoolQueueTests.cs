using Lekhika.Inference.Tests.Support;
using Xunit;

namespace Lekhika.Inference.Tests.Lanes;

public sealed class PoolQueueTests
{
    [Fact]
    public async Task Requests_are_grouped_by_model_whatever_order_they_come_in()
    {
        using var provider = new FakeProvider("e", "a", "b");
        await using var bench = PoolBench.Single(provider);
        var first = bench.RunAsync("a");
        var held = await provider.NextAsync(PoolBench.Token);
        var calls = new List<Task<ModelReply>> { first };
        for (var i = 0; i < 10; i++)
            calls.Add(bench.RunAsync(i % 2 == 0 ? "b" : "a"));
        await bench.UntilAsync(pool => pool.Endpoints[0].Depth == 10);
        Assert.Single(provider.Calls);

        provider.Answer = (_, _, _) => Task.FromResult(FakeProvider.Reply());
        held.Reply.SetResult(FakeProvider.Reply());
        await Task.WhenAll(calls);

        Assert.Equal("aaaaaabbbbb", string.Concat(provider.Calls.Select(call => call.Request.Model)));
        await bench.UntilAsync(pool => pool.Endpoints[0].Lanes.Sum(lane => lane.Served) == 11);
        Assert.Equal(1, bench.Pool.Snapshot().Endpoints[0].Lanes.Sum(lane => lane.Swaps));
    }

    [Fact]
    public async Task Positions_are_told_and_told_again_when_they_change()
    {
        using var provider = new FakeProvider("e", "m");
        await using var bench = PoolBench.Single(provider);
        var first = bench.RunAsync();
        var held = await provider.NextAsync(PoolBench.Token);
        var (second, third) = (new RecordingSink(), new RecordingSink());
        var secondCall = bench.RunAsync(sink: second);
        await second.WaitForAsync("queued 0", PoolBench.Token);
        var thirdCall = bench.RunAsync(sink: third);
        await third.WaitForAsync("queued 1", PoolBench.Token);

        held.Reply.SetResult(FakeProvider.Reply());
        await first;
        await third.WaitForAsync("queued 0", PoolBench.Token);
        (await provider.NextAsync(PoolBench.Token)).Reply.SetResult(FakeProvider.Reply());
        (await provider.NextAsync(PoolBench.Token)).Reply.SetResult(FakeProvider.Reply());
        await Task.WhenAll(secondCall, thirdCall);

        Assert.Equal(["queued 0", "started e 1"], second.Told);
        Assert.Equal(["queued 1", "queued 0", "started e 1"], third.Told);
    }

    [Fact]
    public async Task Higher_priority_passes_in_the_queue()
    {
        using var provider = new FakeProvider("e", "m");
        await using var bench = PoolBench.Single(provider);
        var first = bench.RunAsync();
        var held = await provider.NextAsync(PoolBench.Token);
        var normal = bench.RunAsync();
        await bench.UntilAsync(pool => pool.Endpoints[0].Depth == 1);
        var urgent = bench.RunAsync(priority: 9);
        await bench.UntilAsync(pool => pool.Endpoints[0].Depth == 2);
        held.Reply.SetResult(FakeProvider.Reply());

        Assert.Equal(9, (await provider.NextAsync(PoolBench.Token)).Request.Priority);
        provider.Calls[^1].Reply.SetResult(FakeProvider.Reply());
        (await provider.NextAsync(PoolBench.Token)).Reply.SetResult(FakeProvider.Reply());
        await Task.WhenAll(first, normal, urgent);
    }

    [Fact]
    public async Task Who_is_cancelled_in_the_queue_leaves_it_at_once()
    {
        using var provider = new FakeProvider("e", "m");
        await using var bench = PoolBench.Single(provider);
        using var cancel = new CancellationTokenSource();
        var first = bench.RunAsync();
        var held = await provider.NextAsync(PoolBench.Token);
        var waiting = bench.RunAsync(token: cancel.Token);
        await bench.UntilAsync(pool => pool.Endpoints[0].Depth == 1);

        await cancel.CancelAsync();

        var exception = await Assert.ThrowsAnyAsync<OperationCanceledException>(() => waiting);
        Assert.Equal(cancel.Token, exception.CancellationToken);
        await bench.UntilAsync(pool => pool.Endpoints[0].Depth == 0);
        held.Reply.SetResult(FakeProvider.Reply());
        await first;
        Assert.Single(provider.Calls);
    }

    [Fact]
    public async Task Who_is_cancelled_in_flight_frees_the_slot_for_the_next()
    {
        using var provider = new FakeProvider("e", "m");
        await using var bench = PoolBench.Single(provider);
        using var cancel = new CancellationTokenSource();
        var running = bench.RunAsync(token: cancel.Token);
        await provider.NextAsync(PoolBench.Token);
        var next = bench.RunAsync();
        await bench.UntilAsync(pool => pool.Endpoints[0].Depth == 1);

        await cancel.CancelAsync();
        await Assert.ThrowsAnyAsync<OperationCanceledException>(() => running);

        (await provider.NextAsync(PoolBench.Token)).Reply.SetResult(FakeProvider.Reply("next"));
        Assert.Equal("next", (await next).Text);
    }

    [Fact]
    public async Task Nothing_is_sent_before_the_caller_lets_it_and_its_turn_is_kept_meanwhile()
    {
        using var provider = new FakeProvider("e", "m");
        await using var bench = PoolBench.Single(provider);
        var leave = new TaskCompletionSource(TaskCreationOptions.RunContinuationsAsynchronously);
        var sink = new RecordingSink { MayBegin = leave.Task };
        var held = bench.RunAsync(sink: sink);
        await bench.UntilAsync(pool => pool.Endpoints[0].InFlight == 1);
        var next = bench.RunAsync();
        await bench.UntilAsync(pool => pool.Endpoints[0].Depth == 1);
        Assert.Empty(provider.Calls);
        Assert.DoesNotContain("started e 1", sink.Told);

        leave.SetResult();

        (await provider.NextAsync(PoolBench.Token)).Reply.SetResult(FakeProvider.Reply("held"));
        Assert.Equal("held", (await held).Text);
        (await provider.NextAsync(PoolBench.Token)).Reply.SetResult(FakeProvider.Reply("next"));
        Assert.Equal("next", (await next).Text);
    }

    [Fact]
    public async Task Who_is_cancelled_while_held_back_frees_the_slot_for_the_next()
    {
        using var provider = new FakeProvider("e", "m");
        await using var bench = PoolBench.Single(provider);
        using var cancel = new CancellationTokenSource();
        var held = bench.RunAsync(sink: new RecordingSink { MayBegin = new TaskCompletionSource().Task }, token: cancel.Token);
        await bench.UntilAsync(pool => pool.Endpoints[0].InFlight == 1);
        var next = bench.RunAsync();
        await bench.UntilAsync(pool => pool.Endpoints[0].Depth == 1);

        await cancel.CancelAsync();
        await Assert.ThrowsAnyAsync<OperationCanceledException>(() => held);

        (await provider.NextAsync(PoolBench.Token)).Reply.SetResult(FakeProvider.Reply("next"));
        Assert.Equal("next", (await next).Text);
        Assert.Single(provider.Calls);
    }

    [Fact]
    public async Task A_full_queue_refuses_new_requests_and_says_so()
    {
        using var provider = new FakeProvider("e", "m");
        await using var bench = PoolBench.Single(provider, options => options with { Lanes = new LaneOptions { QueueLimit = 2 } });
        var running = bench.RunAsync();
        var held = await provider.NextAsync(PoolBench.Token);
        Task<ModelReply>[] waiting = [bench.RunAsync(), bench.RunAsync()];
        await bench.UntilAsync(pool => pool.Endpoints[0].Depth == 2);

        var failure = await Assert.ThrowsAsync<ModelException>(() => bench.RunAsync());

        Assert.Equal(ModelFailure.Unavailable, failure.Failure);
        Assert.Contains("queue", failure.Message, StringComparison.Ordinal);
        Assert.True(failure.Retryable);
        provider.Answer = (_, _, _) => Task.FromResult(FakeProvider.Reply());
        held.Reply.SetResult(FakeProvider.Reply());
        await Task.WhenAll([running, .. waiting]);
    }

    [Fact]
    public async Task Queue_time_and_load_are_in_the_reply_and_the_snapshot_knows_the_rest()
    {
        using var provider = new FakeProvider("e", "m");
        await using var bench = PoolBench.Single(provider);
        var first = bench.RunAsync();
        var held = await provider.NextAsync(PoolBench.Token);
        var second = bench.RunAsync();
        await bench.UntilAsync(pool => pool.Endpoints[0].Depth == 1);
        bench.Time.Advance(TimeSpan.FromSeconds(12));

        var lane = Assert.Single(bench.Pool.Snapshot().Endpoints[0].Lanes);
        Assert.Equal((1, 1, "serving", "m"), (lane.Depth, lane.InFlight, lane.State, lane.Model));
        Assert.Equal(TimeSpan.FromSeconds(12), lane.OldestAge);

        held.Reply.SetResult(FakeProvider.Reply(load: TimeSpan.FromSeconds(3)));
        await first;
        (await provider.NextAsync(PoolBench.Token)).Reply.SetResult(FakeProvider.Reply());
        Assert.Equal(TimeSpan.FromSeconds(12), (await second).QueueTime);
        await bench.UntilAsync(pool => pool.Endpoints[0].Lanes[0] is { Served: 2, InFlight: 0 });
        Assert.Equal(TimeSpan.FromSeconds(3), bench.Pool.Snapshot().Endpoints[0].Lanes[0].SwapCost);
    }

    [Fact]
    public async Task A_late_lane_gets_its_turn_by_the_clock_alone()
    {
        using var provider = new FakeProvider("e", "a", "b");
        await using var bench = PoolBench.Single(provider, options => options with { Lanes = new LaneOptions { MaxWait = TimeSpan.FromSeconds(30) } });
        using var cancel = new CancellationTokenSource();
        var running = bench.RunAsync("a");
        var held = await provider.NextAsync(PoolBench.Token);
        var more = bench.RunAsync("a", token: cancel.Token);
        var other = bench.RunAsync("b");
        await bench.UntilAsync(pool => pool.Endpoints[0].Depth == 2);

        bench.Time.Advance(TimeSpan.FromSeconds(31));
        await bench.UntilAsync(pool => pool.Endpoints[0].Lanes.Any(lane => lane.State == "closing"));
        held.Reply.SetResult(FakeProvider.Reply());
        await running;

        var next = await provider.NextAsync(PoolBench.Token);
        Assert.Equal("b", next.Request.Model);
        next.Reply.SetResult(FakeProvider.Reply());
        await other;
        (await provider.NextAsync(PoolBench.Token)).Reply.SetResult(FakeProvider.Reply());
        await more;
    }

    [Fact]
    public async Task A_sink_that_throws_harms_nobody_else()
    {
        using var provider = new FakeProvider("e", "m");
        await using var bench = PoolBench.Single(provider);
        var first = bench.RunAsync();
        var held = await provider.NextAsync(PoolBench.Token);
        var bad = bench.Pool.RunAsync(Requests.For(), new ThrowingSink(), PoolBench.Token);
        await bench.UntilAsync(pool => pool.Endpoints[0].Depth == 1);
        var good = bench.RunAsync();
        await bench.UntilAsync(pool => pool.Endpoints[0].Depth == 2);
        provider.Answer = (_, _, _) => Task.FromResult(FakeProvider.Reply());
        held.Reply.SetResult(FakeProvider.Reply());

        await first;
        await Assert.ThrowsAsync<InvalidOperationException>(() => bad);
        await good;
        await bench.UntilAsync(pool => pool.Endpoints[0].InFlight == 0);
    }

    [Fact]
    public async Task Stopping_refuses_what_waits_and_aborts_what_runs()
    {
        using var provider = new FakeProvider("e", "m");
        var bench = PoolBench.Single(provider);
        var running = bench.RunAsync();
        await provider.NextAsync(PoolBench.Token);
        var waiting = bench.RunAsync();
        await bench.UntilAsync(pool => pool.Endpoints[0].Depth == 1);

        await bench.DisposeAsync();

        Assert.Equal(ModelFailure.Unavailable, (await Assert.ThrowsAsync<ModelException>(() => running)).Failure);
        Assert.Equal(ModelFailure.Unavailable, (await Assert.ThrowsAsync<ModelException>(() => waiting)).Failure);
        Assert.Equal(ModelFailure.Unavailable, (await Assert.ThrowsAsync<ModelException>(() => bench.RunAsync())).Failure);
        Assert.True(provider.Disposed);
        await bench.DisposeAsync();
    }

    private sealed class ThrowingSink : IModelSink
    {
        public void Queued(int position) => throw new InvalidOperationException("queued");

        public void Started(string endpoint, int attempt) => throw new InvalidOperationException("started");

        public void Text(string piece) => throw new InvalidOperationException("text");

        public void Thinking(string piece) => throw new InvalidOperationException("thinking");

        public void Restarted(string reason) => throw new InvalidOperationException("restarted");
    }
}
