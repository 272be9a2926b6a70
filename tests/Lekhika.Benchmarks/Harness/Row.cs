namespace Lekhika.Benchmarks.Harness;

/// <summary>One comparison: a case, one form of ours, one peer.</summary>
internal sealed record Row
{
    public required string Case { get; init; }

    /// <summary>What of ours is meant, where a case has several forms; for the tables.</summary>
    public required string Ours { get; init; }

    /// <summary>What it is compared with: a program, another state of our own, or "aim".</summary>
    public required string Peer { get; init; }

    public required string Unit { get; init; }

    /// <summary>One value for each run.</summary>
    public required IReadOnlyList<double> OursRuns { get; init; }

    /// <inheritdoc cref="OursRuns"/>
    public IReadOnlyList<double> PeerRuns { get; init; } = [];

    /// <summary>Smaller values are better, so the ratio is turned round.</summary>
    public bool LessIsBetter { get; init; }

    /// <summary>The ratio is ours over the peer's though less is better: times over the best order's.</summary>
    public bool PlainRatio { get; init; }

    /// <summary>What is aimed at, in words; empty where the figure is only given.</summary>
    public string Aim { get; init; } = "";

    /// <summary>Whether the aim is met: told ours, the peer's value and the ratio.</summary>
    public Func<double, double, double, bool>? IsMet { get; init; }

    public double OursValue => OursRuns.Median();

    public double PeerValue => PeerRuns.Median();

    public double Ratio => PeerRuns.Count == 0 ? double.NaN : LessIsBetter && !PlainRatio ? PeerValue / OursValue : OursValue / PeerValue;

    public bool? Met => IsMet?.Invoke(OursValue, PeerValue, Ratio);
}
