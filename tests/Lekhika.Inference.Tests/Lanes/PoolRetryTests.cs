using Lekhika.Inference.Tests.Support;
using Xunit;

namespace Lekhika.Inference.Tests.Lanes;

public sealed class PoolRetryTests
{
    private static readonly TimeSpan Step = TimeSpan.FromMilliseconds(100);

    [Theory]
    [InlineData(ModelFailure.Broken)]
    [InlineData(ModelFailure.Unavailable)]
    public async Task What_broke_is_tried_again_and_the_sink_told_to_forget(ModelFailure kind)
    {
        using var provider = new FakeProvider("e", "m");
        var tries = 0;
        provider.Answer = (_, sink, _) =>
        {
            sink.Text($"try {++tries}");
            return tries < 3 ? throw new ModelException(kind, $"failure {tries}") : Task.FromResult(FakeProvider.Reply("whole"));
        };
        await using var bench = PoolBench.Single(provider);
        var sink = new RecordingSink();

        var call = bench.RunAsync(sink: sink);
        await bench.Time.AdvanceUntilAsync(() => call.IsCompleted, Step, PoolBench.Token);

        var reply = await call;
        Assert.Equal("whole", reply.Text);
        Assert.Equal(3, reply.Attempts);
        Assert.Equal(
            ["started e 1", "text try 1", "restarted failure 1", "started e 2", "text try 2", "restarted failure 2", "started e 3", "text try 3"],
            sink.Told.Where(line => !line.StartsWith("queued", StringComparison.Ordinal)));
    }

    [Theory]
    [InlineData(ModelFailure.Refused)]
    [InlineData(ModelFailure.NotFound)]
    [InlineData(ModelFailure.TimedOut)]
    [InlineData(ModelFailure.InvalidOutput)]
    [InlineData(ModelFailure.ToolCall)]
    public async Task What_would_fail_again_is_not_tried_again(ModelFailure kind)
    {
        using var provider = new FakeProvider("e", "m") { Answer = (_, _, _) => throw new ModelException(kind, "no") };
        await using var bench = PoolBench.Single(provider);

        var failure = await Assert.ThrowsAsync<ModelException>(() => bench.RunAsync());

        Assert.Equal(kind, failure.Failure);
        Assert.Single(provider.Calls);
    }

    [Fact]
    public async Task Tries_are_bounded_and_the_last_failure_is_the_one_told()
    {
        using var provider = new FakeProvider("e", "m");
        provider.Answer = (_, _, _) => throw new ModelException(ModelFailure.Broken, $"failure {provider.Calls.Count}");
        await using var bench = PoolBench.Single(provider, options => options with { Retries = new ModelRetries { Attempts = 3 } });

        var call = bench.RunAsync();
        await bench.Time.AdvanceUntilAsync(() => call.IsCompleted, Step, PoolBench.Token);

        Assert.Equal("failure 3", (await Assert.ThrowsAsync<ModelException>(() => call)).Message);
        Assert.Equal(3, provider.Calls.Count);
    }

    [Fact]
    public async Task One_attempt_means_no_repetition()
    {
        using var provider = new FakeProvider("e", "m") { Answer = (_, _, _) => throw new ModelException(ModelFailure.Broken, "once") };
        await using var bench = PoolBench.Single(provider, options => options with { Retries = new ModelRetries { Attempts = 1 } });

        await Assert.ThrowsAsync<ModelException>(() => bench.RunAsync());

        Assert.Single(provider.Calls);
    }

    [Fact]
    public async Task Pauses_grow()
    {
        using var provider = new FakeProvider("e", "m");
        var times = new List<TimeSpan>();
        ManualTime? time = null;
        provider.Answer = (_, _, _) =>
        {
            times.Add(time!.Elapsed);
            throw new ModelException(ModelFailure.Broken, "again");
        };
        await using var bench = PoolBench.Single(provider, options => options with
        {
            Retries = new ModelRetries { Attempts = 6, FirstDelay = TimeSpan.FromSeconds(1), MaxDelay = TimeSpan.FromMinutes(5) },
        });
        time = bench.Time;

        var call = bench.RunAsync();
        await bench.Time.AdvanceUntilAsync(() => call.IsCompleted, Step, PoolBench.Token);
        await Assert.ThrowsAsync<ModelException>(() => call);

        Assert.True(times[1] - times[0] < TimeSpan.FromSeconds(3));
        Assert.True(times[^1] - times[^2] > TimeSpan.FromSeconds(6), string.Join(' ', times));
    }

    [Fact]
    public async Task A_server_that_says_when_to_come_back_is_obeyed()
    {
        using var provider = new FakeProvider("e", "m");
        provider.Answer = (_, _, _) => provider.Calls.Count > 1
            ? Task.FromResult(FakeProvider.Reply())
            : throw new ModelException(ModelFailure.Unavailable, "busy") { RetryAfter = TimeSpan.FromSeconds(9) };
        await using var bench = PoolBench.Single(provider);
        var sink = new RecordingSink();

        var call = bench.RunAsync(sink: sink);
        await sink.WaitForAsync("restarted", PoolBench.Token);
        await bench.Time.AdvanceUntilAsync(() => call.IsCompleted, Step, PoolBench.Token);

        await call;
        Assert.InRange(bench.Time.Elapsed, TimeSpan.FromSeconds(9), TimeSpan.FromSeconds(11));
    }

    [Fact]
    public async Task A_pause_holds_no_slot()
    {
        using var provider = new FakeProvider("e", "m");
        await using var bench = PoolBench.Single(provider);
        var sink = new RecordingSink();
        var broken = bench.RunAsync(sink: sink);
        (await provider.NextAsync(PoolBench.Token)).Reply.SetException(new ModelException(ModelFailure.Broken, "broke"));
        await sink.WaitForAsync("restarted", PoolBench.Token);

        var other = bench.RunAsync();
        (await provider.NextAsync(PoolBench.Token)).Reply.SetResult(FakeProvider.Reply("other"));

        Assert.Equal("other", (await other).Text);
        Assert.False(broken.IsCompleted);
        provider.Answer = (_, _, _) => Task.FromResult(FakeProvider.Reply());
        await bench.Time.AdvanceUntilAsync(() => broken.IsCompleted, Step, PoolBench.Token);
    }

    [Fact]
    public async Task The_limit_for_the_whole_call_covers_its_attempts_together()
    {
        using var provider = new FakeProvider("e", "m");
        await using var bench = PoolBench.Single(provider);
        var sink = new RecordingSink();
        var call = bench.Pool.RunAsync(Requests.For() with { Timeout = TimeSpan.FromSeconds(100) }, sink, PoolBench.Token);
        var first = await provider.NextAsync(PoolBench.Token);
        Assert.Equal(TimeSpan.FromSeconds(100), first.Limit);
        bench.Time.Advance(TimeSpan.FromSeconds(40));
        first.Reply.SetException(new ModelException(ModelFailure.Broken, "broke"));
        await sink.WaitForAsync("restarted", PoolBench.Token);
        await bench.Time.AdvanceUntilAsync(() => provider.Calls.Count == 2, Step, PoolBench.Token);

        Assert.Equal(TimeSpan.FromSeconds(60), provider.Calls[1].Limit);
        provider.Calls[1].Reply.SetResult(FakeProvider.Reply());
        await call;
    }

    [Fact]
    public async Task The_next_attempt_goes_to_another_endpoint_if_there_is_one()
    {
        using var one = new FakeProvider("one", "m");
        using var two = new FakeProvider("two", "m") { Answer = (_, _, _) => Task.FromResult(FakeProvider.Reply("two")) };
        await using var bench = new PoolBench(PoolBench.Options("one", "two"), null, one, two);
        await Assert.ThrowsAsync<ModelException>(() => bench.RunAsync("nobody-has-this"));
        var sink = new RecordingSink();

        var call = bench.RunAsync(sink: sink);
        (await one.NextAsync(PoolBench.Token)).Reply.SetException(PoolBench.Fault());
        await sink.WaitForAsync("restarted", PoolBench.Token);
        await bench.Time.AdvanceUntilAsync(() => call.IsCompleted, Step, PoolBench.Token);

        Assert.Equal("two", (await call).Text);
        Assert.Equal(["started one 1", "restarted it is down", "started two 2"], sink.Told.Where(line => !line.StartsWith("queued", StringComparison.Ordinal)));
    }
}
