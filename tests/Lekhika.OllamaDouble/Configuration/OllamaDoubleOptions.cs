namespace Lekhika.Doubles;

/// <summary>How one double behaves. Everything has a default that suits a test.</summary>
public sealed record OllamaDoubleOptions
{
    /// <value>The address to bind. A loopback address turns the check of foreign Host headers on, as in the original.</value>
    public string Host { get; init; } = "127.0.0.1";

    /// <value>The port, 0 for any free one.</value>
    public int Port { get; init; }

    /// <value>The models in the store. Names that start with <c>fault-</c> or <c>double-</c> always exist besides.</value>
    public IReadOnlyList<DoubleModel> Models { get; init; } = DoubleModel.Defaults;

    /// <value>Generated tokens a second and request; 0 is as fast as the machine can.</value>
    public double TokensPerSecond { get; init; } = 200;

    /// <value>Prompt tokens read a second; 0 costs no time.</value>
    public double PromptTokensPerSecond { get; init; }

    /// <value>Tokens of a reply that nothing cuts short.</value>
    public int ReplyTokens { get; init; } = 120;

    /// <value>Time a model takes to load.</value>
    public TimeSpan LoadTime { get; init; } = TimeSpan.FromMilliseconds(30);

    /// <value>Time a swap takes on top of the load: the wait for memory to be given back.</value>
    public TimeSpan SwapTime { get; init; } = TimeSpan.FromMilliseconds(20);

    /// <value>Requests one loaded model answers at once (OLLAMA_NUM_PARALLEL).</value>
    public int Parallel { get; init; } = 1;

    /// <value>Models loaded at once (OLLAMA_MAX_LOADED_MODELS).</value>
    public int MaxLoadedModels { get; init; } = 3;

    /// <value>Requests that may wait for a load (OLLAMA_MAX_QUEUE). Those for a loaded model are not counted.</value>
    public int MaxQueue { get; init; } = 512;

    /// <value>How long an idle model stays loaded (OLLAMA_KEEP_ALIVE).</value>
    public TimeSpan KeepAlive { get; init; } = TimeSpan.FromMinutes(5);

    /// <value>Context size of a request that names none (OLLAMA_CONTEXT_LENGTH), cut to what the model has.</value>
    public int ContextLength { get; init; } = 4096;

    /// <value>The version told by <c>/api/version</c>.</value>
    public string Version { get; init; } = "0.32.15";

    /// <value>The clock behind timestamps, expiry, loads and speed.</value>
    public TimeProvider TimeProvider { get; init; } = TimeProvider.System;
}
