using System.Text.Json;
using System.Text.Json.Nodes;
using Lekhika.Workflows.Definitions;

namespace Lekhika.Workflows.Dialects;

/// <summary>Values that editors keep as JSON in a text field.</summary>
internal static class JsonReading
{
    private static readonly string[] Wrappers = ["nodes", "edges", "graph_config"];

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

    /// <summary>Opens nodes, edges or a graph that are kept as JSON in a text, as some tables of the earlier platforms do. Gives whether there were any.</summary>
    public static bool Open(ref JsonElement document)
    {
        var opened = (JsonObject?)null;
        foreach (var name in Wrappers)
        {
            if (!document.TryGet(name, out var value) || Parsed(value) is var parsed && parsed.ValueKind == value.ValueKind) continue;
            opened ??= (JsonObject)document.ToNode()!;
            opened[name] = parsed.ToNode();
        }

        if (opened is null) return false;
        document = opened.ToElement();
        return true;
    }

    public static JsonElement Parsed(JsonElement config, string field) => config.TryGet(field, out var value) ? Parsed(value) : default;
}
