namespace Lekhika.Daemon.Nodes;

/// <summary>
/// How long an attempt may still take, and when it may begin something in the world. Time in which that has to wait for the database does not count: a node
/// does not fail because the database was away. For one wait at a time.
/// </summary>
internal sealed class NodeDeadline : IDisposable
{
    private readonly Func<CancellationToken, ValueTask> _mayBegin;
    private readonly TimeSpan? _limit;
    private readonly TimeProvider _time;
    private readonly CancellationTokenSource _overdue;
    private readonly long _begun;
    private TimeSpan _held;

    /// <param name="limit">The longest time; null for none.</param>
    /// <param name="mayBegin">Waits until an effect may begin.</param>
    /// <param name="time">The clock. It runs from now.</param>
    public NodeDeadline(TimeSpan? limit, Func<CancellationToken, ValueTask> mayBegin, TimeProvider time)
    {
        (_limit, _mayBegin, _time) = (limit, mayBegin, time);
        _begun = time.GetTimestamp();
        _overdue = new CancellationTokenSource(limit ?? Timeout.InfiniteTimeSpan, time);
    }

    /// <summary>The longest time; null for none.</summary>
    public TimeSpan? Limit => _limit;

    /// <summary>Cancelled when it has taken too long.</summary>
    public CancellationToken Overdue => _overdue.Token;

    /// <summary>Waits until the effect may begin; whoever lets it wait for something else first, such as a model's turn, asks again after that.</summary>
    /// <exception cref="OperationCanceledException">The token was cancelled.</exception>
    public ValueTask MayBeginAsync(CancellationToken cancellationToken)
    {
        var waiting = _mayBegin(cancellationToken);
        return waiting.IsCompletedSuccessfully ? waiting : HeldAsync(waiting);
    }

    public void Dispose() => _overdue.Dispose();

    private async ValueTask HeldAsync(ValueTask waiting)
    {
        var since = _time.GetTimestamp();
        _overdue.CancelAfter(Timeout.InfiniteTimeSpan);
        try
        {
            await waiting;
        }
        finally
        {
            _held += _time.GetElapsedTime(since);
            if (_limit is { } limit)
            {
                var left = limit - (_time.GetElapsedTime(_begun) - _held);
                _overdue.CancelAfter(left > TimeSpan.Zero ? left : TimeSpan.Zero);
            }
        }
    }
}
