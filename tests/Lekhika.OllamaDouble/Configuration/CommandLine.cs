using System.Globalization;

namespace Lekhika.Doubles;

/// <summary>Reads options from arguments and, below them, from the environment (<c>OLLAMA_DOUBLE_PORT</c> for <c>--port</c>).</summary>
internal static class CommandLine
{
    public const string Usage = """
        ollama-double: speaks Ollama's wire protocol, faults included

          --host ADDRESS     address to bind (127.0.0.1)
          --port N           port; 0 takes any free one (11434)
          --models A,B,C     names in the store, with or without a tag
          --speed N          tokens a second and request; 0 is unlimited (200)
          --prompt-speed N   prompt tokens read a second; 0 costs no time (0)
          --tokens N         tokens of a reply that nothing cuts (120)
          --load-ms N        load time of a model (30)
          --swap-ms N        what a swap costs besides the load (20)
          --parallel N       requests a loaded model answers at once (1)
          --max-loaded N     models loaded at once (3)
          --max-queue N      requests that may wait for a load (512)
          --keep-alive T     how long an idle model stays loaded, as 5m or 30s or -1 (5m)
          --context N        context size of a request that names none (4096)

        Each can be set in the environment: OLLAMA_DOUBLE_LOAD_MS for --load-ms.
        """;

    private static readonly string[] Names =
        ["host", "port", "models", "speed", "prompt-speed", "tokens", "load-ms", "swap-ms", "parallel", "max-loaded", "max-queue",
            "keep-alive", "context"];

    /// <exception cref="FormatException">An argument is unknown or has no sensible value; the message names it.</exception>
    public static OllamaDoubleOptions Read(IReadOnlyList<string> arguments, Func<string, string?> environment)
    {
        var options = new OllamaDoubleOptions { Port = 11434 };
        foreach (var name in Names)
        {
            var variable = "OLLAMA_DOUBLE_" + name.Replace('-', '_').ToUpperInvariant();
            if (environment(variable) is { Length: > 0 } value)
                options = With(options, name, value, variable);
        }
        for (var i = 0; i < arguments.Count; i++)
        {
            var argument = arguments[i];
            if (!argument.StartsWith("--", StringComparison.Ordinal))
                throw new FormatException($"unexpected argument '{argument}'; options start with --, see --help");
            var equals = argument.IndexOf('=', StringComparison.Ordinal);
            var name = equals < 0 ? argument[2..] : argument[2..equals];
            if (!Names.Contains(name, StringComparer.Ordinal))
                throw new FormatException($"unknown option '--{name}'; known are --{string.Join(", --", Names)}");
            if (equals < 0 && i + 1 >= arguments.Count)
                throw new FormatException($"option '--{name}' needs a value after it");
            options = With(options, name, equals < 0 ? arguments[++i] : argument[(equals + 1)..], "--" + name);
        }
        return options;
    }

    private static OllamaDoubleOptions With(OllamaDoubleOptions options, string name, string value, string source) => name switch
    {
        "host" => options with { Host = value },
        "port" => options with { Port = (int)Number(value, source, 0, 65535) },
        "models" => options with { Models = [.. value.Split(',', StringSplitOptions.RemoveEmptyEntries | StringSplitOptions.TrimEntries).Select(Named)] },
        "speed" => options with { TokensPerSecond = Number(value, source, 0, 1e9) },
        "prompt-speed" => options with { PromptTokensPerSecond = Number(value, source, 0, 1e9) },
        "tokens" => options with { ReplyTokens = (int)Number(value, source, 0, 10_000_000) },
        "load-ms" => options with { LoadTime = TimeSpan.FromMilliseconds(Number(value, source, 0, 3_600_000)) },
        "swap-ms" => options with { SwapTime = TimeSpan.FromMilliseconds(Number(value, source, 0, 3_600_000)) },
        "parallel" => options with { Parallel = (int)Number(value, source, 1, 10_000) },
        "max-loaded" => options with { MaxLoadedModels = (int)Number(value, source, 1, 10_000) },
        "max-queue" => options with { MaxQueue = (int)Number(value, source, 0, 1_000_000) },
        "keep-alive" => options with { KeepAlive = GoDuration.Parse(value == "-1" ? "-1s" : value) },
        _ => options with { ContextLength = (int)Number(value, source, 4, 10_000_000) },
    };

    private static DoubleModel Named(string name)
    {
        var known = DoubleModel.Defaults.FirstOrDefault(model =>
            string.Equals(model.FullName, ModelName.WithTag(name), StringComparison.OrdinalIgnoreCase));
        return known ?? new DoubleModel { Name = ModelName.WithTag(name) };
    }

    private static double Number(string value, string source, double least, double most) =>
        double.TryParse(value, NumberStyles.Float, CultureInfo.InvariantCulture, out var number) && number >= least && number <= most
            ? number
            : throw new FormatException(
                string.Create(CultureInfo.InvariantCulture, $"{source} is '{value}'; expected a number from {least} to {most}"));
}
