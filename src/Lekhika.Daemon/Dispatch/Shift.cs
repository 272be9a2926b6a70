using System.Collections.Concurrent;
using Lekhika.Daemon.Nodes;
using Lekhika.Postgres.Executions;
using Lekhika.Postgres.Queue;
using Lekhika.Postgres.Signals;

namespace Lekhika.Daemon.Dispatch;

/// <summary>An owner and the task it runs in.</summary>
internal sealed class Owned(ExecutionOwner owner)
{
    public ExecutionOwner Owner { get; } = owner;

    public Task Task { get; set; } = Task.CompletedTask;
}

/// <summary>Everything that belongs to one incarnation.</summary>
internal sealed record Shift(
    Incarnation Incarnation, JournalLanes Journal, ClaimLoop Claims, Housekeeping Housekeeping, EventDelivery Events, OwnerServices Services)
{
    public ConcurrentDictionary<long, Owned> Owners { get; } = new();
}

/// <summary>Stored steps, events and openings of runs from PostgreSQL; while it is away they are waited for.</summary>
internal sealed class RunStore(ExecutionReader reader, EventReader events, RunReader runs, TimeProvider time) : IRunStore
{
    public Task<List<Workflows.Execution.StepRecord>> StepsAsync(long exec, int run, CancellationToken cancellationToken) =>
        PatientRead.RunAsync(token => reader.StepsAsync(exec, run, token), time, cancellationToken);

    public Task<List<WaitEvent>> EventsAsync(long exec, int run, IReadOnlyList<string> topics, CancellationToken cancellationToken) =>
        PatientRead.RunAsync(token => events.EventsAsync(exec, run, topics, token), time, cancellationToken);

    public Task<RunOpening?> OpeningAsync(long exec, int run, CancellationToken cancellationToken) =>
        PatientRead.RunAsync(token => runs.OpeningAsync(exec, run, token), time, cancellationToken);
}
