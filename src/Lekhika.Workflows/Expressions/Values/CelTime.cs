using System.Buffers;
using System.Globalization;
using System.Runtime.InteropServices;

namespace Lekhika.Workflows.Expressions;

/// <summary>
/// Seconds and nanoseconds: since 1970 for a timestamp, in all for a duration. <see cref="Nanos"/> is always 0 to 999 999 999, so a
/// negative length such as -0.5 s is -1 s and 500 000 000 ns.
/// </summary>
[StructLayout(LayoutKind.Auto)]
internal readonly record struct CelTime(long Seconds, int Nanos) : IComparable<CelTime>
{
    public const int NanosPerTick = 100;
    public const long NanosPerSecond = 1_000_000_000;

    private const long FirstSecond = -62_135_596_800;
    private const long LastSecond = 253_402_300_799;
    private const long LongestSeconds = 315_576_000_000;

    private static readonly SearchValues<char> s_numberCharacters = SearchValues.Create("0123456789.");

    /// <summary>The longest difference of two timestamps: what 64 bits hold in nanoseconds, some 292 years.</summary>
    private static readonly Int128 s_longestDifference = long.MaxValue;

    public bool IsTimestamp => Seconds is >= FirstSecond and <= LastSecond;

    public bool IsDuration => Total >= -LongestSeconds * (Int128)NanosPerSecond && Total <= LongestSeconds * (Int128)NanosPerSecond;

    public bool IsDifference => Int128.Abs(Total) <= s_longestDifference;

    public DateTime Utc => DateTime.UnixEpoch.AddTicks((Seconds * TimeSpan.TicksPerSecond) + (Nanos / NanosPerTick));

    private Int128 Total => ((Int128)Seconds * NanosPerSecond) + Nanos;

    public static CelTime Normal(long seconds, long nanos)
    {
        var carry = nanos / NanosPerSecond;
        var rest = nanos % NanosPerSecond;
        return rest < 0 ? new(seconds + carry - 1, (int)(rest + NanosPerSecond)) : new(seconds + carry, (int)rest);
    }

    public static CelTime operator +(CelTime a, CelTime b) => Normal(a.Seconds + b.Seconds, (long)a.Nanos + b.Nanos);

    public static CelTime operator -(CelTime a, CelTime b) => Normal(a.Seconds - b.Seconds, (long)a.Nanos - b.Nanos);

    public static CelTime operator -(CelTime a) => Normal(-a.Seconds, -(long)a.Nanos);

    public int CompareTo(CelTime other) => Seconds != other.Seconds ? Seconds.CompareTo(other.Seconds) : Nanos.CompareTo(other.Nanos);

    /// <summary>Whole units of this duration, towards zero.</summary>
    public long In(long nanosPerUnit) => (long)(Total / nanosPerUnit);

    /// <summary>RFC 3339 in UTC with as many digits of the second as there are.</summary>
    public string ToTimestampText() =>
        Utc.ToString("yyyy-MM-dd'T'HH:mm:ss", CultureInfo.InvariantCulture) + Fraction(Nanos) + "Z";

    /// <summary>Seconds with an <c>s</c>, such as <c>1.5s</c>.</summary>
    public string ToDurationText()
    {
        var magnitude = Int128.Abs(Total);
        var sign = Total < 0 ? "-" : "";
        return string.Create(CultureInfo.InvariantCulture, $"{sign}{(long)(magnitude / NanosPerSecond)}{Fraction((int)(magnitude % NanosPerSecond))}s");
    }

    /// <summary>Reads RFC 3339 with up to nine digits of the second.</summary>
    public static bool TryParseTimestamp(string text, out CelTime time)
    {
        time = default;
        if (text.Length < 20 || text[10] != 'T')
            return false;
        if (!DateTime.TryParseExact(
            text.AsSpan(0, 19), "yyyy-MM-dd'T'HH:mm:ss", CultureInfo.InvariantCulture,
            DateTimeStyles.AssumeUniversal | DateTimeStyles.AdjustToUniversal, out var local))
            return false;
        var rest = text.AsSpan(19);
        var nanos = 0;
        if (rest[0] == '.')
        {
            var digits = rest[1..].IndexOfAnyExceptInRange('0', '9');
            if (digits is < 1 or > 9)
                return false;
            nanos = int.Parse(rest.Slice(1, digits), NumberStyles.None, CultureInfo.InvariantCulture);
            for (var i = digits; i < 9; i++)
                nanos *= 10;
            rest = rest[(digits + 1)..];
        }

        if (!TryParseOffset(rest, out var offset))
            return false;
        time = Normal(((local.Ticks - DateTime.UnixEpoch.Ticks) / TimeSpan.TicksPerSecond) - offset, nanos);
        return time.IsTimestamp;
    }

    /// <summary>Reads a length such as <c>1h30m</c>, <c>-1.5s</c> or <c>100ms</c>; units are h, m, s, ms, us (µs) and ns.</summary>
    public static bool TryParseDuration(string text, out CelTime time)
    {
        time = default;
        var rest = text.AsSpan();
        var negative = rest.StartsWith('-');
        if (negative || rest.StartsWith('+'))
            rest = rest[1..];
        if (rest is "0")
            return true;
        if (rest.IsEmpty)
            return false;
        var total = (Int128)0;
        while (!rest.IsEmpty)
        {
            if (!TryTakeTerm(ref rest, out var nanos))
                return false;
            total += nanos;
            if (total > LongestSeconds * (Int128)NanosPerSecond)
                return false;
        }

        total = negative ? -total : total;
        time = Normal((long)(total / NanosPerSecond), (long)(total % NanosPerSecond));
        return true;
    }

    /// <summary>Reads <c>Z</c>, <c>+hh:mm</c> or <c>-hh:mm</c>, in seconds east of UTC.</summary>
    public static bool TryParseOffset(ReadOnlySpan<char> text, out int seconds)
    {
        seconds = 0;
        if (text is "Z")
            return true;
        if (text.Length != 6 || text[3] != ':' || text[0] is not ('+' or '-') ||
            !int.TryParse(text.Slice(1, 2), NumberStyles.None, CultureInfo.InvariantCulture, out var hours) ||
            !int.TryParse(text.Slice(4, 2), NumberStyles.None, CultureInfo.InvariantCulture, out var minutes) ||
            hours > 23 || minutes > 59)
            return false;
        seconds = ((hours * 60) + minutes) * (text[0] == '-' ? -60 : 60);
        return true;
    }

    private static string Fraction(int nanos) =>
        nanos == 0 ? "" : "." + nanos.ToString("000000000", CultureInfo.InvariantCulture).TrimEnd('0');

    private static bool TryTakeTerm(ref ReadOnlySpan<char> rest, out Int128 nanos)
    {
        nanos = 0;
        var length = rest.IndexOfAnyExcept(s_numberCharacters);
        if (length <= 0)
            return false;
        var number = rest[..length];
        rest = rest[length..];
        long unit;
        (unit, var taken) = rest switch
        {
            ['n', 's', ..] => (1L, 2),
            ['u' or 'µ' or 'μ', 's', ..] => (1_000L, 2),
            ['m', 's', ..] => (1_000_000L, 2),
            ['s', ..] => (NanosPerSecond, 1),
            ['m', ..] => (60 * NanosPerSecond, 1),
            ['h', ..] => (3_600 * NanosPerSecond, 1),
            _ => (0L, 0),
        };
        rest = rest[taken..];
        var point = number.IndexOf('.');
        var whole = point < 0 ? number : number[..point];
        var fraction = point < 0 ? [] : number[(point + 1)..];
        if (unit == 0 || whole.Length > 18 || (whole.IsEmpty && fraction.IsEmpty) || fraction.Contains('.'))
            return false;
        if (!whole.IsEmpty)
            nanos = long.Parse(whole, NumberStyles.None, CultureInfo.InvariantCulture) * (Int128)unit;
        fraction = fraction[..Math.Min(fraction.Length, 15)];
        if (!fraction.IsEmpty)
            nanos += long.Parse(fraction, NumberStyles.None, CultureInfo.InvariantCulture) * (Int128)unit / (long)Math.Pow(10, fraction.Length);
        return true;
    }
}
