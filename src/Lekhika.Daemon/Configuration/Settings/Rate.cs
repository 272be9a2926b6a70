using System.Globalization;

namespace Lekhika.Daemon.Configuration;

/// <summary>So many within a time.</summary>
/// <param name="Count">How many; 1 or more.</param>
/// <param name="Per">Within how long; a second to 31 days.</param>
internal sealed record Rate(int Count, TimeSpan Per)
{
    /// <summary>As a setting: <c>100/1m</c>.</summary>
    public static SettingType<Rate> Type { get; } = new("rate", "a number, a slash and a duration from 1s to 31d, such as 100/1m", Read);

    private static Reading<Rate> Read(string text)
    {
        var slash = text.IndexOf('/', StringComparison.Ordinal);
        return slash > 0
            && int.TryParse(text.AsSpan(0, slash), NumberStyles.None, CultureInfo.InvariantCulture, out var count) && count > 0
            && DurationText.TryParse(text[(slash + 1)..].Trim(), out var per) && per >= TimeSpan.FromSeconds(1) && per <= TimeSpan.FromDays(31)
                ? new Rate(count, per)
                : Reading<Rate>.Failed("expected a number, a slash and a duration from 1s to 31d, such as 100/1m");
    }
}
