using Lekhika.Daemon.Http.Status;
using Lekhika.Daemon.Live;
using Lekhika.Postgres.Executions;

namespace Lekhika.Daemon.Http;

/// <summary>Finds executions: in memory if they are held here, else in the database.</summary>
internal sealed class ExecutionLookup(HttpServerContext services)
{
    /// <summary>
    /// How long the memory of one that has ended is trusted. Later on somebody may have begun a new run of it, here or elsewhere, so its row is asked.
    /// </summary>
    private static readonly TimeSpan MemoryOfEnded = TimeSpan.FromSeconds(3);

    /// <summary>One that is held here, or has ended here just now.</summary>
    public LiveExecution? InMemory(Guid id)
    {
        if (services.Live.Find(id) is not { } live) return null;
        return !live.IsOver || services.Clock.Now - live.Snapshot().FinishedAt < MemoryOfEnded ? live : null;
    }

    /// <summary>Its row; null if there is none.</summary>
    /// <exception cref="DatabaseSilentException">No answer in time.</exception>
    public Task<ExecutionRow?> RowAsync(Guid id, CancellationToken cancellationToken) =>
        BoundedAsync(token => services.Store.FindAsync(id, token), cancellationToken);

    /// <summary>The picture that the database has of it.</summary>
    public Task<StatusPicture> PictureAsync(ExecutionRow row, CancellationToken cancellationToken) => BoundedAsync(
        async token =>
        {
            var steps = row.Status == "pending" && row.Run == 1 ? [] : await services.Store.StepsAsync(row.Exec, row.Run, token);
            var position = row.Status == "pending" && row.OwnerUrl is null ? await services.Store.QueuePositionAsync(row.Exec, token) : null;
            return RowPictures.Of(row, steps, position, services.Clock.Now);
        },
        cancellationToken);

    public StatusPicture Picture(LiveSnapshot live) => LivePictures.Of(live, services.Clock.Now);

    /// <summary>Reads with the patience of a request.</summary>
    /// <exception cref="DatabaseSilentException">No answer in time.</exception>
    public async Task<T> BoundedAsync<T>(Func<CancellationToken, Task<T>> read, CancellationToken cancellationToken)
    {
        using var patience = new CancellationTokenSource(services.ReadPatience, services.Time);
        using var either = CancellationTokenSource.CreateLinkedTokenSource(cancellationToken, patience.Token);
        try
        {
            return await read(either.Token);
        }
        catch (OperationCanceledException exception) when (!cancellationToken.IsCancellationRequested)
        {
            throw new DatabaseSilentException(services.ReadPatience, exception);
        }
    }
}
