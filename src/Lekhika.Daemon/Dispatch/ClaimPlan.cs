using System.Runtime.InteropServices;
using Lekhika.Postgres.Queue;

namespace Lekhika.Daemon.Dispatch;

/// <summary>
/// Which lists the next claim takes from, and how much of each. With little to do a claim takes whatever there is, in the queue's own order. Once a
/// claim comes back full there is a backlog: then lists are read (one per class, priority and tenant) and shared out:
///
///   priority  strict, but it ages: for each <c>worker.priority_ageing</c> that the oldest of a priority has waited, that priority counts for one more, up
///             to the best one there is. It never overtakes that, it takes turns with it: aged work of one user does not stand before others either
///   turns     within what counts alike, the tenants that were served longest ago go first, each with an equal share; so behind one user's ten thousand
///             executions another user's one is in the first claim that sees it
///   class     within a tenant, woken executions go before new ones
///
/// Each list has a watermark, the highest place taken from it, and a claim looks only above it; every few seconds a claim comes without watermarks, for
/// rows that committed late. Under limits every claim goes by lists. Not thread-safe: owned by the claim loop.
/// </summary>
/// <param name="time">For ages.</param>
/// <param name="ageing">Time waited that counts for one priority; zero for none.</param>
internal sealed class ClaimPlan(TimeProvider time, TimeSpan ageing)
{
    /// <summary>The most lists read at a time; where there are more, the rest is read in turn.</summary>
    public const int MaxLists = 1000;

    private static readonly TimeSpan LongestListsAge = TimeSpan.FromSeconds(3);
    private static readonly TimeSpan CheapLists = TimeSpan.FromMilliseconds(2);
    private static readonly TimeSpan SweepAge = TimeSpan.FromSeconds(3);

    private readonly Dictionary<QueueList, long> _marks = [];
    private readonly Dictionary<int, long> _served = [];
    private List<WaitingList> _lists = [];
    private bool _backlog;
    private bool _sweeping;
    private long _turn;
    private long _listsRead;
    private TimeSpan _listsAge;
    private TimeSpan _listsCost;
    private long _swept = time.GetTimestamp();

    /// <summary>Whether there are limits.</summary>
    public bool IsLimited { get; set; }

    /// <summary>Whether the lists are to be read before the next claim.</summary>
    public bool WantsLists => (_backlog || IsLimited) && (_lists.Count == 0 || time.GetElapsedTime(_listsRead) > _listsAge);

    /// <summary>Whether the last claim, though not full, does not mean that there is nothing.</summary>
    public bool LooksAgain { get; private set; }

    /// <summary>Whether something may have been left that limits hold back: it can go as soon as something else ends.</summary>
    public bool LeavesWaiting { get; private set; }

    /// <param name="lists">Those that are not empty.</param>
    /// <param name="took">How long reading them took: what is costly, as under an old snapshot, is done more rarely.</param>
    public void SetLists(List<WaitingList> lists, TimeSpan took)
    {
        _lists = lists;
        _listsRead = time.GetTimestamp();
        // One slow reading is the machine's; many are the table's.
        var slower = (_listsCost * 1.25) + TimeSpan.FromMilliseconds(0.1);
        _listsCost = took < slower ? took : slower;
        var age = _listsCost * (_listsCost < CheapLists ? 4 : 20);
        _listsAge = age < LongestListsAge ? age : LongestListsAge;
        if (lists.Count == 0) _backlog = false;
        foreach (var gone in _marks.Keys.Except(lists.Select(static waiting => waiting.List)).ToList()) _marks.Remove(gone);
        if (_served.Count > MaxLists)
        {
            foreach (var gone in _served.Keys.Except(lists.Select(static waiting => waiting.List.Tenant)).ToList()) _served.Remove(gone);
        }
    }

    /// <summary>The shares of the next claim; null takes in the queue's own order.</summary>
    public IReadOnlyList<ListShare>? Shares(int limit)
    {
        var byLists = IsLimited || (_backlog && _lists.Count > 0);
        _sweeping = !byLists || time.GetElapsedTime(_swept) > SweepAge;
        if (!byLists) return null;

        var shares = new List<ListShare>(_lists.Count);
        foreach (var tier in Tiers())
        {
            var tenants = tier.GroupBy(static waiting => waiting.List.Tenant).OrderBy(tenant => _served.GetValueOrDefault(tenant.Key)).ToList();
            var take = tenants.Count == 1 ? limit : Math.Max(1, (limit + tenants.Count - 1) / tenants.Count);
            foreach (var (list, _) in tenants.SelectMany(static tenant => tenant.OrderBy(static waiting => (waiting.List.Class, waiting.List.Pri))))
            {
                shares.Add(new ListShare(list, _sweeping ? 0 : _marks.GetValueOrDefault(list), take));
            }
        }

        return shares;
    }

    /// <summary>Takes note of what the claim brought.</summary>
    /// <param name="claimed">The claims.</param>
    /// <param name="full">Whether they are as many as were asked for.</param>
    /// <param name="more">Whether the claim itself says that there is more.</param>
    public void Observe(List<ClaimedExecution> claimed, bool full, bool more = false)
    {
        foreach (var claim in claimed)
        {
            ref var mark = ref CollectionsMarshal.GetValueRefOrAddDefault(_marks, claim.List, out _);
            if (claim.Place > mark) mark = claim.Place;
            _served[claim.List.Tenant] = ++_turn;
        }

        if (_sweeping) _swept = time.GetTimestamp();
        // A claim by lists that is not full has emptied them, as far as they were known: one look in the queue's own order finds the rest. Under
        // limits it has not, and looking at once would find the same again.
        LooksAgain = IsLimited ? more : _backlog && !full;
        LeavesWaiting = IsLimited && !full;
        _backlog = full;
        if (!_backlog) _lists = [];
    }

    /// <summary>The lists by what their priority counts for.</summary>
    private IEnumerable<IEnumerable<WaitingList>> Tiers()
    {
        if (_lists.Count == 0) return [];
        var best = _lists.Min(static waiting => waiting.List.Pri);
        return _lists.GroupBy(static waiting => waiting.List.Pri)
            .Select(rank => (Counts: Math.Max(best, rank.Key - Levels(rank)), Lists: rank))
            .GroupBy(static rank => rank.Counts, static rank => rank.Lists)
            .OrderBy(static tier => tier.Key)
            .Select(static tier => tier.SelectMany(static rank => rank));
    }

    private int Levels(IEnumerable<WaitingList> rank) =>
        ageing <= TimeSpan.Zero ? 0 : (int)Math.Min(rank.Max(static waiting => waiting.Waited) / ageing, 2000);
}
