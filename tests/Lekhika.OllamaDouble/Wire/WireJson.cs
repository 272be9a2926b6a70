using System.Text.Json;
using System.Text.Json.Nodes;
using System.Text.Json.Serialization;
using System.Text.Json.Serialization.Metadata;

namespace Lekhika.Doubles;

/// <summary>Source-generated JSON of the wire.</summary>
[JsonSourceGenerationOptions(PropertyNamingPolicy = JsonKnownNamingPolicy.SnakeCaseLower, DefaultIgnoreCondition = JsonIgnoreCondition.WhenWritingNull)]
[JsonSerializable(typeof(GenerateLine))]
[JsonSerializable(typeof(ChatLine))]
[JsonSerializable(typeof(WireError))]
[JsonSerializable(typeof(WireStatus))]
[JsonSerializable(typeof(WireVersion))]
[JsonSerializable(typeof(WireTags))]
[JsonSerializable(typeof(WireRunning))]
[JsonSerializable(typeof(WireShow))]
[JsonSerializable(typeof(WireEmbed))]
[JsonSerializable(typeof(WireEmbedding))]
[JsonSerializable(typeof(OpenAiCompletion))]
[JsonSerializable(typeof(OpenAiErrorBody))]
[JsonSerializable(typeof(OpenAiModels))]
[JsonSerializable(typeof(DoubleStats))]
[JsonSerializable(typeof(JsonObject))]
[JsonSerializable(typeof(string))]
internal sealed partial class WireContext : JsonSerializerContext;

internal static class WireJson
{
    /// <summary>The context with Go's escapes.</summary>
    public static WireContext Go { get; } = new(new JsonSerializerOptions(WireContext.Default.Options) { Encoder = GoEncoder.Instance, TypeInfoResolver = null });

    public static byte[] Bytes<T>(T value, JsonTypeInfo<T> type) => JsonSerializer.SerializeToUtf8Bytes(value, type);

    public static byte[] Line<T>(T value, JsonTypeInfo<T> type)
    {
        using var buffer = new MemoryStream(256);
        JsonSerializer.Serialize(buffer, value, type);
        buffer.WriteByte((byte)'\n');
        return buffer.ToArray();
    }
}
