using System.Globalization;
using System.Net;
using System.Text;
using System.Text.RegularExpressions;

namespace Lekhika.Daemon.Nodes.Documents;

/// <summary>
/// A whole HTML page. Every character of the text is escaped before anything is marked up, so what a model or an input says can never become markup.
/// Of Markdown it knows headings, lists, quotes, fenced code, bold, italic and code; everything else stays text.
/// </summary>
internal static partial class HtmlForm
{
    public static string Write(Document document)
    {
        var html = new StringBuilder("<!DOCTYPE html>\n<html>\n<head>\n<meta charset=\"utf-8\">\n");
        html.Append("<title>").Append(Escape(document.Title.Length > 0 ? document.Title : "Document")).Append("</title>\n</head>\n<body>\n");
        if (document.Title.Length > 0) html.Append("<h1>").Append(Escape(document.Title)).Append("</h1>\n");
        if (document.Author.Length > 0) html.Append("<p class=\"author\">").Append(Escape(document.Author)).Append("</p>\n");
        if (document.HasContents) WriteContents(html, document);
        for (var i = 0; i < document.Sections.Length; i++)
        {
            var section = document.Sections[i];
            html.Append(CultureInfo.InvariantCulture, $"<section id=\"section-{i + 1}\">\n");
            if (section.Heading.Length > 0) html.Append("<h2>").Append(Escape(section.Heading)).Append("</h2>\n");
            WriteBlocks(html, section.Content);
            html.Append("</section>\n");
        }

        return html.Append("</body>\n</html>\n").ToString();
    }

    private static void WriteContents(StringBuilder html, Document document)
    {
        html.Append("<nav>\n<ul>\n");
        for (var i = 0; i < document.Sections.Length; i++)
        {
            if (document.Sections[i].Heading is { Length: > 0 } heading)
                html.Append(CultureInfo.InvariantCulture, $"<li><a href=\"#section-{i + 1}\">").Append(Escape(heading)).Append("</a></li>\n");
        }

        html.Append("</ul>\n</nav>\n");
    }

    private static void WriteBlocks(StringBuilder html, string markdown)
    {
        var lines = markdown.ReplaceLineEndings("\n").Split('\n');
        var open = "";
        for (var i = 0; i < lines.Length; i++)
        {
            var line = lines[i].Trim();
            if (line.StartsWith("```", StringComparison.Ordinal))
            {
                Switch(html, ref open, "");
                html.Append("<pre><code>");
                for (i++; i < lines.Length && !lines[i].TrimStart().StartsWith("```", StringComparison.Ordinal); i++) html.Append(Escape(lines[i])).Append('\n');
                html.Append("</code></pre>\n");
                continue;
            }

            var (block, text) = BlockOf(line);
            Switch(html, ref open, block is "ul" or "ol" or "p" or "blockquote" ? block : "");
            switch (block)
            {
                case "":
                    break;
                case "ul" or "ol":
                    html.Append("<li>").Append(Inline(text)).Append("</li>\n");
                    break;
                case "p" or "blockquote":
                    html.Append(Inline(text)).Append('\n');
                    break;
                default:
                    html.Append('<').Append(block).Append('>').Append(Inline(text)).Append("</").Append(block).Append(">\n");
                    break;
            }
        }

        Switch(html, ref open, "");
    }

    private static (string Block, string Text) BlockOf(string line)
    {
        if (line.Length == 0) return ("", "");
        var marks = line.Length - line.TrimStart('#').Length;

        // The page's title is h1 and a chapter's h2.
        if (marks is >= 1 and <= 6 && line.Length > marks && line[marks] == ' ') return ($"h{Math.Clamp(marks + 1, 3, 6)}", line[(marks + 1)..].Trim());
        if (line.StartsWith("- ", StringComparison.Ordinal) || line.StartsWith("* ", StringComparison.Ordinal)) return ("ul", line[2..].Trim());
        if (NumberedItem().Match(line) is { Success: true } item) return ("ol", line[item.Length..].Trim());
        return line.StartsWith("> ", StringComparison.Ordinal) ? ("blockquote", line[2..].Trim()) : ("p", line);
    }

    /// <summary>Ends the block that is open and begins another; lines of the same kind go on in it.</summary>
    private static void Switch(StringBuilder html, ref string open, string block)
    {
        if (open == block) return;
        if (open.Length > 0) html.Append("</").Append(open).Append(">\n");
        if (block.Length > 0) html.Append('<').Append(block).Append(">\n");
        open = block;
    }

    private static string Inline(string text)
    {
        var escaped = Escape(text);
        escaped = Code().Replace(escaped, "<code>${text}</code>");
        escaped = Bold().Replace(escaped, "<strong>${text}</strong>");
        return Italic().Replace(escaped, "<em>${text}</em>");
    }

    private static string Escape(string text) => WebUtility.HtmlEncode(text);

    [GeneratedRegex(@"^\d{1,4}[.)] ", RegexOptions.CultureInvariant, matchTimeoutMilliseconds: 1000)]
    private static partial Regex NumberedItem();

    [GeneratedRegex("`(?<text>[^`]+)`", RegexOptions.CultureInvariant, matchTimeoutMilliseconds: 1000)]
    private static partial Regex Code();

    [GeneratedRegex(@"\*\*(?<text>[^*]+)\*\*", RegexOptions.CultureInvariant, matchTimeoutMilliseconds: 1000)]
    private static partial Regex Bold();

    [GeneratedRegex(@"(?<![\w*])\*(?<text>[^*\s][^*]*)\*(?![\w*])", RegexOptions.CultureInvariant, matchTimeoutMilliseconds: 1000)]
    private static partial Regex Italic();
}
