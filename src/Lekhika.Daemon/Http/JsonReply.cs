using System.Buffers;
using System.Runtime.InteropServices;
using System.Text;
using System.Text.Encodings.Web;
using System.Text.Json;

namespace Lekhika.Daemon.Http;

/// <summary>Replies in JSON.</summary>
internal static class JsonReply
{
    public const string ContentType = "application/json; charset=utf-8";

    /// <summary>Text is written as it is: nothing here ends up inside HTML, and escaped Devanagari is six times as long.</summary>
    public static JsonWriterOptions WriterOptions { get; } =
        new() { Encoder = JavaScriptEncoder.UnsafeRelaxedJsonEscaping, SkipValidation = true };

    /// <summary>Writes an object whose properties <paramref name="properties"/> writes.</summary>
    public static async Task WriteAsync(HttpContext context, int status, Action<Utf8JsonWriter> properties)
    {
        var buffer = new ArrayBufferWriter<byte>(1024);
        using (var writer = new Utf8JsonWriter(buffer, WriterOptions))
        {
            writer.WriteStartObject();
            properties(writer);
            writer.WriteEndObject();
        }

        var response = context.Response;
        Begin(response, status);
        response.ContentLength = buffer.WrittenCount;
        if (HttpMethods.IsHead(context.Request.Method)) return;
        await response.BodyWriter.WriteAsync(buffer.WrittenMemory, context.RequestAborted);
    }

    public static Task WriteErrorAsync(HttpContext context, RequestException error) => WriteAsync(context, error.Status, writer =>
    {
        writer.WriteBoolean("success"u8, false);
        writer.WriteString("error"u8, error.Message);
        writer.WriteString("code"u8, error.Code);
        if (error.ExecutionId is { } id) writer.WriteString("executionId"u8, id);
        if (error.ExecutionStatus is { } status) writer.WriteString("status"u8, status);
        if (error.Gates is { } gates) writer.WriteRaw("gates"u8, gates);
        if (error.Required.Count > 0)
        {
            writer.WriteStartArray("required"u8);
            foreach (var name in error.Required) writer.WriteStringValue(name);
            writer.WriteEndArray();
        }

        if (error.Problems.Count == 0) return;
        writer.WriteStartArray("problems"u8);
        foreach (var problem in error.Problems)
        {
            writer.WriteStartObject();
            writer.WriteString("path"u8, problem.Path);
            writer.WriteString("message"u8, problem.Message);
            if (problem.Code is not null) writer.WriteString("code"u8, problem.Code);
            if (problem.Suggestion is not null) writer.WriteString("suggestion"u8, problem.Suggestion);
            writer.WriteEndObject();
        }

        writer.WriteEndArray();
    });

    /// <summary>Sets what all replies have in common.</summary>
    public static void Begin(HttpResponse response, int status)
    {
        response.StatusCode = status;
        response.ContentType = ContentType;
        response.Headers.CacheControl = "no-store";
    }

    /// <summary>Copies a value as it was written, without reading it again.</summary>
    public static void WriteRaw(this Utf8JsonWriter writer, JsonElement? element)
    {
        if (element is { ValueKind: not JsonValueKind.Undefined } value)
            writer.WriteRawValue(JsonMarshal.GetRawUtf8Value(value), skipInputValidation: true);
        else
            writer.WriteNullValue();
    }

    public static void WriteRaw(this Utf8JsonWriter writer, ReadOnlySpan<byte> name, JsonElement? element)
    {
        writer.WritePropertyName(name);
        writer.WriteRaw(element);
    }

    public static void WriteTime(this Utf8JsonWriter writer, ReadOnlySpan<byte> name, DateTimeOffset? time)
    {
        if (time is { } at) writer.WriteString(name, at.UtcDateTime);
        else writer.WriteNull(name);
    }

    public static void WriteMilliseconds(this Utf8JsonWriter writer, ReadOnlySpan<byte> name, DateTimeOffset? time)
    {
        if (time is { } at) writer.WriteNumber(name, at.ToUnixTimeMilliseconds());
        else writer.WriteNull(name);
    }

    /// <summary>The value as text, for those who show it: strings as they are, anything else as JSON.</summary>
    public static string Text(JsonElement value) => value.ValueKind == JsonValueKind.String
        ? value.GetString()!
        : Encoding.UTF8.GetString(JsonMarshal.GetRawUtf8Value(value));
}
