using System.Collections.Immutable;

namespace Lekhika.Daemon.Configuration;

internal static class OllamaSettings
{
    public static readonly Setting<ImmutableArray<Uri>> Url = new("ollama", "url", SettingTypes.HttpUrls)
    {
        Description = "Ollama servers, separated by commas; several make a pool.",
        Default = "http://localhost:11434",
        Sensitivity = Sensitivity.MayHoldSecret,
        OlderNames = ["OLLAMA_LOCAL_URL"],
        IsReloadable = true,
    };

    public static readonly Setting<int> Parallelism = new("ollama", "parallelism", SettingTypes.Integer(1, 1024))
    {
        Description = "Requests in flight at one server and model: the server's own OLLAMA_NUM_PARALLEL, which its API does not tell.",
        Default = "1",
        IsReloadable = true,
    };

    public static readonly Setting<int> MaxLoadedModels = new("ollama", "max_loaded_models", SettingTypes.Integer(1, 64))
    {
        Description = "Models that fit into one server's memory together.",
        Default = "1",
        IsReloadable = true,
    };

    public static readonly Setting<ImmutableArray<double>> Weights = new("ollama", "weights", SettingTypes.Numbers(0.01, 100))
    {
        Description = "Shares of the work for models that several servers have, in the order of ollama.url; servers not named count 1.",
        Default = "1",
        IsReloadable = true,
    };

    public static readonly Setting<bool> Preload = new("ollama", "preload", SettingTypes.Boolean)
    {
        Description = "Have the next model loaded while the last requests of the present one run: where memory holds both for a moment. "
            + "Not done while several daemons share a server.",
        Default = "false",
        IsReloadable = true,
    };

    public static readonly Setting<TimeSpan> KeepAlive = new("ollama", "keep_alive", SettingTypes.DurationOr("forever", "0s", "365d"))
    {
        Description = "How long the server keeps a model loaded after its last request; 0 unloads it at once.",
        DefaultNote = "the server's own setting",
        IsReloadable = true,
    };

    public static readonly Setting<int> ContextTokens = new("ollama", "num_ctx", SettingTypes.Integer(16, 4_194_304))
    {
        Description = "Context window in tokens for nodes that name none. Another value than a loaded model has makes the server load it again.",
        DefaultNote = "the server's own setting",
        IsReloadable = true,
    };

    public static readonly Setting<TimeSpan> ConnectTimeout = new("ollama", "connect_timeout", SettingTypes.Duration("100ms", "5m"))
    {
        Description = "Longest wait for a connection.",
        Default = "5s",
        DefaultNote = "less if ollama.first_byte_timeout is less",
        ComputeDefault = scope => scope.AtMost("5s", FirstByteTimeout!),
        IsReloadable = true,
    };

    public static readonly Setting<TimeSpan> FirstByteTimeout = new("ollama", "first_byte_timeout", SettingTypes.Duration("1s", "1h"))
    {
        Description = "Longest wait for the first part of a reply; the server loads the model in this time.",
        Default = "6m",
        DefaultNote = "less if ollama.total_timeout is less",
        ComputeDefault = scope => scope.AtMost("6m", TotalTimeout!),
        IsReloadable = true,
    };

    public static readonly Setting<TimeSpan> IdleTimeout = new("ollama", "idle_timeout", SettingTypes.Duration("1s", "1h"))
    {
        Description = "Longest silence inside a reply.",
        Default = "2m",
        DefaultNote = "less if ollama.total_timeout is less",
        ComputeDefault = scope => scope.AtMost("2m", TotalTimeout!),
        OlderNames = [new("OLLAMA_TIMEOUT", "seconds")],
        IsReloadable = true,
    };

    public static readonly Setting<TimeSpan> TotalTimeout = new("ollama", "total_timeout", SettingTypes.Duration("1s", "1d"))
    {
        Description = "Longest a whole reply may take.",
        Default = "1h",
        IsReloadable = true,
    };

    public static readonly Setting<TimeSpan> MaxWait = new("ollama", "max_wait", SettingTypes.Duration("1s", "1h"))
    {
        Description = "How old the oldest request for another model may grow before the server is made to change models for it.",
        Default = "30s",
        IsReloadable = true,
    };

    public static readonly SettingSection Section = new("ollama", "The Ollama servers.",
        [Url, Parallelism, MaxLoadedModels, Weights, Preload, KeepAlive, ContextTokens, ConnectTimeout, FirstByteTimeout, IdleTimeout, TotalTimeout, MaxWait]);
}

internal static class OpenAiSettings
{
    public static readonly Setting<Uri> Url = new("openai", "url", SettingTypes.HttpUrl)
    {
        Description = "Base URL of an OpenAI-compatible server (llama.cpp, vLLM, hosted), with its /v1.",
        Sensitivity = Sensitivity.MayHoldSecret,
        IsReloadable = true,
    };

    public static readonly Setting<string> ApiKeyFile = new("openai", "api_key_file", SettingTypes.FilePath)
    {
        Description = "File that holds the key; its last newline is dropped.",
        IsReloadable = true,
    };

    public static readonly Setting<Secret> ApiKey = new("openai", "api_key", SettingTypes.SecretText)
    {
        Description = "Key sent to that server as a bearer token.",
        Sensitivity = Sensitivity.Secret,
        CredentialName = "openai-api-key",
        FileSetting = ApiKeyFile,
        IsReloadable = true,
    };

    public static readonly Setting<int> Parallelism = new("openai", "parallelism", SettingTypes.Integer(1, 1024))
    {
        Description = "Requests in flight at that server.",
        Default = "4",
        IsReloadable = true,
    };

    public static readonly SettingSection Section = new("openai", "A second provider, for models that Ollama does not have.", [Url, ApiKey, ApiKeyFile, Parallelism]);
}

internal static class ModelSettings
{
    public static readonly Setting<string> Default = new("models", "default", SettingTypes.Text)
    {
        Description = "Model for nodes that name none, and for names that are neither an alias nor a model that is here.",
        IsReloadable = true,
    };

    public static readonly SettingSection Section = new("models", "What the model names in definitions stand for.", [Default])
    {
        EntryForm = "\"OPENA-01-first:gpt-4o\" = llama3.2",
        Entry = alias => new Setting<string>("models", alias, SettingTypes.Text)
        {
            Description = "A name used in definitions, and the model that it stands for.",
            IsReloadable = true,
        },
    };
}
