using System.Text;

namespace Lekhika.Inference;

/// <summary>One server that answers model calls.</summary>
public sealed record ModelEndpointOptions
{
    /// <summary>What people call it; unique, case-insensitively.</summary>
    public required string Name { get; init; }

    /// <summary>Which protocol it speaks. Default Ollama.</summary>
    public ModelEndpointKind Kind { get; init; }

    /// <summary>
    /// Absolute http or https address. A path is kept (servers behind a proxy); user and password in it are sent as basic authentication and
    /// shown nowhere. For OpenAI-compatible servers <c>/v1</c> is added if the path names no version.
    /// </summary>
    public required Uri BaseUrl { get; init; }

    /// <summary>Sent as a bearer token; never logged, never printed.</summary>
    public string? ApiKey { get; init; }

    /// <summary>Requests in flight for each loaded model: what the server has as OLLAMA_NUM_PARALLEL. 1 to 1024, default 1.</summary>
    public int Parallelism { get; init; } = 1;

    /// <summary>
    /// Models that fit in its memory at once: lanes that may run side by side. Null means 1 for Ollama and no limit for OpenAI-compatible servers,
    /// which do not swap.
    /// </summary>
    public int? MaxLoadedModels { get; init; }

    /// <summary>Its share of the work against other endpoints with the same model; 0.01 to 100, default 1.</summary>
    public double Weight { get; init; } = 1;

    /// <summary>Lanes that may run side by side, the default filled in.</summary>
    internal int Places => MaxLoadedModels ?? (Kind == ModelEndpointKind.Ollama ? 1 : int.MaxValue);

    /// <summary>What is wrong with it, in words for the person who wrote it.</summary>
    public IEnumerable<string> Problems()
    {
        if (string.IsNullOrWhiteSpace(Name))
            yield return "endpoint: the name is empty";
        if (BaseUrl is not { IsAbsoluteUri: true, Scheme: "http" or "https" })
            yield return $"endpoint '{Name}': the address is not an absolute http or https URL; write for example http://127.0.0.1:11434";
        if (Parallelism is < 1 or > 1024)
            yield return $"endpoint '{Name}': parallelism is {Parallelism}; expected 1 to 1024";
        if (MaxLoadedModels is < 1)
            yield return $"endpoint '{Name}': max loaded models is {MaxLoadedModels}; expected at least 1";
        if (Weight is not (>= 0.01 and <= 100))
            yield return $"endpoint '{Name}': weight is {Weight}; expected 0.01 to 100";
    }

    // The text a record makes of itself would hold the key.
    private bool PrintMembers(StringBuilder builder)
    {
        builder.Append("Name = ").Append(Name).Append(", Kind = ").Append(Kind).Append(", Parallelism = ").Append(Parallelism);
        return true;
    }
}

/// <summary>Protocols of endpoints.</summary>
public enum ModelEndpointKind
{
    /// <summary>Ollama's own: /api/chat.</summary>
    Ollama,

    /// <summary>OpenAI-compatible: /v1/chat/completions (llama.cpp server, vLLM, hosted).</summary>
    OpenAi,
}
