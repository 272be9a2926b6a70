using Lekhika.Daemon.Dashboard;
using Xunit;

namespace Lekhika.Daemon.Tests.Dashboard;

public sealed class SessionStoreTests
{
    private readonly SteppedTime _time = new();

    [Fact]
    public void A_session_that_is_used_goes_on_and_one_that_is_not_ends()
    {
        var sessions = new Sessions(_time);
        var token = sessions.Begin(Role.Operator);
        for (var i = 0; i < 5; i++)
        {
            _time.Advance(Sessions.Idle - TimeSpan.FromSeconds(1));
            Assert.Equal(Role.Operator, sessions.Use(token));
        }

        _time.Advance(Sessions.Idle);
        Assert.Null(sessions.Use(token));
        Assert.Equal(0, sessions.Count);
    }

    [Fact]
    public void However_much_it_is_used_it_ends()
    {
        var sessions = new Sessions(_time);
        var token = sessions.Begin(Role.Viewer);
        for (var passed = TimeSpan.Zero; passed < Sessions.Longest - TimeSpan.FromHours(1); passed += TimeSpan.FromHours(1))
        {
            Assert.Equal(Role.Viewer, sessions.Use(token));
            _time.Advance(TimeSpan.FromHours(1));
        }

        _time.Advance(TimeSpan.FromHours(1));
        Assert.Null(sessions.Use(token));
    }

    [Fact]
    public void There_is_room_for_so_many_and_the_one_unused_for_longest_goes_first()
    {
        var sessions = new Sessions(_time);
        var first = sessions.Begin(Role.Operator);
        var second = sessions.Begin(Role.Operator);
        _time.Advance(TimeSpan.FromSeconds(1));
        Assert.NotNull(sessions.Use(first));
        for (var i = 0; i < 999; i++) sessions.Begin(Role.Operator);
        Assert.Equal(1000, sessions.Count);
        Assert.Null(sessions.Use(second));
        Assert.NotNull(sessions.Use(first));
    }

    [Fact]
    public void Tokens_are_long_and_never_the_same()
    {
        var sessions = new Sessions(_time);
        var tokens = Enumerable.Range(0, 100).Select(_ => sessions.Begin(Role.Operator)).ToHashSet(StringComparer.Ordinal);
        Assert.Equal(100, tokens.Count);
        Assert.All(tokens, static token => Assert.True(token.Length >= 43));
        Assert.Null(sessions.Use("no-such-token"));
        Assert.Null(sessions.Use(new string('x', 10_000)));
    }

    [Fact]
    public void The_limiter_forgets_failures_after_a_minute_and_keeps_addresses_apart()
    {
        var limiter = new SignInLimiter(_time);
        for (var i = 0; i < SignInLimiter.PerAddress; i++) limiter.Failed("a");
        Assert.Equal(SignInLimiter.Window, limiter.Wait("a"));
        Assert.Equal(TimeSpan.Zero, limiter.Wait("b"));
        _time.Advance(SignInLimiter.Window);
        Assert.Equal(TimeSpan.Zero, limiter.Wait("a"));
    }

    [Fact]
    public void Many_addresses_together_are_bounded_too()
    {
        var limiter = new SignInLimiter(_time);
        for (var i = 0; i < SignInLimiter.Together; i++) limiter.Failed($"address {i}");
        Assert.True(limiter.Wait("another") > TimeSpan.Zero);
    }

    private sealed class SteppedTime : TimeProvider
    {
        private long _now;

        public override long TimestampFrequency => TimeSpan.TicksPerSecond;

        public void Advance(TimeSpan by) => _now += by.Ticks;

        public override long GetTimestamp() => _now;
    }
}
