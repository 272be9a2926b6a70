using System.Text.Json;
using FsCheck;
using FsCheck.Fluent;
using Lekhika.Workflows.Definitions;
using Xunit;

namespace Lekhika.Workflows.Tests.Definitions;

public sealed class DurationTextTests
{
    [Theory]
    [InlineData("100ms", 100)]
    [InlineData("30s", 30_000)]
    [InlineData("10m", 600_000)]
    [InlineData("1h", 3_600_000)]
    [InlineData("2d", 172_800_000)]
    [InlineData("1.5h", 5_400_000)]
    [InlineData(" 5 s ", 5000)]
    [InlineData("7", 7000)]
    [InlineData("0s", 0)]
    public void Durations_are_read_in_every_unit(string text, long milliseconds)
    {
        Assert.True(DurationText.TryParse(text, out var duration));
        Assert.Equal(milliseconds, (long)duration.TotalMilliseconds);
    }

    [Theory]
    [InlineData("")]
    [InlineData(null)]
    [InlineData("s")]
    [InlineData("-1s")]
    [InlineData("10 minutes")]
    [InlineData("1h30m")]
    [InlineData("1.2.3s")]
    [InlineData("999999999999d")]
    public void What_is_no_duration_is_refused(string? text) => Assert.False(DurationText.TryParse(text, out _));

    [Theory]
    [InlineData("30", 30_000)]
    [InlineData("0.25", 250)]
    [InlineData("\"90s\"", 90_000)]
    public void A_number_means_seconds(string json, long milliseconds)
    {
        Assert.True(DurationText.TryRead(JsonDocument.Parse(json).RootElement, out var duration));
        Assert.Equal(milliseconds, (long)duration.TotalMilliseconds);
    }

    [Theory]
    [InlineData("-1")]
    [InlineData("1e300")]
    [InlineData("true")]
    [InlineData("[]")]
    public void Numbers_out_of_range_and_other_values_are_refused(string json) =>
        Assert.False(DurationText.TryRead(JsonDocument.Parse(json).RootElement, out _));

    [Fact]
    public void A_duration_written_reads_back_the_same() =>
        Prop.ForAll<int>(number =>
        {
            var duration = TimeSpan.FromMilliseconds(Math.Abs((long)number));
            return DurationText.TryParse(DurationText.Write(duration), out var back) && back == duration;
        }).QuickCheckThrowOnFailure();
}
