using Lekhika.Daemon.Http.Browse;
using Xunit;

namespace Lekhika.Daemon.Tests.Http;

public sealed class RememberedTests
{
    [Theory]
    [InlineData(0, 0)]
    [InlineData(2, 40)]
    [InlineData(30, 600)]
    [InlineData(400, 1000)]
    public async Task An_answer_stands_for_twenty_times_as_long_as_it_took_and_for_a_second_at_most(int cost, int stands)
    {
        var time = new HandClock();
        var remembered = new Remembered<string>(time, TimeSpan.FromSeconds(1));
        var looks = 0;
        Task<string> AskAsync() => remembered.GetAsync(
            _ =>
            {
                looks++;
                time.Advance(TimeSpan.FromMilliseconds(cost));
                return Task.FromResult("");
            },
            TestContext.Current.CancellationToken);
        await AskAsync();
        if (stands > 0)
        {
            time.Advance(TimeSpan.FromMilliseconds(stands - 1));
            await AskAsync();
            Assert.Equal(1, looks);
            time.Advance(TimeSpan.FromMilliseconds(1));
        }

        await AskAsync();
        Assert.Equal(2, looks);
    }

    private sealed class HandClock : TimeProvider
    {
        private long _now;

        public override long TimestampFrequency => TimeSpan.TicksPerSecond;

        public override long GetTimestamp() => _now;

        public void Advance(TimeSpan by) => _now += by.Ticks;
    }
}
