using System.Text;
using System.Text.Encodings.Web;

namespace Lekhika.Doubles;

/// <summary>
/// Escapes as Go's encoder does: control characters, the quote, the backslash, angle brackets, the ampersand and the two line separators.
/// All else, characters outside the basic plane included, goes out as UTF-8, so that a split can fall inside a character.
/// </summary>
internal sealed unsafe class GoEncoder : JavaScriptEncoder
{
    private const string Hex = "0123456789abcdef";

    public static GoEncoder Instance { get; } = new();

    public override int MaxOutputCharactersPerInputCharacter => 6;

    public override int FindFirstCharacterToEncode(char* text, int textLength)
    {
        for (var i = 0; i < textLength; i++)
        {
            if (char.IsSurrogate(text[i]))
            {
                if (!char.IsHighSurrogate(text[i]) || i + 1 >= textLength || !char.IsLowSurrogate(text[i + 1]))
                    return i;
                i++;
            }
            else if (WillEncode(text[i]))
            {
                return i;
            }
        }
        return -1;
    }

    public override bool WillEncode(int unicodeScalar) =>
        unicodeScalar < 0x20 || unicodeScalar is '"' or '\\' or '<' or '>' or '&' or 0x7f or 0x2028 or 0x2029;

    public override bool TryEncodeUnicodeScalar(int unicodeScalar, char* buffer, int bufferLength, out int numberOfCharactersWritten)
    {
        if (!WillEncode(unicodeScalar))
            return new Rune(unicodeScalar).TryEncodeToUtf16(new Span<char>(buffer, bufferLength), out numberOfCharactersWritten);
        var shorthand = unicodeScalar switch
        {
            '"' => '"',
            '\\' => '\\',
            '\n' => 'n',
            '\r' => 'r',
            '\t' => 't',
            '\b' => 'b',
            '\f' => 'f',
            _ => '\0',
        };
        numberOfCharactersWritten = shorthand == '\0' ? 6 : 2;
        if (bufferLength < numberOfCharactersWritten)
        {
            numberOfCharactersWritten = 0;
            return false;
        }
        buffer[0] = '\\';
        if (shorthand != '\0')
        {
            buffer[1] = shorthand;
            return true;
        }
        buffer[1] = 'u';
        for (var i = 0; i < 4; i++)
            buffer[2 + i] = Hex[(unicodeScalar >> (12 - (4 * i))) & 15];
        return true;
    }
}
