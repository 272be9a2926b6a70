using Lekhika.Postgres.Executions;
using Lekhika.Postgres.Queue;
using Lekhika.Workflows.Execution;

namespace Lekhika.Daemon.Http;

/// <summary>What HTTP asks of the database about executions.</summary>
internal interface IExecutionStore
{
    /// <summary>One execution; null if there is none.</summary>
    Task<ExecutionRow?> FindAsync(Guid id, CancellationToken cancellationToken);

    Task<List<StepRecord>> StepsAsync(long exec, int run, CancellationToken cancellationToken);

    /// <summary>Places in front of it; null if it is not queued.</summary>
    Task<long?> QueuePositionAsync(long exec, CancellationToken cancellationToken);

    /// <summary>
    /// Asks for a status as SQL would; committed when it returns. The answer is what the row says then; null if there is no such row, or if it was to
    /// run again (<c>running</c>) and is not paused.
    /// </summary>
    Task<Standing?> SetStatusAsync(Guid id, string status, CancellationToken cancellationToken);

    /// <summary>Opens the next run of one that failed; committed when it returns. Null if there is no such row.</summary>
    Task<(bool Opened, Standing Standing)?> OpenRunAsync(NextRun next, CancellationToken cancellationToken);
}

/// <summary>The same, from PostgreSQL.</summary>
internal sealed class ExecutionStore(ExecutionReader reader, RunReader runs) : IExecutionStore
{
    public Task<ExecutionRow?> FindAsync(Guid id, CancellationToken cancellationToken) => reader.FindAsync(id, cancellationToken);

    public Task<List<StepRecord>> StepsAsync(long exec, int run, CancellationToken cancellationToken) => reader.StepsAsync(exec, run, cancellationToken);

    public Task<long?> QueuePositionAsync(long exec, CancellationToken cancellationToken) => reader.QueuePositionAsync(exec, cancellationToken);

    // No reason is given along: it would be written even where the change of status is refused.
    public Task<Standing?> SetStatusAsync(Guid id, string status, CancellationToken cancellationToken) =>
        status == "running" ? reader.ResumeAsync(id, cancellationToken) : reader.SetStatusAsync(id, status, reason: null, cancellationToken);

    public Task<(bool Opened, Standing Standing)?> OpenRunAsync(NextRun next, CancellationToken cancellationToken) => runs.OpenAsync(next, cancellationToken);
}
