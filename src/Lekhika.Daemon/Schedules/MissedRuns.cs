using Lekhika.Postgres.Schedules;

namespace Lekhika.Daemon.Schedules;

/// <summary>What is to be run of the slots that have passed since a schedule was last looked at.</summary>
internal static class MissedRuns
{
    /// <summary>A slot that is no older than this is late, not missed: it runs whatever the policy says.</summary>
    public static readonly TimeSpan Grace = TimeSpan.FromSeconds(10);

    /// <summary>Nobody wants to make up for more than ten years.</summary>
    private static readonly TimeSpan Longest = TimeSpan.FromDays(3660);

    private const int Slack = 1000;

    /// <summary>The slots to run, in order.</summary>
    /// <param name="times">Of the schedule.</param>
    /// <param name="due">The first slot that has not been run.</param>
    /// <param name="now">Slots up to now.</param>
    /// <param name="catchUp"><c>skip</c> runs no missed slot, <c>once</c> the newest of them unless a late one runs anyway, <c>all</c> the newest ones.</param>
    /// <param name="limit">Most slots that <c>all</c> runs.</param>
    public static List<DateTimeOffset> Slots(ScheduleTimes times, DateTimeOffset due, DateTimeOffset now, string catchUp, int limit)
    {
        if (due > now) return [];
        var late = now - Grace;
        if (catchUp == "all") return Newest(times, due, now, limit);
        var slots = Newest(times, due > late ? due : late, now, (int)Grace.TotalSeconds + 1);
        return slots.Count > 0 || catchUp == "skip" ? slots : Newest(times, due, now, 1);
    }

    /// <summary>The newest slots between two instants, both included, at most <paramref name="limit"/>; found without walking over all of them.</summary>
    public static List<DateTimeOffset> Newest(ScheduleTimes times, DateTimeOffset from, DateTimeOffset to, int limit)
    {
        if (to - from > Longest) from = to - Longest;
        var (tooMany, tooFew) = (from, to);
        var begin = from;
        while (true)
        {
            var slots = Between(times, begin, to, limit + Slack);
            var isCut = slots.Count == limit + Slack;
            if (isCut) tooMany = begin;
            else if (slots.Count >= limit || begin == from) return slots.Count <= limit ? slots : slots[^limit..];
            else tooFew = begin;
            if (tooFew - tooMany <= TimeSpan.FromSeconds(2)) return slots.Count <= limit ? slots : slots[^limit..];
            begin = tooMany + ((tooFew - tooMany) / 2);
        }
    }

    private static List<DateTimeOffset> Between(ScheduleTimes times, DateTimeOffset from, DateTimeOffset to, int most)
    {
        var slots = new List<DateTimeOffset>();
        for (var slot = times.After(from.AddTicks(-1)); slot is { } at && at <= to && slots.Count < most; slot = times.After(at)) slots.Add(at);
        return slots;
    }
}
