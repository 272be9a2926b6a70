using System.Text.Json;

namespace Lekhika.Daemon.Nodes.Secrets;

/// <summary>Replaces text inside the strings of a JSON value.</summary>
internal static class JsonStrings
{
    /// <param name="json">The value.</param>
    /// <param name="replace">What becomes of each string.</param>
    /// <param name="names">Whether names of members are strings too.</param>
    /// <returns>The same value, or a new one that owns its memory.</returns>
    public static JsonElement Replace(JsonElement json, Func<string, string> replace, bool names = false)
    {
        var changed = false;
        var made = JsonConstants.Value(writer => Write(writer, json, text =>
        {
            var now = replace(text);
            changed |= !ReferenceEquals(now, text) && now != text;
            return now;
        }, names));
        return changed ? made : json;
    }

    /// <summary>The text; null if it holds half a surrogate pair, which is no text and goes on as it is.</summary>
    private static string? TextOf(JsonElement json)
    {
        try
        {
            return json.GetString();
        }
        catch (InvalidOperationException)
        {
            return null;
        }
    }

    private static string NameOf(JsonProperty property)
    {
        try
        {
            return property.Name;
        }
        catch (InvalidOperationException)
        {
            return "\uFFFD";
        }
    }

    private static void Write(Utf8JsonWriter writer, JsonElement json, Func<string, string> replace, bool names)
    {
        switch (json.ValueKind)
        {
            case JsonValueKind.Object:
                writer.WriteStartObject();
                foreach (var property in json.EnumerateObject())
                {
                    var name = NameOf(property);
                    writer.WritePropertyName(names ? replace(name) : name);
                    Write(writer, property.Value, replace, names);
                }

                writer.WriteEndObject();
                break;
            case JsonValueKind.Array:
                writer.WriteStartArray();
                foreach (var item in json.EnumerateArray()) Write(writer, item, replace, names);
                writer.WriteEndArray();
                break;
            case JsonValueKind.String when TextOf(json) is { } text:
                writer.WriteStringValue(replace(text));
                break;
            default:
                json.WriteTo(writer);
                break;
        }
    }
}
