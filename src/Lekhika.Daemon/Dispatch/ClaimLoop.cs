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

    private readonly QueueReader _queue;
    private readonly Incarnation _incarnation;
    private readonly ExecutionSlots _slots;
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

    /// <param name="queue">The statements.</param>
    /// <param name="incarnation">Who claims.</param>
    /// <param name="slots">What may be filled.</param>
    /// <param name="held">How many executions are held in memory.</param>
    /// <param name="most">How many may be, apart from those that are claimed ahead.</param>
    /// <param name="start">Given each claim, and whether a slot is taken for it; must be quick.</param>
    /// <param name="pollInterval">How often to look without being woken.</param>
    /// <param name="time">For timers.</param>
    /// <param name="logger">For the log.</param>
    public ClaimLoop(
        QueueReader queue, Incarnation incarnation, ExecutionSlots slots, Func<int> held, int most, Action<ClaimedExecution, bool> start,
        TimeSpan pollInterval, TimeProvider time, ILogger logger)
    {
        (_queue, _incarnation, _slots, _held, _most, _start) = (queue, incarnation, slots, held, most, start);
        (_pollInterval, _time, _logger) = (pollInterval, time, logger);
        _plan = new ClaimPlan(time);
        _pace = new ClaimPace(time);
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
        var (slots, ahead) = Reserve();
        var limit = slots + ahead;
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
                _start(claim, started < slots);
                started++;
            }

            await _incarnation.MarkIdleAsync(!full, cancellationToken);
            return started > 0 || _plan.LooksAgain;
        }
        finally
        {
            if (started < slots) _slots.GiveBack(slots - started);
        }
    }

    private (int Slots, int Ahead) Reserve()
    {
        _isShort = false;
        if (TryReserve() is { } room) return room;

        // Asked to be woken first and looked again then, or what was freed in between would wait for the poll.
        _isShort = true;
        if (TryReserve() is not { } freed) return (0, 0);
        _isShort = false;
        return freed;
    }

    private (int Slots, int Ahead)? TryReserve()
    {
        var held = _held();
        var ahead = _pace.Ahead(held - _slots.Used);
        // Under way at speed: a few slots alone are not worth a statement, more will be free in a moment.
        if (ahead == 0 && _pace.IsFast && held > 0) return null;
        var slots = _slots.Take(Math.Max(0, _most - held));
        return slots + ahead > 0 ? (slots, ahead) : null;
    }

    [LoggerMessage(3101, LogLevel.Warning, "Claiming fails: {Reason}. Trying until it does not.")]
    private static partial void LogOutage(ILogger logger, string reason);

    [LoggerMessage(3102, LogLevel.Information, "Claiming works again")]
    private static partial void LogRecovered(ILogger logger);
}
