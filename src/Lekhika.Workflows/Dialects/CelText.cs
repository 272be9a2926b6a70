using System.Collections.Frozen;
using System.Globalization;
using System.Text;

namespace Lekhika.Workflows.Dialects;

/// <summary>Writes pieces of CEL.</summary>
internal static class CelText
{
    private static readonly FrozenSet<string> Reserved = new[]
    {
        "true", "false", "null", "in", "as", "break", "const", "continue", "else", "for", "function", "if", "import", "let", "loop", "package",
        "namespace", "return", "var", "void", "while",
    }.ToFrozenSet(StringComparer.Ordinal);

    /// <summary>A string literal.</summary>
    public static string Quote(string text)
    {
        if (!NeedsEscape(text)) return $"\"{text}\"";
        var quoted = new StringBuilder(text.Length + 2).Append('"');
        foreach (var character in text)
        {
            _ = character switch
            {
                '"' => quoted.Append("\\\""),
                '\\' => quoted.Append(@"\\"),
                '\n' => quoted.Append("\\n"),
                '\r' => quoted.Append("\\r"),
                '\t' => quoted.Append("\\t"),
                _ when char.IsControl(character) => quoted.Append("\\u").Append(((int)character).ToString("x4", CultureInfo.InvariantCulture)),
                _ => quoted.Append(character),
            };
        }

        return quoted.Append('"').ToString();
    }

    private static bool NeedsEscape(string text)
    {
        foreach (var character in text)
        {
            if (character is '"' or '\\' || char.IsControl(character)) return true;
        }

        return false;
    }

    /// <summary>A list of string literals.</summary>
    public static string List(IEnumerable<string> texts) => $"[{string.Join(", ", texts.Select(Quote))}]";

    /// <summary>A member of a value: by dot where the grammar allows it, else by index.</summary>
    public static string Member(string value, string name) =>
        IsName(name) && !Reserved.Contains(name) ? $"{value}.{name}" : $"{value}[{Quote(name)}]";

    /// <summary>The output of a node.</summary>
    public static string Node(string id) => $"nodes[{Quote(id)}]";

    /// <summary>A member if it is there, else something else.</summary>
    public static string MemberOr(string value, string name, string otherwise) =>
        $"({Quote(name)} in {value} ? {Member(value, name)} : {otherwise})";

    /// <summary>What lies at the end of a path below a value, or null where the path does not lead that far. Members of digits are places in a list.</summary>
    public static string OrNull(string value, params IReadOnlyList<string> members)
    {
        var guards = new List<string>();
        foreach (var member in members)
        {
            var isIndex = member.All(char.IsAsciiDigit);
            guards.Add(isIndex ? $"type({value}) == list && size({value}) > {member}" : $"type({value}) == map && {Quote(member)} in {value}");
            value = isIndex ? $"{value}[{member}]" : Member(value, member);
        }

        return guards.Count == 0 ? value : $"({string.Join(" && ", guards)} ? {value} : null)";
    }

    /// <summary>Whether a value counts as true in the languages of the earlier dialects: anything but null, false, nought and the empty text.</summary>
    public static string Truthy(string value) => $"!({Falsy(value)})";

    /// <summary>The contrary of <see cref="Truthy"/>.</summary>
    public static string Falsy(string value) => $"[null, false, 0, \"\"].exists(nothing, nothing == {value})";

    public static bool IsName(string text)
    {
        if (text.Length == 0 || !IsNameStart(text[0])) return false;
        foreach (var character in text)
        {
            if (!IsNamePart(character)) return false;
        }

        return true;
    }

    public static bool IsNameStart(char character) => char.IsAsciiLetter(character) || character == '_';

    public static bool IsNamePart(char character) => char.IsAsciiLetterOrDigit(character) || character == '_';
}
