using System.Globalization;
using System.Text;

namespace Lekhika.Workflows.Expressions;

/// <summary>String and bytes literals: <c>'…'</c>, <c>"…"</c>, tripled quotes, <c>r</c> for raw and <c>b</c> for bytes.</summary>
internal static class CelStringLiteral
{
    public static bool TryRead(string text, int start, out int end, out CelValue value)
    {
        end = start;
        value = default;
        var at = start;
        var bytes = Peek(text, at) is 'b' or 'B';
        if (bytes)
            at++;
        var raw = Peek(text, at) is 'r' or 'R';
        if (raw)
            at++;
        var quote = Peek(text, at);
        if (quote is not ('\'' or '"'))
            return false;
        var triple = Peek(text, at + 1) == quote && Peek(text, at + 2) == quote;
        at += triple ? 3 : 1;
        var content = at;
        at = FindEnd(text, start, at, quote, triple, raw);
        end = at + (triple ? 3 : 1);
        var body = text.AsSpan(content, at - content);
        if (raw || !body.Contains('\\'))
            value = bytes ? CelValue.From(Utf8(body)) : CelValue.From(body.ToString());
        else
            value = bytes ? CelValue.From(UnescapeBytes(text, content, at)) : CelValue.From(UnescapeText(text, content, at));
        return true;
    }

    private static char Peek(string text, int at) => at < text.Length ? text[at] : '\0';

    private static int FindEnd(string text, int start, int at, char quote, bool triple, bool raw)
    {
        for (; at < text.Length; at++)
        {
            var c = text[at];
            if (c == '\\' && !raw)
                at++;
            else if (c == quote && (!triple || (Peek(text, at + 1) == quote && Peek(text, at + 2) == quote)))
                return at;
            else if (c is '\n' or '\r' && !triple)
                throw Error(text, start, $"found a string that does not end on its line; close it with {quote}, write \\n for a new line, or use {new string(quote, 3)}");
        }

        throw Error(text, start, $"found a string without its closing {(triple ? new string(quote, 3) : quote.ToString())}");
    }

    private static string UnescapeText(string text, int at, int end)
    {
        var result = new StringBuilder(end - at);
        while (at < end)
        {
            if (text[at] != '\\')
            {
                result.Append(text[at++]);
                continue;
            }

            var code = ReadEscape(text, ref at, end, bytes: false);
            if (!Rune.TryCreate(code, out var rune))
                throw Error(text, at, $"found an escape of U+{code:X4}, which is no Unicode character");
            result.Append(rune.ToString());
        }

        return result.ToString();
    }

    private static byte[] UnescapeBytes(string text, int at, int end)
    {
        using var result = new MemoryStream(end - at);
        while (at < end)
        {
            if (text[at] == '\\')
            {
                result.WriteByte((byte)ReadEscape(text, ref at, end, bytes: true));
                continue;
            }

            var length = text.AsSpan(at, end - at).IndexOf('\\');
            length = length < 0 ? end - at : length;
            result.Write(Utf8(text.AsSpan(at, length)));
            at += length;
        }

        return result.ToArray();
    }

    private static byte[] Utf8(ReadOnlySpan<char> part)
    {
        var bytes = new byte[Encoding.UTF8.GetByteCount(part)];
        Encoding.UTF8.GetBytes(part, bytes);
        return bytes;
    }

    private static int ReadEscape(string text, ref int at, int end, bool bytes)
    {
        var start = at;
        var c = Peek(text, at + 1);
        at += 2;
        switch (c)
        {
            case 'a':
                return '\a';
            case 'b':
                return '\b';
            case 'f':
                return '\f';
            case 'n':
                return '\n';
            case 'r':
                return '\r';
            case 't':
                return '\t';
            case 'v':
                return '\v';
            case '\\' or '?' or '"' or '\'' or '`':
                return c;
            case 'x' or 'X':
                return Hex(text, start, ref at, end, 2);
            case 'u' when !bytes:
                return Hex(text, start, ref at, end, 4);
            case 'U' when !bytes:
                return Hex(text, start, ref at, end, 8);
            case >= '0' and <= '3' when at + 2 <= end && Peek(text, at) is >= '0' and <= '7' && Peek(text, at + 1) is >= '0' and <= '7':
                at += 2;
                return ((c - '0') * 64) + ((text[at - 2] - '0') * 8) + (text[at - 1] - '0');
            default:
                throw Error(text, start, $"found the escape '\\{c}'; expected \\n, \\t, \\\\, \\', \\\", \\xHH{(bytes ? "" : ", \\uHHHH")} or \\OOO, or a raw string r'…'");
        }
    }

    private static int Hex(string text, int start, ref int at, int end, int digits)
    {
        if (at + digits > end || !int.TryParse(text.AsSpan(at, digits), NumberStyles.AllowHexSpecifier, CultureInfo.InvariantCulture, out var code) || code < 0)
            throw Error(text, start, $"found the escape '{text.AsSpan(start, 2)}' without the {digits} hexadecimal digits it takes");
        at += digits;
        return code;
    }

    private static CelSyntaxException Error(string text, int at, string description) => CelSyntaxException.At(text, at, description);
}
