using System.Globalization;
using Lekhika.Daemon.Schedules;
using Xunit;

namespace Lekhika.Daemon.Tests.Schedules;

public sealed class CronTimesTests
{
    [Theory]
    // every minute, steps, lists, ranges
    [InlineData("* * * * *", "2026-11-22 07:14:06", "2026-11-22 07:15:00", "2026-11-22 07:16:00")]
    [InlineData("*/15 * * * *", "2026-11-22 07:14:06", "2026-11-22 07:15:00", "2026-11-22 07:30:00")]
    [InlineData("5/20 * * * *", "2026-11-22 07:14:06", "2026-11-22 07:25:00", "2026-11-22 07:45:00")]
    [InlineData("10-30/10,45 9 * * *", "2026-11-22 09:20:00", "2026-11-22 09:30:00", "2026-11-22 09:45:00")]
    [InlineData("0 9-17 * * *", "2026-11-22 17:00:00", "2026-11-23 09:00:00", "2026-11-23 10:00:00")]
    [InlineData("0 0 1 JAN,jul *", "2026-11-22 00:00:00", "2027-01-01 00:00:00", "2027-07-01 00:00:00")]
    // 22 November 2026 is a Sunday: 0 and 7 are Sunday, 1 is Monday
    [InlineData("0 9 * * 0", "2026-11-22 00:00:00", "2026-11-22 09:00:00", "2026-11-29 09:00:00")]
    [InlineData("0 9 * * 7", "2026-11-22 00:00:00", "2026-11-22 09:00:00", "2026-11-29 09:00:00")]
    [InlineData("0 9 * * 1", "2026-11-22 00:00:00", "2026-11-23 09:00:00", "2026-11-30 09:00:00")]
    [InlineData("0 9 * * 6", "2026-11-22 00:00:00", "2026-11-28 09:00:00", "2026-12-05 09:00:00")]
    [InlineData("0 9 * * 1-5", "2026-11-20 10:00:00", "2026-11-23 09:00:00", "2026-11-24 09:00:00")]
    [InlineData("0 9 * * 5-7", "2026-11-22 10:00:00", "2026-11-27 09:00:00", "2026-11-28 09:00:00")]
    [InlineData("0 9 * * FRI-MON", "2026-11-24 10:00:00", "2026-11-27 09:00:00", "2026-11-28 09:00:00")]
    [InlineData("0 9 * * sun", "2026-11-22 10:00:00", "2026-11-29 09:00:00", "2026-12-06 09:00:00")]
    [InlineData("0 9 * * */2", "2026-11-22 10:00:00", "2026-11-24 09:00:00", "2026-11-26 09:00:00")]
    // both fields of days: either, unless one begins with *
    [InlineData("0 0 13 * 5", "2026-11-22 00:00:00", "2026-11-27 00:00:00", "2026-12-04 00:00:00")]
    [InlineData("0 0 13 * 5", "2026-12-12 00:00:00", "2026-12-13 00:00:00", "2026-12-18 00:00:00")]
    [InlineData("0 0 */2 * 1", "2026-11-22 00:00:00", "2026-11-23 00:00:00", "2026-12-07 00:00:00")]
    [InlineData("0 0 1-7 * */7", "2026-11-22 00:00:00", "2026-12-06 00:00:00", "2027-01-03 00:00:00")]
    // names
    [InlineData("@hourly", "2026-11-22 07:14:06", "2026-11-22 08:00:00", "2026-11-22 09:00:00")]
    [InlineData("@daily", "2026-11-22 07:14:06", "2026-11-23 00:00:00", "2026-11-24 00:00:00")]
    [InlineData("@midnight", "2026-11-22 07:14:06", "2026-11-23 00:00:00", "2026-11-24 00:00:00")]
    [InlineData("@weekly", "2026-11-22 07:14:06", "2026-11-29 00:00:00", "2026-12-06 00:00:00")]
    [InlineData("@Monthly", "2026-11-22 07:14:06", "2026-12-01 00:00:00", "2027-01-01 00:00:00")]
    [InlineData("@yearly", "2026-11-22 07:14:06", "2027-01-01 00:00:00", "2028-01-01 00:00:00")]
    // six fields: a second first, days of the week as in five
    [InlineData("*/10 * * * * *", "2026-11-22 07:14:06", "2026-11-22 07:14:10", "2026-11-22 07:14:20")]
    [InlineData("* * * * * *", "2026-11-22 07:14:06", "2026-11-22 07:14:07", "2026-11-22 07:14:08")]
    [InlineData("30 0 9 * * 1", "2026-11-22 00:00:00", "2026-11-23 09:00:30", "2026-11-30 09:00:30")]
    [InlineData("0 0 12 ? * MON", "2026-11-22 00:00:00", "2026-11-23 12:00:00", "2026-11-30 12:00:00")]
    [InlineData("0 0 12 1 * ?", "2026-11-22 00:00:00", "2026-12-01 12:00:00", "2027-01-01 12:00:00")]
    // Quartz's own days
    [InlineData("0 0 L * *", "2026-11-22 00:00:00", "2026-11-30 00:00:00", "2026-12-31 00:00:00")]
    [InlineData("0 0 LW * *", "2026-01-01 00:00:00", "2026-01-30 00:00:00", "2026-02-27 00:00:00")]
    [InlineData("0 0 15W * *", "2026-11-01 00:00:00", "2026-11-16 00:00:00", "2026-12-15 00:00:00")]
    [InlineData("0 0 * * 5L", "2026-11-22 00:00:00", "2026-11-27 00:00:00", "2026-12-25 00:00:00")]
    [InlineData("0 0 * * MON#2", "2026-11-22 00:00:00", "2026-12-14 00:00:00", "2027-01-11 00:00:00")]
    // leap days
    [InlineData("0 0 29 2 *", "2026-11-22 00:00:00", "2028-02-29 00:00:00", "2032-02-29 00:00:00")]
    public void Expressions_mean_these_times(string cron, string after, string first, string second)
    {
        var (times, problem) = CronTimes.Read(cron);
        Assert.Null(problem);
        var one = times!.After(Wall(after));
        Assert.Equal(Wall(first), one);
        Assert.Equal(Wall(second), times.After(one!.Value));
    }

    [Theory]
    [InlineData("", "0 fields", "five")]
    [InlineData("* * * *", "4 fields", "five")]
    [InlineData("* * * * * * *", "7 fields", "six")]
    [InlineData("hello", "1 field;", "five")]
    [InlineData("61 * * * *", "the minute field \"61\" holds 61", "0 to 59")]
    [InlineData("* 24 * * *", "the hour field \"24\" holds 24", "0 to 23")]
    [InlineData("* * 0 * *", "the day of month field", "1 to 31")]
    [InlineData("* * * 13 *", "the month field", "JAN")]
    [InlineData("* * * * 8", "the day of week field \"8\" holds 8", "0 to 7")]
    [InlineData("* * * * MOON", "holds \"MOON\"", "SUN")]
    [InlineData("30-10 * * * *", "ends before it begins", "0 to 59")]
    [InlineData("*/0 * * * *", "the step \"0\"", "*/15")]
    [InlineData("*/90 * * * *", "the step 90", "*/15")]
    [InlineData("1,,2 * * * *", "an empty place", "0 to 59")]
    [InlineData("-5 * * * *", "lacks a value", "0 to 59")]
    [InlineData("? * * * *", "the minute field", "0 to 59")]
    [InlineData("1.5 * * * *", "the minute field", "0 to 59")]
    [InlineData("* * 30 2 *", "no day ever fits", "a date that exists")]
    [InlineData("@every 5m", "not known", "@hourly")]
    [InlineData("@reboot", "not known", "@hourly")]
    [InlineData("* * * * *; DROP TABLE x", "8 fields", "five")]
    [InlineData("１ * * * *", "the minute field", "0 to 59")]
    public void What_cannot_be_read_is_refused_with_the_place_and_what_was_expected(string cron, string what, string expected)
    {
        var (times, problem) = CronTimes.Read(cron);
        Assert.Null(times);
        Assert.Contains(what, problem, StringComparison.Ordinal);
        Assert.Contains(expected, problem, StringComparison.Ordinal);
    }

    [Fact]
    public void A_very_long_expression_is_refused_unread() => Assert.Contains("at most 200", CronTimes.Read(new string('*', 100_000)).Problem, StringComparison.Ordinal);

    private static DateTime Wall(string text) => DateTime.ParseExact(text, "yyyy-MM-dd HH:mm:ss", CultureInfo.InvariantCulture);
}
