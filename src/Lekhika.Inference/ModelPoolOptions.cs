using System.Collections.Immutable;

namespace Lekhika.Inference;

/// <summary>Everything a model pool is told: where the models are, how long to wait for them, how often to try.</summary>
public sealed record ModelPoolOptions
{
    /// <summary>The endpoints, each with a name of its own. With none, every call fails with <see cref="ModelFailure.NotFound"/>.</summary>
    public ImmutableArray<ModelEndpointOptions> Endpoints { get; init; } = [];

    /// <summary>Time limits of a call.</summary>
    public ModelTimeouts Timeouts { get; init; } = new();

    /// <summary>How a call that broke is repeated.</summary>
    public ModelRetries Retries { get; init; } = new();

    /// <summary>How turns are shared out.</summary>
    public LaneOptions Lanes { get; init; } = new();

    /// <summary>
    /// How long Ollama keeps a model loaded after a request: a duration with a unit (<c>"5m"</c>, <c>"-1m"</c> for ever), or seconds as a plain
    /// number; empty leaves it to the server. The same for all requests, because a request's value replaces the one before. Default <c>"5m"</c>.
    /// </summary>
    public string KeepAlive { get; init; } = "5m";

    /// <summary>Longest line of a stream, in bytes. Default 8 MiB.</summary>
    public int MaxLineBytes { get; init; } = 8 * 1024 * 1024;

    /// <summary>Longest reply, text and thinking together, in UTF-16 characters. Default 16 Mi.</summary>
    public int MaxReplyLength { get; init; } = 16 * 1024 * 1024;

    /// <summary>How often the list of models of each endpoint is read again. Default 30 s.</summary>
    public TimeSpan CatalogueInterval { get; init; } = TimeSpan.FromSeconds(30);

    /// <summary>How long a request waits while every endpoint that has its model is set aside. Default 1 minute.</summary>
    public TimeSpan Patience { get; init; } = TimeSpan.FromMinutes(1);

    /// <summary>The first pause of an endpoint that is set aside; doubles with each failed probe up to a minute. Default 5 s.</summary>
    public TimeSpan SetAsideFor { get; init; } = TimeSpan.FromSeconds(5);

    /// <summary>Finds what is wrong with the options; all of it, in words for the person who wrote them.</summary>
    public IReadOnlyList<string> Problems()
    {
        var problems = new List<string>();
        if (Endpoints.IsDefault)
            problems.Add("endpoints: is not set; expected a list, which may be empty");
        else
        {
            var names = new HashSet<string>(StringComparer.OrdinalIgnoreCase);
            foreach (var endpoint in Endpoints)
            {
                problems.AddRange(endpoint.Problems());
                if (!names.Add(endpoint.Name))
                    problems.Add($"endpoints: the name '{endpoint.Name}' is used twice; every endpoint needs its own");
            }
        }

        if (Timeouts.Connect <= TimeSpan.Zero || Timeouts.FirstByte <= TimeSpan.Zero || Timeouts.Silence <= TimeSpan.Zero
            || Timeouts.Whole <= TimeSpan.Zero || Timeouts.Control <= TimeSpan.Zero)
            problems.Add("timeouts: every limit must be longer than zero");
        if (Retries.Attempts is < 1 or > 20)
            problems.Add($"retries.attempts: is {Retries.Attempts}; expected 1 to 20");
        if (Retries.FirstDelay <= TimeSpan.Zero || Retries.MaxDelay < Retries.FirstDelay || Retries.MaxDelay > TimeSpan.FromHours(1))
            problems.Add("retries: expected 0 < first delay <= longest delay <= 1 hour");
        if (Lanes.QueueLimit < 1)
            problems.Add($"lanes.queue_limit: is {Lanes.QueueLimit}; expected at least 1");
        if (Lanes.MaxWait < TimeSpan.Zero || Lanes.Linger < TimeSpan.Zero || Lanes.MinTurnFactor < 0)
            problems.Add("lanes: times and factors must not be negative");
        if (MaxLineBytes < 1024)
            problems.Add($"max_line_bytes: is {MaxLineBytes}; expected at least 1024");
        if (MaxReplyLength < 1)
            problems.Add($"max_reply_length: is {MaxReplyLength}; expected at least 1");
        if (CatalogueInterval < TimeSpan.FromSeconds(1) || Patience < TimeSpan.Zero)
            problems.Add("catalogue interval must be at least 1 s, patience not negative");
        if (SetAsideFor < TimeSpan.FromMilliseconds(500) || SetAsideFor > TimeSpan.FromMinutes(1))
            problems.Add("set-aside time: expected 500 ms to 1 minute");
        return problems;
    }
}

/// <summary>Time limits of a call, each on its own clock. <see cref="Timeout.InfiniteTimeSpan"/> is not allowed: everything is bounded.</summary>
public sealed record ModelTimeouts
{
    /// <summary>To open the connection. Default 5 s.</summary>
    public TimeSpan Connect { get; init; } = TimeSpan.FromSeconds(5);

    /// <summary>From sending the request to the first byte of the reply. Long, because a server that loads a model is silent. Default 10 min.</summary>
    public TimeSpan FirstByte { get; init; } = TimeSpan.FromMinutes(10);

    /// <summary>Between two pieces of a reply. Default 60 s.</summary>
    public TimeSpan Silence { get; init; } = TimeSpan.FromSeconds(60);

    /// <summary>The whole call once its turn has come, its attempts together; <see cref="ModelRequest.Timeout"/> overrides it. Default 1 hour.</summary>
    public TimeSpan Whole { get; init; } = TimeSpan.FromHours(1);

    /// <summary>Small questions: version, list of models, what is loaded. Default 5 s.</summary>
    public TimeSpan Control { get; init; } = TimeSpan.FromSeconds(5);
}

/// <summary>How often and how fast a call is repeated after connect errors, overload (503) and broken streams. Nothing else is repeated.</summary>
public sealed record ModelRetries
{
    /// <summary>Tries in all, the first included: 1 to 20. Default 4.</summary>
    public int Attempts { get; init; } = 4;

    /// <summary>Pause before the second try; doubles, with jitter. Default 500 ms.</summary>
    public TimeSpan FirstDelay { get; init; } = TimeSpan.FromMilliseconds(500);

    /// <summary>Longest pause. Default 15 s.</summary>
    public TimeSpan MaxDelay { get; init; } = TimeSpan.FromSeconds(15);
}

/// <summary>How turns are shared out between lanes.</summary>
public sealed record LaneOptions
{
    /// <summary>
    /// How long a lane waits before it gets its turn although another lane still has work. A turn already given lasts at least
    /// <see cref="MinTurnFactor"/> times the cost of the swap, so under heavy load waits grow rather than swaps. Default 2 min.
    /// </summary>
    public TimeSpan MaxWait { get; init; } = TimeSpan.FromMinutes(2);

    /// <summary>
    /// How long an idle lane keeps its turn in the hope of its next request (the next chapter of the same book), never longer than a quarter of
    /// what a swap costs. Default 250 ms.
    /// </summary>
    public TimeSpan Linger { get; init; } = TimeSpan.FromMilliseconds(250);

    /// <summary>
    /// Shortest turn of a lane with work, its load included, in swap costs: 8 keeps the time lost to swapping under an eighth, however late others
    /// are. Matters only where a swap costs more than <see cref="MaxWait"/> divided by it. Default 8.
    /// </summary>
    public double MinTurnFactor { get; init; } = 8;

    /// <summary>
    /// Ask the server to load the next model while the last requests of the present one are under way. Only of use where its memory holds both for
    /// a moment; where daemons share their turns it is not done. Default false.
    /// </summary>
    public bool Preload { get; init; }

    /// <summary>Most requests that wait at one endpoint. Default 10 000.</summary>
    public int QueueLimit { get; init; } = 10_000;
}
