using System.Text.Json;
using Lekhika.Inference.Endpoints;

namespace Lekhika.Inference.OpenAi;

/// <summary>The body of POST /v1/chat/completions.</summary>
internal static class OpenAiRequest
{
    public static HttpContent Body(ModelRequest request) => RequestJson.Content(request, Write);

    private static void Write(Utf8JsonWriter writer, ModelRequest request)
    {
        writer.WriteString("model"u8, request.Model);
        RequestJson.Messages(writer, request);
        writer.WriteBoolean("stream"u8, true);
        writer.WriteStartObject("stream_options"u8);
        writer.WriteBoolean("include_usage"u8, true);
        writer.WriteEndObject();
        if (request.Temperature is { } temperature)
            writer.WriteNumber("temperature"u8, temperature);

        // Newer hosted models want the other name; whoever uses one says so in the options.
        var namesLimit = request.Options is { ValueKind: JsonValueKind.Object } options && options.TryGetProperty("max_completion_tokens"u8, out _);
        var writesLimit = request.MaxTokens is not null && !namesLimit;
        if (writesLimit)
            writer.WriteNumber("max_tokens"u8, request.MaxTokens!.Value);
        RequestJson.Stop(writer, request);
        if (request.Think is { ValueKind: JsonValueKind.String } think)
            writer.WriteString("reasoning_effort"u8, think.GetString());
        if (ReplyText.AsksForJson(request))
            WriteFormat(writer, request.Format!.Value);
        RequestJson.Rest(writer, request.Options, property =>
            property.NameEquals("stream"u8) || property.NameEquals("stream_options"u8) || property.NameEquals("n"u8)
            || property.NameEquals("model"u8) || property.NameEquals("messages"u8)
            || (request.Temperature is not null && property.NameEquals("temperature"u8))
            || (writesLimit && property.NameEquals("max_tokens"u8))
            || (!request.Stop.IsDefaultOrEmpty && property.NameEquals("stop"u8))
            || (request.Think is { ValueKind: JsonValueKind.String } && property.NameEquals("reasoning_effort"u8))
            || (ReplyText.AsksForJson(request) && property.NameEquals("response_format"u8)));
    }

    private static void WriteFormat(Utf8JsonWriter writer, JsonElement format)
    {
        writer.WriteStartObject("response_format"u8);
        if (format.ValueKind == JsonValueKind.Object)
        {
            // Not "strict": that would refuse schemas that are fine elsewhere. The text is checked here in any case.
            writer.WriteString("type"u8, "json_schema"u8);
            writer.WriteStartObject("json_schema"u8);
            writer.WriteString("name"u8, "reply"u8);
            writer.WritePropertyName("schema"u8);
            format.WriteTo(writer);
            writer.WriteEndObject();
        }
        else
            writer.WriteString("type"u8, "json_object"u8);

        writer.WriteEndObject();
    }
}
