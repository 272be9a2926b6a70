using System.Text;
using System.Text.Json;

namespace Lekhika.Daemon.Nodes.Documents;

/// <summary>The forms a document can be written in.</summary>
internal static class DocumentForms
{
    public const string Markdown = "markdown";

    /// <summary>The form that an author's word means; null if it is not made here.</summary>
    public static string? Find(string word) => word.Trim().ToLowerInvariant() switch
    {
        "markdown" or "md" => Markdown,
        "html" or "htm" => "html",
        "text" or "txt" or "plain" => "text",
        "json" => "json",
        _ => null,
    };

    public static string Write(Document document, string form) => form switch
    {
        "html" => HtmlForm.Write(document),
        "text" => TextForm.Write(document),
        "json" => Json(document),
        _ => MarkdownText(document),
    };

    public static string MarkdownText(Document document)
    {
        var text = new StringBuilder();
        if (document.Title.Length > 0) text.Append("# ").Append(OneLine(document.Title)).Append("\n\n");
        if (document.Author.Length > 0) text.Append('*').Append(OneLine(document.Author)).Append("*\n\n");
        if (document.HasContents)
        {
            foreach (var section in document.Sections.Where(static section => section.Heading.Length > 0)) text.Append("- ").Append(OneLine(section.Heading)).Append('\n');
            text.Append('\n');
        }

        foreach (var section in document.Sections)
        {
            if (section.Heading.Length > 0) text.Append("## ").Append(OneLine(section.Heading)).Append("\n\n");
            text.Append(section.Content.Trim()).Append("\n\n");
        }

        return text.ToString().TrimEnd() + "\n";
    }

    private static string Json(Document document) => JsonConstants.Object(writer =>
    {
        writer.WriteString("title", document.Title);
        writer.WriteString("author", document.Author);
        DocumentReader.WriteChapters(writer, document.Sections);
        writer.WriteNumber("words", document.WordCount);
    }).GetRawText();

    /// <summary>A heading that holds a line break would end early.</summary>
    public static string OneLine(string text) => text.ReplaceLineEndings(" ").Trim();
}
