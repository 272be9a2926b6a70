using System.Text;
using System.Text.Json;

namespace Lekhika.Doubles;

/// <summary>
/// Reads a request body the way the server does: Content-Type ignored, text after the value accepted, broken UTF-8 and lone surrogates
/// replaced, the last of two equal keys wins, and Go's words for what is wrong.
/// </summary>
internal static class GoBody
{
    private static readonly JsonReaderOptions Reading = new() { MaxDepth = 1000 };
    private static readonly string[] Literals = ["null", "true", "false"];

    /// <exception cref="ApiException">400 in the server's words.</exception>
    public static async Task<JsonElement> ReadAsync(HttpRequest request, CancellationToken cancellationToken)
    {
        using var buffer = new MemoryStream();
        await request.Body.CopyToAsync(buffer, cancellationToken);
        return Parse(buffer.GetBuffer().AsSpan(0, (int)buffer.Length));
    }

    /// <exception cref="ApiException">400 in the server's words.</exception>
    public static JsonElement Parse(ReadOnlySpan<byte> raw)
    {
        if (raw.StartsWith("\uFEFF"u8))
            throw new ApiException(400, "invalid character 'ï' looking for beginning of value");
        var text = Encoding.UTF8.GetString(raw);
        var bytes = Encoding.UTF8.GetBytes(text.Contains("\\u", StringComparison.Ordinal) ? ReplaceLoneSurrogates(text) : text);
        var trimmed = bytes.AsSpan().TrimStart(" \t\r\n"u8);
        if (trimmed.IsEmpty)
            throw new ApiException(400, "missing request body");
        CheckSyntax(trimmed);
        var reader = new Utf8JsonReader(trimmed, Reading);
        return JsonElement.ParseValue(ref reader);
    }

    private static void CheckSyntax(ReadOnlySpan<byte> bytes)
    {
        CheckLiteral(bytes);
        var reader = new Utf8JsonReader(bytes, isFinalBlock: bytes[0] is (>= (byte)'0' and <= (byte)'9') or (byte)'-', new JsonReaderState(Reading));
        try
        {
            do
            {
                if (!reader.Read())
                    throw new ApiException(400, "unexpected EOF");
            }
            while (reader.CurrentDepth > 0 || reader.TokenType is JsonTokenType.StartArray or JsonTokenType.StartObject);
        }
        catch (JsonException error)
        {
            var line = 0L;
            var at = 0;
            for (; at < bytes.Length && line < error.LineNumber; at++)
                line += bytes[at] == '\n' ? 1 : 0;
            at += (int)(error.BytePositionInLine ?? 0);
            if (at >= bytes.Length)
                throw new ApiException(400, "unexpected EOF");
            throw new ApiException(400, $"invalid character '{(char)bytes[at]}' looking for beginning of value");
        }
    }

    private static void CheckLiteral(ReadOnlySpan<byte> bytes)
    {
        foreach (var literal in Literals)
        {
            if (bytes[0] != literal[0])
                continue;
            for (var i = 1; i < literal.Length; i++)
            {
                if (i >= bytes.Length)
                    throw new ApiException(400, "unexpected EOF");
                if (bytes[i] != literal[i])
                    throw new ApiException(400, $"invalid character '{(char)bytes[i]}' in literal {literal} (expecting '{literal[i]}')");
            }
        }
    }

    private static string ReplaceLoneSurrogates(string text)
    {
        var result = new StringBuilder(text.Length);
        for (var i = 0; i < text.Length; i++)
        {
            if (text[i] != '\\' || i + 1 >= text.Length)
            {
                result.Append(text[i]);
                continue;
            }
            if (Escape(text, i) is not { } unit)
            {
                result.Append(text, i, 2);
                i++;
                continue;
            }
            var pair = char.IsHighSurrogate(unit) && Escape(text, i + 6) is { } low && char.IsLowSurrogate(low);
            result.Append(!pair && char.IsSurrogate(unit) ? "\\ufffd" : text.AsSpan(i, pair ? 12 : 6));
            i += pair ? 11 : 5;
        }
        return result.ToString();
    }

    private static char? Escape(string text, int at) =>
        at + 6 <= text.Length && text[at] == '\\' && text[at + 1] == 'u'
        && ushort.TryParse(text.AsSpan(at + 2, 4), System.Globalization.NumberStyles.AllowHexSpecifier,
            System.Globalization.CultureInfo.InvariantCulture, out var unit)
            ? (char)unit
            : null;
}
