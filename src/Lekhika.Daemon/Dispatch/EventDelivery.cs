using System.Threading.Channels;
using Lekhika.Postgres.Executions;
using Lekhika.Postgres.Signals;

namespace Lekhika.Daemon.Dispatch;

/// <summary>
/// Brings events to those who wait for them. Three duties, safe to be done by many daemons at once, none relying on a hint:
///
///   match    parked executions whose event is there go back to the queue: those parked just now (looked at again after their commit), the newest
///            events, and round by round all of them, so that nothing is lost by the order in which ids commit or by a parker that dies
///   deliver  owners here are told that events are there for what they hold: a branch may wait while another works
///   drop     events that nothing will ever take are deleted
/// </summary>
internal sealed class EventDelivery
{
    private const int Batch = 2000;

    private readonly EventReader _events;
    private readonly Func<IReadOnlyList<ExecutionOwner>> _held;
    private readonly Action _woken;
    private readonly WakeSignal _match;
    private readonly WakeSignal _deliver;

    // Writers: owners that have parked. Reader: the matching loop. One that does not fit is found by the round over all events.
    private readonly Channel<long> _parked = Channel.CreateBounded<long>(
        new BoundedChannelOptions(4096) { FullMode = BoundedChannelFullMode.DropWrite, SingleReader = true });

    private long _matchedTo;
    private long _droppedTo;

    /// <param name="events">The statements.</param>
    /// <param name="held">The executions held here.</param>
    /// <param name="woken">Something is ready that was not.</param>
    /// <param name="time">For timers.</param>
    public EventDelivery(EventReader events, Func<IReadOnlyList<ExecutionOwner>> held, Action woken, TimeProvider time)
    {
        (_events, _held, _woken) = (events, held, woken);
        (_match, _deliver) = (new WakeSignal(time), new WakeSignal(time));
        var second = TimeSpan.FromSeconds(1);
        Duties =
        [
            new Duty("match events", second, _match, MatchAsync),
            new Duty("deliver events", second, _deliver, DeliverAsync),
            new Duty("drop stale events", TimeSpan.FromSeconds(10), Hint: null, DropAsync),
        ];
    }

    public IReadOnlyList<Duty> Duties { get; }

    /// <summary>Events were sent.</summary>
    public void Hint()
    {
        _match.Set();
        _deliver.Set();
    }

    /// <summary>An execution that waits for events was parked.</summary>
    public void LookAgain(long exec)
    {
        _parked.Writer.TryWrite(exec);
        _match.Set();
    }

    private async Task<TimeSpan?> MatchAsync(CancellationToken cancellationToken)
    {
        var parked = new List<long>();
        while (parked.Count < Batch && _parked.Reader.TryRead(out var exec)) parked.Add(exec);
        var (moved, last) = await _events.MatchAsync([.. parked], _matchedTo, Batch, cancellationToken);
        _matchedTo = last;
        if (moved > 0) _woken();
        return parked.Count == Batch ? TimeSpan.Zero : null;
    }

    private async Task<TimeSpan?> DeliverAsync(CancellationToken cancellationToken)
    {
        var owners = _held().Where(static owner => owner.Awaited.Count > 0).ToDictionary(static owner => owner.Fence.Exec);
        if (owners.Count == 0) return null;
        var waits = new List<(Fence Fence, string Topic)>();
        foreach (var owner in owners.Values) waits.AddRange(owner.Awaited.Select(topic => (owner.Fence, topic)));
        foreach (var exec in await _events.AnsweredAsync(waits, cancellationToken)) owners[exec].Tell(EventsThere.Instance);
        return null;
    }

    private async Task<TimeSpan?> DropAsync(CancellationToken cancellationToken)
    {
        (_, _droppedTo) = await _events.DropAsync(_droppedTo, Batch, cancellationToken);
        return _droppedTo > 0 ? TimeSpan.FromSeconds(1) : null;
    }
}
