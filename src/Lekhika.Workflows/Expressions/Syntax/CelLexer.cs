using System.Globalization;

namespace Lekhika.Workflows.Expressions;

/// <summary>Cuts an expression into tokens, one at a time. Also used to find where an expression inside a template ends.</summary>
/// <param name="text">The text.</param>
/// <param name="offset">Where in it to begin.</param>
/// <param name="skims">Whether only the kinds and places of tokens matter: names are left out.</param>
internal sealed class CelLexer(string text, int offset = 0, bool skims = false)
{
    private int _at = offset;

    public string Text => text;

    public CelToken Next()
    {
        SkipBlanks();
        var start = _at;
        if (start >= text.Length)
            return new(CelTokenKind.End, text.Length, text.Length, "");
        var c = text[start];
        if (CelStringLiteral.TryRead(text, start, out var end, out var literal))
            return Take(literal.Kind == CelKind.String ? CelTokenKind.String : CelTokenKind.Bytes, end, "", literal);
        if (Identifiers.IsStart(c))
            return Identifier();
        if (char.IsAsciiDigit(c) || (c == '.' && start + 1 < text.Length && char.IsAsciiDigit(text[start + 1])))
            return Number();
        if (c == '`')
            return QuotedIdentifier();
        if (SymbolAt(start) is { } symbol)
            return Symbol(symbol);
        throw Error(start, $"found '{Shown(start)}', which is not part of the language{Hint(c)}");
    }

    private static string Hint(char c) => c switch
    {
        '=' => "; CEL compares with '==' and has no assignment",
        '&' => "; 'and' is written '&&'",
        '|' => "; 'or' is written '||'",
        '$' => "; names start with a letter or '_'",
        '“' or '”' or '‘' or '’' => "; strings stand in plain quotes, '…' or \"…\"",
        _ => "",
    };

    private string? SymbolAt(int at) => (text[at], at + 1 < text.Length ? text[at + 1] : '\0') switch
    {
        ('=', '=') => "==",
        ('!', '=') => "!=",
        ('<', '=') => "<=",
        ('>', '=') => ">=",
        ('&', '&') => "&&",
        ('|', '|') => "||",
        ('<', _) => "<",
        ('>', _) => ">",
        ('+', _) => "+",
        ('-', _) => "-",
        ('*', _) => "*",
        ('/', _) => "/",
        ('%', _) => "%",
        ('!', _) => "!",
        ('?', _) => "?",
        (':', _) => ":",
        ('.', _) => ".",
        (',', _) => ",",
        ('(', _) => "(",
        (')', _) => ")",
        ('[', _) => "[",
        (']', _) => "]",
        ('{', _) => "{",
        ('}', _) => "}",
        _ => null,
    };

    private CelToken Symbol(string symbol)
    {
        // What other languages write "===": said here, where it is still one thing.
        if (symbol is "==" or "!=" && _at + 2 < text.Length && text[_at + 2] == '=')
            throw Error(_at, $"found '{symbol}='; CEL writes '{symbol}'");
        return Take(CelTokenKind.Symbol, _at + symbol.Length, symbol);
    }

    private CelToken Identifier()
    {
        var end = _at;
        while (end < text.Length && Identifiers.IsPart(text[end]))
            end++;
        return Take(CelTokenKind.Identifier, end, skims ? "" : text[_at..end]);
    }

    private CelToken QuotedIdentifier()
    {
        var end = _at + 1;
        while (end < text.Length && text[end] != '`')
        {
            if (!Identifiers.IsPart(text[end]) && text[end] is not ('-' or '.' or '/' or ' '))
                throw Error(end, $"found '{Shown(end)}' in a name in backquotes, which holds letters, digits, '_', '-', '.', '/' and spaces; use [\"…\"] for other names");
            end++;
        }

        if (end >= text.Length)
            throw Error(_at, "found a '`' without a closing '`'");
        if (end == _at + 1)
            throw Error(_at, "found an empty name in backquotes");
        return Take(CelTokenKind.QuotedIdentifier, end + 1, text[(_at + 1)..end]);
    }

    private CelToken Number()
    {
        if (text[_at] == '0' && _at + 1 < text.Length && text[_at + 1] is 'x' or 'X')
            return Integer(Digits(_at + 2, hex: true), _at + 2, NumberStyles.AllowHexSpecifier);
        var end = Digits(_at, hex: false);
        var isDouble = false;
        if (end + 1 < text.Length && text[end] == '.' && char.IsAsciiDigit(text[end + 1]))
            (isDouble, end) = (true, Digits(end + 1, hex: false));
        if (end < text.Length && text[end] is 'e' or 'E')
        {
            var digits = end + 1 < text.Length && text[end + 1] is '+' or '-' ? end + 2 : end + 1;
            if (digits >= text.Length || !char.IsAsciiDigit(text[digits]))
                throw Error(_at, $"found '{text[_at..digits]}', a number whose exponent has no digits");
            (isDouble, end) = (true, Digits(digits, hex: false));
        }

        if (!isDouble)
            return Integer(end, _at, NumberStyles.None);
        CheckNumberEnds(end);
        return Take(CelTokenKind.Double, end, "", CelValue.From(double.Parse(text.AsSpan(_at, end - _at), NumberStyles.Float, CultureInfo.InvariantCulture)));
    }

    private CelToken Integer(int end, int digits, NumberStyles styles)
    {
        if (end == digits)
            throw Error(_at, "found '0x' without hexadecimal digits");
        if (!ulong.TryParse(text.AsSpan(digits, end - digits), styles, CultureInfo.InvariantCulture, out var value))
            throw Error(_at, $"found '{CelError.Shorten(text[_at..end])}', an integer of more than 64 bits; write it as a double, such as 1e20");
        var unsigned = end < text.Length && text[end] is 'u' or 'U';
        var after = unsigned ? end + 1 : end;
        CheckNumberEnds(after);
        return Take(unsigned ? CelTokenKind.UInt : CelTokenKind.Int, after, "", CelValue.From(value));
    }

    private void CheckNumberEnds(int end)
    {
        if (end < text.Length && Identifiers.IsPart(text[end]))
            throw Error(end, $"found '{Shown(end)}' right after a number; expected an operator or a space");
    }

    private int Digits(int at, bool hex)
    {
        while (at < text.Length && (hex ? char.IsAsciiHexDigit(text[at]) : char.IsAsciiDigit(text[at])))
            at++;
        return at;
    }

    private void SkipBlanks()
    {
        while (_at < text.Length)
        {
            if (text[_at] is ' ' or '\t' or '\n' or '\r' or '\f')
                _at++;
            else if (text[_at] == '/' && _at + 1 < text.Length && text[_at + 1] == '/')
                _at = text.IndexOf('\n', _at) is var end and >= 0 ? end : text.Length;
            else
                return;
        }
    }

    /// <summary>The character, or its number if it cannot be seen.</summary>
    private string Shown(int at)
    {
        var shown = text.Substring(at, CodePoints.LengthAt(text, at));
        var category = char.GetUnicodeCategory(shown, 0);
        var isHidden = category is UnicodeCategory.Control or UnicodeCategory.Format or UnicodeCategory.Surrogate or UnicodeCategory.SpaceSeparator;
        return isHidden ? string.Create(CultureInfo.InvariantCulture, $"U+{(int)shown[0]:X4}") : shown;
    }


    private CelToken Take(CelTokenKind kind, int end, string name, CelValue value = default)
    {
        var token = new CelToken(kind, _at, end, name, value);
        _at = end;
        return token;
    }

    private CelSyntaxException Error(int at, string description) => CelSyntaxException.At(text, at, description);
}
