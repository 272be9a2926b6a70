using System.Text;
using System.Text.Json;

namespace Lekhika.Daemon.Nodes;

/// <summary>Finds JSON in what a model wrote: the whole text, a fenced block, or the first object or list in it.</summary>
internal static class JsonInText
{
    private const int MostStarts = 50;

    public static bool TryFind(string text, out JsonElement value)
    {
        var trimmed = text.Trim();
        if (TryRead(trimmed, wholly: true, out value)) return true;
        var fence = trimmed.IndexOf("```", StringComparison.Ordinal);
        if (fence >= 0)
        {
            var begin = trimmed.IndexOf('\n', fence);
            var end = begin < 0 ? -1 : trimmed.IndexOf("```", begin, StringComparison.Ordinal);
            if (begin >= 0 && TryRead(end < 0 ? trimmed[begin..].Trim() : trimmed[begin..end].Trim(), wholly: true, out value)) return true;
        }

        var at = -1;
        for (var tries = 0; tries < MostStarts && (at = trimmed.IndexOfAny(['{', '['], at + 1)) >= 0; tries++)
        {
            if (TryRead(trimmed[at..], wholly: false, out value)) return true;
        }

        value = default;
        return false;
    }

    private static bool TryRead(string text, bool wholly, out JsonElement value)
    {
        value = default;
        if (text.Length == 0) return false;
        var reader = new Utf8JsonReader(Encoding.UTF8.GetBytes(text), new JsonReaderOptions { MaxDepth = 512 });
        try
        {
            if (!JsonDocument.TryParseValue(ref reader, out var document)) return false;
            using (document)
            {
                if (wholly && reader.Read()) return false;
                value = document.RootElement.Clone();
                return true;
            }
        }
        catch (JsonException)
        {
            return false;
        }
    }
}
