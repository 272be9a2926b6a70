using System.Text.Json;
using Lekhika.Workflows.Execution;

namespace Lekhika.Daemon.Nodes;

/// <summary>What a runner says about one attempt of a node.</summary>
internal abstract record NodeOutcome;

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
