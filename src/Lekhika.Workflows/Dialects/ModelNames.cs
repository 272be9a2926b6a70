using Lekhika.Workflows.Validation;

namespace Lekhika.Workflows.Dialects;

/// <summary>
/// What the earlier editors say for a model, and the model that is meant: the alias table under the whole text, then under the part after the
/// provider; a local tag such as <c>llama3:8b</c> stays as it is; a hosted provider's model becomes the default one.
/// </summary>
internal sealed class ModelNames(ReadOptions options, ProblemList problems)
{
    /// <summary>Words that stand before a colon as providers although they are written like a model's name.</summary>
    private static readonly string[] Providers =
        ["openai", "anthropic", "ollama", "gemini", "google", "claude", "perplexity", "grok", "cohere", "azure", "openrouter", "local"];

    private static readonly string[] HostedModels = ["gpt-", "o1", "o3", "o4", "chatgpt", "claude", "gemini", "grok", "sonar", "command-r", "dall-e", "text-"];

    private static readonly string[] HostedKeys = ["OPENA", "MISTR", "GEMIN", "CLAUD", "PERPL", "GROK", "COHER", "ANTHR", "AZURE"];

    /// <summary>The model to use; null leaves it to the daemon.</summary>
    /// <param name="said">What the document says.</param>
    /// <param name="path">Place of it in the document.</param>
    public string? Resolve(string? said, string path)
    {
        if (string.IsNullOrWhiteSpace(said)) return null;
        said = said.Trim();
        if (said.Contains("{{", StringComparison.Ordinal)) return said;
        if (Alias(said) is { } whole) return whole;
        var (provider, model) = Split(said);
        if (Alias(model) is { } part) return part;
        if (model.Length > 0 && !IsHosted(provider, model)) return model;
        if (options.DefaultModel is { } standard)
        {
            problems.Warn(
                "model_substituted", path, $"'{said}' is a hosted model without an alias; '{standard}' is used. To choose: [models] {said} = NAME");
            return standard;
        }

        problems.Warn("model_not_mapped", path, $"'{said}' is a hosted model without an alias; map it in the configuration: [models] {said} = NAME");
        return model.Length > 0 ? model : said;
    }

    /// <summary>The provider, or null, and the model with its tag.</summary>
    internal static (string? Provider, string Model) Split(string said)
    {
        var colon = said.IndexOf(':', StringComparison.Ordinal);
        if (colon <= 0) return (null, said);
        var prefix = said[..colon];
        var rest = said[(colon + 1)..];
        var isProvider = rest.Contains(':', StringComparison.Ordinal)
            || Providers.Contains(prefix, StringComparer.OrdinalIgnoreCase)
            || (prefix.Any(char.IsAsciiLetterUpper) && !prefix.Contains('/', StringComparison.Ordinal));
        return isProvider ? (prefix, rest) : (null, said);
    }

    private string? Alias(string name)
    {
        if (options.ModelAliases.TryGetValue(name, out var exact)) return exact;
        foreach (var (said, model) in options.ModelAliases)
        {
            if (string.Equals(said, name, StringComparison.OrdinalIgnoreCase)) return model;
        }

        return null;
    }

    private static bool IsHosted(string? provider, string model)
    {
        // A tag in the Ollama manner (name:size) is a local model, whoever is named before it.
        if (model.Contains(':', StringComparison.Ordinal)) return false;
        if (provider is not null && HostedKeys.Any(key => provider.StartsWith(key, StringComparison.OrdinalIgnoreCase))) return true;
        return HostedModels.Any(start => model.StartsWith(start, StringComparison.OrdinalIgnoreCase));
    }
}
