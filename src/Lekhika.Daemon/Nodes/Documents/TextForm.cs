using System.Text;

namespace Lekhika.Daemon.Nodes.Documents;

/// <summary>Plain text: headings on lines of their own, without the marks of Markdown.</summary>
internal static class TextForm
{
    public static string Write(Document document)
    {
        var text = new StringBuilder();
        if (document.Title.Length > 0) text.Append(DocumentForms.OneLine(document.Title)).Append("\n\n");
        if (document.Author.Length > 0) text.Append(DocumentForms.OneLine(document.Author)).Append("\n\n");
        if (document.HasContents)
        {
            foreach (var section in document.Sections.Where(static section => section.Heading.Length > 0)) text.Append(DocumentForms.OneLine(section.Heading)).Append('\n');
            text.Append('\n');
        }

        foreach (var section in document.Sections)
        {
            if (section.Heading.Length > 0) text.Append(DocumentForms.OneLine(section.Heading)).Append("\n\n");
            text.Append(Plain(section.Content)).Append("\n\n");
        }

        return text.ToString().TrimEnd() + "\n";
    }

    private static string Plain(string markdown)
    {
        var plain = new StringBuilder(markdown.Length);
        foreach (var line in markdown.ReplaceLineEndings("\n").Trim().Split('\n'))
        {
            var bare = line.StartsWith('#') && line.TrimStart('#').StartsWith(' ') ? line.TrimStart('#', ' ') : line;
            plain.Append(bare.Replace("**", "", StringComparison.Ordinal).TrimEnd()).Append('\n');
        }

        return plain.ToString().TrimEnd();
    }
}
