using System.Collections.Immutable;
using System.Globalization;

namespace Lekhika.Daemon.Configuration;

/// <summary>The kinds of value that settings take.</summary>
internal static class SettingTypes
{
    public static readonly SettingType<bool> Boolean = new("boolean", "true or false", text => text.ToLowerInvariant() switch
    {
        "true" or "yes" or "on" or "1" => true,
        "false" or "no" or "off" or "0" => false,
        _ => Reading<bool>.Failed("expected true or false"),
    });

    public static readonly SettingType<string> Text = new("text", "text", text => text);

    public static readonly SettingType<Secret> SecretText = new("secret", "text", text => new Secret(text));

    public static readonly SettingType<string> FilePath = new("path", "an absolute path", text =>
        text.StartsWith('/') && !text.Contains('\0', StringComparison.Ordinal) ? text : Reading<string>.Failed("expected an absolute path, such as /var/lib/lekhika-daemon"));

    public static readonly SettingType<Uri> HttpUrl = new("url", "an http:// or https:// URL", ReadHttpUrl);

    public static readonly SettingType<ImmutableArray<Uri>> HttpUrls =
        new("urls", "one or more http:// or https:// URLs, separated by commas", text => ReadList(text, ReadHttpUrl));

    public static readonly SettingType<ImmutableArray<ListenUrl>> ListenUrls =
        new("urls", "one or more http:// addresses, separated by commas, or none", text =>
            text == "none" ? ImmutableArray<ListenUrl>.Empty : ReadList(text, ListenUrl.Read));

    public static readonly SettingType<ImmutableArray<AllowedDestination>> Destinations =
        new("list", "hosts, host:port pairs and networks such as 10.0.0.0/8, separated by commas", text => ReadList(text, AllowedDestination.Read));

    public static SettingType<int> Integer(int least, int most)
    {
        var expected = string.Create(CultureInfo.InvariantCulture, $"a whole number from {least} to {most}");
        return new("integer", expected, text =>
            int.TryParse(text, NumberStyles.AllowLeadingSign, CultureInfo.InvariantCulture, out var number) && number >= least && number <= most
                ? number
                : Reading<int>.Failed($"expected {expected}"));
    }

    /// <summary>One or more numbers, separated by commas.</summary>
    public static SettingType<ImmutableArray<double>> Numbers(double least, double most)
    {
        var expected = string.Create(CultureInfo.InvariantCulture, $"a number from {least} to {most}");
        return new("list", string.Create(CultureInfo.InvariantCulture, $"numbers from {least} to {most}, separated by commas"), text => ReadList(text, part =>
            double.TryParse(part, NumberStyles.Float, CultureInfo.InvariantCulture, out var number) && number >= least && number <= most
                ? number
                : Reading<double>.Failed($"expected {expected}")));
    }

    public static SettingType<TimeSpan> Duration(string least, string most)
    {
        _ = DurationText.TryParse(least, out var from);
        _ = DurationText.TryParse(most, out var to);
        return new("duration", $"a duration from {least} to {most}", text => !DurationText.TryParse(text, out var duration)
            ? Reading<TimeSpan>.Failed($"expected {DurationText.Form}")
            : duration < from || duration > to ? Reading<TimeSpan>.Failed($"expected a duration from {least} to {most}") : duration);
    }

    /// <summary>A duration or a word that stands for no end; the word reads as <see cref="Timeout.InfiniteTimeSpan"/>.</summary>
    public static SettingType<TimeSpan> DurationOr(string word, string least, string most)
    {
        var finite = Duration(least, most);
        return new("duration", $"{finite.Expected}, or {word}", text =>
            text == word ? Timeout.InfiniteTimeSpan : finite.Read(text) is { Error: { } error } ? Reading<TimeSpan>.Failed($"{error}, or {word}") : finite.Read(text));
    }

    public static SettingType<long> Size(string least, string most)
    {
        _ = SizeText.TryParse(least, out var from);
        _ = SizeText.TryParse(most, out var to);
        return new("size", $"a size from {least} to {most}", text => !SizeText.TryParse(text, out var size)
            ? Reading<long>.Failed($"expected {SizeText.Form}")
            : size < from || size > to ? Reading<long>.Failed($"expected a size from {least} to {most}") : size);
    }

    /// <summary>One word of a few.</summary>
    public static SettingType<T> Choice<T>(params (string Word, T Value)[] choices)
        where T : notnull
    {
        var words = string.Join(", ", choices.Select(choice => choice.Word));
        return new("choice", $"one of {words}", text =>
        {
            foreach (var (word, value) in choices)
            {
                if (word.Equals(text, StringComparison.OrdinalIgnoreCase))
                {
                    return value;
                }
            }

            return Reading<T>.Failed($"expected one of {words}");
        });
    }

    /// <summary>Text that must follow a rule.</summary>
    public static SettingType<string> TextOf(string expected, Func<string, bool> fits) =>
        new("text", expected, text => fits(text) ? text : Reading<string>.Failed($"expected {expected}"));

    private static Reading<Uri> ReadHttpUrl(string text)
    {
        if (!text.StartsWith("http://", StringComparison.OrdinalIgnoreCase) && !text.StartsWith("https://", StringComparison.OrdinalIgnoreCase))
        {
            return Reading<Uri>.Failed("expected a URL that begins with http:// or https://");
        }

        return Uri.TryCreate(text, UriKind.Absolute, out var url) && url.Host.Length > 0
            ? url
            : Reading<Uri>.Failed("not a well-formed URL; expected something like http://127.0.0.1:11434");
    }

    /// <summary>Reads the items of a list, which are separated by commas; there is at least one.</summary>
    public static Reading<ImmutableArray<T>> ReadList<T>(string text, Func<string, Reading<T>> readItem)
    {
        var items = ImmutableArray.CreateBuilder<T>();
        var parts = text.Split(',', StringSplitOptions.TrimEntries | StringSplitOptions.RemoveEmptyEntries);
        foreach (var (index, part) in parts.Index())
        {
            var (item, error) = readItem(part);
            if (error is not null)
            {
                return Reading<ImmutableArray<T>>.Failed(parts.Length == 1 ? error : $"item {index + 1}: {error}");
            }

            items.Add(item!);
        }

        return items.Count > 0 ? items.ToImmutable() : Reading<ImmutableArray<T>>.Failed("expected at least one item");
    }
}
