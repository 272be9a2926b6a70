namespace Lekhika.Daemon.Schedules;

/// <summary>
/// The slots of a schedule: the times of a cron expression on the wall clocks of a zone, as instants. What happens when the clocks change:
///
///   set forward: a time that the clocks leave out comes once, right after; in a schedule for every hour (hour field <c>*</c>) nothing is left out
///   set back:    fixed times come once, at the first of the two; rhythms (<c>*</c> or a step in second, minute or hour) go on through both
/// </summary>
internal sealed class ScheduleTimes
{
    private readonly CronTimes _cron;
    private readonly ScheduleZone _zone;

    private ScheduleTimes(CronTimes cron, ScheduleZone zone) => (_cron, _zone) = (cron, zone);

    /// <summary>Reads both; problems say which of them is meant.</summary>
    public static (ScheduleTimes? Times, string? CronProblem, string? ZoneProblem) Read(string cron, string timezone)
    {
        var (times, cronProblem) = CronTimes.Read(cron);
        var (zone, zoneProblem) = ScheduleZone.Find(timezone);
        return (times is null || zone is null ? null : new ScheduleTimes(times, zone), cronProblem, zoneProblem);
    }

    /// <summary>The first slot after an instant; null if there is none in thirty years.</summary>
    public DateTimeOffset? After(DateTimeOffset after)
    {
        DateTimeOffset? slot = null;
        for (var wall = _cron.After(_zone.Wall(after)); wall is { } time && slot is null; wall = _cron.After(time)) slot = SlotOf(time, after);
        if (!_cron.IsInterval || _zone.SetBack(after, slot ?? after + TimeSpan.FromDays(2)) is not { } change) return slot;

        // The clocks show the times between To and From once more.
        var again = _cron.After(change.To.AddSeconds(-1));
        if (again is not { } repeated || repeated >= change.From) return slot;
        var at = change.At + (repeated - change.To);
        return slot < at ? slot : at;
    }

    /// <summary>The next few slots.</summary>
    public List<DateTimeOffset> Next(DateTimeOffset after, int count)
    {
        var slots = new List<DateTimeOffset>(count);
        for (var slot = After(after); slot is { } at && slots.Count < count; slot = After(at)) slots.Add(at);
        return slots;
    }

    /// <summary>The instant of a time of the clocks that lies after <paramref name="after"/>; null if it has none.</summary>
    private DateTimeOffset? SlotOf(DateTime wall, DateTimeOffset after)
    {
        var (first, second) = _zone.Instants(wall);
        if (first is null)
        {
            if (_cron.IsEveryHour) return null;
            first = _zone.GapEnd(wall);
        }

        if (first > after) return first;
        return _cron.IsInterval && second > after ? second : null;
    }
}
