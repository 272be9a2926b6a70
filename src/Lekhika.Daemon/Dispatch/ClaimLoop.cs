using Lekhika.Daemon.Diagnostics.Metrics;
using Lekhika.Postgres.Queue;

namespace Lekhika.Daemon.Dispatch;

/// <summary>
/// The one task that claims. It asks for no more than there are free slots (and places in memory), whenever it is woken: by a notification, by a
/// slot that became free, by the poll. A wake-up is a hint; the poll is the truth.
///
/// Marking idle: while nothing is found the incarnation says "notify me", marks it in the database and looks once more, or a row committed in
/// between would wait for the poll. Under load, when a claim comes back full, it says so too, and producers stop notifying.
/// </summary>
internal sealed partial class ClaimLoop
{
    private readonly QueueReader _queue;
    private readonly Incarnation _incarnation;
    private readonly ExecutionSlots _slots;
    private readonly ClaimPlan _plan;
    private readonly Func<int> _room;
    private readonly Action<ClaimedExecution> _start;
    private readonly TimeSpan _pollInterval;
    private readonly TimeProvider _time;
    private readonly ILogger _logger;
    private readonly WakeSignal _wake;
    private long _lastProgress;
    private volatile bool _isShort;

    /// <param name="queue">The statements.</param>
    /// <param name="incarnation">Who claims.</param>
    /// <param name="slots">What may be filled.</param>
    /// <param name="room">How many more executions may be held in memory.</param>
    /// <param name="start">Given each claim, with a slot taken for it; must be quick.</param>
    /// <param name="pollInterval">How often to look without being woken.</param>
    /// <param name="time">For timers.</param>
    /// <param name="logger">For the log.</param>
    public ClaimLoop(
        QueueReader queue, Incarnation incarnation, ExecutionSlots slots, Func<int> room, Action<ClaimedExecution> start,
        TimeSpan pollInterval, TimeProvider time, ILogger logger)
    {
        (_queue, _incarnation, _slots, _room, _start) = (queue, incarnation, slots, room, start);
        (_pollInterval, _time, _logger) = (pollInterval, time, logger);
        _plan = new ClaimPlan(time);
        _wake = new WakeSignal(time);
        _lastProgress = time.GetTimestamp();
    }

    /// <summary>Time since the loop last went round; a watchdog feeds on it.</summary>
    public TimeSpan SinceProgress => _time.GetElapsedTime(Interlocked.Read(ref _lastProgress));

    /// <summary>Makes the loop look at once. Cheap, may be called from anywhere.</summary>
    public void Wake() => _wake.Set();

    /// <summary>There is room again. That is news only to a claimer that had none: otherwise it has just seen an empty queue.</summary>
    public void RoomFreed()
    {
        if (_isShort) _wake.Set();
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
                await _wake.WaitAsync(_pollInterval, claimStopping);
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
        var limit = Reserve();
        if (limit == 0) return false;

        var started = 0;
        try
        {
            if (_plan.WantsLists) _plan.SetLists(await _queue.ListsAsync(ClaimPlan.MaxLists, cancellationToken));
            var claimed = await _queue.ClaimAsync(_incarnation.Number, limit, _plan.Shares(limit), cancellationToken);
            var full = claimed.Count == limit;
            _plan.Observe(claimed, full);
            if (claimed.Count > 0) Instruments.Claimed(claimed.Count);
            foreach (var claim in claimed)
            {
                _start(claim);
                started++;
            }

            await _incarnation.MarkIdleAsync(!full, cancellationToken);
            return started > 0 || _plan.LooksAgain;
        }
        finally
        {
            if (started < limit) _slots.GiveBack(limit - started);
        }
    }

    private int Reserve()
    {
        _isShort = false;
        var limit = _slots.Take(Math.Max(0, _room()));
        if (limit > 0) return limit;

        // Asked to be woken first and looked again then, or what was freed in between would wait for the poll.
        _isShort = true;
        limit = _slots.Take(Math.Max(0, _room()));
        if (limit > 0) _isShort = false;
        return limit;
    }

    [LoggerMessage(3101, LogLevel.Warning, "Claiming fails: {Reason}. Trying until it does not.")]
    private static partial void LogOutage(ILogger logger, string reason);

    [LoggerMessage(3102, LogLevel.Information, "Claiming works again")]
    private static partial void LogRecovered(ILogger logger);
}
