using System.Text.Json;

namespace Lekhika.Daemon.Nodes.Documents;

/// <summary>Finds the text of an output: its chapters in order, else its text.</summary>
internal static class DocumentReader
{
    private static readonly string[] TextFields = ["text", "content", "body", "message", "value", "result"];

    /// <summary>The sections of one output; empty if it holds no text.</summary>
    /// <param name="output">The output of a node.</param>
    /// <param name="title">Title of a text that has none of its own; empty for none.</param>
    public static IEnumerable<Section> Sections(JsonElement output, string title = "")
    {
        if (Chapters(output) is { Count: > 0 } chapters) return chapters;
        return Text(output) is { Length: > 0 } text ? [new Section(null, title, text)] : [];
    }

    /// <summary>The chapters of an output, by their numbers; empty if there are none.</summary>
    public static List<Section> Chapters(JsonElement output)
    {
        var chapters = new List<Section>();
        if (output.Get("chapters") is not { ValueKind: JsonValueKind.Array } list) return chapters;
        foreach (var item in list.EnumerateArray())
        {
            if (item.ValueKind != JsonValueKind.Object) continue;
            var number = item.Integer("number") ?? item.Integer("chapter") ?? chapters.Count + 1;
            var title = item.Text("title") ?? "";
            chapters.Add(new Section(number, title, Section.WithoutHeading(item.Text("content") ?? item.Text("text") ?? "", title)));
        }

        return [.. chapters.OrderBy(static chapter => chapter.Number)];
    }

    /// <summary>The text of an output; null if it holds none.</summary>
    public static string? Text(JsonElement output)
    {
        if (output.ValueKind == JsonValueKind.String) return output.GetString();
        foreach (var field in TextFields)
        {
            if (output.Get(field) is { ValueKind: JsonValueKind.String } text && text.GetString() is { Length: > 0 } found) return found;
        }

        return null;
    }

    public static void WriteChapters(Utf8JsonWriter writer, IEnumerable<Section> chapters)
    {
        writer.WriteStartArray("chapters");
        foreach (var chapter in chapters)
        {
            writer.WriteStartObject();
            if (chapter.Number is { } number) writer.WriteNumber("number", number);
            writer.WriteString("title", chapter.Title);
            writer.WriteString("content", chapter.Content);
            writer.WriteNumber("words", chapter.WordCount);
            writer.WriteEndObject();
        }

        writer.WriteEndArray();
    }
}
