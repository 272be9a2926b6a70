using Lekhika.Postgres.Queue;

namespace Lekhika.Daemon.Dispatch;

/// <summary>
/// Which lists the next claim takes from, and how much of each. With little to do a claim takes whatever there is, in the queue's own order. Once a
/// claim comes back full there is a backlog: then lists are read (one per class, priority and tenant), the best class and priority goes first, and
/// its tenants take turns, so that one user's ten thousand executions do not stand before another user's one.
///
/// Each list has a watermark, the highest place taken from it, and a claim looks only above it; every few seconds a claim comes without watermarks, for
/// rows that committed late. Not thread-safe: owned by the claim loop.
/// </summary>
internal sealed class ClaimPlan(TimeProvider time)
{
    /// <summary>The most lists looked at; further tenants come once these are shorter.</summary>
    public const int MaxLists = 1000;

    private static readonly TimeSpan ListsAge = TimeSpan.FromMilliseconds(250);
    private static readonly TimeSpan SweepAge = TimeSpan.FromSeconds(3);

    private readonly Dictionary<QueueList, long> _marks = [];
    private List<QueueList> _lists = [];
    private bool _backlog;
    private bool _sweeping;
    private int _turn;
    private long _listsRead;
    private long _swept = time.GetTimestamp();

    /// <summary>Whether the lists are to be read before the next claim.</summary>
    public bool WantsLists => _backlog && (_lists.Count == 0 || time.GetElapsedTime(_listsRead) > ListsAge);

    /// <summary>Whether the last claim, though empty, does not mean that there is nothing.</summary>
    public bool LooksAgain { get; private set; }

    public void SetLists(List<QueueList> lists)
    {
        _lists = lists;
        _listsRead = time.GetTimestamp();
        if (lists.Count == 0) _backlog = false;
        foreach (var gone in _marks.Keys.Except(lists).ToList()) _marks.Remove(gone);
    }

    /// <summary>The shares of the next claim; null takes in the queue's own order.</summary>
    public IReadOnlyList<ListShare>? Shares(int limit)
    {
        _sweeping = !_backlog || time.GetElapsedTime(_swept) > SweepAge;
        if (!_backlog || _lists.Count == 0) return null;

        var shares = new List<ListShare>();
        foreach (var rank in _lists.GroupBy(static list => (list.Class, list.Pri)).OrderBy(static rank => rank.Key))
        {
            var tenants = rank.ToList();
            var take = Math.Max(1, (limit + tenants.Count - 1) / tenants.Count);
            for (var i = 0; i < tenants.Count; i++)
            {
                var list = tenants[(i + _turn) % tenants.Count];
                shares.Add(new ListShare(list, _sweeping ? 0 : _marks.GetValueOrDefault(list), tenants.Count == 1 ? limit : take));
            }
        }

        _turn = (_turn + Math.Max(1, limit)) & int.MaxValue;
        return shares;
    }

    /// <summary>Takes note of what the claim brought.</summary>
    public void Observe(List<ClaimedExecution> claimed, bool full)
    {
        foreach (var claim in claimed)
        {
            if (claim.Place > _marks.GetValueOrDefault(claim.List)) _marks[claim.List] = claim.Place;
        }

        if (_sweeping) _swept = time.GetTimestamp();
        // A claim by lists that is not full has emptied them, as far as they were known: one look in the queue's own order finds the rest.
        LooksAgain = _backlog && !full;
        _backlog = full;
        if (!_backlog) _lists = [];
    }
}
