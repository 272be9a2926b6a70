using System.Text.Json;

namespace Lekhika.Daemon.Generation;

/// <summary>
/// Finds the JSON object that was asked for in what a model said: the whole text, after thinking, in prose, in a fence, as text inside a JSON string.
/// Objects are found by reading them, not by looking for fences, so fences and brackets inside strings do not matter. Of several that fit, one that
/// needed no repair is taken before one that did, and a later one before an earlier: models think aloud first.
/// </summary>
internal static class ReplyReader
{
    private const int MostStarts = 400;

    /// <param name="text">What the model said, thinking perhaps included.</param>
    /// <param name="wasCut">Whether it was cut off by its length limit.</param>
    /// <param name="fits">Whether an object is what was asked for.</param>
    public static ReplyResult Read(string text, bool wasCut, Func<JsonElement, bool> fits)
    {
        if (string.IsNullOrWhiteSpace(text)) return new ReplyResult(null, [], "the reply is empty");
        var answer = AfterThinking(text, out var thought);
        var found = Search(answer, wasCut, fits, unwraps: true);
        if (found.Value is null && thought && Search(text, wasCut, fits, unwraps: true) is { Value: not null } within) return within;
        return found;
    }

    private static ReplyResult Search(string text, bool wasCut, Func<JsonElement, bool> fits, bool unwraps)
    {
        if (unwraps && Unwrapped(text) is { } inner && Search(inner, wasCut, fits, unwraps: false) is { Value: not null } unwrapped)
            return unwrapped with { Repairs = [.. unwrapped.Repairs, "JSON inside a string taken out"] };

        LenientResult? best = null;
        LenientResult? failure = null;
        var (farthest, longestOther) = (-1, -1);
        var at = -1;
        for (var tries = 0; tries < MostStarts && (at = text.IndexOf('{', at + 1)) >= 0; tries++)
        {
            var result = LenientJson.Read(text, at, wasCut);
            if (result.Value is not { } value)
            {
                if (result.End - at > farthest) (farthest, failure) = (result.End - at, result);
                continue;
            }

            if (!fits(value)) longestOther = Math.Max(longestOther, result.End - at);
            else if (best is null || result.Repairs.Count == 0 || best.Repairs.Count > 0) best = result;

            // What does not fit may have in it what does; what fits is not looked into.
            if (fits(value)) at = result.End - 1;
        }

        if (best is not null) return new ReplyResult(best.Value, best.Repairs, null);
        // The longest attempt is what was meant; what could be read inside it is only a part.
        if (failure is not null && farthest > longestOther) return new ReplyResult(null, [], $"it is not JSON that can be read: {failure.Problem}");
        return longestOther >= 0
            ? new ReplyResult(null, [], "it holds JSON, but not the object that was asked for")
            : new ReplyResult(null, [], "it holds no JSON object");
    }

    /// <summary>The text inside, if the whole reply is a JSON string.</summary>
    private static string? Unwrapped(string text)
    {
        var trimmed = text.Trim();
        if (trimmed.Length < 2 || trimmed[0] != '"' || trimmed[^1] != '"') return null;
        try
        {
            using var document = JsonDocument.Parse(trimmed);
            return document.RootElement.GetString();
        }
        catch (JsonException)
        {
            return null;
        }
    }

    /// <summary>What follows thinking that a model put into its text.</summary>
    private static string AfterThinking(string text, out bool thought)
    {
        thought = false;
        var begun = text.AsSpan().TrimStart();
        var tag = begun.StartsWith("<think>", StringComparison.OrdinalIgnoreCase) ? "</think>"
            : begun.StartsWith("<thinking>", StringComparison.OrdinalIgnoreCase) ? "</thinking>"
            : null;
        if (tag is null)
        {
            // Some templates swallow the opening tag. Inside a string it would be preceded by the object's own bracket.
            var bare = text.IndexOf("</think>", StringComparison.OrdinalIgnoreCase);
            if (bare < 0 || begun.StartsWith("{", StringComparison.Ordinal)) return text;
            tag = "</think>";
        }

        var end = text.IndexOf(tag, StringComparison.OrdinalIgnoreCase);
        if (end < 0) return text;
        thought = true;
        return text[(end + tag.Length)..];
    }
}

/// <summary>What was found in a reply.</summary>
/// <param name="Value">The object; null if there is none that can be used.</param>
/// <param name="Repairs">What was put right in it.</param>
/// <param name="Problem">Why there is none: continues "The reply cannot be used: ".</param>
internal sealed record ReplyResult(JsonElement? Value, IReadOnlyList<string> Repairs, string? Problem);
