using System.Globalization;
using System.Text.Json;
using Lekhika.Workflows.Definitions;

namespace Lekhika.Daemon.Nodes;

/// <summary>Reads fields of a rendered configuration. What a template gave may be text where a number is meant; that is read too.</summary>
internal static class NodeConfig
{
    /// <summary>The field; null if it is missing or null.</summary>
    public static JsonElement? Get(this JsonElement config, string name) =>
        config.ValueKind == JsonValueKind.Object && config.TryGetProperty(name, out var value) && value.ValueKind is not (JsonValueKind.Null or JsonValueKind.Undefined)
            ? value
            : null;

    /// <summary>The field as text; what is no string as JSON.</summary>
    public static string? Text(this JsonElement config, string name) => config.Get(name) is { } value ? TextOf(value) : null;

    /// <summary>A value as text; what is no string as JSON.</summary>
    public static string TextOf(JsonElement value) => value.ValueKind == JsonValueKind.String ? value.GetString()! : value.GetRawText();

    /// <summary>The field as a number.</summary>
    public static double? Number(this JsonElement config, string name) => config.Get(name) switch
    {
        { ValueKind: JsonValueKind.Number } value => value.GetDouble(),
        { ValueKind: JsonValueKind.String } value when double.TryParse(value.GetString(), NumberStyles.Float, CultureInfo.InvariantCulture, out var number)
            && double.IsFinite(number) => number,
        _ => null,
    };

    /// <summary>The field as a whole number within the range of an int.</summary>
    public static int? Integer(this JsonElement config, string name) =>
        config.Number(name) is { } number && Math.Floor(number) == number && Math.Abs(number) <= int.MaxValue ? (int)number : null;

    public static bool Flag(this JsonElement config, string name, bool otherwise = false) => config.Get(name) switch
    {
        { ValueKind: JsonValueKind.True } => true,
        { ValueKind: JsonValueKind.False } => false,
        { ValueKind: JsonValueKind.String } value when bool.TryParse(value.GetString(), out var flag) => flag,
        _ => otherwise,
    };

    public static TimeSpan? Duration(this JsonElement config, string name) =>
        config.Get(name) is { } value && DurationText.TryRead(value, out var duration) ? duration : null;

    /// <summary>The field as texts: an array of them, or one.</summary>
    public static IReadOnlyList<string> Texts(this JsonElement config, string name) => config.Get(name) switch
    {
        { ValueKind: JsonValueKind.Array } list => [.. list.EnumerateArray().Select(ChoiceOf)],
        { } one => [TextOf(one)],
        null => [],
    };

    /// <summary>A choice as authors write them: a text, or an object with a value.</summary>
    public static string ChoiceOf(JsonElement entry) =>
        entry.ValueKind == JsonValueKind.Object && entry.TryGetProperty("value", out var value) ? ChoiceOf(value) : TextOf(entry);
}
