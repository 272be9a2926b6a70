namespace Lekhika.Inference.Lanes;

/// <summary>
/// One attempt of a call on its way to a turn. The loop owns it but for its state, which decides the race between a turn given and a caller who
/// leaves: whoever moves it from waiting first has won.
/// </summary>
internal sealed class Ticket(ModelRequest request, IModelSink sink, long sequence, TimeSpan since, PoolEndpoint? avoid = null)
{
    private const int Waiting = 0;
    private const int Granted = 1;
    private const int Left = 2;

    // Continuations run elsewhere: the loop must not execute its callers' code.
    private readonly TaskCompletionSource<PoolEndpoint> _turn = new(TaskCreationOptions.RunContinuationsAsynchronously);
    private int _state = Waiting;

    public ModelRequest Request => request;

    public IModelSink Sink => sink;

    /// <summary>Order of arrival; a repeated attempt keeps the number of its call and so its place.</summary>
    public long Sequence => sequence;

    /// <summary>When it began to wait, on the pool's clock.</summary>
    public TimeSpan Since => since;

    /// <summary>Where the attempt before failed: the last choice now.</summary>
    public PoolEndpoint? Avoid => avoid;

    /// <summary>It was let in once already, so no bound turns it away any more.</summary>
    public bool Admitted { get; set; }

    /// <summary>The lane it waits or runs in.</summary>
    public Lane? Lane { get; set; }

    /// <summary>The lane was just entered when it got its turn: the load time it reports is the price of a swap.</summary>
    public bool PaysLoad { get; set; }

    /// <summary>When it got its turn, on the pool's clock.</summary>
    public TimeSpan StartedAt { get; set; }

    /// <summary>The position its sink was told last.</summary>
    public int ToldPosition { get; set; } = -1;

    /// <summary>Until when it waits for an endpoint to come back, while it waits outside the lanes.</summary>
    public TimeSpan ParkedUntil { get; set; } = TimeSpan.MaxValue;

    /// <summary>The endpoint whose turn it got.</summary>
    public Task<PoolEndpoint> Turn => _turn.Task;

    public bool IsWaiting => Volatile.Read(ref _state) == Waiting;

    /// <summary>The turn was given.</summary>
    public bool WasGranted => Volatile.Read(ref _state) == Granted;

    /// <summary>Gives the turn, unless the caller has left.</summary>
    public bool TryGrant(PoolEndpoint endpoint)
    {
        if (Interlocked.CompareExchange(ref _state, Granted, Waiting) != Waiting)
            return false;
        _turn.SetResult(endpoint);
        return true;
    }

    /// <summary>The caller leaves; false if the turn was given before.</summary>
    public bool TryLeave() => Interlocked.CompareExchange(ref _state, Left, Waiting) == Waiting;

    /// <summary>No turn will come.</summary>
    public void Refuse(ModelException failure)
    {
        if (Interlocked.CompareExchange(ref _state, Left, Waiting) == Waiting)
            _turn.SetException(failure);
    }
}
