using Lekhika.Postgres.Queue;

namespace Lekhika.Daemon.Dispatch;

/// <summary>What a worker is told by the configuration.</summary>
internal sealed record WorkerSettings
{
    public required WorkerIdentity Identity { get; init; }

    /// <summary>Most executions held in memory: running, or waiting for a model's turn.</summary>
    public required int MaxClaimed { get; init; }

    public required TimeSpan PollInterval { get; init; }

    /// <summary>Time waited that counts for one priority; zero for none.</summary>
    public TimeSpan PriorityAgeing { get; init; }

    /// <summary>What each user and each workflow may have at work.</summary>
    public StartLimits Limits { get; init; } = StartLimits.None;

    public required TimeSpan Lease { get; init; }

    public required TimeSpan Heartbeat { get; init; }

    /// <summary>How long a stop waits for what is in flight.</summary>
    public required TimeSpan DrainTimeout { get; init; }

    /// <summary>Whether to LISTEN; false polls only.</summary>
    public required bool Listen { get; init; }

    /// <summary>Whether to LISTEN even where a transaction pooler is found.</summary>
    public bool ListenThroughPooler { get; init; }

    /// <summary>The SQL function to be told of every final state, <c>schema.function</c>; null for none.</summary>
    public string? CompletionHook { get; init; }

    public required OwnerOptions Owners { get; init; }
}
