using System.Collections.Immutable;
using System.Globalization;
using Lekhika.Daemon.Configuration;
using Lekhika.Daemon.Dispatch;
using Lekhika.Inference;

namespace Lekhika.Daemon.Hosting;

/// <summary>What the configuration says about models, in the terms of the model pool; and which model a name in a definition stands for.</summary>
internal sealed class ModelSettings(DaemonState state, ModelOptions options)
{
    private volatile ModelOptions _options = options;

    public static ModelPoolOptions PoolOptions(DaemonOptions options)
    {
        var endpoints = ImmutableArray.CreateBuilder<ModelEndpointOptions>();
        foreach (var url in options.Ollama.Urls)
        {
            endpoints.Add(new ModelEndpointOptions
            {
                Name = options.Ollama.Urls.Length == 1 ? "ollama" : $"ollama-{endpoints.Count + 1}",
                BaseUrl = url,
                Parallelism = options.Ollama.Parallelism,
                MaxLoadedModels = options.Ollama.MaxLoadedModels,
                Weight = endpoints.Count < options.Ollama.Weights.Length ? options.Ollama.Weights[endpoints.Count] : 1,
            });
        }

        if (options.OpenAi.Url is { } openAi)
        {
            endpoints.Add(new ModelEndpointOptions
            {
                Name = "openai",
                Kind = ModelEndpointKind.OpenAi,
                BaseUrl = openAi,
                ApiKey = options.OpenAi.ApiKey?.Reveal(),
                Parallelism = options.OpenAi.Parallelism,
            });
        }

        var defaults = new ModelPoolOptions();
        return new ModelPoolOptions
        {
            Endpoints = endpoints.ToImmutable(),
            Timeouts = defaults.Timeouts with
            {
                Connect = options.Ollama.ConnectTimeout,
                FirstByte = options.Ollama.FirstByteTimeout,
                Silence = options.Ollama.IdleTimeout,
                Whole = options.Ollama.TotalTimeout,
            },
            Lanes = defaults.Lanes with { MaxWait = options.Ollama.MaxWait, Preload = options.Ollama.Preload },
            KeepAlive = options.Ollama.KeepAlive switch
            {
                null => "",
                { } forever when forever < TimeSpan.Zero => "-1m",
                { } time => string.Create(CultureInfo.InvariantCulture, $"{(long)time.TotalSeconds}s"),
            },
        };
    }

    public void Replace(ModelOptions fresh) => _options = fresh;

    /// <summary>
    /// The model that a definition's name stands for: its alias, or the name itself where an endpoint has it, or the default. Where nothing is known of
    /// the endpoints the name stands; null if there is no name and no default.
    /// </summary>
    public string? Resolve(string? name)
    {
        var current = _options;
        if (string.IsNullOrWhiteSpace(name)) return current.Default;
        if (current.Aliases.TryGetValue(name, out var alias)) return alias;
        if (current.Default is null) return name;
        var present = state.Endpoints.Where(static endpoint => endpoint.Reachable).SelectMany(static endpoint => endpoint.Models).ToList();
        return present.Count == 0 || present.Exists(model => IsSame(model.Name, name)) ? name : current.Default;
    }

    private static bool IsSame(string listed, string asked) =>
        string.Equals(listed, asked, StringComparison.OrdinalIgnoreCase)
        || string.Equals(listed, asked + ":latest", StringComparison.OrdinalIgnoreCase);
}
