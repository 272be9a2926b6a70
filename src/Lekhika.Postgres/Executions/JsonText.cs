using System.Text.Json;

namespace Lekhika.Postgres.Executions;

/// <summary>JSON columns as elements that own their memory.</summary>
internal static class JsonText
{
    public static JsonElement Parse(string text)
    {
        using var document = JsonDocument.Parse(text, new JsonDocumentOptions { MaxDepth = 512 });
        return document.RootElement.Clone();
    }

    /// <summary>What somebody else wrote: null where it is nested too deeply to be read, which is for the run to complain about.</summary>
    public static JsonElement? ParseReadable(string? text)
    {
        try
        {
            return ParseOrNull(text);
        }
        catch (JsonException)
        {
            return null;
        }
    }

    public static JsonElement? ParseOrNull(string? text) => text is null ? null : Parse(text);
}
