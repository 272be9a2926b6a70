using System.Text.Json;

namespace Lekhika.Inference.Endpoints;

/// <summary>The tool calls of a message, which both protocols write alike: <c>[{"function": {"name": …}}]</c>.</summary>
internal static class ToolCalls
{
    /// <summary>The name of the first one; null if there is none.</summary>
    public static string? FirstName(ref Utf8JsonReader reader)
    {
        if (reader.TokenType != JsonTokenType.StartArray)
        {
            reader.Skip();
            return null;
        }

        string? name = null;
        var depth = reader.CurrentDepth;
        while (reader.Read() && reader.CurrentDepth > depth)
        {
            if (reader.TokenType == JsonTokenType.StartObject)
                name ??= "";
            if (reader.TokenType != JsonTokenType.PropertyName || name is not (null or "") || !reader.ValueTextEquals("name"u8))
                continue;
            reader.Read();
            name = JsonPieces.Text(ref reader) ?? "";
        }

        return name;
    }
}
