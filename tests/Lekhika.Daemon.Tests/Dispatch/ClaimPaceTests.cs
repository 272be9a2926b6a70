using Lekhika.Daemon.Dispatch;
using Xunit;

namespace Lekhika.Daemon.Tests.Dispatch;

public sealed class ClaimPaceTests
{
    private readonly SteppedTime _time = new();

    [Fact]
    public void Nothing_is_claimed_ahead_of_executions_that_take_their_time()
    {
        var pace = new ClaimPace(_time);
        for (var second = 0; second < 20; second++)
        {
            for (var i = 0; i < 5; i++) pace.Ended();
            _time.Step(TimeSpan.FromSeconds(1));
            Assert.Equal(0, pace.Ahead(waiting: 0));
        }

        Assert.False(pace.IsFast);
    }

    [Fact]
    public void The_window_is_what_a_tenth_of_a_second_gets_through()
    {
        var pace = At(10_000);
        Assert.True(pace.IsFast);
        Assert.InRange(pace.Ahead(waiting: 0), 900, 1100);
        Assert.InRange(pace.Ahead(waiting: 400), 500, 700);
    }

    [Fact]
    public void Less_than_half_a_window_is_not_worth_a_claim()
    {
        var pace = At(10_000);
        Assert.Equal(0, pace.Ahead(waiting: 600));
    }

    [Fact]
    public void A_claim_is_asked_for_once_half_a_window_has_ended()
    {
        var pace = At(10_000);
        var asked = Enumerable.Range(1, 1000).First(_ => pace.Ended());
        Assert.InRange(asked, 450, 550);
    }

    [Fact]
    public void The_window_has_an_upper_bound()
    {
        var pace = At(10_000_000);
        Assert.Equal(ClaimPace.MaxAhead, pace.Ahead(waiting: 0));
    }

    [Fact]
    public void A_pace_that_is_over_is_forgotten_within_a_second()
    {
        var pace = At(10_000);
        _time.Step(TimeSpan.FromSeconds(1));
        Assert.Equal(0, pace.Ahead(waiting: 0));
        Assert.False(pace.IsFast);
    }

    private ClaimPace At(int perSecond)
    {
        var pace = new ClaimPace(_time);
        for (var tick = 0; tick < 100; tick++)
        {
            for (var i = 0; i < perSecond / 100; i++) pace.Ended();
            _time.Step(TimeSpan.FromMilliseconds(10));
            pace.Ahead(waiting: 0);
        }

        return pace;
    }

    private sealed class SteppedTime : TimeProvider
    {
        private long _now;

        public override long TimestampFrequency => TimeSpan.TicksPerSecond;

        public override long GetTimestamp() => _now;

        public void Step(TimeSpan by) => _now += by.Ticks;
    }
}
