using System.Collections.Immutable;

namespace Lekhika.Inference.Lanes;

/// <summary>The lanes of all endpoints at one moment, for status pages and metrics.</summary>
public sealed record PoolSnapshot
{
    /// <summary>The endpoints, in the order of the options.</summary>
    public required ImmutableArray<EndpointSnapshot> Endpoints { get; init; }

    /// <summary>Requests that wait outside the lanes: for a list of models, or for an endpoint that is set aside.</summary>
    public int Parked { get; init; }
}

/// <summary>One endpoint at one moment.</summary>
public sealed record EndpointSnapshot
{
    /// <summary>Its name.</summary>
    public required string Name { get; init; }

    /// <summary>Its address, without credentials.</summary>
    public required string Address { get; init; }

    /// <summary>It is set aside: its circuit is open until a probe succeeds.</summary>
    public bool SetAside { get; init; }

    /// <summary>Why it is set aside or its list of models could not be read; null if all is well.</summary>
    public string? Problem { get; init; }

    /// <summary>Number of models it has; null if not known.</summary>
    public int? Models { get; init; }

    /// <summary>Requests waiting in its lanes.</summary>
    public int Depth { get; init; }

    /// <summary>Requests in flight.</summary>
    public int InFlight { get; init; }

    /// <summary>Its lanes, those with a place first.</summary>
    public ImmutableArray<LaneSnapshot> Lanes { get; init; } = [];
}

/// <summary>One lane at one moment.</summary>
public sealed record LaneSnapshot
{
    /// <summary>The model.</summary>
    public required string Model { get; init; }

    /// <summary>Runner options that set it apart, such as <c>num_ctx=4096</c>; empty if none.</summary>
    public string Runner { get; init; } = "";

    /// <summary><c>away</c>, <c>entering</c>, <c>serving</c> or <c>closing</c>.</summary>
    public required string State { get; init; }

    /// <summary>Requests waiting.</summary>
    public int Depth { get; init; }

    /// <summary>Requests in flight.</summary>
    public int InFlight { get; init; }

    /// <summary>When it came, on the clock of the pool.</summary>
    internal TimeSpan OldestSince { get; init; }

    /// <summary>How long the oldest waiting request has waited; zero if none waits.</summary>
    public TimeSpan OldestAge { get; init; }

    /// <summary>Turns that pushed another model out, since the start.</summary>
    public long Swaps { get; init; }

    /// <summary>Requests that ended well, since the start.</summary>
    public long Served { get; init; }

    /// <summary>Attempts that failed, since the start; those whose caller left are not among them.</summary>
    public long Failed { get; init; }

    /// <summary>What bringing the model in costs, as learned; null if not yet known.</summary>
    public TimeSpan? SwapCost { get; init; }

    /// <summary>The server has the model in memory, by its own word or by what it was asked for since.</summary>
    public bool Loaded { get; init; }

    /// <summary>What its calls have cost since the start.</summary>
    public CallTotals Totals { get; init; } = new();
}
