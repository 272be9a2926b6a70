using Lekhika.Inference;

namespace Lekhika.Daemon.Dispatch;

/// <summary>
/// How the daemon is doing, for /health, /health/ready, /status, STATUS lines and logs. Each part is replaced whole by the loop that finds it out.
/// </summary>
internal sealed class DaemonState
{
    private int _eventStreams;

    /// <summary>Null while the database is reachable and its schema is one this build serves; else why not, with what helps.</summary>
    public string? DatabaseProblem { get; set; } = "not tried yet";

    /// <summary>Version of the schema in the database; null if unknown.</summary>
    public int? SchemaVersion { get; set; }

    /// <summary>What the last look at the model endpoints found.</summary>
    public IReadOnlyList<EndpointHealth> Endpoints { get; set; } = [];

    /// <summary>Whether no more work is claimed because the daemon is about to stop.</summary>
    public bool Draining { get; set; }

    /// <summary>Executions held: running or waiting for a model's turn.</summary>
    public int Held => CountHeld();

    /// <summary>Execution slots in use by executions.</summary>
    public int SlotsUsed => CountSlots();

    /// <summary>Counts <see cref="Held"/>; set by the worker.</summary>
    public Func<int> CountHeld { get; set; } = static () => 0;

    /// <summary>Counts <see cref="SlotsUsed"/>; set by the worker. Slots that a claim under way has reserved do not count.</summary>
    public Func<int> CountSlots { get; set; } = static () => 0;

    /// <summary>Execution slots in all.</summary>
    public int Slots { get; set; }

    /// <summary>Executions in the queue at the last look; null if unknown.</summary>
    public long? Queued { get; set; }

    /// <summary>Executions that wait for a time or an event at the last look.</summary>
    public long? Parked { get; set; }

    /// <summary>Executions that any worker owns at the last look; null if unknown.</summary>
    public long? HeldByAll { get; set; }

    /// <summary>How long the oldest new execution has waited to be claimed, at the last look; null if none does.</summary>
    public TimeSpan? OldestAge { get; set; }

    /// <summary>Event streams that are open.</summary>
    public int EventStreams => Volatile.Read(ref _eventStreams);

    /// <summary>An event stream begins. Returns how many are open now.</summary>
    public int StreamOpened() => Interlocked.Increment(ref _eventStreams);

    /// <summary>An event stream ended.</summary>
    public void StreamClosed() => Interlocked.Decrement(ref _eventStreams);

    /// <summary>Number of the present incarnation; null while there is none.</summary>
    public long? Incarnation { get; set; }

    /// <summary>Whether notifications arrive; false means polling only.</summary>
    public bool Listening { get; set; }

    /// <summary>Executions finished since the start, by status.</summary>
    public FinishedCounts Finished { get; } = new();
}

/// <summary>Counters of ended executions.</summary>
internal sealed class FinishedCounts
{
    private long _completed;
    private long _failed;
    private long _cancelled;

    public long Completed => Interlocked.Read(ref _completed);

    public long Failed => Interlocked.Read(ref _failed);

    public long Cancelled => Interlocked.Read(ref _cancelled);

    public void Count(string status)
    {
        switch (status)
        {
            case "completed": Interlocked.Increment(ref _completed); break;
            case "failed": Interlocked.Increment(ref _failed); break;
            default: Interlocked.Increment(ref _cancelled); break;
        }
    }
}
