using Lekhika.Daemon.Diagnostics.Metrics;
using Lekhika.Postgres.Queue;

namespace Lekhika.Daemon.Dispatch;

/// <summary>
/// What every daemon does beside executing, each duty in a loop of its own so that none can delay another: waking what is due, obeying commands for
/// parked executions, asking what the rows of held executions say, rescuing from dead workers, adopting claims whose reply was lost. All of them are
/// safe to be done by many daemons at once, and none relies on a hint: a hint only makes the next round come sooner.
/// </summary>
internal sealed partial class Housekeeping
{
    private readonly QueueReader _queue;
    private readonly Incarnation _incarnation;
    private readonly TimeProvider _time;
    private readonly ILogger _logger;
    private readonly WakeSignal _commands;
    private readonly WakeSignal _standing;
    private readonly WakeSignal _timers;

    private HashSet<Postgres.Executions.Fence> _unknown = [];
    private long _reconciled;

    public Housekeeping(QueueReader queue, Incarnation incarnation, TimeProvider time, ILogger logger)
    {
        (_queue, _incarnation, _time, _logger) = (queue, incarnation, time, logger);
        (_commands, _standing, _timers) = (new WakeSignal(time), new WakeSignal(time), new WakeSignal(time));
    }

    /// <summary>The executions held, for the poll of their rows.</summary>
    public required Func<IReadOnlyList<ExecutionOwner>> Held { get; init; }

    /// <summary>Adopts a claim that is ours without our knowing.</summary>
    public required Action<ClaimedExecution> Adopt { get; init; }

    /// <summary>Something is ready that was not.</summary>
    public required Action Woken { get; init; }

    /// <summary>Counts the queue, and finds what has no place in it.</summary>
    public required QueueFacts Facts { get; init; }

    /// <summary>Told how long the queue is.</summary>
    public required Action<QueuePicture> Depth { get; init; }

    /// <summary>Somebody changed the status of an execution.</summary>
    public void HintCommands()
    {
        _commands.Set();
        _standing.Set();
    }

    /// <summary>Something was parked.</summary>
    public void HintTimers() => _timers.Set();

    /// <summary>Keeps house until stopped. Ends early only with an exception.</summary>
    public Task RunAsync(CancellationToken cancellationToken)
    {
        var second = TimeSpan.FromSeconds(1);
        return Task.WhenAll(
            LoopAsync("wake what is due", second, _timers, WakeDueAsync, cancellationToken),
            LoopAsync("obey commands", second, _commands, ObeyAsync, cancellationToken),
            LoopAsync("ask what held rows say", second, _standing, AskStandingAsync, cancellationToken),
            LoopAsync("rescue", second, hint: null, RescueAsync, cancellationToken),
            LoopAsync("adopt lost claims", TimeSpan.FromSeconds(5), hint: null, AdoptAsync, cancellationToken),
            LoopAsync("count the queue", TimeSpan.FromSeconds(5), hint: null, CountAsync, cancellationToken),
            LoopAsync("look for executions without a place", TimeSpan.FromSeconds(15), hint: null, ReconcileAsync, cancellationToken));
    }

    /// <returns>How long until the next round; null for the usual interval.</returns>
    private async Task<TimeSpan?> WakeDueAsync(CancellationToken cancellationToken)
    {
        const int batch = 500;
        var (moved, nextIn) = await _queue.WakeDueAsync(batch, cancellationToken);
        if (moved > 0) Woken();
        return moved == batch || nextIn < TimeSpan.Zero ? TimeSpan.Zero : nextIn;
    }

    private async Task<TimeSpan?> ObeyAsync(CancellationToken cancellationToken)
    {
        const int batch = 500;
        var seen = await _queue.ObeyAsync(batch, cancellationToken);
        if (seen > 0) Woken();
        return seen == batch ? TimeSpan.Zero : null;
    }

    private async Task<TimeSpan?> AskStandingAsync(CancellationToken cancellationToken)
    {
        var held = Held();
        if (held.Count == 0) return null;
        var standings = (await _queue.StandingAsync([.. held.Select(static owner => owner.Fence)], cancellationToken))
            .ToDictionary(static standing => standing.Exec);
        foreach (var owner in held)
        {
            if (standings.TryGetValue(owner.Fence.Exec, out var standing)) owner.Tell(new RowSays(standing.Status, standing.Run));
            else if (owner.IsPausing) owner.Tell(new RowSays("running", owner.Fence.Run));
        }

        return null;
    }

    private async Task<TimeSpan?> RescueAsync(CancellationToken cancellationToken)
    {
        if (!_incarnation.MayRescue) return null;
        var rescued = await _queue.RescueAsync(_incarnation.Number, cancellationToken);
        if (rescued == 0) return null;
        LogRescued(_logger, rescued);
        Instruments.Rescued(rescued);
        Woken();
        return null;
    }

    private async Task<TimeSpan?> AdoptAsync(CancellationToken cancellationToken)
    {
        // A claim whose reply is just being read looks the same: only what is unknown twice in a row was lost.
        var known = Held().Select(static owner => owner.Fence.Exec).ToArray();
        var unknown = await _queue.HoldingsAsync(_incarnation.Number, known, cancellationToken);
        foreach (var claim in unknown.Where(claim => _unknown.Contains(claim.Fence)))
        {
            LogAdopted(_logger, claim.Id);
            Adopt(claim);
        }

        _unknown = [.. unknown.Select(static claim => claim.Fence)];
        return null;
    }

    private async Task<TimeSpan?> CountAsync(CancellationToken cancellationToken)
    {
        Depth(await Facts.QueueAsync(cancellationToken));
        return null;
    }

    /// <summary>A look at some executions each time round: a whole pass takes as long as it takes, and places found missing are rare.</summary>
    private async Task<TimeSpan?> ReconcileAsync(CancellationToken cancellationToken)
    {
        const int batch = 5000;
        var (placed, last) = await Facts.ReconcileAsync(_reconciled, batch, cancellationToken);
        _reconciled = last ?? 0;
        if (placed == 0) return null;
        LogReconciled(_logger, placed);
        Instruments.ReconciledPlaces(placed);
        Woken();
        return null;
    }

    private async Task LoopAsync(
        string duty, TimeSpan interval, WakeSignal? hint, Func<CancellationToken, Task<TimeSpan?>> round, CancellationToken cancellationToken)
    {
        var failing = false;
        hint ??= new WakeSignal(_time);
        while (!cancellationToken.IsCancellationRequested)
        {
            var wait = interval;
            try
            {
                if (await round(cancellationToken) is { } sooner && sooner < wait) wait = sooner > TimeSpan.Zero ? sooner : TimeSpan.FromMilliseconds(1);
                failing = false;
            }
            catch (Exception exception) when (!cancellationToken.IsCancellationRequested)
            {
                if (!failing) LogFailing(_logger, duty, exception.Message);
                failing = true;
            }
            catch (Exception) when (cancellationToken.IsCancellationRequested)
            {
                return;
            }

            try
            {
                await hint.WaitAsync(wait, cancellationToken);
            }
            catch (OperationCanceledException)
            {
                return;
            }
        }
    }

    [LoggerMessage(3201, LogLevel.Warning, "Took over {Count} executions from workers whose lease lapsed")]
    private static partial void LogRescued(ILogger logger, int count);

    [LoggerMessage(3202, LogLevel.Warning, "Execution {ExecutionId}: found claimed by this worker without its knowing; going on with it")]
    private static partial void LogAdopted(ILogger logger, Guid executionId);

    [LoggerMessage(3204, LogLevel.Warning, "{Count} executions had no place in the queue (after a restore?) and got one")]
    private static partial void LogReconciled(ILogger logger, int count);

    [LoggerMessage(3203, LogLevel.Warning, "Could not {Duty}: {Reason}. Trying every second or so.")]
    private static partial void LogFailing(ILogger logger, string duty, string reason);
}
