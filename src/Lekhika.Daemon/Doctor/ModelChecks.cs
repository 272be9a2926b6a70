using System.Globalization;
using Lekhika.Daemon.Configuration;
using Lekhika.Inference;

namespace Lekhika.Daemon.Doctor;

/// <summary>Do the model servers answer, have they the models that are configured, and does this machine's memory hold them?</summary>
internal sealed class ModelChecks(DaemonOptions options, TimeProvider time)
{
    // Replies constrained by a JSON schema, which generation needs, came with this one.
    private static readonly Version LeastOllama = new(0, 5, 0);
    private static readonly string[] Gpus = ["/dev/nvidia0", "/dev/kfd", "/dev/apex_0"];

    /// <summary>Whether a test execution can use a model.</summary>
    public bool HasDefault { get; private set; }

    public async Task<List<Check>> RunAsync(CancellationToken cancellationToken)
    {
        await using var pool = new ModelPool(Hosting.ModelSettings.PoolOptions(options), time, Random.Shared);
        var endpoints = await pool.CheckAsync(cancellationToken);
        var checks = endpoints.Select(Reachable).ToList();
        var present = endpoints.Where(static endpoint => endpoint.Reachable).SelectMany(static endpoint => endpoint.Models).ToList();
        if (present.Count == 0 && !endpoints.Any(static endpoint => endpoint.Reachable))
            return [.. checks, Check.Skipped("models", "no model server answers"), Check.Skipped("memory", "no model server answers")];
        checks.Add(Models(present, endpoints));
        if (options.Generation.Enabled) checks.Add(Generation(present, endpoints));
        checks.Add(Memory(endpoints));
        return checks;
    }

    private static Check Reachable(EndpointHealth endpoint)
    {
        if (!endpoint.Reachable)
        {
            return Check.Failed("ollama", $"{endpoint.Address} does not answer: {endpoint.Problem}",
                IsHere(endpoint)
                    ? "start it: systemctl enable --now ollama; or let ollama.url name the one that there is"
                    : "there: systemctl enable --now ollama, with Environment=OLLAMA_HOST=0.0.0.0 (systemctl edit ollama), and its port open to this machine; or let ollama.url name another");
        }

        var version = endpoint.Version.Length > 0 ? $"version {endpoint.Version}, " : "";
        var text = $"{endpoint.Address} answers, {version}{endpoint.Models.Length} models";
        return Version.TryParse(endpoint.Version.Split('-')[0], out var found) && found < LeastOllama
            ? Check.Warning("ollama", $"{text}; that version is older than {LeastOllama} and cannot be held to a JSON schema", "upgrade Ollama")
            : Check.Ok("ollama", text);
    }

    private static bool IsHere(EndpointHealth endpoint) => Uri.TryCreate(endpoint.Address, UriKind.Absolute, out var url) && url.IsLoopback;

    private IEnumerable<string> Wanted() => options.Models.Aliases.Values
        .Concat(options.Models.Default is { } model ? [model] : [])
        .Distinct(StringComparer.OrdinalIgnoreCase);

    private Check Models(List<ModelInfo> present, IReadOnlyList<EndpointHealth> endpoints)
    {
        var pull = Pull(endpoints);
        var missing = Wanted().Where(wanted => !present.Exists(model => IsSame(model.Name, wanted))).Order(StringComparer.Ordinal).ToList();
        if (missing.Count > 0)
        {
            return Check.Failed("models", $"configured models are not there: {string.Join(", ", missing)}",
                $"{string.Join("; ", missing.Take(3).Select(model => $"{pull} {model}"))}, or change [models]");
        }

        HasDefault = options.Models.Default is not null;
        if (present.Count == 0) return Check.Failed("models", "no server has a model", $"{pull} llama3.2, or another");
        return HasDefault
            ? Check.Ok("models", $"the configured models are there ({string.Join(", ", Wanted().Take(8))})")
            : Check.Warning("models", $"no default model is configured, so nodes that name no model fail; there are {string.Join(", ", present.Take(8).Select(static model => model.Name))}",
                $"set models.default = {present.Find(static model => !model.Name.Contains("embed", StringComparison.OrdinalIgnoreCase))?.Name ?? "llama3.2"}");
    }

    private Check Generation(List<ModelInfo> present, IReadOnlyList<EndpointHealth> endpoints)
    {
        string[] wanted = [options.Generation.AnalyzeModel, options.Generation.GenerateModel];
        var missing = wanted.Distinct(StringComparer.OrdinalIgnoreCase).Select(name => options.Models.Aliases.GetValueOrDefault(name, name))
            .Where(name => !present.Exists(model => IsSame(model.Name, name))).ToList();
        return missing.Count == 0
            ? Check.Ok("generation", $"the models of generation jobs are there ({string.Join(", ", wanted)})")
            : Check.Warning("generation", $"generation jobs fail unless they name a model of their own: {string.Join(", ", missing)} is not there",
                $"{string.Join("; ", missing.Select(model => $"{Pull(endpoints)} {model}"))}; or set analyze_model and generate_model under [generation], or enabled = false");
    }

    // The command talks to this machine's server, unless it is told of another.
    private static string Pull(IReadOnlyList<EndpointHealth> endpoints) =>
        endpoints.Any(IsHere) ? "ollama pull" : $"OLLAMA_HOST={endpoints.FirstOrDefault(static endpoint => endpoint.Reachable)?.Address} ollama pull";

    private Check Memory(IReadOnlyList<EndpointHealth> endpoints)
    {
        var local = endpoints.Where(static endpoint => endpoint.Reachable && IsHere(endpoint)).ToList();
        if (local.Count == 0) return Check.Skipped("memory", "the models run on other machines");
        if (MachineFacts.Memory() is not { } memory) return Check.Skipped("memory", "this system does not tell how much memory it has");
        var wanted = Wanted().ToList();
        var sizes = local.SelectMany(static endpoint => endpoint.Models)
            .Where(model => wanted.Count == 0 || wanted.Exists(name => IsSame(model.Name, name)))
            .OrderByDescending(static model => model.Size).ToList();
        if (sizes.Count == 0 || sizes[0].Size == 0) return Check.Skipped("memory", "the server does not tell the size of the models");
        var together = sizes.Take(options.Ollama.MaxLoadedModels).Sum(static model => model.Size);
        var text = $"{sizes[0].Name} takes {Gigabytes(sizes[0].Size)}, this machine has {Gigabytes(memory.Total)} ({Gigabytes(memory.Available)} free)";
        const string fix = "take a smaller model or quantisation, or a machine with more memory";
        // A graphics card has memory of its own, of which nothing is known here.
        var hasGpu = Array.Exists(Gpus, File.Exists);
        if (sizes[0].Size > memory.Total * 0.95) return hasGpu ? Check.Warning("memory", text, fix) : Check.Failed("memory", text, fix);
        if (together > memory.Total * 0.95)
        {
            return Check.Warning("memory", $"{options.Ollama.MaxLoadedModels} models together take {Gigabytes(together)}, this machine has {Gigabytes(memory.Total)}",
                "lower ollama.max_loaded_models");
        }

        return Check.Ok("memory", text);
    }

    private static string Gigabytes(double bytes) => string.Create(CultureInfo.InvariantCulture, $"{bytes / (1L << 30):0.0} GB");

    private static bool IsSame(string listed, string wanted) =>
        string.Equals(listed, wanted, StringComparison.OrdinalIgnoreCase) || string.Equals(listed, wanted + ":latest", StringComparison.OrdinalIgnoreCase);
}
