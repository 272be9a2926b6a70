namespace Lekhika.Doubles;

/// <summary>One fault of the protocol or of the server, and when it strikes.</summary>
public sealed record DoubleFault
{
    /// <value>What goes wrong.</value>
    public FaultKind Kind { get; init; }

    /// <value>Tokens sent before it; none is 5. With 0 it strikes before the headers where that makes sense.</value>
    public int? After { get; init; }

    /// <value>How often it strikes before all is well; none is always.</value>
    public int? Times { get; init; }

    /// <value>Under which key <see cref="Times"/> is counted; none counts by model and kind.</value>
    public string? Key { get; init; }

    /// <value>Duration of a stall or delay; none is for ever for a stall, two seconds for a delay.</value>
    public TimeSpan? Delay { get; init; }

    /// <value>Status of <see cref="FaultKind.Status"/>.</value>
    public int? Status { get; init; }

    /// <value>Error text, or the content of a garbage line.</value>
    public string? Message { get; init; }

    /// <value>Bytes of a write with <see cref="FaultKind.Split"/>, of the line with <see cref="FaultKind.BigLine"/>.</value>
    public int? Bytes { get; init; }
}
