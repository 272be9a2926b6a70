using System.Globalization;
using System.Text.Json;

namespace Lekhika.Workflows.Definitions;

/// <summary>
/// Durations as authors write them: <c>"100ms"</c>, <c>"30s"</c>, <c>"10m"</c>, <c>"1h"</c>, <c>"2d"</c> (decimals allowed), or seconds as a
/// number. The resolution is one millisecond; the range is zero to 36 500 days.
/// </summary>
public static class DurationText
{
    private const double LongestMilliseconds = 36_500d * 86_400_000d;

    /// <summary>What to tell an author whose duration cannot be read.</summary>
    public const string Expected = "a duration such as \"100ms\", \"30s\", \"10m\", \"1h\" or \"2d\", or seconds as a number";

    /// <summary>Reads a duration from text; a bare number means seconds.</summary>
    public static bool TryParse(string? text, out TimeSpan duration)
    {
        duration = default;
        if (string.IsNullOrWhiteSpace(text)) return false;
        var span = text.AsSpan().Trim();
        var digits = 0;
        while (digits < span.Length && (char.IsAsciiDigit(span[digits]) || span[digits] == '.')) digits++;
        if (digits == 0) return false;
        double factor = span[digits..].TrimStart() switch
        {
            "ms" => 1,
            "" or "s" => 1000,
            "m" => 60_000,
            "h" => 3_600_000,
            "d" => 86_400_000,
            _ => -1,
        };
        return factor > 0
            && double.TryParse(span[..digits], NumberStyles.AllowDecimalPoint, CultureInfo.InvariantCulture, out var number)
            && TryFromMilliseconds(number * factor, out duration);
    }

    /// <summary>Reads a duration from a JSON string, or from a JSON number of seconds.</summary>
    public static bool TryRead(JsonElement value, out TimeSpan duration)
    {
        duration = default;
        return value.ValueKind switch
        {
            JsonValueKind.String => TryParse(value.GetString(), out duration),
            JsonValueKind.Number => value.TryGetDouble(out var seconds) && TryFromMilliseconds(seconds * 1000, out duration),
            _ => false,
        };
    }

    /// <summary>Writes a duration in the largest unit that divides it, so that it reads back the same to the millisecond.</summary>
    public static string Write(TimeSpan duration)
    {
        var milliseconds = (long)Math.Round(duration.TotalMilliseconds);
        var (amount, unit) = milliseconds switch
        {
            0 => (0L, "s"),
            _ when milliseconds % 86_400_000 == 0 => (milliseconds / 86_400_000, "d"),
            _ when milliseconds % 3_600_000 == 0 => (milliseconds / 3_600_000, "h"),
            _ when milliseconds % 60_000 == 0 => (milliseconds / 60_000, "m"),
            _ when milliseconds % 1000 == 0 => (milliseconds / 1000, "s"),
            _ => (milliseconds, "ms"),
        };
        return string.Create(CultureInfo.InvariantCulture, $"{amount}{unit}");
    }

    private static bool TryFromMilliseconds(double milliseconds, out TimeSpan duration)
    {
        duration = default;
        if (!double.IsFinite(milliseconds) || milliseconds < 0 || milliseconds > LongestMilliseconds) return false;
        duration = TimeSpan.FromMilliseconds((long)Math.Round(milliseconds));
        return true;
    }
}
