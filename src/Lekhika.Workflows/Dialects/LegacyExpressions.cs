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
internal sealed partial class LegacyExpressions(IReadOnlyCollection<string> nodeIds, NameResolver resolve)
{
    private const int Deepest = 60;

    private static readonly SearchValues<char> Operating = SearchValues.Create(" ?<>=!&|+*%");

    private const int LongestId = 200;

    private readonly NameResolver _resolve = resolve;

    /// <summary>Ids of letters, digits, <c>_</c> and <c>-</c> are looked up; others, which are rare, are tried one by one.</summary>
    private readonly HashSet<string> _plainIds = nodeIds.Where(static id => IsPlain(id)).ToHashSet(StringComparer.Ordinal);

    private readonly List<string> _oddIds = [.. nodeIds
        .Where(static id => id.Length > 0 && !IsPlain(id))
        .OrderByDescending(static id => id.Length)
        .Take(100)];

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
            if (inner.Length > 0) result.Expression(Expression(inner));
            position = close + 2;
        }

        return result.Literal(text.AsSpan(position)).ToString();
    }

    /// <summary>An expression, in which names may stand in <c>{{ }}</c> or <c>${ }</c>.</summary>
    public string Expression(string text) => new Scanner(this, text, 0).Run().Trim();

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
        "includes" => "contains",
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
