using System.Runtime.CompilerServices;

namespace Lekhika.Workflows.Expressions;

/// <summary>
/// Recursive descent over the grammar of the CEL specification, with operators by precedence. Nesting and tree height are bounded, so
/// neither parsing nor evaluating can exhaust the stack.
/// </summary>
internal sealed partial class CelParser
{
    private readonly CelCompileOptions _options;
    private readonly CelLexer _lexer;
    private CelToken _token;
    private int _nesting;

    private CelParser(string text, CelCompileOptions options)
    {
        _options = options;
        _lexer = new CelLexer(text);
        _token = _lexer.Next();
    }

    private string Text => _lexer.Text;

    public static CelSyntax Parse(string text, CelCompileOptions options)
    {
        if (text.Length > options.MaxLength)
            throw new CelSyntaxException(1, 1, $"the expression has {text.Length} characters; at most {options.MaxLength} are allowed");
        var parser = new CelParser(text, options);
        if (parser._token.Kind == CelTokenKind.End)
            throw new CelSyntaxException(1, 1, "the expression is empty; expected a value such as inputs.topic");
        var syntax = parser.Expression();
        if (parser._token.Kind != CelTokenKind.End)
            throw parser.Unexpected("an operator or the end of the expression");
        return syntax;
    }

    private CelSyntax Expression()
    {
        if (++_nesting > _options.MaxNesting)
            throw Error(_token.Start, $"the expression nests deeper than {_options.MaxNesting} levels");
        if (!RuntimeHelpers.TryEnsureSufficientExecutionStack())
            throw Error(_token.Start, "the expression nests more than the stack of this thread allows");

        // a ? b : c ? d : e nests to the right: its parts are collected and put together from the end.
        List<(int Position, CelSyntax Condition, CelSyntax Then)>? branches = null;
        CelSyntax result;
        while (true)
        {
            result = Or();
            if (!_token.Is("?"))
                break;
            var position = _token.Start;
            Advance();
            var then = Or();
            if (_token.Is("?"))
                throw Unexpected("':' (put a condition in the middle into parentheses)");
            Expect(":", "and the value for when the condition is false");
            (branches ??= []).Add((position, result, then));
        }

        for (var i = (branches?.Count ?? 0) - 1; i >= 0; i--)
            result = Grown(new ConditionalSyntax(branches![i].Position, branches[i].Condition, branches[i].Then, result));
        _nesting--;
        return result;
    }

    private CelSyntax Or() => Logic("||", isOr: true);

    private CelSyntax Logic(string symbol, bool isOr)
    {
        var first = isOr ? Logic("&&", isOr: false) : Binary(0);
        if (!_token.Is(symbol))
            return first;
        var position = _token.Start;
        var operands = new List<CelSyntax> { first };
        while (_token.Is(symbol))
        {
            Advance();
            operands.Add(isOr ? Logic("&&", isOr: false) : Binary(0));
        }

        return Grown(new LogicSyntax(position, isOr, operands));
    }

    private CelSyntax Binary(int level)
    {
        var left = level == 2 ? Unary() : Binary(level + 1);
        while (OperatorAt(level) is { } symbol)
        {
            var position = _token.Start;
            Advance();
            var right = level == 2 ? Unary() : Binary(level + 1);
            left = Grown(new BinarySyntax(position, symbol, left, right));
        }

        return left;
    }

    /// <summary>The operator at the current token if it is of this level: 0 relations, 1 sums, 2 products.</summary>
    private string? OperatorAt(int level)
    {
        if (level == 0 && _token.IsWord("in"))
            return "in";
        if (_token.Kind != CelTokenKind.Symbol)
            return null;
        var isOfLevel = level switch
        {
            0 => _token.Text is "==" or "!=" or "<" or "<=" or ">" or ">=",
            1 => _token.Text is "+" or "-",
            _ => _token.Text is "*" or "/" or "%",
        };
        return isOfLevel ? _token.Text : null;
    }

    private CelSyntax Unary()
    {
        if (!_token.Is("-") && !_token.Is("!"))
            return Member(Primary(negative: false));
        var position = _token.Start;
        var symbol = _token.Text[0];
        var count = 0;
        for (; _token.Is(symbol == '-' ? "-" : "!"); Advance())
            count++;

        // The sign belongs to a number that follows: only so can -9223372036854775808 be written.
        var isSigned = symbol == '-' && _token.Kind is CelTokenKind.Int or CelTokenKind.Double;
        if (symbol == '-' && _token.Is("!"))
            throw Unexpected("a number or a name after '-'");
        var operand = isSigned ? Member(Primary(negative: true)) : _token.Is("-") ? Unary() : Member(Primary(negative: false));
        count -= isSigned ? 1 : 0;

        // Three signs or more do what one or two do.
        for (var i = count > 2 ? 2 - (count % 2) : count; i > 0; i--)
            operand = Grown(new UnarySyntax(position, symbol, operand));
        return operand;
    }

    private void Advance() => _token = _lexer.Next();

    private void Expect(string symbol, string why)
    {
        if (!_token.Is(symbol))
            throw Unexpected($"'{symbol}' {why}");
        Advance();
    }

    private T Grown<T>(T syntax)
        where T : CelSyntax
    {
        if (syntax.Depth > _options.MaxTreeDepth)
            throw Error(syntax.Position, $"the expression chains or nests more than {_options.MaxTreeDepth} operations; split it up");
        return syntax;
    }

    private CelSyntaxException Unexpected(string expected)
    {
        var found = _token.Kind == CelTokenKind.End ? "the end" : $"'{CelError.Shorten(Text[_token.Start.._token.End])}'";
        var hint = _token.Kind != CelTokenKind.Identifier ? "" : _token.Text switch
        {
            "and" or "AND" => "; CEL writes '&&'",
            "or" or "OR" => "; CEL writes '||'",
            "not" or "NOT" => "; CEL writes '!'",
            _ => "",
        };
        return Error(_token.Start, $"found {found} but expected {expected}{hint}");
    }

    private CelSyntaxException Error(int at, string description) => CelSyntaxException.At(Text, at, description);
}
