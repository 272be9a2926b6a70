using System.Text.Json;
using Lekhika.Workflows.Definitions;

namespace Lekhika.Workflows.Dialects;

/// <summary>Values that editors keep as JSON in a text field.</summary>
internal static class JsonReading
{
    /// <summary>What the text holds if it is a JSON object or array, else the value itself.</summary>
    public static JsonElement Parsed(JsonElement value)
    {
        if (value.ValueKind != JsonValueKind.String) return value;
        var text = value.GetString()!.Trim();
        if (text.Length == 0 || text[0] is not ('{' or '[') || text.StartsWith("{{", StringComparison.Ordinal)) return value;
        try
        {
            using var document = JsonDocument.Parse(text);
            return DocumentSanity.Check(document.RootElement, new Validation.ProblemList()) ? document.RootElement.Clone() : value;
        }
        catch (JsonException)
        {
            // Not JSON after all: it stays the text it is, and the validator judges it against its field.
            return value;
        }
    }

    public static JsonElement Parsed(JsonElement config, string field) => config.TryGet(field, out var value) ? Parsed(value) : default;
}
