using System.Collections.Concurrent;

namespace Lekhika.Daemon.Live;

/// <summary>
/// The executions this daemon holds, and the last ones it finished: those that a poller will ask for once more. Bounded: beyond
/// <see cref="KeptFinished"/> finished ones the oldest are forgotten and answered from the database.
/// </summary>
internal sealed class LiveExecutions
{
    private const int KeptFinished = 1000;
    private readonly ConcurrentDictionary<Guid, LiveExecution> _byId = new();

    // A ring: each one that ends takes the next place, and whoever was there is forgotten.
    private readonly LiveExecution?[] _finished = new LiveExecution?[KeptFinished];
    private uint _ended;

    /// <summary>Everything held or remembered.</summary>
    public ICollection<LiveExecution> All => _byId.Values;

    public LiveExecution? Find(Guid id) => _byId.GetValueOrDefault(id);

    public void Add(LiveExecution execution) => _byId[execution.Header.Id] = execution;

    /// <summary>It has ended: kept for those who ask again, until newer ones push it out.</summary>
    public void Keep(LiveExecution execution)
    {
        var place = (Interlocked.Increment(ref _ended) - 1) % KeptFinished;
        if (Interlocked.Exchange(ref _finished[place], execution) is { } oldest) Forget(oldest);
    }

    /// <summary>This daemon does not know about it any more.</summary>
    public void Forget(LiveExecution execution) => _byId.TryRemove(KeyValuePair.Create(execution.Header.Id, execution));
}
