using Lekhika.Daemon.Diagnostics.Metrics;
using Lekhika.Postgres.Queue;

namespace Lekhika.Daemon.Dispatch;

/// <summary>
/// The one task that claims. It asks for no more than there are free slots (and places in memory), and ahead of them for what is over at once
/// (<see cref="ClaimPace"/>), whenever it is woken: by a notification, by a slot that became free, by the poll. A wake-up is a hint; the poll is the
/// truth.
///
/// Marking idle: while nothing is found the incarnation says "notify me", marks it in the database and looks once more, or a row committed in
/// between would wait for the poll. Under load, when a claim comes back full, it says so too, and producers stop notifying.
/// </summary>
internal sealed partial class ClaimLoop
{
    // A pace that is over is noticed after so long.
    private static readonly TimeSpan PaceInterval = TimeSpan.FromMilliseconds(20);
    private static readonly TimeSpan LimitsAge = TimeSpan.FromSeconds(1);
    private static readonly TimeSpan LimitedPause = TimeSpan.FromMilliseconds(10);
    private const int TidyEvery = 30;
    private const int TidyGates = 500;

    private readonly QueueReader _queue;
    private readonly Incarnation _incarnation;
    private readonly ExecutionSlots _slots;
    private readonly LimitedClaims _limited;
    private readonly ClaimPlan _plan;
    private readonly ClaimPace _pace;
    private readonly Func<int> _held;
    private readonly int _most;
    private readonly Action<ClaimedExecution, bool> _start;
    private readonly TimeSpan _pollInterval;
    private readonly TimeProvider _time;
    private readonly ILogger _logger;
    private readonly WakeSignal _wake;
    private long _lastProgress;
    private volatile bool _isShort;
    private long _limitsAsked;
    private bool _hasAskedLimits;
    private int _asked;
    private QueueList? _beyond;

    /// <param name="queue">The statements.</param>
    /// <param name="limited">The statements under limits.</param>
    /// <param name="incarnation">Who claims.</param>
    /// <param name="slots">What may be filled.</param>
    /// <param name="held">How many executions are held in memory.</param>
    /// <param name="most">How many may be, apart from those that are claimed ahead.</param>
    /// <param name="start">Given each claim, and whether a slot is taken for it; must be quick.</param>
    /// <param name="pollInterval">How often to look without being woken.</param>
    /// <param name="priorityAgeing">Time waited that counts for one priority; zero for none.</param>
    /// <param name="time">For timers.</param>
    /// <param name="logger">For the log.</param>
    public ClaimLoop(
        QueueReader queue, LimitedClaims limited, Incarnation incarnation, ExecutionSlots slots, Func<int> held, int most,
        Action<ClaimedExecution, bool> start, TimeSpan pollInterval, TimeSpan priorityAgeing, TimeProvider time, ILogger logger)
    {
        (_queue, _limited, _incarnation, _slots, _held, _most, _start) = (queue, limited, incarnation, slots, held, most, start);
        (_pollInterval, _time, _logger) = (pollInterval, time, logger);
        _plan = new ClaimPlan(time, priorityAgeing);
        _pace = new ClaimPace(time);
        _wake = new WakeSignal(time);
        _lastProgress = time.GetTimestamp();
    }

    /// <summary>Time since the loop last went round; a watchdog feeds on it.</summary>
    public TimeSpan SinceProgress => _time.GetElapsedTime(Interlocked.Read(ref _lastProgress));

    /// <summary>Makes the loop look at once. Cheap, may be called from anywhere.</summary>
    public void Wake() => _wake.Set();

    /// <summary>
    /// There is room again. That is news only to a claimer that had none, or that left something because of a limit: otherwise it has just seen an
    /// empty queue.
    /// </summary>
    public void RoomFreed()
    {
        if (_isShort) _wake.Set();
    }

    /// <summary>An execution ended.</summary>
    public void Ended()
    {
        if (_pace.Ended()) RoomFreed();
    }

    /// <summary>Claims until told to stop. Ends with <see cref="RevokedException"/> when the incarnation is revoked.</summary>
    public async Task RunAsync(CancellationToken claimStopping)
    {
        var outage = false;
        while (!claimStopping.IsCancellationRequested)
        {
            Interlocked.Exchange(ref _lastProgress, _time.GetTimestamp());
            var again = false;
            try
            {
                again = await ClaimAsync(claimStopping);
                if (outage) LogRecovered(_logger);
                outage = false;
            }
            catch (OperationCanceledException) when (claimStopping.IsCancellationRequested)
            {
                return;
            }
            catch (Exception exception) when (exception is not RevokedException)
            {
                if (!outage) LogOutage(_logger, exception.Message);
                outage = true;
            }

            if (again) continue;
            try
            {
                // What limits hold back is looked at with each end of an execution, but not as fast as those can come.
                if (_plan.LeavesWaiting) await Task.Delay(LimitedPause, _time, claimStopping);
                await _wake.WaitAsync(_isShort && _pace.IsFast ? PaceInterval : _pollInterval, claimStopping);
            }
            catch (OperationCanceledException)
            {
                return;
            }
        }
    }

    /// <summary>One claim. True: look again at once.</summary>
    private async Task<bool> ClaimAsync(CancellationToken cancellationToken)
    {
        // Without a valid lease what is claimed may be taken away at once: wait for the heartbeat.
        if (!_incarnation.LeaseIsValid) return false;
        var limit = Room();
        if (limit == 0) return false;

        await AskForLimitsAsync(cancellationToken);
        // Said before looking: what ends while the claim is under way may be what it would have needed.
        _isShort = _plan.IsLimited;
        if (_plan.WantsLists) await ReadListsAsync(cancellationToken);
        var shares = _plan.Shares(limit);
        var (claimed, more) = shares is not null && _plan.IsLimited
            ? await _limited.ClaimAsync(_incarnation.Number, limit, shares, cancellationToken)
            : new LimitedClaim(await _queue.ClaimAsync(_incarnation.Number, limit, shares, cancellationToken), More: false);
        var full = claimed.Count == limit;
        _plan.Observe(claimed, full, more);
        _isShort = _plan.LeavesWaiting;
        if (claimed.Count > 0) Instruments.Claimed(claimed.Count);
        foreach (var claim in claimed) _start(claim, _slots.Take(1) == 1);
        await _incarnation.MarkIdleAsync(!full, cancellationToken);
        return claimed.Count > 0 || _plan.LooksAgain;
    }

    /// <summary>A limit that somebody sets is found within a second or so.</summary>
    private async Task AskForLimitsAsync(CancellationToken cancellationToken)
    {
        if (_hasAskedLimits && _time.GetElapsedTime(_limitsAsked) < LimitsAge) return;
        _plan.IsLimited = await _limited.AreThereAsync(cancellationToken);
        (_hasAskedLimits, _limitsAsked) = (true, _time.GetTimestamp());
        if (!_plan.IsLimited || ++_asked % TidyEvery != 0) return;
        await _limited.TidyAsync(TidyGates, cancellationToken);
    }

    /// <summary>Reads the lists from the best on; where there are more than are read at a time, a part of the rest as well, each time another.</summary>
    private async Task ReadListsAsync(CancellationToken cancellationToken)
    {
        var begun = _time.GetTimestamp();
        var lists = await _queue.ListsAsync(ClaimPlan.MaxLists, null, cancellationToken);
        if (lists.Count == ClaimPlan.MaxLists)
        {
            var rest = await _queue.ListsAsync(ClaimPlan.MaxLists, _beyond ?? lists[^1].List, cancellationToken);
            _beyond = rest.Count == ClaimPlan.MaxLists ? rest[^1].List : null;
            lists = [.. lists.Concat(rest).DistinctBy(static waiting => waiting.List)];
        }

        _plan.SetLists(lists, _time.GetElapsedTime(begun));
    }

    /// <summary>
    /// How many may be claimed now. The free slots are not taken before the claim is there: requests that come meanwhile would find none, go through the
    /// queue, and so make the next claim that takes them all. Who comes too late for a slot waits for one like those claimed ahead.
    /// </summary>
    private int Room()
    {
        _isShort = false;
        if (Look() is > 0 and var room) return room;

        // Asked to be woken first and looked again then, or what was freed in between would wait for the poll.
        _isShort = true;
        var freed = Look();
        if (freed > 0) _isShort = false;
        return freed;
    }

    private int Look()
    {
        var held = _held();
        var ahead = _pace.Ahead(held - _slots.Used);
        // Under way at speed: a few slots alone are not worth a statement, more will be free in a moment.
        if (ahead == 0 && _pace.IsFast && held > 0) return 0;
        return Math.Clamp(_most - held, 0, _slots.Free) + ahead;
    }

    [LoggerMessage(3101, LogLevel.Warning, "Claiming fails: {Reason}. Trying until it does not.")]
    private static partial void LogOutage(ILogger logger, string reason);

    [LoggerMessage(3102, LogLevel.Information, "Claiming works again")]
    private static partial void LogRecovered(ILogger logger);
}
