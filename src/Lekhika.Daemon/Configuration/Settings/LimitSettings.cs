using System.Collections.Immutable;

namespace Lekhika.Daemon.Configuration;

internal static class LimitSettings
{
    public static readonly Setting<long> OutputSize = new("limits", "output_size", SettingTypes.Size("1KB", "256MB"))
    {
        Description = "Largest output of one node.",
        Default = "16MB",
        IsReloadable = true,
    };

    public static readonly Setting<long> InputsSize = new("limits", "inputs_size", SettingTypes.Size("1KB", "256MB"))
    {
        Description = "Largest inputs of one execution.",
        Default = "16MB",
        IsReloadable = true,
    };

    public static readonly Setting<int> Nodes = new("limits", "nodes", SettingTypes.Integer(1, 100_000))
    {
        Description = "Most nodes in one definition.",
        Default = "2000",
        IsReloadable = true,
    };

    public static readonly Setting<TimeSpan> ExecutionTimeout = new("limits", "execution_timeout", SettingTypes.Duration("1s", "3650d"))
    {
        Description = "Longest an execution may take when its row names no timeout_at.",
        Default = "7d",
        IsReloadable = true,
    };

    public static readonly Setting<TimeSpan> NodeTimeout = new("limits", "node_timeout", SettingTypes.Duration("1s", "30d"))
    {
        Description = "Longest one attempt of a node may take when the node names no timeout.",
        Default = "1h",
        DefaultNote = "less if limits.execution_timeout is less",
        ComputeDefault = scope => scope.AtMost("1h", ExecutionTimeout),
        IsReloadable = true,
    };

    public static readonly Setting<int> FanOut = new("limits", "fan_out", SettingTypes.Integer(1, 10_000))
    {
        Description = "Most steps of one execution that run at the same time.",
        Default = "16",
        IsReloadable = true,
    };

    public static readonly Setting<int> LoopIterations = new("limits", "loop_iterations", SettingTypes.Integer(1, 10_000_000))
    {
        Description = "Most iterations of one loop or map.",
        Default = "10000",
        IsReloadable = true,
    };

    public static readonly SettingSection Section = new("limits", "Bounds on what one definition or execution may use.",
        [OutputSize, InputsSize, Nodes, ExecutionTimeout, NodeTimeout, FanOut, LoopIterations]);
}

internal static class HttpSettings
{
    public static readonly Setting<ImmutableArray<AllowedDestination>> Allow = new("http", "allow", SettingTypes.Destinations)
    {
        Description = "Hosts, host:port pairs and networks that http nodes may reach although their addresses are private.",
        DefaultNote = "none: only public addresses",
        IsReloadable = true,
    };

    public static readonly Setting<TimeSpan> RequestTimeout = new("http", "timeout", SettingTypes.Duration("100ms", "1d"))
    {
        Description = "Longest a request of an http node may take when the node names no timeout.",
        Default = "30s",
        IsReloadable = true,
    };

    public static readonly Setting<long> MaxResponse = new("http", "max_response", SettingTypes.Size("1KB", "256MB"))
    {
        Description = "Largest response an http node reads.",
        Default = "10MB",
        IsReloadable = true,
    };

    public static readonly SettingSection Section = new("http", "What http nodes may do.", [Allow, RequestTimeout, MaxResponse]);
}

internal static class NodeSettings
{
    public static readonly SettingSection Section = new("nodes", "Node types that an HTTP endpoint of yours runs.", [])
    {
        EntryForm = "scraping = http://127.0.0.1:9000/scrape",
        Entry = type => new Setting<Uri>("nodes", type, SettingTypes.HttpUrl)
        {
            Description = "A node type, and the endpoint that runs it.",
            Sensitivity = Sensitivity.MayHoldSecret,
            IsReloadable = true,
        },
        EntryProblem = type => type.Length <= 100 && type.All(character => char.IsAsciiLetterOrDigit(character) || character is '_' or '-' or '.')
            ? null
            : "a node type is letters, digits, \"_\", \"-\" and \".\"",
    };
}

internal static class RetentionSettings
{
    public static readonly Setting<TimeSpan> Completed = Make("completed", "30d");

    public static readonly Setting<TimeSpan> Failed = Make("failed", "90d");

    public static readonly Setting<TimeSpan> Cancelled = Make("cancelled", "30d");

    public static readonly SettingSection Section = new("retention", "How long finished executions are kept.", [Completed, Failed, Cancelled]);

    private static Setting<TimeSpan> Make(string status, string value) => new("retention", status, SettingTypes.DurationOr("forever", "1m", "36500d"))
    {
        Description = $"How long {status} executions and their steps are kept.",
        Default = value,
        IsReloadable = true,
    };
}

internal static class TelemetrySettings
{
    public static readonly Setting<Uri> OtlpEndpoint = new("telemetry", "otlp_endpoint", SettingTypes.HttpUrl)
    {
        Description = "OpenTelemetry collector that traces and metrics are sent to (OTLP; gRPC on port 4317, else HTTP).",
        DefaultNote = "OTEL_EXPORTER_OTLP_ENDPOINT, else none are sent",
        Sensitivity = Sensitivity.MayHoldSecret,
    };

    public static readonly SettingSection Section = new("telemetry", "Traces and metrics.", [OtlpEndpoint]);
}
