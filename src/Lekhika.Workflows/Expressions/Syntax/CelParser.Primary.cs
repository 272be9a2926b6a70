namespace Lekhika.Workflows.Expressions;

/// <content>Values, brackets, and what follows them: members, elements and calls.</content>
internal sealed partial class CelParser
{
    private static readonly HashSet<string> s_reserved = new(StringComparer.Ordinal)
    {
        "as", "break", "const", "continue", "else", "for", "function", "if", "import", "let", "loop", "package", "namespace", "return",
        "var", "void", "while",
    };

    private CelSyntax Primary(bool negative)
    {
        var token = _token;
        switch (token.Kind)
        {
            case CelTokenKind.Int:
                Advance();
                return new LiteralSyntax(token.Start, Signed(token, negative));
            case CelTokenKind.Double:
                Advance();
                return new LiteralSyntax(token.Start, negative ? CelValue.From(-token.Value.DoubleValue) : token.Value);
            case CelTokenKind.UInt or CelTokenKind.String or CelTokenKind.Bytes:
                Advance();
                return new LiteralSyntax(token.Start, token.Value);
            case CelTokenKind.Identifier:
                Advance();
                return Named(token, rooted: false);
            case CelTokenKind.Symbol when token.Text == ".":
                Advance();
                var name = _token;
                if (name.Kind != CelTokenKind.Identifier)
                    throw Unexpected("a name after the leading '.'");
                Advance();
                return Named(name, rooted: true);
            case CelTokenKind.Symbol when token.Text == "(":
                Advance();
                var inner = Expression();
                Expect(")", "to close the parenthesis");
                return inner;
            case CelTokenKind.Symbol when token.Text == "[":
                Advance();
                return Grown(new ListSyntax(token.Start, Items("]", "to close the list")));
            case CelTokenKind.Symbol when token.Text == "{":
                Advance();
                return Map(token.Start);
            default:
                throw Unexpected("a value, a name or '('");
        }
    }

    private CelSyntax Named(CelToken name, bool rooted)
    {
        if (!rooted)
        {
            switch (name.Text)
            {
                case "true":
                    return new LiteralSyntax(name.Start, CelValue.True);
                case "false":
                    return new LiteralSyntax(name.Start, CelValue.False);
                case "null":
                    return new LiteralSyntax(name.Start, CelValue.Null);
            }
        }

        if (name.Text is "in" or "true" or "false" or "null")
            throw Error(name.Start, $"found '{name.Text}' but expected a value, a name or '('");
        if (s_reserved.Contains(name.Text))
            throw Error(name.Start, $"found '{name.Text}', which is a reserved word and cannot be a name");
        if (!_token.Is("("))
            return new NameSyntax(name.Start, name.Text, rooted);
        Advance();
        return Grown(new CallSyntax(name.Start, null, name.Text, Items(")", $"to close the arguments of {name.Text}")));
    }

    private CelSyntax Member(CelSyntax target)
    {
        while (true)
        {
            if (_token.Is("."))
            {
                Advance();
                var name = _token;
                if (name.Kind is not (CelTokenKind.Identifier or CelTokenKind.QuotedIdentifier))
                    throw Unexpected(name.Is("?") ? "the name of a member; optional members are asked for with has(…)" : "the name of a member");
                if (name.Kind == CelTokenKind.Identifier && name.Text is "in" or "true" or "false" or "null")
                    throw Unexpected($"the name of a member; write [\"{name.Text}\"] for this one");
                Advance();
                if (name.Kind == CelTokenKind.Identifier && _token.Is("("))
                {
                    Advance();
                    target = Grown(new CallSyntax(name.Start, target, name.Text, Items(")", $"to close the arguments of {name.Text}")));
                }
                else
                {
                    target = Grown(new SelectSyntax(name.Start, target, name.Text));
                }
            }
            else if (_token.Is("["))
            {
                var position = _token.Start;
                Advance();
                var index = Expression();
                Expect("]", "to close the index");
                target = Grown(new IndexSyntax(position, target, index));
            }
            else if (_token.Is("{") && target is NameSyntax or SelectSyntax)
            {
                throw Unexpected("an operator; messages cannot be made here, a map is written {\"key\": value}");
            }
            else
            {
                return target;
            }
        }
    }

    private List<CelSyntax> Items(string close, string why)
    {
        var items = new List<CelSyntax>();
        while (!_token.Is(close))
        {
            items.Add(Expression());
            if (_token.Is(close))
                break;
            if (!_token.Is(","))
                throw Unexpected($"',' or '{close}' {why}");
            Advance();
            if (close == ")" && _token.Is(close))
                throw Unexpected("another argument after ','");
        }

        Advance();
        return items;
    }

    private MapSyntax Map(int position)
    {
        var (keys, values) = (new List<CelSyntax>(), new List<CelSyntax>());
        while (!_token.Is("}"))
        {
            keys.Add(Expression());
            Expect(":", "between key and value of the map");
            values.Add(Expression());
            if (_token.Is("}"))
                break;
            Expect(",", "or '}' to close the map");
        }

        Advance();
        return Grown(new MapSyntax(position, keys, values));
    }

    private CelValue Signed(CelToken token, bool negative)
    {
        var magnitude = token.Value.UIntValue;
        if (magnitude > (negative ? 1UL << 63 : long.MaxValue))
            throw Error(token.Start, $"found '{Text[token.Start..token.End]}', which is beyond the range of int; write {Text[token.Start..token.End]}u for a uint or use a double");
        return CelValue.From(unchecked(negative ? -(long)magnitude : (long)magnitude));
    }
}
