using System.Collections.Immutable;
using System.Globalization;

namespace Lekhika.Daemon.Nodes.Documents;

// Texts of nodes made into one document: sections in order, each with its heading, in Markdown, HTML, plain text or JSON.
//
//   outputs of nodes ─► DocumentReader ─► Document ─► MarkdownForm │ HtmlForm │ TextForm │ JsonForm
//
// Models write Markdown, so that is what the text of a section is taken to be.

/// <summary>A document to be written in some form.</summary>
/// <param name="Title">Title; empty for none.</param>
/// <param name="Author">Author; empty for none.</param>
/// <param name="HasContents">Whether a table of contents goes before the text.</param>
/// <param name="Sections">Chapters and texts in order.</param>
internal sealed record Document(string Title, string Author, bool HasContents, ImmutableArray<Section> Sections)
{
    public int WordCount => Sections.Sum(static section => section.WordCount);
}

/// <summary>A chapter, or a text without number and title.</summary>
/// <param name="Number">Number of the chapter; null for a text.</param>
/// <param name="Title">Its title; empty for none.</param>
/// <param name="Content">Its text, without its heading.</param>
internal sealed record Section(int? Number, string Title, string Content)
{
    public int WordCount => Words.Count(Content);

    /// <summary>The heading; empty if there is nothing to show. A title that tells its number itself is left as it is.</summary>
    public string Heading => (Number, Title) switch
    {
        (null, var title) => title,
        ({ } number, "") => number.ToString(CultureInfo.InvariantCulture),
        ({ } number, var title) when TellsNumber(title, number) => title,
        ({ } number, var title) => string.Create(CultureInfo.InvariantCulture, $"{number}. {title}"),
    };

    /// <summary>Takes off the heading that models like to repeat above the text of a chapter.</summary>
    public static string WithoutHeading(string content, string title)
    {
        var text = content.Trim();
        var end = text.IndexOf('\n', StringComparison.Ordinal);
        var first = (end < 0 ? text : text[..end]).Trim();
        if (end < 0 || first.Length > title.Length + 40) return text;
        var bare = first.Trim('#', '*', ' ', ':');
        var isHeading = first.StartsWith('#') || (first.StartsWith("**", StringComparison.Ordinal) && first.EndsWith("**", StringComparison.Ordinal))
            || string.Equals(bare, title, StringComparison.OrdinalIgnoreCase);
        var repeatsTitle = (title.Length > 0 && bare.Contains(title, StringComparison.OrdinalIgnoreCase))
            || bare.StartsWith("Chapter ", StringComparison.OrdinalIgnoreCase);
        return isHeading && repeatsTitle ? text[(end + 1)..].TrimStart() : text;
    }

    private static bool TellsNumber(string title, int number)
    {
        var digits = number.ToString(CultureInfo.InvariantCulture);
        var at = title.IndexOf(digits, StringComparison.Ordinal);
        return at >= 0 && at <= 12 && (at == 0 || title.StartsWith("Chapter", StringComparison.OrdinalIgnoreCase))
            && (at + digits.Length == title.Length || !char.IsAsciiDigit(title[at + digits.Length]));
    }
}
