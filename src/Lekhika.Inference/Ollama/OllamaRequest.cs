using System.Globalization;
using System.Text.Json;
using Lekhika.Inference.Endpoints;

namespace Lekhika.Inference.Ollama;

/// <summary>The body of POST /api/chat.</summary>
internal static class OllamaRequest
{
    public static HttpContent Body(ModelRequest request, string keepAlive, bool stream = true) =>
        RequestJson.Content((request, keepAlive, stream), static (writer, state) => Write(writer, state.request, state.keepAlive, state.stream));

    private static void Write(Utf8JsonWriter writer, ModelRequest request, string keepAlive, bool stream)
    {
        writer.WriteString("model"u8, request.Model);
        RequestJson.Messages(writer, request);
        writer.WriteBoolean("stream"u8, stream);
        if (request.Format is { ValueKind: not JsonValueKind.Undefined } format)
        {
            writer.WritePropertyName("format"u8);
            format.WriteTo(writer);
        }

        if (request.Think is { ValueKind: not (JsonValueKind.Undefined or JsonValueKind.Null) } think)
        {
            writer.WritePropertyName("think"u8);
            think.WriteTo(writer);
        }

        // A number in a string is refused by the server ("missing unit in duration").
        if (long.TryParse(keepAlive, NumberStyles.AllowLeadingSign, CultureInfo.InvariantCulture, out var seconds))
            writer.WriteNumber("keep_alive"u8, seconds);
        else if (keepAlive.Length > 0)
            writer.WriteString("keep_alive"u8, keepAlive);

        writer.WriteStartObject("options"u8);
        if (request.Temperature is { } temperature)
            writer.WriteNumber("temperature"u8, temperature);
        if (request.MaxTokens is { } tokens)
            writer.WriteNumber("num_predict"u8, tokens);
        if (request.ContextTokens is { } context)
            writer.WriteNumber("num_ctx"u8, context);
        RequestJson.Stop(writer, request);
        RequestJson.Rest(writer, request.Options, property =>
            (request.Temperature is not null && property.NameEquals("temperature"u8))
            || (request.MaxTokens is not null && property.NameEquals("num_predict"u8))
            || (request.ContextTokens is not null && property.NameEquals("num_ctx"u8))
            || (!request.Stop.IsDefaultOrEmpty && property.NameEquals("stop"u8)));
        writer.WriteEndObject();
    }
}
