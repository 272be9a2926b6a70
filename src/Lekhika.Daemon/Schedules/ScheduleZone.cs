using System.Text.RegularExpressions;

namespace Lekhika.Daemon.Schedules;

/// <summary>An IANA time zone: what instants the times of its wall clocks are.</summary>
internal sealed partial class ScheduleZone
{
    private static readonly TimeSpan Day = TimeSpan.FromDays(1);
    private readonly TimeZoneInfo _zone;

    private ScheduleZone(TimeZoneInfo zone) => _zone = zone;

    /// <summary>Zones that need no data: these work on any machine.</summary>
    public static string[] Built { get; } = ["UTC", "Etc/UTC"];

    /// <summary>Whether this machine has a database of zones at all; without, a zone that is not found says nothing about the schedule.</summary>
    public static bool HasData { get; } = TryFind("Europe/Berlin") is not null || TryFind("America/New_York") is not null;

    /// <summary>Finds a zone.</summary>
    /// <returns>The zone, or what is wrong.</returns>
    public static (ScheduleZone? Zone, string? Problem) Find(string name)
    {
        if (Built.Contains(name, StringComparer.Ordinal)) return (new ScheduleZone(TimeZoneInfo.Utc), null);
        if (ZoneName().IsMatch(name) && TryFind(name) is { } zone) return (new ScheduleZone(zone), null);
        return (null, HasData
            ? $"there is no time zone \"{(name.Length <= 60 ? name : name[..60] + "…")}\"; expected an IANA name such as Europe/Berlin, America/New_York or UTC"
            : $"time zone \"{name}\" cannot be looked up: this machine has no time zone data; install the package tzdata, or use UTC");
    }

    /// <summary>What the clocks there show at an instant.</summary>
    public DateTime Wall(DateTimeOffset at) => DateTime.SpecifyKind(at.UtcDateTime + OffsetAt(at.UtcDateTime), DateTimeKind.Unspecified);

    /// <summary>The instants at which the clocks show a time: one; two where an hour is repeated, the earlier first; none where it is left out.</summary>
    public (DateTimeOffset? First, DateTimeOffset? Second) Instants(DateTime wall)
    {
        var middle = DateTime.SpecifyKind(wall, DateTimeKind.Utc);
        var (before, after) = (OffsetAt(middle - Day), OffsetAt(middle + Day));
        var first = Instant(middle, before);
        var second = before == after ? null : Instant(middle, after);
        return first is null ? (second, null) : (first, second);
    }

    /// <summary>The instant around which the clocks are set forward over a time that they leave out.</summary>
    public DateTimeOffset GapEnd(DateTime wall)
    {
        var middle = DateTime.SpecifyKind(wall, DateTimeKind.Utc);
        return Change(middle - Day, middle + Day)!.Value;
    }

    /// <summary>If the clocks are set back after <paramref name="after"/> and not later than <paramref name="until"/>: when, and from what to what they show.</summary>
    public (DateTimeOffset At, DateTime From, DateTime To)? SetBack(DateTimeOffset after, DateTimeOffset until)
    {
        var far = after + Day + TimeSpan.FromHours(1);
        if (until < far) far = until;
        if (Change(after.UtcDateTime, far.UtcDateTime) is not { } at) return null;
        var (old, now) = (OffsetAt(at.UtcDateTime.AddSeconds(-1)), OffsetAt(at.UtcDateTime));
        return now < old
            ? (at, DateTime.SpecifyKind(at.UtcDateTime + old, DateTimeKind.Unspecified), DateTime.SpecifyKind(at.UtcDateTime + now, DateTimeKind.Unspecified))
            : null;
    }

    private DateTimeOffset? Instant(DateTime middle, TimeSpan offset)
    {
        var at = middle - offset;
        return OffsetAt(at) == offset ? new DateTimeOffset(at) : null;
    }

    /// <summary>The first second after <paramref name="from"/> with another offset, if the offset at <paramref name="to"/> differs.</summary>
    private DateTimeOffset? Change(DateTime from, DateTime to)
    {
        var old = OffsetAt(from);
        if (OffsetAt(to) == old) return null;
        var (low, high) = (Seconds(from), Seconds(to) + 1);
        while (high - low > 1)
        {
            var half = (low + high) / 2;
            if (OffsetAt(DateTime.UnixEpoch.AddSeconds(half)) == old) low = half;
            else high = half;
        }

        return new DateTimeOffset(DateTime.UnixEpoch.AddSeconds(high));
    }

    private static long Seconds(DateTime utc) => (long)Math.Floor((utc - DateTime.UnixEpoch).TotalSeconds);

    private TimeSpan OffsetAt(DateTime utc) => _zone.GetUtcOffset(utc);

    private static TimeZoneInfo? TryFind(string name)
    {
        try
        {
            return TimeZoneInfo.FindSystemTimeZoneById(name);
        }
        catch (Exception exception) when (exception is TimeZoneNotFoundException or InvalidTimeZoneException or System.Security.SecurityException or IOException
            or UnauthorizedAccessException)
        {
            return null;
        }
    }

    // The name becomes part of a path.
    [GeneratedRegex("^[A-Za-z][A-Za-z0-9_+-]{0,30}(/[A-Za-z0-9_+-]{1,30}){0,2}$", RegexOptions.CultureInvariant | RegexOptions.ExplicitCapture | RegexOptions.NonBacktracking)]
    private static partial Regex ZoneName();
}
