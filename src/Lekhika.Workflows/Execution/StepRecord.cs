using System.Text.Json;

namespace Lekhika.Workflows.Execution;

/// <summary>
/// One fact about one step of a run, as it is stored in <c>workflow_execution_steps</c>. Records are append-only; replaying them
/// through the state machine rebuilds the state of the run. Whatever was decided when a record was made (the branch, which
/// predecessor fired an <c>any</c> join, a resolved list, a due time) is in it and is never evaluated again.
/// </summary>
public sealed record StepRecord
{
    /// <summary>The run it belongs to, from 1.</summary>
    public required int Run { get; init; }

    /// <summary>The step key: the node id, inside loops <c>loopId[3].nodeId</c>, see <see cref="StepKey"/>.</summary>
    public required string Key { get; init; }

    /// <summary>Number of the try, from 1.</summary>
    public required int Attempt { get; init; }

    /// <summary>What became of the step in this record.</summary>
    public required StepOutcome Outcome { get; init; }

    /// <summary>The branch taken by a node that routes; null takes the unlabelled edges only.</summary>
    public string? Branch { get; init; }

    /// <summary>Key of the step whose edge fired an <c>any</c> join; null elsewhere.</summary>
    public string? FiredBy { get; init; }

    /// <summary>What else was decided: items of a map, condition of a loop pass, the awaited signal and due time of a wait.</summary>
    public JsonElement? Decision { get; init; }

    /// <summary>When a retry or a wait is due; null waits for a signal only.</summary>
    public DateTimeOffset? DueAt { get; init; }

    /// <summary>The output, always an object; present when <see cref="Outcome"/> is <see cref="StepOutcome.Succeeded"/>.</summary>
    public JsonElement? Output { get; init; }

    /// <summary>Why the attempt failed; also kept when the run went on in spite of it.</summary>
    public StepError? Error { get; init; }

    /// <summary>What it cost: tokens, durations, model. A JSON object or null; never read by the state machine.</summary>
    public JsonElement? Metrics { get; init; }

    /// <summary>When the attempt began.</summary>
    public DateTimeOffset? StartedAt { get; init; }

    /// <summary>When it ended.</summary>
    public DateTimeOffset? FinishedAt { get; init; }

    /// <summary>Whether the step is over with this record. At most one final record exists for a (run, key).</summary>
    public bool IsFinal => Outcome is StepOutcome.Succeeded or StepOutcome.Failed;
}

/// <summary>What a <see cref="StepRecord"/> says about its step.</summary>
public enum StepOutcome
{
    /// <summary>Final: it has an output.</summary>
    Succeeded,

    /// <summary>Final: it failed and will not be tried again.</summary>
    Failed,

    /// <summary>The attempt failed; the next one is due at <see cref="StepRecord.DueAt"/>.</summary>
    Retrying,

    /// <summary>It waits for a time, a signal or both.</summary>
    Waiting,

    /// <summary>A map or loop was opened (<see cref="StepRecord.Decision"/> holds its items), or one pass of a loop was decided.</summary>
    Opened,
}

/// <summary>Why an attempt failed.</summary>
/// <param name="Code">A code of <see cref="ErrorCodes"/>.</param>
/// <param name="Message">For people: what, where, what was expected, how to mend it. Never holds a secret.</param>
/// <param name="Retryable">Whether another attempt could end otherwise.</param>
/// <param name="Details">More, as a JSON object; null if there is nothing more.</param>
public sealed record StepError(string Code, string Message, bool Retryable = false, JsonElement? Details = null);
