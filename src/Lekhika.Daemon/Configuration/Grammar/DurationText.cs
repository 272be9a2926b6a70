using System.Globalization;

namespace Lekhika.Daemon.Configuration;

/// <summary>Durations as text: <c>100ms</c>, <c>30s</c>, <c>10m</c>, <c>1h</c>, <c>7d</c>, or a plain number of seconds; decimals allowed.</summary>
internal static class DurationText
{
    /// <summary>The form, for messages and documentation.</summary>
    public const string Form = "a duration such as 100ms, 30s, 10m, 1h or 7d (a plain number means seconds)";

    private static readonly (string Suffix, double Milliseconds)[] Units =
        [("ms", 1), ("s", 1_000), ("m", 60_000), ("h", 3_600_000), ("d", 86_400_000)];

    public static bool TryParse(string text, out TimeSpan duration)
    {
        duration = default;
        var digits = text.AsSpan().TrimEnd("abcdefghijklmnopqrstuvwxyz");
        var suffix = text.AsSpan(digits.Length);
        var scale = suffix.IsEmpty ? 1_000 : ScaleOf(suffix);
        const NumberStyles style = NumberStyles.AllowDecimalPoint | NumberStyles.AllowTrailingWhite;
        if (scale == 0 || !double.TryParse(digits, style, CultureInfo.InvariantCulture, out var number))
        {
            return false;
        }

        var milliseconds = number * scale;
        if (!double.IsFinite(milliseconds) || milliseconds > TimeSpan.MaxValue.TotalMilliseconds / 2)
        {
            return false;
        }

        duration = TimeSpan.FromTicks((long)Math.Round(milliseconds * TimeSpan.TicksPerMillisecond));
        return true;
    }

    /// <summary>The shortest exact form, in the largest unit that divides it.</summary>
    public static string Format(TimeSpan duration)
    {
        for (var i = Units.Length - 1; i >= 0; i--)
        {
            var ticks = (long)(Units[i].Milliseconds * TimeSpan.TicksPerMillisecond);
            if (duration.Ticks != 0 && duration.Ticks % ticks == 0)
            {
                return string.Create(CultureInfo.InvariantCulture, $"{duration.Ticks / ticks}{Units[i].Suffix}");
            }
        }

        return duration == TimeSpan.Zero ? "0s" : string.Create(CultureInfo.InvariantCulture, $"{duration.TotalMilliseconds:0.####}ms");
    }

    private static double ScaleOf(ReadOnlySpan<char> suffix)
    {
        foreach (var (name, scale) in Units)
        {
            if (suffix.SequenceEqual(name))
            {
                return scale;
            }
        }

        return 0;
    }
}
