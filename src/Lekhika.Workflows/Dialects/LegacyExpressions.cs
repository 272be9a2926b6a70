using System.Buffers;

namespace Lekhika.Workflows.Dialects;

/// <summary>Says what a name of an earlier dialect means in CEL.</summary>
/// <param name="root">The first word of the path, such as <c>trigger</c>, <c>input</c> or a node's id.</param>
/// <param name="members">The words after it.</param>
/// <returns>The CEL for the root and how many of the members it covers; the rest are appended.</returns>
internal delegate (string Cel, int Used) NameResolver(string root, IReadOnlyList<string> members);

/// <summary>
/// Translates the expressions of the earlier dialects (a mixture of JavaScript, Python and paths) into CEL: <c>===</c>, <c>.length</c>,
/// <c>{{a.b}} &gt; 3</c>, <c>${x}</c>, <c>and</c>/<c>or</c>/<c>not</c>, <c>True</c>, ids with dashes. What it does not know it leaves, so that the
/// compiler complains about it in its place.
/// </summary>
internal sealed partial class LegacyExpressions
{
    private const int Deepest = 60;

    private const int LongestId = 200;

    private static readonly SearchValues<char> Operating = SearchValues.Create(" ?<>=!&|+*%");

    private readonly NameResolver _resolve;

    /// <summary>Ids of letters, digits, <c>_</c> and <c>-</c> are looked up; others, which are rare, are tried one by one.</summary>
    private readonly HashSet<string> _plainIds;

    private readonly List<string> _oddIds;

    public LegacyExpressions(IReadOnlyCollection<string> nodeIds, NameResolver resolve)
    {
        _resolve = resolve;
        _plainIds = nodeIds.Where(static id => IsPlain(id)).ToHashSet(StringComparer.Ordinal);
        _oddIds = [.. nodeIds.Where(static id => id.Length > 0 && !IsPlain(id)).OrderByDescending(static id => id.Length).Take(100)];
    }

    private LegacyExpressions(LegacyExpressions other, NameResolver resolve) =>
        (_resolve, _plainIds, _oddIds) = (resolve, other._plainIds, other._oddIds);

    /// <summary>The same ids, with names that mean something else.</summary>
    public LegacyExpressions With(NameResolver resolve) => new(this, resolve);

    /// <summary>A text with <c>{{ old }}</c> in it.</summary>
    public string Template(string text)
    {
        if (!text.Contains("{{", StringComparison.Ordinal)) return text;
        var result = new TemplateText();
        var position = 0;
        while (position < text.Length)
        {
            var open = text.IndexOf("{{", position, StringComparison.Ordinal);
            var close = open < 0 ? -1 : text.IndexOf("}}", open + 2, StringComparison.Ordinal);
            if (close < 0) break;
            result.Literal(text.AsSpan(position, open - position));
            var inner = text[(open + 2)..close].Trim();
            if (inner.Length > 0) result.Expression(Alternatives(inner) ?? Expression(inner));
            position = close + 2;
        }

        return result.Literal(text.AsSpan(position)).ToString();
    }

    /// <summary>An expression, in which names may stand in <c>{{ }}</c> or <c>${ }</c>.</summary>
    public string Expression(string text) => new Scanner(this, text, 0).Run().Trim();

    /// <summary>
    /// A condition that is only a path, perhaps negated: it holds as it did in the earlier dialects, for anything but null, false, nought, the empty
    /// text and what is missing. Null for any other condition, which is an expression.
    /// </summary>
    public string? Truth(string text)
    {
        var bare = Bare(text);
        var negated = bare.StartsWith('!');
        if (PathOrNull(negated ? bare[1..] : bare) is not { } path) return null;
        return negated ? CelText.Falsy(path) : CelText.Truthy(path);
    }

    /// <summary>What a path such as <c>input.a.b</c> leads to, or null where it does not lead that far; null if the text is no path.</summary>
    public string? PathOrNull(string text) => new Scanner(this, Bare(text), 0).WholePath();

    /// <summary>What stands in a pair of braces that holds all of the text; else the text.</summary>
    public static string Bare(string text)
    {
        var trimmed = text.Trim();
        return trimmed.Length >= 4 && trimmed.StartsWith("{{", StringComparison.Ordinal) && trimmed.IndexOf("}}", StringComparison.Ordinal) == trimmed.Length - 2
            ? trimmed[2..^2].Trim()
            : trimmed;
    }

    /// <summary><c>a || 'b'</c> and <c>a ?? 'b'</c>: the first value that is given, else the last; null if the text is anything else.</summary>
    private string? Alternatives(string text)
    {
        var word = text.Contains("??", StringComparison.Ordinal) ? "??" : "||";
        var parts = text.Split(word);
        if (parts.Length is < 2 or > 10) return null;
        var values = new List<string>(parts.Length);
        foreach (var part in parts)
        {
            if (PathOrNull(part) is { } path) values.Add(path);
            else if (IsConstant(part.Trim())) values.Add(Expression(part));
            else return null;
        }

        var given = word == "??" ? "value != null" : CelText.Truthy("value");
        return $"([{string.Join(", ", values.Take(values.Count - 1))}].filter(value, {given}) + [{values[^1]}])[0]";
    }

    /// <summary>A text in quotes without more of them in it, a number or a word such as <c>false</c>.</summary>
    private static bool IsConstant(string text) =>
        text is "true" or "false" or "null"
        || (text.Length > 0 && text.All(static character => char.IsAsciiDigit(character) || character == '.'))
        || (text.Length > 1 && text[0] is '"' or '\'' && text.IndexOf(text[0], 1) == text.Length - 1 && !text.Contains('\\', StringComparison.Ordinal));

    private static bool IsPlain(string id) => id.Length is > 0 and <= LongestId && id.All(static character => IsPlain(character));

    private static bool IsPlain(char character) => CelText.IsNamePart(character) || character == '-';

    private static string Operator(string word) => word switch
    {
        "===" => "==",
        "!==" => "!=",
        "and" => "&&",
        "or" => "||",
        "not" => "!",
        _ => word,
    };

    private static string Method(string name) => name switch
    {
        "toLowerCase" or "lower" => "lowerAscii",
        "toUpperCase" or "upper" => "upperAscii",
        "startswith" => "startsWith",
        "endswith" => "endsWith",
        "strip" => "trim",
        _ => name,
    };

    private static string Function(string name) => name switch
    {
        "len" => "size",
        "String" or "str" => "string",
        "Number" or "parseFloat" or "float" => "double",
        "parseInt" => "int",
        "Boolean" => "bool",
        _ => name,
    };
}
