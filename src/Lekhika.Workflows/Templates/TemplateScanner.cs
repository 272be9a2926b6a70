using Lekhika.Workflows.Expressions;

namespace Lekhika.Workflows.Templates;

/// <summary>A piece of a template: literal text, or an expression.</summary>
/// <param name="Text">The text; of an expression what stands between its braces, trimmed.</param>
/// <param name="Expression">The compiled expression; null for text.</param>
/// <param name="Start">Where in the whole text that which was compiled begins: just behind the braces.</param>
internal readonly record struct TemplatePart(string Text, CelExpression? Expression, int Start = 0);

/// <summary>
/// Cuts a text at its <c>{{ }}</c>. Where an expression ends is found with the lexer of the language, so that <c>}}</c> in a string or at
/// the end of nested maps does not end it.
/// </summary>
internal sealed class TemplateScanner(string text)
{
    private const string Opening = "{{";
    private const string Closing = "}}";

    private readonly List<TemplatePart> _parts = [];
    private readonly List<CelSyntaxException> _errors = [];

    /// <summary>Scans the whole text, also past errors.</summary>
    public ScannedTemplate Scan()
    {
        var at = 0;
        while (text.IndexOf(Opening, at, StringComparison.Ordinal) is var open and >= 0)
        {
            if (open > at)
                _parts.Add(new(text[at..open], null));
            at = Expression(open);
        }

        if (at < text.Length)
            _parts.Add(new(text[at..], null));
        return new(_parts, _errors);
    }

    /// <summary>Takes the expression that opens at <paramref name="open"/>; gives where to go on.</summary>
    private int Expression(int open)
    {
        int close;
        try
        {
            close = FindClosing(open);
        }
        catch (CelSyntaxException error)
        {
            _errors.Add(error);
            var next = text.IndexOf(Closing, open, StringComparison.Ordinal);
            return next < 0 ? text.Length : next + Closing.Length;
        }

        if (close < 0)
        {
            var comment = text.IndexOf("//", open, StringComparison.Ordinal) >= 0 ? " (what follows '//' on a line is a comment)" : "";
            _errors.Add(CelSyntaxException.At(text, open, $$$"""found a '{{' that is never closed with '}}'{{{comment}}}; to write the braces themselves use {{ "{{" }}"""));
            return text.Length;
        }

        var inner = text[(open + Opening.Length)..close];
        try
        {
            _parts.Add(new(inner.Trim(), CompiledExpressions.Get(inner), open + Opening.Length));
        }
        catch (CelSyntaxException error)
        {
            _errors.Add(Moved(error, open + Opening.Length));
        }

        return close + Closing.Length;
    }

    private int FindClosing(int open)
    {
        var lexer = new CelLexer(text, open + Opening.Length, skims: true);
        var brackets = new Stack<char>();
        while (true)
        {
            var token = lexer.Next();
            if (token.Kind == CelTokenKind.End)
                return -1;
            if (token.Kind != CelTokenKind.Symbol)
                continue;
            switch (token.Text)
            {
                case "(" or "[" or "{":
                    brackets.Push(token.Text[0]);
                    break;
                case ")" or "]":
                    brackets.TryPop(out _);
                    break;
                case "}" when brackets.TryPeek(out var inner) && inner == '{':
                    brackets.Pop();
                    break;
                case "}" when token.End < text.Length && text[token.End] == '}':
                    return token.Start;
                case "}":
                    throw CelSyntaxException.At(text, token.Start, "found '}' but expected '}}' to close the expression");
            }
        }
    }

    /// <summary>An error in an expression, placed in the whole text.</summary>
    private CelSyntaxException Moved(CelSyntaxException error, int offset)
    {
        var (line, column) = SourcePosition.Of(text, offset);
        return new(error.Line + line - 1, error.Line == 1 ? error.Column + column - 1 : error.Column, error.Description);
    }
}
