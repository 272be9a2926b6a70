using System.Runtime.InteropServices;
using System.Text.Json;
using System.Text.Unicode;
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
        new Walk(problems).Visit(document);
        return !problems.HasErrors;
    }

    /// <summary>Keeps the way to where it is, and writes it out only when there is something to say.</summary>
    private sealed class Walk(ProblemList problems)
    {
        private readonly List<(string? Name, int Index)> _way = [];

        public void Visit(JsonElement value)
        {
            if (_way.Count > Deepest)
            {
                problems.Error("too_deep", Path(), $"values may be nested {Deepest} deep");
                return;
            }

            switch (value.ValueKind)
            {
                case JsonValueKind.Object:
                    foreach (var property in value.EnumerateObject())
                    {
                        if (NameOf(property) is not { } name || !IsStorable(name)) continue;
                        _way.Add((name, 0));
                        Visit(property.Value);
                        _way.RemoveAt(_way.Count - 1);
                    }

                    break;
                case JsonValueKind.Array:
                    var index = 0;
                    foreach (var item in value.EnumerateArray())
                    {
                        _way.Add((null, index++));
                        Visit(item);
                        _way.RemoveAt(_way.Count - 1);
                    }

                    break;
                case JsonValueKind.String:
                    if (!IsPlain(JsonMarshal.GetRawUtf8Value(value)) && TextOf(value) is { } text) IsStorable(text);
                    break;
            }
        }

        /// <summary>Whether there is no need to decode it: halves of pairs and U+0000 come by escapes only.</summary>
        private static bool IsPlain(ReadOnlySpan<byte> raw) => !raw.Contains((byte)'\\') && Utf8.IsValid(raw);

        private string? NameOf(JsonProperty property)
        {
            try
            {
                return property.Name;
            }
            catch (InvalidOperationException)
            {
                NoUnicode();
                return null;
            }
        }

        private string? TextOf(JsonElement value)
        {
            try
            {
                return value.GetString();
            }
            catch (InvalidOperationException)
            {
                NoUnicode();
                return null;
            }
        }

        private void NoUnicode() => problems.Error("invalid_text", Path(), "holds text that is not valid Unicode (half of a surrogate pair)");

        private bool IsStorable(string text)
        {
            if (!text.Contains('\0', StringComparison.Ordinal)) return true;
            problems.Error("invalid_text", Path(), "holds the character U+0000, which the database cannot store");
            return false;
        }

        private string Path()
        {
            var path = "";
            foreach (var (name, index) in _way) path = name is null ? JsonPath.Index(path, index) : JsonPath.Key(path, name);
            return path;
        }
    }
}
