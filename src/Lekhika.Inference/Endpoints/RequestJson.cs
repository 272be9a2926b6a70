using System.Buffers;
using System.Net.Http.Headers;
using System.Text.Encodings.Web;
using System.Text.Json;

namespace Lekhika.Inference.Endpoints;

/// <summary>Building request bodies. Text beyond ASCII goes out as it is: six bytes for each character of a Nepali prompt would be waste.</summary>
internal static class RequestJson
{
    private static readonly JsonWriterOptions Options = new() { Encoder = JavaScriptEncoder.UnsafeRelaxedJsonEscaping };

    public static HttpContent Content<TState>(TState state, Action<Utf8JsonWriter, TState> write)
    {
        var buffer = new ArrayBufferWriter<byte>(4096);
        using (var writer = new Utf8JsonWriter(buffer, Options))
        {
            writer.WriteStartObject();
            write(writer, state);
            writer.WriteEndObject();
        }

        var content = new ReadOnlyMemoryContent(buffer.WrittenMemory);
        content.Headers.ContentType = new MediaTypeHeaderValue("application/json");
        return content;
    }

    public static void Messages(Utf8JsonWriter writer, ModelRequest request)
    {
        writer.WriteStartArray("messages"u8);
        foreach (var message in request.Messages)
        {
            writer.WriteStartObject();
            writer.WriteString("role"u8, message.Role);
            writer.WriteString("content"u8, message.Content);
            writer.WriteEndObject();
        }

        writer.WriteEndArray();
    }

    public static void Stop(Utf8JsonWriter writer, ModelRequest request)
    {
        if (request.Stop.IsDefaultOrEmpty)
            return;
        writer.WriteStartArray("stop"u8);
        foreach (var stop in request.Stop)
            writer.WriteStringValue(stop);
        writer.WriteEndArray();
    }

    /// <summary>The further options, without those that are set by fields of their own.</summary>
    public static void Rest(Utf8JsonWriter writer, JsonElement? options, Func<JsonProperty, bool> taken)
    {
        if (options is not { ValueKind: JsonValueKind.Object } given)
            return;
        foreach (var property in given.EnumerateObject())
        {
            if (!taken(property))
                property.WriteTo(writer);
        }
    }
}
