using System.Net.Http.Headers;
using System.Text;
using System.Text.Json;

namespace Lekhika.Daemon.Nodes.Calls;

/// <summary>What the bytes of an answer say: text in its charset, JSON, or neither.</summary>
internal static class BodyText
{
    private static readonly UTF8Encoding Strict = new(encoderShouldEmitUTF8Identifier: false, throwOnInvalidBytes: true);

    /// <summary>The body as text; null if it is not text, or cannot be stored as text.</summary>
    public static string? Decode(ReadOnlySpan<byte> body, string? contentType)
    {
        var type = TypeOf(contentType);
        var media = type?.MediaType ?? "";
        if (body.StartsWith(Encoding.UTF8.Preamble)) return Storable(Encoding.UTF8.GetString(body[3..]));
        if (EncodingOf(type?.CharSet) is { } encoding) return Storable(encoding.GetString(body));
        try
        {
            var text = Strict.GetString(body);
            return media.Length == 0 || IsText(media) || media == "application/octet-stream" ? Storable(text) : null;
        }
        catch (DecoderFallbackException)
        {
            // Text without a charset that is not UTF-8 was Latin-1 before, and still is on old servers.
            return IsText(media) && !IsJson(media) ? Storable(Encoding.Latin1.GetString(body)) : null;
        }
    }

    private static MediaTypeHeaderValue? TypeOf(string? contentType) => MediaTypeHeaderValue.TryParse(contentType, out var type) ? type : null;

    /// <summary>The text parsed, if its type or its look says that it is JSON and it is.</summary>
    public static JsonElement? Json(string text, string? contentType)
    {
        var type = TypeOf(contentType);
        var trimmed = text.AsSpan().TrimStart();
        if (!IsJson(type?.MediaType ?? "") && (trimmed.IsEmpty || trimmed[0] is not ('{' or '['))) return null;
        try
        {
            return JsonConstants.Parse(Encoding.UTF8.GetBytes(text));
        }
        catch (JsonException)
        {
            return null;
        }
    }

    private static bool IsJson(string media) =>
        media.Equals("application/json", StringComparison.OrdinalIgnoreCase) || media.EndsWith("+json", StringComparison.OrdinalIgnoreCase);

    private static bool IsText(string media) =>
        media.StartsWith("text/", StringComparison.OrdinalIgnoreCase) || IsJson(media) || media.EndsWith("+xml", StringComparison.OrdinalIgnoreCase)
        || media.ToLowerInvariant() is "application/xml" or "application/javascript" or "application/x-www-form-urlencoded" or "application/yaml"
            or "application/x-yaml" or "application/x-ndjson" or "application/graphql-response+json";

    private static Encoding? EncodingOf(string? charset)
    {
        if (charset is not { Length: > 0 }) return null;
        var name = charset.Trim('"', ' ');
        try
        {
            return CodePagesEncodingProvider.Instance.GetEncoding(name) ?? Encoding.GetEncoding(name);
        }
        catch (ArgumentException)
        {
            return null;
        }
    }

    /// <summary>PostgreSQL stores no NUL: such a body is kept as bytes.</summary>
    private static string? Storable(string text) => text.Contains('\0', StringComparison.Ordinal) ? null : text;
}
