using System.Globalization;

namespace Lekhika.Workflows.Expressions;

/// <content>Escapes and character classes.</content>
internal sealed partial class Re2Pattern
{
    private void Escape()
    {
        if (_at + 1 >= _pattern.Length)
            throw new FormatException("it ends after '\\'");
        var c = _pattern[_at + 1];
        switch (c)
        {
            case 'A' or 'z' or 'b' or 'B':
                _result.Append('\\').Append(c);
                _at += 2;
                _hasItem = false;
                return;
            case 'Q':
                _at += 2;
                var end = _pattern.IndexOf("\\E", _at, StringComparison.Ordinal);
                var stop = end < 0 ? _pattern.Length : end;
                while (_at < stop)
                    Item(Re2Class.Literal(NextCode()));
                _at = end < 0 ? stop : end + 2;
                return;
        }

        var set = new Re2Class();
        if (TryReadClassEscape(set))
            Item(set.ToString());
        else
            Item(Re2Class.Literal(EscapedCode()));
    }

    private string Class()
    {
        var set = new Re2Class();
        _at++;
        if (_at < _pattern.Length && _pattern[_at] == '^')
        {
            set.Negated = true;
            _at++;
        }

        for (var first = true; ; first = false)
        {
            if (_at >= _pattern.Length)
                throw new FormatException("a '[' has no ']'");
            if (_pattern[_at] == ']' && !first)
                break;
            if (TryReadPosix(set) || (_pattern[_at] == '\\' && TryReadClassEscape(set)))
                continue;
            var from = ClassCode();
            var to = from;
            if (_at + 1 < _pattern.Length && _pattern[_at] == '-' && _pattern[_at + 1] != ']')
            {
                _at++;
                to = ClassCode();
            }

            if (to < from)
                throw new FormatException("a range in a class ends before it starts");
            set.Add(from, to);
        }

        _at++;
        return set.ToString();
    }

    private int ClassCode() => _pattern[_at] == '\\' ? EscapedCode() : NextCode();

    private bool TryReadPosix(Re2Class set)
    {
        if (!_pattern.AsSpan(_at).StartsWith("[:"))
            return false;
        var end = _pattern.IndexOf(":]", _at + 2, StringComparison.Ordinal);
        if (end < 0)
            return false;
        var name = _pattern[(_at + 2)..end];
        if (!set.TryAddPosix(name.TrimStart('^'), name.StartsWith('^')))
            throw new FormatException($"there is no class [:{CelError.Shorten(name)}:]");
        _at = end + 2;
        return true;
    }

    /// <summary>Reads <c>\d</c>, <c>\w</c>, <c>\s</c>, their opposites, <c>\pL</c> and <c>\p{Greek}</c>.</summary>
    private bool TryReadClassEscape(Re2Class set)
    {
        if (_at + 1 >= _pattern.Length)
            return false;
        var c = _pattern[_at + 1];
        if (set.TryAddPerl(c))
        {
            _at += 2;
            return true;
        }

        if (c is not ('p' or 'P') || _at + 2 >= _pattern.Length)
            return false;
        var braced = _pattern[_at + 2] == '{';
        var end = braced ? _pattern.IndexOf('}', _at) : _at + 2;
        if (end < 0)
            throw new FormatException("a '\\p{' has no '}'");
        var name = braced ? _pattern[(_at + 3)..end] : _pattern[(_at + 2)..(end + 1)];
        var negated = (c == 'P') != name.StartsWith('^');
        set.AddUnits($"\\{(negated ? 'P' : 'p')}{{{Category(name.TrimStart('^'))}}}");
        _at = end + 1;
        return true;
    }

    /// <summary>Scripts are taken as the blocks of their name, which .NET knows.</summary>
    private static string Category(string name) => name switch
    {
        "L" or "Lu" or "Ll" or "Lt" or "Lm" or "Lo" or "M" or "Mn" or "Mc" or "Me" or "N" or "Nd" or "Nl" or "No" or
        "P" or "Pc" or "Pd" or "Ps" or "Pe" or "Pi" or "Pf" or "Po" or "S" or "Sm" or "Sc" or "Sk" or "So" or
        "Z" or "Zs" or "Zl" or "Zp" or "C" or "Cc" or "Cf" or "Co" or "Cs" => name,
        "Greek" or "Cyrillic" or "Hebrew" or "Arabic" or "Devanagari" or "Bengali" or "Tamil" or "Thai" or "Tibetan" or "Hiragana" or
        "Katakana" or "Armenian" or "Georgian" or "Ethiopic" or "Khmer" or "Mongolian" => "Is" + name,
        "Hangul" => "IsHangulSyllables",
        "Han" => "IsCJKUnifiedIdeographs",
        _ => throw new FormatException($"the category or script '{CelError.Shorten(name)}' is not supported"),
    };

    private int EscapedCode()
    {
        _at++;
        if (_at >= _pattern.Length)
            throw new FormatException("it ends after '\\'");
        var c = _pattern[_at];
        switch (c)
        {
            case 'a' or 'f' or 'n' or 'r' or 't' or 'v':
                _at++;
                return c switch { 'a' => '\a', 'f' => '\f', 'n' => '\n', 'r' => '\r', 't' => '\t', _ => '\v' };
            case 'x':
                return HexCode();
            case >= '0' and <= '7' when c == '0' || (_at + 1 < _pattern.Length && _pattern[_at + 1] is >= '0' and <= '7'):
                var code = 0;
                for (var digits = 0; digits < 3 && _at < _pattern.Length && _pattern[_at] is >= '0' and <= '7'; digits++)
                    code = (code * 8) + (_pattern[_at++] - '0');
                return code;
        }

        if (char.IsAsciiLetterOrDigit(c))
            throw new FormatException($"the escape '\\{c}' is not supported{(char.IsAsciiDigit(c) ? ": there are no back-references" : "")}");
        return NextCode();
    }

    private int HexCode()
    {
        var rest = _pattern.AsSpan(_at + 1);
        var braced = rest.StartsWith('{');
        var length = braced ? rest.IndexOf('}') - 1 : 2;
        if (length is >= 1 and <= 6 && rest.Length >= length + (braced ? 2 : 0) &&
            int.TryParse(rest.Slice(braced ? 1 : 0, length), NumberStyles.AllowHexSpecifier, CultureInfo.InvariantCulture, out var code) &&
            code <= 0x10FFFF)
        {
            _at += 1 + length + (braced ? 2 : 0);
            return code;
        }

        throw new FormatException("a character's number is written \\x7F or \\x{10FFFF}");
    }
}
