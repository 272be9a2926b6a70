using System.Text.Encodings.Web;
using System.Text.Json;

namespace Lekhika.Daemon.Nodes;

/// <summary>JSON values that are needed again and again, and elements from what was just written.</summary>
internal static class JsonConstants
{
    // What is stored and shown is JSON in UTF-8, never inside HTML: nothing but what JSON demands is escaped.
    private static readonly JsonWriterOptions Plain = new() { Encoder = JavaScriptEncoder.UnsafeRelaxedJsonEscaping };

    public static JsonElement True { get; } = Parse("true"u8.ToArray());

    public static JsonElement False { get; } = Parse("false"u8.ToArray());

    public static JsonElement EmptyObject { get; } = Parse("{}"u8.ToArray());

    public static JsonElement Parse(ReadOnlyMemory<byte> utf8)
    {
        using var document = JsonDocument.Parse(utf8, new JsonDocumentOptions { MaxDepth = 512 });
        return document.RootElement.Clone();
    }

    public static JsonElement Parse(MemoryStream written) => Parse(written.GetBuffer().AsMemory(0, (int)written.Length));

    /// <summary>An object from what <paramref name="properties"/> writes into it.</summary>
    public static JsonElement Object(Action<Utf8JsonWriter> properties) => Value(writer =>
    {
        writer.WriteStartObject();
        properties(writer);
        writer.WriteEndObject();
    });

    /// <summary>The one value that <paramref name="value"/> writes.</summary>
    public static JsonElement Value(Action<Utf8JsonWriter> value)
    {
        using var buffer = new MemoryStream();
        using (var writer = new Utf8JsonWriter(buffer, Plain)) value(writer);
        return Parse(buffer);
    }
}
