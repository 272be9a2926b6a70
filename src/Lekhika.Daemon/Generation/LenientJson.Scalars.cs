using System.Globalization;
using System.Text;
using System.Text.Json;

namespace Lekhika.Daemon.Generation;

/// <content>What holds no other value: names, strings, numbers and words.</content>
internal sealed partial class LenientJson
{
    private string Name()
    {
        if (Peek is '"' or '\'' or '“' or '”') return String();
        if (!IsNameStart(Peek) || !IsNameAhead()) throw Wrong("expected a name in quotes");
        var begin = _at;
        while (IsNamePart(Peek)) _at++;
        _repairs.Add("quotes put around names");
        return _text[begin.._at];
    }

    private bool IsNameAhead()
    {
        var at = _at;
        while (at < _text.Length && IsNamePart(_text[at])) at++;
        while (at < _text.Length && char.IsWhiteSpace(_text[at])) at++;
        return at < _text.Length && _text[at] == ':';
    }

    private string String()
    {
        var opened = Peek;
        var closing = opened is '“' or '”' ? '”' : opened;
        if (opened != '"') _repairs.Add(opened == '\'' ? "single quotes replaced" : "typographic quotes replaced");
        _at++;
        var value = new StringBuilder();
        while (true)
        {
            if (_at >= _text.Length) throw End("inside a string");
            var character = _text[_at++];
            if (character == closing || (closing == '”' && character == '"')) break;
            if (character == '\\') Escape(value);
            else if (character < ' ')
            {
                _repairs.Add("control characters in strings escaped");
                if (character != '\0') value.Append(character);
            }
            else value.Append(character);
        }

        // A quote that does not end the string makes the rest a riddle.
        var next = _at;
        while (next < _text.Length && char.IsWhiteSpace(_text[next])) next++;
        var follower = next < _text.Length ? _text[next] : '\0';
        var isOnNewLine = _text.AsSpan(_at, next - _at).Contains('\n');
        if (follower is not ('\0' or ',' or ':' or '}' or ']' or '/' or '#') && !(follower is '"' or '{' or '[' && isOnNewLine))
        {
            throw Wrong("a string ends in the middle of a text; quotes inside a string must be written \\\"");
        }

        return Clean(value);
    }

    private void Escape(StringBuilder value)
    {
        if (_at >= _text.Length) throw End("inside a string");
        var character = _text[_at++];
        switch (character)
        {
            case '"' or '\\' or '/':
                value.Append(character);
                break;
            case 'b':
                value.Append('\b');
                break;
            case 'f':
                value.Append('\f');
                break;
            case 'n':
                value.Append('\n');
                break;
            case 'r':
                value.Append('\r');
                break;
            case 't':
                value.Append('\t');
                break;
            case 'u':
                if (_at + 4 > _text.Length) throw End("inside a string");
                if (!ushort.TryParse(_text.AsSpan(_at, 4), NumberStyles.AllowHexSpecifier, CultureInfo.InvariantCulture, out var unit))
                    throw Wrong("\\u needs four hexadecimal digits");
                _at += 4;
                value.Append((char)unit);
                break;
            case '\'':
                value.Append('\'');
                _repairs.Add("stray backslashes put right");
                break;
            case '\n':
                _repairs.Add("stray backslashes put right");
                break;
            default:
                value.Append('\\').Append(character);
                _repairs.Add("stray backslashes put right");
                break;
        }
    }

    /// <summary>What no database can store (NUL, half a surrogate pair) is replaced.</summary>
    private string Clean(StringBuilder value)
    {
        var text = value.ToString();
        var isClean = true;
        for (var index = 0; index < text.Length && isClean; index++)
        {
            if (text[index] == '\0') isClean = false;
            else if (char.IsSurrogate(text[index])) isClean = index + 1 < text.Length && char.IsSurrogatePair(text[index], text[++index]);
        }

        if (isClean) return text;
        _repairs.Add("characters that cannot be stored replaced");
        var clean = new StringBuilder(text.Length);
        foreach (var rune in text.EnumerateRunes()) clean.Append((rune.Value == 0 ? Rune.ReplacementChar : rune).ToString());
        return clean.ToString();
    }

    private void Number()
    {
        var begin = _at;
        while (Peek is '-' or '+' or '.' or 'e' or 'E' or (>= '0' and <= '9')) _at++;
        if (_at >= _text.Length) throw End("inside a number");
        var text = _text[begin.._at];
        if (IsNamePart(Peek) || text.StartsWith("...", StringComparison.Ordinal)) throw Wrong("expected a value");
        var plain = text.StartsWith('+') ? text[1..] : text;
        if (plain.StartsWith('.')) plain = "0" + plain;
        if (plain.StartsWith("-.", StringComparison.Ordinal)) plain = "-0" + plain[1..];
        if (plain.EndsWith('.')) plain += "0";
        try
        {
            _writer.WriteRawValue(plain);
        }
        catch (JsonException)
        {
            throw Wrong($"'{text}' is no number");
        }

        if (plain != text) _repairs.Add("numbers written in full");
    }

    private void Word()
    {
        var begin = _at;
        while (IsNamePart(Peek)) _at++;
        var word = _text[begin.._at];
        switch (word)
        {
            case "true":
                _writer.WriteBooleanValue(true);
                return;
            case "false":
                _writer.WriteBooleanValue(false);
                return;
            case "null":
                _writer.WriteNullValue();
                return;
            case "True" or "TRUE":
                _writer.WriteBooleanValue(true);
                break;
            case "False" or "FALSE":
                _writer.WriteBooleanValue(false);
                break;
            case "None" or "NULL":
                _writer.WriteNullValue();
                break;
            default:
                if (_at >= _text.Length && word.Length > 0) throw End("inside a word");
                _at = begin;
                throw Wrong(word.Length == 0 ? $"'{Peek}' begins no value" : $"'{word}' is no value");
        }

        _repairs.Add("Python words replaced");
    }
}
