namespace Lekhika.Doubles;

/// <summary>What the double has seen since its start or the last reset.</summary>
public sealed record DoubleStats
{
    /// <value>Requests of every kind but those under <c>/double</c>.</value>
    public long Requests { get; init; }

    /// <value>Generate, chat and /v1 chat requests.</value>
    public long Completions { get; init; }

    /// <value>Of these, answered to the end.</value>
    public long Completed { get; init; }

    /// <value>Clients that left before their answer was complete.</value>
    public long Cancellations { get; init; }

    /// <value>Answers with an error status or an error line.</value>
    public long Errors { get; init; }

    /// <value>Faults shown.</value>
    public long Faults { get; init; }

    /// <value>503 because the load queue was full.</value>
    public long Rejected { get; init; }

    /// <value>Models loaded, reloads included.</value>
    public long Loads { get; init; }

    /// <value>Loads that had to unload another model or the same with other options first.</value>
    public long Swaps { get; init; }

    /// <value>Times a model was marked to make room, whether or not it had left yet.</value>
    public long Evictions { get; init; }

    /// <value>Models unloaded.</value>
    public long Unloads { get; init; }

    /// <value>Completion requests being answered now, waiting ones included.</value>
    public int InFlight { get; init; }

    /// <value>The most there were at once.</value>
    public int InFlightMax { get; init; }

    /// <value>Requests that hold a slot of a runner now.</value>
    public int Generating { get; init; }

    /// <value>The most there were at once.</value>
    public int GeneratingMax { get; init; }

    /// <value>Requests that wait for a slot or a load now.</value>
    public int Waiting { get; init; }

    /// <value>The most requests that waited for a slot or a load at once.</value>
    public int WaitingMax { get; init; }

    /// <value>Tokens generated.</value>
    public long Tokens { get; init; }

    /// <value>Requests by method and path.</value>
    public IReadOnlyDictionary<string, long> ByPath { get; init; } = new Dictionary<string, long>(StringComparer.Ordinal);

    /// <value>Completions by model as sent.</value>
    public IReadOnlyDictionary<string, long> ByModel { get; init; } = new Dictionary<string, long>(StringComparer.Ordinal);

    /// <value>The last thousand requests, oldest first.</value>
    public IReadOnlyList<SeenRequest> Seen { get; init; } = [];
}

/// <summary>One request as it arrived.</summary>
/// <param name="Number">Counted from 1.</param>
/// <param name="Method">HTTP method.</param>
/// <param name="Path">Path.</param>
/// <param name="Model">Model as sent, if any.</param>
/// <param name="Body">The body, at most 64 Ki characters of it.</param>
public sealed record SeenRequest(long Number, string Method, string Path, string? Model, string Body);
