using System.Globalization;
using Lekhika.Daemon.Schedules;
using Xunit;

namespace Lekhika.Daemon.Tests.Schedules;

/// <summary>Slots as instants, above all where the clocks change. 2026: Berlin on 29 March and 25 October at 01:00Z, New York on 8 March at 07:00Z and 1 November at 06:00Z.</summary>
public sealed class ScheduleTimesTests
{
    [Theory]
    [InlineData("0 9 * * *", "UTC", "2026-11-22T07:14:06Z", "2026-11-22T09:00:00Z 2026-11-23T09:00:00Z")]
    [InlineData("0 9 * * *", "Europe/Berlin", "2026-03-28T00:00:00Z", "2026-03-28T08:00:00Z 2026-03-29T07:00:00Z 2026-03-30T07:00:00Z")]
    [InlineData("0 9 * * *", "Asia/Kolkata", "2026-03-28T00:00:00Z", "2026-03-28T03:30:00Z 2026-03-29T03:30:00Z")]
    [InlineData("0 0 * * *", "Asia/Kolkata", "2026-11-22T07:14:06Z", "2026-11-22T18:30:00Z 2026-11-23T18:30:00Z")]
    // Set forward: what the clocks leave out comes once, right after.
    [InlineData("30 2 * * *", "Europe/Berlin", "2026-03-28T00:00:00Z", "2026-03-28T01:30:00Z 2026-03-29T01:00:00Z 2026-03-30T00:30:00Z")]
    [InlineData("0,30 2 * * *", "Europe/Berlin", "2026-03-28T12:00:00Z", "2026-03-29T01:00:00Z 2026-03-30T00:00:00Z")]
    [InlineData("30 2,3 * * *", "Europe/Berlin", "2026-03-28T12:00:00Z", "2026-03-29T01:00:00Z 2026-03-29T01:30:00Z 2026-03-30T00:30:00Z")]
    [InlineData("0 2,3 * * *", "Europe/Berlin", "2026-03-28T12:00:00Z", "2026-03-29T01:00:00Z 2026-03-30T00:00:00Z")]
    [InlineData("*/20 2 * * *", "Europe/Berlin", "2026-03-28T12:00:00Z", "2026-03-29T01:00:00Z 2026-03-30T00:00:00Z")]
    [InlineData("30 2 * * *", "America/New_York", "2026-03-07T12:00:00Z", "2026-03-08T07:00:00Z 2026-03-09T06:30:00Z")]
    // Every hour: nothing is left out, nothing comes besides.
    [InlineData("*/30 * * * *", "Europe/Berlin", "2026-03-29T00:00:00Z", "2026-03-29T00:30:00Z 2026-03-29T01:00:00Z 2026-03-29T01:30:00Z")]
    [InlineData("15 * * * *", "Europe/Berlin", "2026-03-28T23:30:00Z", "2026-03-29T00:15:00Z 2026-03-29T01:15:00Z 2026-03-29T02:15:00Z")]
    // Set back: fixed times once, at the first of the two.
    [InlineData("30 2 * * *", "Europe/Berlin", "2026-10-24T12:00:00Z", "2026-10-25T00:30:00Z 2026-10-26T01:30:00Z")]
    [InlineData("30 2 * * *", "Europe/Berlin", "2026-10-25T01:10:00Z", "2026-10-26T01:30:00Z")]
    [InlineData("0 3 * * *", "Europe/Berlin", "2026-10-24T12:00:00Z", "2026-10-25T02:00:00Z 2026-10-26T02:00:00Z")]
    [InlineData("30 1 * * *", "America/New_York", "2026-10-31T12:00:00Z", "2026-11-01T05:30:00Z 2026-11-02T06:30:00Z")]
    // Rhythms go on through both.
    [InlineData("*/30 * * * *", "Europe/Berlin", "2026-10-24T23:45:00Z",
        "2026-10-25T00:00:00Z 2026-10-25T00:30:00Z 2026-10-25T01:00:00Z 2026-10-25T01:30:00Z 2026-10-25T02:00:00Z")]
    [InlineData("0 * * * *", "America/New_York", "2026-11-01T04:30:00Z", "2026-11-01T05:00:00Z 2026-11-01T06:00:00Z 2026-11-01T07:00:00Z")]
    [InlineData("*/20 2 * * *", "Europe/Berlin", "2026-10-24T12:00:00Z",
        "2026-10-25T00:00:00Z 2026-10-25T00:20:00Z 2026-10-25T00:40:00Z 2026-10-25T01:00:00Z 2026-10-25T01:20:00Z 2026-10-25T01:40:00Z 2026-10-26T01:00:00Z")]
    [InlineData("*/20 * * * * *", "Europe/Berlin", "2026-10-25T00:59:30Z", "2026-10-25T00:59:40Z 2026-10-25T01:00:00Z 2026-10-25T01:00:20Z")]
    // A change of half an hour (Lord Howe, 4 October at 02:00 to 02:30 local time).
    [InlineData("15 2 * * *", "Australia/Lord_Howe", "2026-10-03T00:00:00Z", "2026-10-03T15:30:00Z 2026-10-04T15:15:00Z")]
    public void Slots_are_these_instants(string cron, string zone, string after, string slots)
    {
        var expected = slots.Split(' ').Select(At).ToList();
        Assert.Equal(expected, Times(cron, zone).Next(At(after), expected.Count));
    }

    [Theory]
    [InlineData("Europe/Berlin", "*/7 * * * *")]
    [InlineData("America/New_York", "*/7 * * * *")]
    [InlineData("Europe/Berlin", "13 */3 * * *")]
    [InlineData("America/New_York", "30 1,2 * * 0")]
    [InlineData("Asia/Kolkata", "0 0 1 * *")]
    public void Slots_of_a_year_only_go_forward_and_stepping_from_any_moment_misses_none(string zone, string cron)
    {
        var times = Times(cron, zone);
        var (from, to) = (At("2026-01-01T00:00:00Z"), At("2027-01-01T00:00:00Z"));
        var slots = new List<DateTimeOffset>();
        for (var slot = times.After(from); slot < to; slot = times.After(slot.Value)) slots.Add(slot.Value);
        Assert.Equal(slots.Order(), slots);
        Assert.Equal(slots.Distinct(), slots);
        for (var i = 1; i < slots.Count; i += 97)
        {
            var between = slots[i - 1] + ((slots[i] - slots[i - 1]) / 3);
            Assert.Equal(slots[i], times.After(between));
        }
    }

    [Theory]
    [InlineData("Europe/Berln")]
    [InlineData("../../etc/passwd")]
    [InlineData("/usr/share/zoneinfo/Europe/Berlin")]
    [InlineData("")]
    [InlineData("Mars")]
    public void Unknown_zones_are_refused_with_an_example(string zone) =>
        Assert.Contains("expected an IANA name such as Europe/Berlin", ScheduleTimes.Read("* * * * *", zone).ZoneProblem, StringComparison.Ordinal);

    [Theory]
    // Three hours late.
    [InlineData("skip", 10, "0 * * * *", "2026-11-22T04:00:00Z", "2026-11-22T07:14:06Z", "")]
    [InlineData("once", 10, "0 * * * *", "2026-11-22T04:00:00Z", "2026-11-22T07:14:06Z", "07:00:00")]
    [InlineData("all", 10, "0 * * * *", "2026-11-22T04:00:00Z", "2026-11-22T07:14:06Z", "04:00:00 05:00:00 06:00:00 07:00:00")]
    [InlineData("all", 2, "0 * * * *", "2026-11-22T04:00:00Z", "2026-11-22T07:14:06Z", "06:00:00 07:00:00")]
    // A little late is not missed.
    [InlineData("skip", 10, "0 * * * *", "2026-11-22T07:00:00Z", "2026-11-22T07:00:03Z", "07:00:00")]
    [InlineData("skip", 10, "0 * * * *", "2026-11-22T06:00:00Z", "2026-11-22T07:00:03Z", "07:00:00")]
    [InlineData("once", 10, "0 * * * *", "2026-11-22T06:00:00Z", "2026-11-22T07:00:03Z", "07:00:00")]
    [InlineData("once", 10, "* * * * * *", "2026-11-22T07:00:00Z", "2026-11-22T07:00:02Z", "07:00:00 07:00:01 07:00:02")]
    // Not due; and years of seconds, of which the newest count.
    [InlineData("all", 10, "0 * * * *", "2026-11-22T08:00:00Z", "2026-11-22T07:00:03Z", "")]
    [InlineData("all", 3, "* * * * * *", "2016-11-22T08:00:00Z", "2026-11-22T07:00:03Z", "07:00:01 07:00:02 07:00:03")]
    [InlineData("once", 3, "* * 3 * * *", "0001-01-01T00:00:00Z", "2026-11-22T07:00:03Z", "03:59:59")]
    public void Missed_slots_are_run_by_the_policy(string policy, int limit, string cron, string due, string now, string slots)
    {
        var found = MissedRuns.Slots(Times(cron, "UTC"), At(due), At(now), policy, limit);
        Assert.Equal(slots, string.Join(' ', found.Select(static slot => slot.ToString("HH:mm:ss", CultureInfo.InvariantCulture))));
    }

    [Fact]
    public void A_slot_has_one_id_wherever_it_is_worked_out()
    {
        var schedule = Guid.Parse("6ba7b810-9dad-11d1-80b4-00c04fd430c8");
        var id = SlotId.Of(schedule, At("2026-11-22T09:00:00Z"));
        Assert.Equal(id, SlotId.Of(schedule, new DateTimeOffset(2026, 11, 22, 10, 0, 0, TimeSpan.FromHours(1))));
        Assert.NotEqual(id, SlotId.Of(schedule, At("2026-11-22T09:00:01Z")));
        // As any other implementation of RFC 9562 makes it.
        Assert.Equal(Guid.Parse("9232e62d-02ad-5dce-ba15-8498854006e1"), id);
    }

    private static ScheduleTimes Times(string cron, string zone)
    {
        var (times, cronProblem, zoneProblem) = ScheduleTimes.Read(cron, zone);
        Assert.True(times is not null, $"{cronProblem} {zoneProblem}");
        return times;
    }

    private static DateTimeOffset At(string text) => DateTimeOffset.Parse(text, CultureInfo.InvariantCulture, DateTimeStyles.AssumeUniversal);
}
