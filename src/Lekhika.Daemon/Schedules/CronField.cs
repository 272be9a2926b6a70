using System.Globalization;

namespace Lekhika.Daemon.Schedules;

/// <summary>A kind of field: its name, its range and the names that stand for numbers.</summary>
internal sealed record CronFieldKind(string Name, int Least, int Most, string[] Names, int NamesFrom, string Example)
{
    public static readonly CronFieldKind Second = new("second", 0, 59, [], 0, "*/10");
    public static readonly CronFieldKind Minute = new("minute", 0, 59, [], 0, "*/15");
    public static readonly CronFieldKind Hour = new("hour", 0, 23, [], 0, "9-17");
    public static readonly CronFieldKind DayOfMonth = new("day of month", 1, 31, [], 0, "1,15");

    public static readonly CronFieldKind Month =
        new("month", 1, 12, ["JAN", "FEB", "MAR", "APR", "MAY", "JUN", "JUL", "AUG", "SEP", "OCT", "NOV", "DEC"], 1, "JAN-MAR");

    /// <summary>0 and 7 are both Sunday, as in Unix; also in six fields.</summary>
    public static readonly CronFieldKind DayOfWeek = new("day of week", 0, 7, ["SUN", "MON", "TUE", "WED", "THU", "FRI", "SAT"], 0, "MON-FRI");

    public string Expected => string.Create(CultureInfo.InvariantCulture, $"*, a number from {Least} to {Most}")
        + (Names.Length == 0 ? "" : $" or a name from {Names[0]} to {Names[^1]}") + $", a range, a step or a list of those, such as {Example}";
}

/// <summary>One field of a cron expression, read.</summary>
internal sealed record CronField
{
    /// <summary>Bit n is set where value n is meant. For days of the week bit 0 is Sunday and bit 7 is never set.</summary>
    public required ulong Bits { get; init; }

    /// <summary>Whether it means every value: <c>*</c>, <c>?</c>, <c>*/1</c>.</summary>
    public required bool IsAny { get; init; }

    /// <summary>Whether it is written with <c>*</c> first: then it does not restrict the other field of days, as in Unix.</summary>
    public required bool HasStar { get; init; }

    /// <summary>Whether it holds a <c>*</c> or a step: a rhythm rather than fixed times.</summary>
    public required bool IsInterval { get; init; }

    /// <summary>L, 15W, FRI#2 and the like, as Quartz writes them; null if <see cref="Bits"/> says it all.</summary>
    public string? Special { get; init; }

    public bool Has(int value) => (Bits & (1UL << value)) != 0;

    /// <summary>Reads a field.</summary>
    /// <returns>The field, or what is wrong with it.</returns>
    public static (CronField? Field, string? Problem) Read(string text, CronFieldKind kind)
    {
        var isDay = kind == CronFieldKind.DayOfMonth || kind == CronFieldKind.DayOfWeek;
        if (text == "?" && isDay) text = "*";
        if (isDay && CronSpecialDay.Read(text, kind) is { } special)
        {
            return (new CronField { Bits = 0, IsAny = false, HasStar = false, IsInterval = false, Special = special }, null);
        }

        var bits = 0UL;
        foreach (var item in text.Split(','))
        {
            var (more, problem) = ReadItem(item, kind);
            if (problem is not null) return (null, $"the {kind.Name} field \"{text}\" {problem}; expected {kind.Expected}");
            bits |= more;
        }

        var all = 0UL;
        for (var value = kind.Least; value <= kind.Most; value++) all |= Bit(value, kind);
        return (new CronField
        {
            Bits = bits,
            IsAny = bits == all,
            HasStar = text[0] == '*',
            IsInterval = text.AsSpan().ContainsAny('*', '/'),
        }, null);
    }

    private static (ulong Bits, string? Problem) ReadItem(string item, CronFieldKind kind)
    {
        if (item.Length == 0) return (0, "has an empty place in its list");
        var slash = item.IndexOf('/', StringComparison.Ordinal);
        var range = slash < 0 ? item : item[..slash];
        var step = 1;
        if (slash >= 0)
        {
            var text = item[(slash + 1)..];
            if (!TryNumber(text, out step) || step == 0) return (0, $"has the step \"{text}\", which is no whole number above 0");
            if (step > kind.Most - kind.Least) return (0, string.Create(CultureInfo.InvariantCulture, $"has the step {step}, which is more than the field holds"));
        }

        var (from, to) = (kind.Least, kind.Most);
        if (range != "*")
        {
            var dash = range.IndexOf('-', StringComparison.Ordinal);
            var first = dash < 0 ? range : range[..dash];
            if (!TryValue(first, kind, out from)) return (0, Unknown(first, kind));
            to = slash >= 0 ? kind.Most : from;
            if (dash >= 0 && !TryValue(range[(dash + 1)..], kind, out to)) return (0, Unknown(range[(dash + 1)..], kind));
            // FRI-MON and SAT-SUN: Sunday is 7 at the end of a range.
            if (kind == CronFieldKind.DayOfWeek && to < from) to += 7;
            if (to < from) return (0, $"has the range \"{range}\", which ends before it begins");
        }

        var bits = 0UL;
        for (var value = from; value <= to; value += step) bits |= Bit(value, kind);
        return (bits, null);
    }

    private static ulong Bit(int value, CronFieldKind kind) => 1UL << (kind == CronFieldKind.DayOfWeek ? value % 7 : value);

    private static string Unknown(string text, CronFieldKind kind) =>
        TryNumber(text, out var number)
            ? string.Create(CultureInfo.InvariantCulture, $"holds {number}, which is not from {kind.Least} to {kind.Most}")
            : text.Length == 0 ? "lacks a value" : $"holds \"{text}\"";

    internal static bool TryValue(string text, CronFieldKind kind, out int value)
    {
        if (TryNumber(text, out value)) return value >= kind.Least && value <= kind.Most;
        value = Array.FindIndex(kind.Names, name => name.Equals(text, StringComparison.OrdinalIgnoreCase));
        if (value < 0) return false;
        value += kind.NamesFrom;
        return true;
    }

    internal static bool TryNumber(string text, out int number) => int.TryParse(text, NumberStyles.None, CultureInfo.InvariantCulture, out number);
}

/// <summary>The days that only Quartz can say: last day, nearest weekday, n-th weekday of the month.</summary>
internal static class CronSpecialDay
{
    /// <summary>As Quartz writes it (its Sunday is 1); null if it is no such day.</summary>
    public static string? Read(string text, CronFieldKind kind)
    {
        var upper = text.ToUpperInvariant();
        if (kind == CronFieldKind.DayOfMonth)
        {
            if (upper is "L" or "LW") return upper;
            if (upper.StartsWith("L-", StringComparison.Ordinal) && CronField.TryNumber(upper[2..], out var before) && before is >= 1 and <= 30) return upper;
            return upper.EndsWith('W') && CronField.TryNumber(upper[..^1], out var near) && near is >= 1 and <= 31 ? upper : null;
        }

        if (upper.Length > 1 && upper.EndsWith('L') && CronField.TryValue(upper[..^1], kind, out var last)) return Quartz(last) + "L";
        var hash = upper.IndexOf('#', StringComparison.Ordinal);
        return hash > 0 && CronField.TryValue(upper[..hash], kind, out var day) && CronField.TryNumber(upper[(hash + 1)..], out var nth) && nth is >= 1 and <= 5
            ? string.Create(CultureInfo.InvariantCulture, $"{Quartz(day)}#{nth}")
            : null;
    }

    private static string Quartz(int day) => ((day % 7) + 1).ToString(CultureInfo.InvariantCulture);
}
