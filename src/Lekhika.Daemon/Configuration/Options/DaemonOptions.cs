using System.Collections.Immutable;
using Lekhika.Postgres.Queue;
using Microsoft.Extensions.Logging;

namespace Lekhika.Daemon.Configuration;

/// <summary>The whole configuration, checked and in the types that its users want. Times are <see cref="TimeSpan"/>, sizes bytes.</summary>
internal sealed record DaemonOptions
{
    public required DatabaseOptions Database { get; init; }

    public required ServerOptions Server { get; init; }

    public required AuthOptions Auth { get; init; }

    public required OllamaOptions Ollama { get; init; }

    public required OpenAiOptions OpenAi { get; init; }

    public required WorkerOptions Worker { get; init; }

    public required LimitOptions Limits { get; init; }

    public required HttpOptions Http { get; init; }

    public required ModelOptions Models { get; init; }

    public required NodeOptions Nodes { get; init; }

    public required GenerationOptions Generation { get; init; }

    public required RetentionOptions Retention { get; init; }

    public required TelemetryOptions Telemetry { get; init; }

    public required AdoptOptions Adopt { get; init; }

    /// <summary>What nodes may send as <c>secrets.NAME</c>.</summary>
    public ImmutableArray<SecretRule> Secrets { get; init; } = [];
}

/// <summary>How listening for wake-ups is decided.</summary>
internal enum ListenMode
{
    /// <summary>Found out by trying.</summary>
    Auto,

    On,

    /// <summary>Poll only.</summary>
    Off,
}

/// <summary>Where the database is.</summary>
/// <param name="ConnectionString">For Npgsql, password included; empty when no database is configured, which only <c>try</c> puts up with.</param>
/// <param name="Display">The same for people: <c>lekhika@db.example:5432/lekhika</c>; never a password.</param>
/// <param name="Schema">Schema of the daemon's tables.</param>
/// <param name="PoolSize">Most connections open at once; in the connection string already.</param>
/// <param name="Listen">Whether to be woken by LISTEN.</param>
/// <param name="CompletionHook">The SQL function to be told of every final state, <c>schema.function</c>; null for none.</param>
internal sealed record DatabaseOptions(
    Secret ConnectionString, string Display, string Schema, int PoolSize, ListenMode Listen, string? CompletionHook = null);

/// <summary>The HTTP server.</summary>
/// <param name="Urls">TCP addresses to listen on; may be empty if there is a socket.</param>
/// <param name="Socket">Absolute path of a Unix socket to listen on as well; null for none.</param>
/// <param name="AdvertisedUrl">URL under which other daemons reach this one; null means the first listener.</param>
/// <param name="BodyLimit">Largest request body in bytes.</param>
/// <param name="LogLevel">Least severe level that is logged.</param>
internal sealed record ServerOptions(ImmutableArray<ListenUrl> Urls, string? Socket, Uri? AdvertisedUrl, long BodyLimit, LogLevel LogLevel);

/// <summary>Who may use the HTTP server.</summary>
/// <param name="InternalSecret">What clients send in X-Internal-Auth; null only with <paramref name="AllowInsecureLoopback"/> on loopback, or for commands that do not listen.</param>
/// <param name="AllowInsecureLoopback">Whether requests without a secret are served.</param>
/// <param name="ViewerSecret">What lets in to read, not to act; null for none.</param>
internal sealed record AuthOptions(Secret? InternalSecret, bool AllowInsecureLoopback, Secret? ViewerSecret = null);

/// <summary>The Ollama servers.</summary>
internal sealed record OllamaOptions
{
    /// <summary>At least one; may hold a user and password.</summary>
    public required ImmutableArray<Uri> Urls { get; init; }

    /// <summary>Requests in flight at one server and model; 1 or more.</summary>
    public required int Parallelism { get; init; }

    /// <summary>Models that fit into one server's memory together; 1 or more.</summary>
    public required int MaxLoadedModels { get; init; }

    /// <summary>Shares of the servers in the order of <see cref="Urls"/>; those not named have 1.</summary>
    public ImmutableArray<double> Weights { get; init; } = [];

    /// <summary>Whether the next model is loaded while the last requests of the present one are under way.</summary>
    public bool Preload { get; init; }

    /// <summary>How long a model stays loaded: null leaves it to the server, <see cref="Timeout.InfiniteTimeSpan"/> is for ever, zero unloads at once.</summary>
    public required TimeSpan? KeepAlive { get; init; }

    /// <summary>Context window in tokens for nodes that name none; null leaves it to the server.</summary>
    public required int? ContextTokens { get; init; }

    public required TimeSpan ConnectTimeout { get; init; }

    /// <summary>From the request to the first part of the reply; loading the model falls into it.</summary>
    public required TimeSpan FirstByteTimeout { get; init; }

    /// <summary>Longest silence inside a reply.</summary>
    public required TimeSpan IdleTimeout { get; init; }

    /// <summary>Longest a whole reply may take.</summary>
    public required TimeSpan TotalTimeout { get; init; }

    /// <summary>Age of a request for another model at which the server is made to change models.</summary>
    public required TimeSpan MaxWait { get; init; }
}

/// <summary>The second provider.</summary>
/// <param name="Url">Base URL; null when there is none.</param>
/// <param name="ApiKey">Bearer token; null when the server wants none.</param>
/// <param name="Parallelism">Requests in flight.</param>
internal sealed record OpenAiOptions(Uri? Url, Secret? ApiKey, int Parallelism);

/// <summary>How this daemon takes and runs executions.</summary>
internal sealed record WorkerOptions
{
    /// <summary>Name for people, 1 to 128 characters without blanks.</summary>
    public required string Id { get; init; }

    /// <summary>Executions that advance at the same time.</summary>
    public required int Concurrency { get; init; }

    /// <summary>Most executions claimed at the same time; not below <see cref="Concurrency"/>.</summary>
    public required int MaxClaimed { get; init; }

    /// <summary>Retries of a failing node whose definition says nothing; 0 or more.</summary>
    public required int MaxRetries { get; init; }

    /// <summary>Wait before the first of them; doubles each time.</summary>
    public required TimeSpan RetryDelay { get; init; }

    public required TimeSpan PollInterval { get; init; }

    /// <summary>Time waited that counts for one priority; zero for none.</summary>
    public TimeSpan PriorityAgeing { get; init; }

    /// <summary>How long a drain waits before work is aborted.</summary>
    public required TimeSpan DrainTimeout { get; init; }

    /// <summary>Absolute path; not made yet.</summary>
    public required string StateDirectory { get; init; }

    /// <summary>How long claims outlive the last heartbeat.</summary>
    public required TimeSpan Lease { get; init; }

    /// <summary>At most half of <see cref="Lease"/>.</summary>
    public required TimeSpan Heartbeat { get; init; }

    /// <summary>Rescues without progress after which an execution fails; 1 or more.</summary>
    public required int MaxRescues { get; init; }
}

/// <summary>Bounds on one definition or execution; sizes in bytes.</summary>
internal sealed record LimitOptions(
    long OutputSize, long InputsSize, int Nodes, TimeSpan ExecutionTimeout, TimeSpan NodeTimeout, int FanOut, int LoopIterations,
    int SubworkflowDepth)
{
    /// <summary>What each user and each workflow may have at work.</summary>
    public StartLimits Starts { get; init; } = StartLimits.None;
}

/// <summary>What http nodes may do.</summary>
/// <param name="Allow">Destinations allowed although private.</param>
/// <param name="Timeout">Longest request when the node names no timeout.</param>
/// <param name="MaxResponse">Largest response in bytes.</param>
internal sealed record HttpOptions(ImmutableArray<AllowedDestination> Allow, TimeSpan Timeout, long MaxResponse);

/// <summary>What model names stand for.</summary>
/// <param name="Default">Model for nodes that name none, and for unknown names; null for none.</param>
/// <param name="Aliases">Names in definitions and the models they stand for; case does not matter.</param>
internal sealed record ModelOptions(string? Default, ImmutableDictionary<string, string> Aliases);

/// <summary>External node types.</summary>
/// <param name="Endpoints">Type name and the endpoint that runs it; may hold a user and password.</param>
internal sealed record NodeOptions(ImmutableDictionary<string, Uri> Endpoints);

/// <summary>How long finished executions are kept; null is for ever.</summary>
internal sealed record RetentionOptions(TimeSpan? Completed, TimeSpan? Failed, TimeSpan? Cancelled);

/// <summary>Where traces go.</summary>
/// <param name="OtlpEndpoint">Null sends none.</param>
internal sealed record TelemetryOptions(Uri? OtlpEndpoint);
