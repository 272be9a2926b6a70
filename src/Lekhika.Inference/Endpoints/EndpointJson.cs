using System.Text.Json.Serialization;

namespace Lekhika.Inference.Endpoints;

/// <summary>The small replies of both protocols; what is not named here is ignored.</summary>
[JsonSourceGenerationOptions(PropertyNamingPolicy = JsonKnownNamingPolicy.SnakeCaseLower)]
[JsonSerializable(typeof(OllamaModelList))]
[JsonSerializable(typeof(OllamaVersion))]
[JsonSerializable(typeof(OpenAiModelList))]
internal sealed partial class EndpointJson : JsonSerializerContext;

/// <summary>Reply of /api/tags and /api/ps.</summary>
internal sealed record OllamaModelList
{
    public List<OllamaModel>? Models { get; init; }
}

/// <summary>One model of it. Times are left out: their nanoseconds and far years are of no use here.</summary>
internal sealed record OllamaModel
{
    public string? Name { get; init; }

    public string? Model { get; init; }

    public long Size { get; init; }

    public string? Digest { get; init; }

    public int ContextLength { get; init; }
}

/// <summary>Reply of /api/version.</summary>
internal sealed record OllamaVersion
{
    public string? Version { get; init; }
}

/// <summary>Reply of /v1/models.</summary>
internal sealed record OpenAiModelList
{
    public List<OpenAiModel>? Data { get; init; }
}

/// <summary>One model of it.</summary>
internal sealed record OpenAiModel
{
    public string? Id { get; init; }
}
