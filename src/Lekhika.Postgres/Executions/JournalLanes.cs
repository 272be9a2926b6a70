using Microsoft.Extensions.Logging;

namespace Lekhika.Postgres.Executions;

/// <summary>
/// The journal in lanes: an execution's entries all go to the lane of its number, so each lane keeps the order and the failure rules of a
/// <see cref="Journal"/>, and while the database makes one lane's batch durable it works on the other's. A pool of few connections has one lane.
/// </summary>
public sealed class JournalLanes : IJournal, IAsyncDisposable
{
    private const int Lanes = 2;

    // Each lane keeps a connection, and so do the claims and the listener: half of the pool is left for everybody else.
    private const int PoolForLanes = 8;

    private readonly Journal[] _lanes;

    /// <summary>Starts the writers.</summary>
    public JournalLanes(Database database, long incarnation, string workerId, TimeProvider time, ILogger<Journal> logger)
    {
        ArgumentNullException.ThrowIfNull(database);
        var lanes = database.MostConnections >= PoolForLanes ? Lanes : 1;
        _lanes = [.. Enumerable.Range(0, lanes).Select(_ => new Journal(database, incarnation, workerId, time, logger))];
        Completion = Task.WhenAny(_lanes.Select(static lane => lane.Completion)).Unwrap();
    }

    /// <summary>The loop that ends first; they end only by being stopped, anything else is a fault that must end the process.</summary>
    public Task Completion { get; }

    /// <summary>Entries accepted and not yet answered.</summary>
    public int Backlog => _lanes.Sum(static lane => lane.Backlog);

    /// <summary>Time since a loop that has work last went round; a watchdog feeds on it.</summary>
    public TimeSpan SinceProgress =>
        _lanes.Where(static lane => lane.Backlog > 0).Select(static lane => lane.SinceProgress).DefaultIfEmpty(TimeSpan.Zero).Max();

    /// <inheritdoc/>
    public ValueTask<JournalReply> WriteAsync(JournalEntry entry, CancellationToken cancellationToken)
    {
        ArgumentNullException.ThrowIfNull(entry);
        return _lanes[(int)((ulong)entry.Fence.Exec % (uint)_lanes.Length)].WriteAsync(entry, cancellationToken);
    }

    /// <summary>Stops accepting entries, writes what is queued as long as <paramref name="patience"/> lasts, then gives up.</summary>
    public Task StopAsync(TimeSpan patience) => Task.WhenAll(_lanes.Select(lane => lane.StopAsync(patience)));

    /// <inheritdoc/>
    public async ValueTask DisposeAsync()
    {
        foreach (var lane in _lanes) await lane.DisposeAsync();
    }
}
