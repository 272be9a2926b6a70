namespace Lekhika.Inference.Lanes;

/// <summary>The requests for one loaded model at one endpoint. Owned by the loop.</summary>
internal sealed class Lane(EndpointLanes owner, LaneKey key, string model)
{
    private static readonly Comparer<Ticket> ByTurn = Comparer<Ticket>.Create(static (a, b) =>
        b.Request.Priority != a.Request.Priority ? b.Request.Priority.CompareTo(a.Request.Priority) : a.Sequence.CompareTo(b.Sequence));

    private static readonly Comparer<Ticket> ByArrival = Comparer<Ticket>.Create(static (a, b) => a.Sequence.CompareTo(b.Sequence));

    private readonly SortedSet<Ticket> _byTurn = new(ByTurn);
    private readonly SortedSet<Ticket> _byArrival = new(ByArrival);

    public EndpointLanes Owner => owner;

    public LaneKey Key => key;

    /// <summary>The model as the first request wrote it.</summary>
    public string Model => model;

    public LaneState State { get; set; }

    public int Depth => _byTurn.Count;

    public int InFlight { get; set; }

    /// <summary>When the turn began.</summary>
    public TimeSpan TurnStart { get; set; }

    /// <summary>When the last request in flight ended.</summary>
    public TimeSpan IdleSince { get; set; }

    /// <summary>When it gave up its last turn; null if it never had one.</summary>
    public TimeSpan? LeftAt { get; set; }

    /// <summary>The next request to start is the first of the turn.</summary>
    public bool FirstOfTurn { get; set; }

    /// <summary>Since when another daemon wants the turn, as far as this one has heard; null if nobody does.</summary>
    public TimeSpan? WantedSince { get; set; }

    /// <summary>Its model was asked to be loaded before its turn.</summary>
    public bool Preloaded { get; set; }

    public SwapCost Cost { get; } = new();

    /// <summary>What its calls have cost so far.</summary>
    public CallTotals Totals { get; set; } = new();

    /// <summary>Turns that pushed another model out.</summary>
    public long Swaps { get; set; }

    /// <summary>Requests that ended well.</summary>
    public long Served { get; set; }

    /// <summary>Attempts that failed.</summary>
    public long Failed { get; set; }

    /// <summary>The endpoint's shared turn, while it is held.</summary>
    public ILaneLease? Lease { get; set; }

    /// <summary>Somebody may have another position than he was told.</summary>
    public bool Moved { get; set; }

    public bool IsIdle => Depth == 0 && InFlight == 0;

    /// <summary>Since when it waits for its turn: since its oldest request came, but not since before its last turn.</summary>
    public TimeSpan WaitingSince => LeftAt is { } left && left > Oldest ? left : Oldest;

    /// <summary>When the oldest waiting request came.</summary>
    public TimeSpan Oldest => _byArrival.Min?.Since ?? TimeSpan.MaxValue;

    public IEnumerable<Ticket> Waiting => _byTurn;

    public void Add(Ticket ticket)
    {
        _byTurn.Add(ticket);
        _byArrival.Add(ticket);
        ticket.Lane = this;
        Moved = true;
    }

    public bool Remove(Ticket ticket)
    {
        _byArrival.Remove(ticket);
        var removed = _byTurn.Remove(ticket);
        Moved |= removed;
        return removed;
    }

    public Ticket? Next() => _byTurn.Min;
}

/// <summary>Where a lane stands.</summary>
internal enum LaneState
{
    /// <summary>Its model has no place; requests wait.</summary>
    Away,

    /// <summary>It has a place here and waits for the turn that other daemons share.</summary>
    Entering,

    /// <summary>Its requests run.</summary>
    Serving,

    /// <summary>What is in flight ends, nothing new starts; then it is away.</summary>
    Closing,
}

/// <summary>What it costs to bring a model in, learned from the load times the server reports.</summary>
internal sealed class SwapCost
{
    // Below this the model was in memory already and nothing was learned.
    private static readonly TimeSpan Shortest = TimeSpan.FromMilliseconds(20);

    /// <summary>The moving average; null until the first load was seen.</summary>
    public TimeSpan? Value { get; private set; }

    public void Learn(TimeSpan load)
    {
        if (load >= Shortest)
            Value = Value is { } known ? (known * 0.6) + (load * 0.4) : load;
    }
}
