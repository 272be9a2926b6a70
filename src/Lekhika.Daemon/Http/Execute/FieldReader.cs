using System.Globalization;
using System.Text.Json;

namespace Lekhika.Daemon.Http.Execute;

/// <summary>Reads fields of an object and notes each that is not what it should be. Null counts as absent.</summary>
internal sealed class FieldReader(JsonElement owner, string path, List<FieldProblem> problems)
{
    public static bool IsThere(JsonElement owner, string name) =>
        owner.TryGetProperty(name, out var value) && value.ValueKind != JsonValueKind.Null;

    public JsonElement? Object(string name)
    {
        if (!TryGet(name, out var value)) return null;
        if (value.ValueKind == JsonValueKind.Object) return value;
        Wrong(name, $"is {JsonKinds.Describe(value)}; expected an object");
        return null;
    }

    public string? Text(string name, int maxLength)
    {
        if (!TryGet(name, out var value)) return null;
        if (value.ValueKind != JsonValueKind.String)
        {
            Wrong(name, $"is {JsonKinds.Describe(value)}; expected a string");
            return null;
        }

        var text = value.GetString()!;
        if (text.Length <= maxLength) return text.Length == 0 ? null : text;
        Wrong(name, string.Create(CultureInfo.InvariantCulture, $"has {text.Length} characters; at most {maxLength} are taken"));
        return null;
    }

    public Guid? Id(string name)
    {
        if (!TryGet(name, out var value)) return null;
        if (value.ValueKind == JsonValueKind.String && RouteId.TryParse(value.GetString(), out var id)) return id;
        Wrong(name, value.ValueKind == JsonValueKind.String
            ? "is not a UUID; expected one such as 0197f3a0-4c1e-7d2b-9a55-3f6f0b1c2d3e"
            : $"is {JsonKinds.Describe(value)}; expected a UUID as a string");
        return null;
    }

    public int? Integer(string name)
    {
        if (!TryGet(name, out var value)) return null;
        if (value.ValueKind == JsonValueKind.Number && value.TryGetInt32(out var number)) return number;
        Wrong(name, $"is {Shown(value)}; expected a whole number from {int.MinValue} to {int.MaxValue}");
        return null;
    }

    public DateTimeOffset? Time(string name)
    {
        if (!TryGet(name, out var value)) return null;
        if (value.ValueKind == JsonValueKind.String && HasZone(value.GetString()!) && value.TryGetDateTimeOffset(out var time)) return time;
        Wrong(name, $"is {Shown(value)}; expected a time with its zone, such as \"2026-11-22T09:30:00Z\"");
        return null;
    }

    public TimeSpan? Seconds(string name, double most)
    {
        if (!TryGet(name, out var value)) return null;
        if (value.ValueKind == JsonValueKind.Number && value.TryGetDouble(out var seconds) && seconds > 0 && seconds <= most)
            return TimeSpan.FromSeconds(seconds);
        Wrong(name, string.Create(CultureInfo.InvariantCulture, $"is {Shown(value)}; expected seconds, more than 0 and at most {most}"));
        return null;
    }

    private bool TryGet(string name, out JsonElement value) => owner.TryGetProperty(name, out value) && value.ValueKind != JsonValueKind.Null;

    private void Wrong(string name, string message) => problems.Add(new FieldProblem(path + name, message, "invalid"));

    // Without one it would be read as this machine's local time.
    private static bool HasZone(string text) =>
        text.EndsWith('Z') || text.EndsWith('z') || text.LastIndexOfAny(['+', '-']) > text.IndexOf('T', StringComparison.Ordinal);

    private static string Shown(JsonElement value)
    {
        if (value.ValueKind is not (JsonValueKind.Number or JsonValueKind.String)) return JsonKinds.Describe(value);
        var text = value.GetRawText();
        return text.Length <= 60 ? text : JsonKinds.Describe(value);
    }
}
