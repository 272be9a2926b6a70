using System.Buffers;
using System.Text.Encodings.Web;
using System.Text.Json;
using System.Text.Json.Nodes;

namespace Lekhika.Workflows.Definitions;

/// <summary>Small reads of JSON that never throw, and what an author calls each kind of value.</summary>
internal static class JsonKinds
{
    private const int LargestKept = 64 * 1024;

    [ThreadStatic]
    private static ArrayBufferWriter<byte>? s_buffer;

    /// <summary>Quotes and letters stay readable: this JSON goes to databases, editors and terminals, never unescaped into a page.</summary>
    public static JsonWriterOptions Readable { get; } = new() { Encoder = JavaScriptEncoder.UnsafeRelaxedJsonEscaping };

    /// <summary>An empty JSON object that outlives every document.</summary>
    public static JsonElement EmptyObject { get; } = Parse("{}"u8);

    public static bool TryGet(this JsonElement element, string name, out JsonElement value)
    {
        value = default;
        return element.ValueKind == JsonValueKind.Object && element.TryGetProperty(name, out value);
    }

    /// <summary>The text under a name, or null if it is missing, empty or no string.</summary>
    public static string? Text(this JsonElement element, string name) =>
        element.TryGet(name, out var value) && value.ValueKind == JsonValueKind.String && value.GetString() is { Length: > 0 } text ? text : null;

    /// <summary>The object under a name, or an empty one.</summary>
    public static JsonElement ObjectOrEmpty(this JsonElement element, string name) =>
        element.TryGet(name, out var value) && value.ValueKind == JsonValueKind.Object ? value : EmptyObject;

    /// <summary>A string, number or boolean as text; null for anything else.</summary>
    public static string? Scalar(this JsonElement value) => value.ValueKind switch
    {
        JsonValueKind.String => value.GetString(),
        JsonValueKind.Number => value.GetRawText(),
        JsonValueKind.True => "true",
        JsonValueKind.False => "false",
        _ => null,
    };

    public static string Describe(this JsonElement value) => value.ValueKind switch
    {
        JsonValueKind.Object => "an object",
        JsonValueKind.Array => "an array",
        JsonValueKind.String => "a string",
        JsonValueKind.Number => "a number",
        JsonValueKind.True or JsonValueKind.False => "a boolean",
        JsonValueKind.Null => "null",
        _ => "nothing",
    };

    /// <summary>A mutable copy; of repeated names the last one stands, as in <see cref="JsonElement.TryGetProperty(string, out JsonElement)"/>.</summary>
    public static JsonNode? ToNode(this JsonElement value)
    {
        switch (value.ValueKind)
        {
            case JsonValueKind.Object:
                var map = new JsonObject();
                foreach (var property in value.EnumerateObject()) map[property.Name] = property.Value.ToNode();
                return map;
            case JsonValueKind.Array:
                var list = new JsonArray();
                foreach (var item in value.EnumerateArray()) list.Add(item.ToNode());
                return list;
            case JsonValueKind.Null or JsonValueKind.Undefined:
                return null;
            default:
                return JsonValue.Create(value.Clone());
        }
    }

    /// <summary>An immutable copy that belongs to no document.</summary>
    public static JsonElement ToElement(this JsonNode? node)
    {
        // A reader makes one element for each node of a graph: the buffer is used again, unless it has grown large.
        var buffer = s_buffer ?? new ArrayBufferWriter<byte>(4096);
        s_buffer = null;
        buffer.ResetWrittenCount();
        using (var writer = new Utf8JsonWriter(buffer, Readable))
        {
            if (node is null) writer.WriteNullValue();
            else node.WriteTo(writer);
        }

        var element = Parse(buffer.WrittenSpan);
        if (buffer.Capacity <= LargestKept) s_buffer = buffer;
        return element;
    }

    private static JsonElement Parse(ReadOnlySpan<byte> json)
    {
        var reader = new Utf8JsonReader(json, new JsonReaderOptions { MaxDepth = 512 });
        return JsonElement.ParseValue(ref reader);
    }
}
