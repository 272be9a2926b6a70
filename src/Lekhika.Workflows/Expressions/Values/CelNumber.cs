using System.Globalization;

namespace Lekhika.Workflows.Expressions;

/// <summary>Numbers across kinds, and as text.</summary>
internal static class CelNumber
{
    private const double TwoTo63 = 9223372036854775808.0;

    public static double ToDouble(in CelValue number) => number.Kind switch
    {
        CelKind.Int => number.IntValue,
        CelKind.UInt => number.UIntValue,
        _ => number.DoubleValue,
    };

    /// <summary>Converts a double that is integral and fits.</summary>
    public static bool TryToInt64(double value, out long integer)
    {
        integer = value >= -TwoTo63 && value < TwoTo63 ? (long)value : 0;
        return value >= -TwoTo63 && value < TwoTo63 && integer == value;
    }

    /// <summary>
    /// Compares two numbers; null if one is NaN. An integer and a double are compared as doubles, which is what the specification's
    /// tests ask for near the ends of the ranges.
    /// </summary>
    public static int? Compare(in CelValue a, in CelValue b)
    {
        switch (a.Kind, b.Kind)
        {
            case (CelKind.Int, CelKind.Int):
                return a.IntValue.CompareTo(b.IntValue);
            case (CelKind.UInt, CelKind.UInt):
                return a.UIntValue.CompareTo(b.UIntValue);
            case (CelKind.Int, CelKind.UInt):
                return a.IntValue < 0 ? -1 : ((ulong)a.IntValue).CompareTo(b.UIntValue);
            case (CelKind.UInt, CelKind.Int):
                return b.IntValue < 0 ? 1 : a.UIntValue.CompareTo((ulong)b.IntValue);
            default:
                var (x, y) = (ToDouble(a), ToDouble(b));
                return double.IsNaN(x) || double.IsNaN(y) ? null : x < y ? -1 : x > y ? 1 : 0;
        }
    }

    /// <summary>The shortest text that reads back as the same double: <c>1.5</c>, <c>2</c>, <c>1e+21</c>, <c>NaN</c>, <c>Infinity</c>.</summary>
    public static string Shortest(double value)
    {
        var text = value.ToString("R", CultureInfo.InvariantCulture);
        var exponentAt = text.IndexOf('E', StringComparison.Ordinal);
        if (exponentAt < 0)
            return value == 0 && double.IsNegative(value) ? "-0" : text;
        var exponent = int.Parse(text.AsSpan(exponentAt + 1), NumberStyles.AllowLeadingSign, CultureInfo.InvariantCulture);
        if (exponent is >= -6 and < 21)
            return Plain(text.AsSpan(0, exponentAt), exponent);
        var sign = exponent < 0 ? '-' : '+';
        return $"{text.AsSpan(0, exponentAt)}e{sign}{Math.Abs(exponent).ToString("00", CultureInfo.InvariantCulture)}";
    }

    /// <summary>The shortest digits, never with an exponent.</summary>
    public static string ShortestPlain(double value)
    {
        var text = value.ToString("R", CultureInfo.InvariantCulture);
        var exponentAt = text.IndexOf('E', StringComparison.Ordinal);
        return exponentAt < 0
            ? Shortest(value)
            : Plain(text.AsSpan(0, exponentAt), int.Parse(text.AsSpan(exponentAt + 1), NumberStyles.AllowLeadingSign, CultureInfo.InvariantCulture));
    }

    /// <summary>Moves the point of <c>-1.25</c> by the exponent.</summary>
    private static string Plain(ReadOnlySpan<char> mantissa, int exponent)
    {
        var sign = mantissa[0] == '-' ? "-" : "";
        var digits = mantissa[sign.Length..].ToString().Replace(".", "", StringComparison.Ordinal);
        return exponent < 0
            ? $"{sign}0.{new string('0', -exponent - 1)}{digits}"
            : exponent >= digits.Length - 1
                ? sign + digits.PadRight(exponent + 1, '0')
                : $"{sign}{digits.AsSpan(0, exponent + 1)}.{digits.AsSpan(exponent + 1)}";
    }
}
