using System.Collections.Concurrent;
using Lekhika.Postgres.Executions;
using Lekhika.Postgres.Queue;

namespace Lekhika.Daemon.Dispatch;

/// <summary>An owner and the task it runs in.</summary>
internal sealed class Owned(ExecutionOwner owner)
{
    public ExecutionOwner Owner { get; } = owner;

    public Task Task { get; set; } = Task.CompletedTask;
}

/// <summary>Everything that belongs to one incarnation.</summary>
internal sealed record Shift(
    Incarnation Incarnation, Journal Journal, ClaimLoop Claims, Housekeeping Housekeeping, Submitter Submitter, OwnerServices Services)
{
    public ConcurrentDictionary<long, Owned> Owners { get; } = new();
}

/// <summary>Stored steps from PostgreSQL.</summary>
internal sealed class RunStore(ExecutionReader reader, RunReader runs) : IRunStore
{
    public Task<List<Workflows.Execution.StepRecord>> StepsAsync(long exec, int run, CancellationToken cancellationToken) =>
        reader.StepsAsync(exec, run, cancellationToken);

    public Task<RunOpening?> OpeningAsync(long exec, int run, CancellationToken cancellationToken) => runs.OpeningAsync(exec, run, cancellationToken);
}
