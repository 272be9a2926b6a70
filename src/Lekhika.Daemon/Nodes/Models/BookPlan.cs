using System.Globalization;
using System.Text;
using System.Text.Json;

namespace Lekhika.Daemon.Nodes.Models;

/// <summary>What a long text is to be: its title, and title and purpose of each chapter.</summary>
internal sealed record BookPlan(string Title, IReadOnlyList<PlannedChapter> Chapters)
{
    public const int MostChapters = 200;

    private static readonly string[] Lists = ["chapter_breakdown", "chapters", "outline"];
    private static readonly string[] Wrappers = ["structure", "book", "plan", "book_structure"];
    private static readonly string[] Titles = ["title", "chapter_title", "name", "heading"];
    private static readonly string[] Outlines = ["outline", "summary", "description", "purpose", "content", "key_points", "keyPoints"];

    /// <summary>How many chapters are asked for: a number, or text such as "6-8", whose upper end counts. Null if it cannot be read.</summary>
    public static int? Count(JsonElement? asked) => UpperEnd(asked) is { } count ? (int)Math.Clamp(count, 1, MostChapters) : null;

    /// <summary>Words asked for: a number, or text such as "2000-3000 words", whose upper end counts. Null if none are.</summary>
    public static long? WordGoal(JsonElement? asked) => UpperEnd(asked) is { } words and > 0 ? words : null;

    /// <summary>The JSON schema that a model's plan must satisfy.</summary>
    public static JsonElement Schema(int count) => JsonConstants.Parse(Encoding.UTF8.GetBytes("""
        {"type":"object","properties":{"title":{"type":"string"},"chapters":{"type":"array","minItems":COUNT,"maxItems":COUNT,"items":
        {"type":"object","properties":{"title":{"type":"string"},"outline":{"type":"string"}},"required":["title","outline"]}}},"required":["title","chapters"]}
        """.Replace("COUNT", count.ToString(CultureInfo.InvariantCulture), StringComparison.Ordinal)));

    /// <summary>
    /// Reads a plan from JSON, or from text that holds JSON. The number asked for holds: what a plan has beyond it is left out, and what it lacks is
    /// added with its number for a title.
    /// </summary>
    public static BookPlan? Read(JsonElement given, int count)
    {
        var plan = given;
        if (given.ValueKind == JsonValueKind.String && !JsonInText.TryFind(given.GetString()!, out plan)) return null;
        if (List(plan) is not { } list && Wrappers.Select(name => plan.Get(name)).OfType<JsonElement>().FirstOrDefault(inner => List(inner) is not null) is var wrapped)
        {
            if (List(wrapped) is not { } inner) return null;
            list = inner;
        }

        var chapters = list.EnumerateArray().Select(static (item, index) => Chapter(item, index + 1)).Take(count).ToList();
        if (chapters.Count == 0) return null;
        while (chapters.Count < count) chapters.Add(Chapter(default, chapters.Count + 1));
        return new BookPlan(First(plan, Titles), chapters);
    }

    private static JsonElement? List(JsonElement plan)
    {
        if (plan.ValueKind == JsonValueKind.Array) return plan;
        foreach (var name in Lists)
        {
            if (plan.Get(name) is { ValueKind: JsonValueKind.Array } list) return list;
        }

        return null;
    }

    private static PlannedChapter Chapter(JsonElement item, int number)
    {
        var title = item.ValueKind == JsonValueKind.String ? item.GetString()! : First(item, Titles);
        return new PlannedChapter(title.Length > 0 ? title : string.Create(CultureInfo.InvariantCulture, $"Chapter {number}"), First(item, Outlines));
    }

    private static string First(JsonElement item, string[] names)
    {
        foreach (var name in names)
        {
            switch (item.Get(name))
            {
                case { ValueKind: JsonValueKind.String } text when text.GetString() is { Length: > 0 } found:
                    return found;
                case { ValueKind: JsonValueKind.Array } list when list.GetArrayLength() > 0:
                    return string.Join("; ", list.EnumerateArray().Select(NodeConfig.TextOf));
                default:
                    break;
            }
        }

        return "";
    }

    private static long? UpperEnd(JsonElement? asked)
    {
        if (asked is not { } value) return null;
        if (value.ValueKind == JsonValueKind.Number) return value.TryGetDouble(out var exact) && exact is >= 0 and < 1e12 ? (long)exact : null;
        long? last = null;
        var digits = new StringBuilder();
        foreach (var character in NodeConfig.TextOf(value) + " ")
        {
            if (char.IsAsciiDigit(character)) digits.Append(character);
            else if (character != ',' && digits.Length > 0)
            {
                if (long.TryParse(digits.ToString(), NumberStyles.None, CultureInfo.InvariantCulture, out var number)) last = number;
                digits.Clear();
            }
        }

        return last;
    }
}

/// <summary>A chapter as it is planned.</summary>
/// <param name="Title">Its title.</param>
/// <param name="Outline">What it is for; empty if the plan does not say.</param>
internal sealed record PlannedChapter(string Title, string Outline);
