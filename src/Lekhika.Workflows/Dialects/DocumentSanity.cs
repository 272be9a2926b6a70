using System.Text.Json;
using Lekhika.Workflows.Definitions;
using Lekhika.Workflows.Validation;

namespace Lekhika.Workflows.Dialects;

/// <summary>
/// Looks once at a whole document before anything reads it: text that is no Unicode (half a surrogate pair makes every later read throw), U+0000
/// (PostgreSQL's jsonb cannot hold it) and nesting that later recursion should not meet.
/// </summary>
internal static class DocumentSanity
{
    private const int Deepest = 128;

    public static bool Check(JsonElement document, ProblemList problems)
    {
        Walk(document, "", 0, problems);
        return !problems.HasErrors;
    }

    private static void Walk(JsonElement value, string path, int depth, ProblemList problems)
    {
        if (depth > Deepest)
        {
            problems.Error("too_deep", path, $"values may be nested {Deepest} deep");
            return;
        }

        switch (value.ValueKind)
        {
            case JsonValueKind.Object:
                foreach (var property in value.EnumerateObject())
                {
                    if (Readable(() => property.Name, path, problems, out var name))
                        Walk(property.Value, JsonPath.Key(path, name), depth + 1, problems);
                }

                break;
            case JsonValueKind.Array:
                var index = 0;
                foreach (var item in value.EnumerateArray()) Walk(item, JsonPath.Index(path, index++), depth + 1, problems);
                break;
            case JsonValueKind.String:
                Readable(value.GetString, path, problems, out _);
                break;
        }
    }

    private static bool Readable(Func<string?> read, string path, ProblemList problems, out string text)
    {
        text = "";
        try
        {
            text = read() ?? "";
        }
        catch (InvalidOperationException)
        {
            problems.Error("invalid_text", path, "holds text that is not valid Unicode (half of a surrogate pair)");
            return false;
        }

        if (!text.Contains('\0', StringComparison.Ordinal)) return true;
        problems.Error("invalid_text", path, "holds the character U+0000, which the database cannot store");
        return false;
    }
}
