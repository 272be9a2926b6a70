using Lekhika.Daemon.Live;
using Lekhika.Postgres.Executions;
using Lekhika.Postgres.Signals;
using Lekhika.Workflows.Definitions;
using Lekhika.Workflows.Execution;

namespace Lekhika.Daemon.Dispatch;

/// <summary>What the owner of an execution works with; the same for all executions of one incarnation.</summary>
internal sealed record OwnerServices
{
    /// <summary>The only writer of execution state.</summary>
    public required IJournal Journal { get; init; }

    /// <summary>Where stored steps are read back.</summary>
    public required IRunStore Store { get; init; }

    /// <summary>Compiled definitions.</summary>
    public required DefinitionCache Definitions { get; init; }

    public required ExecutionSlots Slots { get; init; }

    public required LiveExecutions Live { get; init; }

    public required DaemonState State { get; init; }

    /// <summary>Limits and defaults as they are now.</summary>
    public required Func<OwnerOptions> Options { get; init; }

    /// <summary>The database's clock: due times mean the same on every daemon, however wrong its own clock is.</summary>
    public required Func<DateTimeOffset> Now { get; init; }

    /// <summary>For timers, which are relative.</summary>
    public required TimeProvider Time { get; init; }

    /// <summary>For the jitter of retries.</summary>
    public required Random Random { get; init; }

    public required ILogger Logger { get; init; }

    /// <summary>Cancelled when work in flight is to be aborted (second signal, drain time over).</summary>
    public required CancellationToken AbortWorking { get; init; }

    /// <summary>Waits until an effect may begin: until the executions held here are certainly still ours.</summary>
    public Func<CancellationToken, ValueTask> MayBegin { get; init; } = static _ => ValueTask.CompletedTask;

    /// <summary>Takes results that the journal does not take any more, since the daemon ends.</summary>
    public Action<Fence, IReadOnlyList<StepRecord>>? Spool { get; init; }

    /// <summary>Something was parked: due times may have changed.</summary>
    public Action? Parked { get; init; }

    /// <summary>An execution was parked that waits for events: whoever matches them looks at it once more.</summary>
    public Action<long>? ParkedAwaiting { get; init; }
}

/// <summary>Where the records of earlier claims come from.</summary>
internal interface IRunStore
{
    Task<List<StepRecord>> StepsAsync(long exec, int run, CancellationToken cancellationToken);

    /// <summary>The events of these topics that nobody has consumed.</summary>
    Task<List<WaitEvent>> EventsAsync(long exec, int run, IReadOnlyList<string> topics, CancellationToken cancellationToken);

    /// <summary>How a run after the first was opened; null if nothing is known of it.</summary>
    Task<RunOpening?> OpeningAsync(long exec, int run, CancellationToken cancellationToken);
}

/// <summary>Limits and defaults of executions.</summary>
internal sealed record OwnerOptions
{
    /// <summary>Rescues in a row without progress, beyond which an execution fails as a crash loop.</summary>
    public int MaxRescues { get; init; } = 5;

    /// <summary>Retries of nodes that do not say otherwise.</summary>
    public RetryPolicy Retry { get; init; } = new();

    /// <summary>Longest attempt of a node that does not say otherwise; null means unlimited.</summary>
    public TimeSpan? NodeTimeout { get; init; }

    /// <summary>Longest execution, from its first start; null means unlimited.</summary>
    public TimeSpan? ExecutionTimeout { get; init; }

    /// <summary>Largest inputs of an execution in bytes of JSON.</summary>
    public long InputsSize { get; init; } = 16 * 1024 * 1024;

    /// <summary>Largest output of a step in bytes of JSON.</summary>
    public long OutputSize { get; init; } = 16 * 1024 * 1024;

    /// <summary>Bounds of the state machine.</summary>
    public RunMachineOptions Machine { get; init; } = new();

    /// <summary>How long an execution lives before SQL pollers are shown that it runs.</summary>
    public TimeSpan ShowRunningAfter { get; init; } = TimeSpan.FromSeconds(1);
}
