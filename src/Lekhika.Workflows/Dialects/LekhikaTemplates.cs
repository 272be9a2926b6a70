namespace Lekhika.Workflows.Dialects;

/// <summary>
/// Prompts with names in single braces. Only a plain name between braces is taken for one (<c>{topic}</c>, <c>{Book Title}</c>, and also
/// <c>{{topic}}</c>); everything else between braces is literal text, so JSON in a prompt stays JSON.
/// </summary>
internal static class LekhikaTemplates
{
    private const int LongestName = 64;

    /// <summary>The canonical template, and the names that were found.</summary>
    public static string Translate(string text, Func<string, string> cel)
    {
        if (!text.Contains('{', StringComparison.Ordinal)) return text;
        var result = new TemplateText(text.Length);
        var position = 0;
        while (position < text.Length)
        {
            var open = text.IndexOf('{', position);
            if (open < 0) break;
            result.Literal(text.AsSpan(position, open - position));
            var doubled = open + 1 < text.Length && text[open + 1] == '{';
            if (doubled && Name(text, open + 2, "}}") is { } twice)
            {
                result.Expression(cel(twice.Trim()));
                position = open + 4 + twice.Length;
            }
            else if (Name(text, open + 1, "}") is { } once)
            {
                result.Expression(cel(once.Trim()));
                position = open + 2 + once.Length;
            }
            else
            {
                result.Literal(text.AsSpan(open, 1));
                position = open + 1;
            }
        }

        return result.Literal(text.AsSpan(Math.Min(position, text.Length))).ToString();
    }

    private static string? Name(string text, int start, string close)
    {
        var end = start;
        while (end < text.Length && end - start <= LongestName && (char.IsLetterOrDigit(text[end]) || text[end] is '_' or ' ' or '-')) end++;
        if (end - start > LongestName || string.CompareOrdinal(text, end, close, 0, close.Length) != 0) return null;
        var name = text[start..end];
        var trimmed = name.AsSpan().Trim();
        return trimmed.Length > 0 && (char.IsLetter(trimmed[0]) || trimmed[0] == '_') ? name : null;
    }
}
