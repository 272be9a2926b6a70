using Lekhika.Postgres.Jobs;

namespace Lekhika.Daemon.Http.Jobs;

/// <summary>What HTTP asks of the database about generation jobs.</summary>
internal interface IJobStore
{
    /// <summary>One job; null if there is none.</summary>
    Task<GenerationJobRow?> FindAsync(Guid id, CancellationToken cancellationToken);

    /// <summary>Makes a job durable; false if another one has its id.</summary>
    Task<bool> InsertAsync(NewGenerationJob job, CancellationToken cancellationToken);

    /// <summary>Cancels a job; its status then, or null if there is none.</summary>
    Task<string?> CancelAsync(Guid id, CancellationToken cancellationToken);

    /// <summary>Sees to it that pending jobs are in the queue.</summary>
    Task AdoptAsync(CancellationToken cancellationToken);

    /// <summary>The oldest pending job and how many there are; null if there is none.</summary>
    Task<(Guid Id, long Count)?> OldestPendingAsync(CancellationToken cancellationToken);
}

/// <summary>The same, from PostgreSQL.</summary>
internal sealed class JobStore(GenerationJobs jobs) : IJobStore
{
    public Task<GenerationJobRow?> FindAsync(Guid id, CancellationToken cancellationToken) => jobs.FindAsync(id, cancellationToken);

    public Task<bool> InsertAsync(NewGenerationJob job, CancellationToken cancellationToken) => jobs.InsertAsync(job, cancellationToken);

    public Task<string?> CancelAsync(Guid id, CancellationToken cancellationToken) => jobs.CancelAsync(id, cancellationToken);

    public Task AdoptAsync(CancellationToken cancellationToken) => jobs.AdoptAsync(cancellationToken);

    public Task<(Guid Id, long Count)?> OldestPendingAsync(CancellationToken cancellationToken) => jobs.OldestPendingAsync(cancellationToken);
}
