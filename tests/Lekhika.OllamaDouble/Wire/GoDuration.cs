using System.Globalization;
using System.Text.Json;

namespace Lekhika.Doubles;

/// <summary>Durations as the server reads them: Go's notation in a string, seconds as a number, negative for ever.</summary>
internal static class GoDuration
{
    /// <summary>The longest duration Go can hold, 292 years: what "for ever" becomes.</summary>
    public static readonly TimeSpan Forever = TimeSpan.FromTicks(long.MaxValue / 100);

    private static readonly Dictionary<string, double> Units = new(StringComparer.Ordinal)
    {
        ["ns"] = 1e-6,
        ["us"] = 1e-3,
        ["µs"] = 1e-3,
        ["μs"] = 1e-3,
        ["ms"] = 1,
        ["s"] = 1000,
        ["m"] = 60_000,
        ["h"] = 3_600_000,
    };

    /// <exception cref="ApiException">Neither a duration nor a number of seconds; the text is the server's.</exception>
    public static TimeSpan? Read(JsonElement value) => value.ValueKind switch
    {
        JsonValueKind.Null or JsonValueKind.Undefined => null,
        JsonValueKind.Number => Bounded(value.GetDouble() * 1000),
        JsonValueKind.String => Parse(value.GetString()!),
        JsonValueKind.True or JsonValueKind.False => throw new ApiException(400, "Unsupported type: 'bool'"),
        JsonValueKind.Array => throw new ApiException(400, "Unsupported type: '[]interface {}'"),
        _ => throw new ApiException(400, "Unsupported type: 'map[string]interface {}'"),
    };

    /// <exception cref="ApiException">Not a duration; the text is Go's.</exception>
    public static TimeSpan Parse(string text)
    {
        var rest = text.AsSpan();
        var negative = rest.StartsWith("-");
        if (negative || rest.StartsWith("+"))
            rest = rest[1..];
        if (rest.SequenceEqual("0"))
            return TimeSpan.Zero;
        if (rest.IsEmpty)
            throw Invalid(text);
        var total = 0.0;
        while (!rest.IsEmpty)
        {
            var digits = Length(rest, static c => char.IsAsciiDigit(c) || c == '.');
            if (digits == 0 || !double.TryParse(rest[..digits], NumberStyles.AllowDecimalPoint, CultureInfo.InvariantCulture, out var number))
                throw Invalid(text);
            rest = rest[digits..];
            var letters = Length(rest, static c => !char.IsAsciiDigit(c) && c != '.');
            if (letters == 0)
                throw new ApiException(400, $"time: missing unit in duration \"{text}\"");
            var unit = rest[..letters].ToString();
            if (!Units.TryGetValue(unit, out var milliseconds))
                throw new ApiException(400, $"time: unknown unit \"{unit}\" in duration \"{text}\"");
            total += number * milliseconds;
            rest = rest[letters..];
        }
        return Bounded(negative ? -total : total);
    }

    private static TimeSpan Bounded(double milliseconds) =>
        milliseconds < 0 || milliseconds >= Forever.TotalMilliseconds ? Forever : TimeSpan.FromMilliseconds(milliseconds);

    private static ApiException Invalid(string text) => new(400, $"time: invalid duration \"{text}\"");

    private static int Length(ReadOnlySpan<char> text, Func<char, bool> belongs)
    {
        var length = 0;
        while (length < text.Length && belongs(text[length]))
            length++;
        return length;
    }
}
