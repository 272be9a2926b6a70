using System.Buffers;

namespace Lekhika.Workflows.Expressions;

/// <summary>Parts of timestamps, in UTC or a time zone (an IANA name or an offset such as <c>+02:00</c>), and of durations.</summary>
internal static class TimeFunctions
{
    /// <summary>An unknown zone is looked for in the file system each time.</summary>
    private const int StepsToFindZone = 20;

    private static readonly SearchValues<char> s_zoneCharacters =
        SearchValues.Create("ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789_+-/");

    public static CelValue FullYear(ref CelFrame frame, ReadOnlySpan<CelValue> args) => OfTimestamp("getFullYear", args, ref frame, static at => at.Year);

    public static CelValue Month(ref CelFrame frame, ReadOnlySpan<CelValue> args) => OfTimestamp("getMonth", args, ref frame, static at => at.Month - 1);

    public static CelValue Date(ref CelFrame frame, ReadOnlySpan<CelValue> args) => OfTimestamp("getDate", args, ref frame, static at => at.Day);

    public static CelValue DayOfMonth(ref CelFrame frame, ReadOnlySpan<CelValue> args) => OfTimestamp("getDayOfMonth", args, ref frame, static at => at.Day - 1);

    public static CelValue DayOfWeek(ref CelFrame frame, ReadOnlySpan<CelValue> args) => OfTimestamp("getDayOfWeek", args, ref frame, static at => (int)at.DayOfWeek);

    public static CelValue DayOfYear(ref CelFrame frame, ReadOnlySpan<CelValue> args) => OfTimestamp("getDayOfYear", args, ref frame, static at => at.DayOfYear - 1);

    public static CelValue Hours(ref CelFrame frame, ReadOnlySpan<CelValue> args) => IsDuration(args)
        ? CelValue.From(args[0].TimeValue.In(3600 * CelTime.NanosPerSecond))
        : OfTimestamp("getHours", args, ref frame, static at => at.Hour);

    public static CelValue Minutes(ref CelFrame frame, ReadOnlySpan<CelValue> args) => IsDuration(args)
        ? CelValue.From(args[0].TimeValue.In(60 * CelTime.NanosPerSecond))
        : OfTimestamp("getMinutes", args, ref frame, static at => at.Minute);

    public static CelValue Seconds(ref CelFrame frame, ReadOnlySpan<CelValue> args) => IsDuration(args)
        ? CelValue.From(args[0].TimeValue.In(CelTime.NanosPerSecond))
        : OfTimestamp("getSeconds", args, ref frame, static at => at.Second);

    /// <summary>The part below a second, also of a duration; the specification has it so.</summary>
    public static CelValue Milliseconds(ref CelFrame frame, ReadOnlySpan<CelValue> args) => IsDuration(args)
        ? CelValue.From(args[0].TimeValue.In(1_000_000) % 1000)
        : OfTimestamp("getMilliseconds", args, ref frame, static at => at.Millisecond);

    private static bool IsDuration(ReadOnlySpan<CelValue> args) => args.Length == 1 && args[0].Kind == CelKind.Duration;

    private static CelValue OfTimestamp(string function, ReadOnlySpan<CelValue> args, ref CelFrame frame, Func<DateTime, int> part)
    {
        if (args[0].Kind != CelKind.Timestamp || (args.Length == 2 && args[1].Kind != CelKind.String))
            return CelError.NoOverload(function, args);
        var at = args[0].TimeValue.Utc;
        if (args.Length == 1)
            return CelValue.From(part(at));
        var zone = args[1].StringValue;
        frame.Charge(StepsToFindZone);
        if (!TryFindOffset(zone, at, out var offset))
            return CelValue.Error($"unknown time zone '{CelError.Shorten(zone)}'; write an IANA name such as Asia/Kathmandu or an offset such as +05:45");
        var ticks = at.Ticks + offset.Ticks;
        return ticks >= DateTime.MinValue.Ticks && ticks <= DateTime.MaxValue.Ticks
            ? CelValue.From(part(new DateTime(ticks, DateTimeKind.Unspecified)))
            : CelValue.Error($"timestamp out of range in the time zone '{zone}'");
    }

    private static bool TryFindOffset(string zone, DateTime at, out TimeSpan offset)
    {
        offset = TimeSpan.Zero;
        if (zone is "UTC" or "Z" or "")
            return true;
        var signed = char.IsAsciiDigit(zone[0]) ? "+" + zone : zone;
        if (CelTime.TryParseOffset(signed, out var seconds))
        {
            offset = TimeSpan.FromSeconds(seconds);
            return true;
        }

        // Only plain names: a zone is looked up among files.
        if (zone.Length > 64 || zone.AsSpan().IndexOfAnyExcept(s_zoneCharacters) >= 0)
            return false;
        if (zone[0] == '/' || !TimeZoneInfo.TryFindSystemTimeZoneById(zone, out var found))
            return false;
        offset = found.GetUtcOffset(at);
        return true;
    }
}
