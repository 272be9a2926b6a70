using System.Text;
using System.Text.Json;

namespace Lekhika.Inference.Endpoints;

/// <summary>Reading values out of a stream of JSON tokens, forgiving where servers differ.</summary>
internal static class JsonPieces
{
    /// <summary>The string, or null if the value is something else. Bytes that are no UTF-8 become U+FFFD rather than an error.</summary>
    public static string? Text(ref Utf8JsonReader reader)
    {
        if (reader.TokenType != JsonTokenType.String)
        {
            reader.Skip();
            return null;
        }

        return reader.ValueIsEscaped ? reader.GetString() : Encoding.UTF8.GetString(reader.ValueSpan);
    }

    /// <summary>The number, or 0 if the value is something else.</summary>
    public static long Number(ref Utf8JsonReader reader)
    {
        if (reader.TokenType != JsonTokenType.Number)
        {
            reader.Skip();
            return 0;
        }

        return reader.TryGetInt64(out var whole) ? whole : reader.TryGetDouble(out var real) && real is > 0 and < 9e18 ? (long)real : 0;
    }

    /// <summary>The error text of a body: <c>{"error": "…"}</c>, <c>{"error": {"message": "…"}}</c>, either of them nested in a string, or plain text.</summary>
    public static string ErrorText(ReadOnlySpan<byte> body)
    {
        try
        {
            var reader = new Utf8JsonReader(body);
            if (reader.Read() && ErrorText(ref reader) is { } text)
                return text;
        }
        catch (Exception exception) when (exception is JsonException or InvalidOperationException)
        {
            // Not JSON: a route's plain text, a proxy's page. Shown as it is.
        }

        var plain = Encoding.UTF8.GetString(body[..Math.Min(body.Length, 500)]).Trim();
        return plain.Length == 0 ? "(empty reply)" : plain;
    }

    /// <summary>The error text of the value the reader is at; null if it holds none.</summary>
    public static string? ErrorText(ref Utf8JsonReader reader, int depth = 0)
    {
        if (reader.TokenType == JsonTokenType.String)
        {
            var text = Text(ref reader);
            if (text is not ['{', ..] || depth > 3)
                return text;
            var inner = new Utf8JsonReader(Encoding.UTF8.GetBytes(text));
            try
            {
                return inner.Read() ? ErrorText(ref inner, depth + 1) ?? text : text;
            }
            catch (JsonException)
            {
                return text;
            }
        }

        if (reader.TokenType != JsonTokenType.StartObject)
        {
            reader.Skip();
            return null;
        }

        string? found = null;
        while (reader.Read() && reader.TokenType == JsonTokenType.PropertyName)
        {
            var error = reader.ValueTextEquals("error"u8) || reader.ValueTextEquals("message"u8) || reader.ValueTextEquals("detail"u8);
            reader.Read();
            if (error && found is null && depth <= 3)
                found = ErrorText(ref reader, depth + 1);
            else
                reader.Skip();
        }

        return found;
    }
}
