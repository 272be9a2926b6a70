using System.Collections.Immutable;
using Lekhika.Postgres.Queue;

namespace Lekhika.Daemon.Configuration;

/// <summary>The one place where values of the table become options.</summary>
internal static class OptionBinder
{
    public static DaemonOptions Bind(SettingValues values, DatabaseOptions database) => new()
    {
        Database = database,
        Server = new(
            values.Get(ServerSettings.Url),
            values.Find(ServerSettings.Socket),
            values.Find(ServerSettings.AdvertisedUrl),
            values.Get(ServerSettings.BodyLimit),
            values.Get(ServerSettings.LogLevel)),
        Auth = new(values.Find(AuthSettings.InternalSecret), values.Get(AuthSettings.AllowInsecureLoopback), values.Find(AuthSettings.ViewerSecret)),
        Ollama = new()
        {
            Urls = values.Get(OllamaSettings.Url),
            Parallelism = values.Get(OllamaSettings.Parallelism),
            MaxLoadedModels = values.Get(OllamaSettings.MaxLoadedModels),
            Weights = values.Get(OllamaSettings.Weights),
            Preload = values.Get(OllamaSettings.Preload),
            KeepAlive = values.FindValue(OllamaSettings.KeepAlive),
            ContextTokens = values.FindValue(OllamaSettings.ContextTokens),
            ConnectTimeout = values.Get(OllamaSettings.ConnectTimeout),
            FirstByteTimeout = values.Get(OllamaSettings.FirstByteTimeout),
            IdleTimeout = values.Get(OllamaSettings.IdleTimeout),
            TotalTimeout = values.Get(OllamaSettings.TotalTimeout),
            MaxWait = values.Get(OllamaSettings.MaxWait),
        },
        OpenAi = new(values.Find(OpenAiSettings.Url), values.Find(OpenAiSettings.ApiKey), values.Get(OpenAiSettings.Parallelism)),
        Worker = new()
        {
            Id = values.Get(WorkerSettings.Id),
            Concurrency = values.Get(WorkerSettings.Concurrency),
            MaxClaimed = values.Get(WorkerSettings.MaxClaimed),
            MaxRetries = values.Get(WorkerSettings.MaxRetries),
            RetryDelay = values.Get(WorkerSettings.RetryDelay),
            PollInterval = values.Get(WorkerSettings.PollInterval),
            PriorityAgeing = values.Get(WorkerSettings.PriorityAgeing),
            DrainTimeout = values.Get(WorkerSettings.DrainTimeout),
            StateDirectory = values.Get(WorkerSettings.StateDirectory),
            Lease = values.Get(WorkerSettings.Lease),
            Heartbeat = values.Get(WorkerSettings.Heartbeat),
            MaxRescues = values.Get(WorkerSettings.MaxRescues),
        },
        Limits = new(
            values.Get(LimitSettings.OutputSize),
            values.Get(LimitSettings.InputsSize),
            values.Get(LimitSettings.Nodes),
            values.Get(LimitSettings.ExecutionTimeout),
            values.Get(LimitSettings.NodeTimeout),
            values.Get(LimitSettings.FanOut),
            values.Get(LimitSettings.LoopIterations),
            values.Get(LimitSettings.SubworkflowDepth))
        {
            Starts = new(
                Limit(values.FindValue(LimitSettings.UserConcurrency), values.Find(LimitSettings.UserRate)),
                Limit(values.FindValue(LimitSettings.WorkflowConcurrency), values.Find(LimitSettings.WorkflowRate))),
        },
        Http = new(values.FindValue(HttpSettings.Allow) ?? [], values.Get(HttpSettings.RequestTimeout), values.Get(HttpSettings.MaxResponse)),
        Models = new(
            values.Find(ModelSettings.Default),
            ImmutableDictionary.CreateRange(StringComparer.OrdinalIgnoreCase, LastOfEach(values.Entries<string>(ModelSettings.Section.Name)))),
        Nodes = new(ImmutableDictionary.CreateRange(StringComparer.Ordinal, values.Entries<Uri>(NodeSettings.Section.Name))),
        Generation = new()
        {
            Enabled = values.Get(GenerationSettings.Enabled),
            AnalyzeModel = values.Get(GenerationSettings.AnalyzeModel),
            GenerateModel = values.Get(GenerationSettings.GenerateModel),
            Catalogue = values.Find(GenerationSettings.Catalogue),
            MaxRetries = values.Get(GenerationSettings.MaxRetries),
            ContextTokens = values.Get(GenerationSettings.ContextTokens),
            MaxTokens = values.Get(GenerationSettings.MaxTokens),
        },
        Retention = new(
            Finite(values.Get(RetentionSettings.Completed)),
            Finite(values.Get(RetentionSettings.Failed)),
            Finite(values.Get(RetentionSettings.Cancelled))),
        Telemetry = new(values.Find(TelemetrySettings.OtlpEndpoint)),
        Adopt = new(values.Get(AdoptSettings.Lekhika), values.Get(AdoptSettings.LekhikaSchema), values.Get(AdoptSettings.AllowApiKeyControl)),
    };

    private static StartLimit Limit(int? concurrency, Rate? rate) => new(concurrency, rate?.Count, rate?.Per ?? StartLimit.None.Per);

    private static TimeSpan? Finite(TimeSpan duration) => duration == Timeout.InfiniteTimeSpan ? null : duration;

    // Aliases that differ only in case are one; CreateRange would refuse two.
    private static IEnumerable<KeyValuePair<string, string>> LastOfEach(IEnumerable<KeyValuePair<string, string>> aliases) =>
        aliases.GroupBy(alias => alias.Key, StringComparer.OrdinalIgnoreCase).Select(group => group.Last());
}
