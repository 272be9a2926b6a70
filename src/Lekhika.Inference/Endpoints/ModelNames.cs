namespace Lekhika.Inference.Endpoints;

/// <summary>When two names mean the same model. Ollama compares without case, and leaves out its registry, its library and the tag <c>latest</c>.</summary>
internal static class ModelNames
{
    /// <summary>The one spelling of a name.</summary>
    public static string Normalize(ModelEndpointKind kind, string name)
    {
        if (kind == ModelEndpointKind.OpenAi)
            return name;
        var rest = name.AsSpan().Trim();
        if (rest.StartsWith("registry.ollama.ai/", StringComparison.OrdinalIgnoreCase))
            rest = rest["registry.ollama.ai/".Length..];
        if (rest.StartsWith("library/", StringComparison.OrdinalIgnoreCase))
            rest = rest["library/".Length..];
        var tagged = rest[(rest.LastIndexOf('/') + 1)..].Contains(':');
        return string.Concat(rest, tagged ? "" : ":latest").ToLowerInvariant();
    }
}
