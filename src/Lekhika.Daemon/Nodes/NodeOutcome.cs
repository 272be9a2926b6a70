using System.Text.Json;
using Lekhika.Postgres.Executions;
using Lekhika.Workflows.Execution;

namespace Lekhika.Daemon.Nodes;

/// <summary>What a runner says about one attempt of a node.</summary>
internal abstract record NodeOutcome
{
    /// <summary>An execution to start: inserted in the transaction that records this outcome, or not at all.</summary>
    public ChildStart? Child { get; init; }

    /// <summary>A child that is not waited for any more: it is cancelled in the transaction that records this outcome.</summary>
    public Guid? Abandoned { get; init; }
}

/// <summary>It succeeded.</summary>
/// <param name="Output">Always an object.</param>
/// <param name="Branch">The branch it takes, for nodes that route.</param>
/// <param name="Metrics">What it cost: an object that may hold tokens_in, tokens_out, words, durations.</param>
internal sealed record NodeSucceeded(JsonElement Output, string? Branch = null, JsonElement? Metrics = null) : NodeOutcome;

/// <summary>It failed.</summary>
internal sealed record NodeFailed(StepError Error, JsonElement? Metrics = null) : NodeOutcome
{
    public NodeFailed(string code, string message, bool retryable = false)
        : this(new StepError(code, message, retryable))
    {
    }
}

/// <summary>It waits; the execution may leave memory meanwhile.</summary>
/// <param name="DueAt">Until when; null waits for an event only.</param>
/// <param name="Decision">What is awaited; recorded and never evaluated again.</param>
internal sealed record NodeWaits(DateTimeOffset? DueAt, JsonElement Decision) : NodeOutcome;

/// <summary>A map or loop is opened.</summary>
/// <param name="Decision">Its items, or how often it runs.</param>
/// <param name="Metrics">What the decision cost, if it was made by a model.</param>
internal sealed record NodeOpened(JsonElement Decision, JsonElement? Metrics = null) : NodeOutcome;

/// <summary>What the attempt had started is gone without fault of its own: it is made again at once, and does not count against the retry policy.</summary>
/// <param name="Error">What happened.</param>
internal sealed record NodeStartsAnew(StepError Error) : NodeOutcome;
