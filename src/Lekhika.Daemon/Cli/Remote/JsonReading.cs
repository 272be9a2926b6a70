using System.Globalization;
using System.Text.Json;

namespace Lekhika.Daemon.Cli.Remote;

/// <summary>Reads members of replies; what is missing, null or of another kind is null.</summary>
internal static class JsonReading
{
    public static string? Text(this JsonElement owner, string name) =>
        owner.ValueKind == JsonValueKind.Object && owner.TryGetProperty(name, out var value) && value.ValueKind == JsonValueKind.String ? value.GetString() : null;

    public static double? Number(this JsonElement owner, string name) =>
        owner.ValueKind == JsonValueKind.Object && owner.TryGetProperty(name, out var value) && value.ValueKind == JsonValueKind.Number ? value.GetDouble() : null;

    public static IEnumerable<JsonElement> Items(this JsonElement owner, string name) =>
        owner.ValueKind == JsonValueKind.Object && owner.TryGetProperty(name, out var value) && value.ValueKind == JsonValueKind.Array ? value.EnumerateArray() : [];

    public static JsonElement? Member(this JsonElement owner, string name) =>
        owner.ValueKind == JsonValueKind.Object && owner.TryGetProperty(name, out var value) && value.ValueKind is not (JsonValueKind.Null or JsonValueKind.Undefined) ? value : null;

    /// <summary>A time as people of this machine read it.</summary>
    public static string Time(this JsonElement owner, string name, TimeProvider time) =>
        Instant(owner, name) is { } at
            ? TimeZoneInfo.ConvertTime(at, time.LocalTimeZone).ToString("yyyy-MM-dd HH:mm:ss", CultureInfo.InvariantCulture)
            : "";

    /// <summary>Milliseconds from one time to another; null where one of them is not there.</summary>
    public static double? Between(this JsonElement owner, string from, string to) =>
        Instant(owner, from) is { } begin && Instant(owner, to) is { } end ? Math.Max(0, (end - begin).TotalMilliseconds) : null;

    /// <summary>A number of milliseconds as people read it.</summary>
    public static string Duration(double? milliseconds) => milliseconds switch
    {
        null => "",
        < 1000 => string.Create(CultureInfo.InvariantCulture, $"{milliseconds:0} ms"),
        < 60_000 => string.Create(CultureInfo.InvariantCulture, $"{milliseconds / 1000:0.0} s"),
        < 3_600_000 => string.Create(CultureInfo.InvariantCulture, $"{(int)(milliseconds / 60_000)} min {(int)(milliseconds / 1000 % 60)} s"),
        _ => string.Create(CultureInfo.InvariantCulture, $"{(int)(milliseconds / 3_600_000)} h {(int)(milliseconds / 60_000 % 60)} min"),
    };

    /// <summary>Free of what a terminal would obey: text from workflows and models is shown, never acted on.</summary>
    public static string Plain(string? text) => text is null ? "" : string.Create(text.Length, text, static (to, from) =>
    {
        for (var i = 0; i < to.Length; i++) to[i] = char.IsControl(from[i]) ? ' ' : from[i];
    });

    private static DateTimeOffset? Instant(JsonElement owner, string name) =>
        owner.Text(name) is { } text && DateTimeOffset.TryParse(text, CultureInfo.InvariantCulture, DateTimeStyles.RoundtripKind, out var at) ? at : null;
}
