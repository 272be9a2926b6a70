using System.Text.Json;

namespace Lekhika.Workflows.Execution;

/// <summary>The state of one step for people and programs that look on.</summary>
/// <param name="Key">The step key.</param>
/// <param name="Node">The node it runs.</param>
/// <param name="Status">Where it stands.</param>
/// <param name="Attempt">Number of the latest attempt, 0 if none was made.</param>
/// <param name="Branch">The branch it took, once it is over.</param>
/// <param name="FiredBy">Key of the step that fired an <c>any</c> join, once that is recorded.</param>
/// <param name="DueAt">When a retry or wait is due.</param>
/// <param name="Error">Why it failed, is being retried or was passed over.</param>
/// <param name="Output">Its output, once it is over; what failed and was lived with has <c>{ "error": … }</c>.</param>
/// <param name="Fraction">How much of it is over, 0 to 1.</param>
public sealed record StepView(
    string Key, PlannedNode Node, StepStatus Status, int Attempt, string? Branch, string? FiredBy, DateTimeOffset? DueAt, StepError? Error,
    JsonElement? Output, double Fraction);

/// <summary>Where a step stands. A run that is over has only steps of the last five.</summary>
public enum StepStatus
{
    /// <summary>Its predecessors are not all decided.</summary>
    Pending,

    /// <summary>It may run or is running.</summary>
    Running,

    /// <summary>An attempt failed and the next is due.</summary>
    Retrying,

    /// <summary>It waits for a time or a signal.</summary>
    Waiting,

    /// <summary>A map or loop with iterations to go.</summary>
    Open,

    /// <summary>It has an output.</summary>
    Succeeded,

    /// <summary>It failed for good; the run may have gone on by <c>on_error</c> or an error edge.</summary>
    Failed,

    /// <summary>It failed, was optional, and was passed over; people should be told.</summary>
    PassedOver,

    /// <summary>No path that was taken leads to it.</summary>
    Skipped,

    /// <summary>It was not over when its run or iteration failed.</summary>
    Abandoned,
}

/// <summary>Where a run stands.</summary>
public enum RunStatus
{
    /// <summary>Something is running or can be started.</summary>
    Advancing,

    /// <summary>Nothing is left to do but waits and retries.</summary>
    Waiting,

    /// <summary>Over, with a result.</summary>
    Completed,

    /// <summary>Over, with an error.</summary>
    Failed,
}

/// <summary>A step that waits for a time, a signal or both.</summary>
/// <param name="Step">The step.</param>
/// <param name="Attempt">The attempt that waits.</param>
/// <param name="DueAt">When it is due; null waits for a signal only.</param>
/// <param name="Decision">What was recorded with the wait, such as the awaited signal.</param>
public sealed record PendingWait(StepRef Step, int Attempt, DateTimeOffset? DueAt, JsonElement? Decision);
