using System.Text.Json;

namespace Lekhika.Workflows.Execution;

/// <summary>
/// What the owner of a run has to do next. Each is given once; a fresh machine after a replay gives again what is still unanswered.
/// </summary>
public abstract record RunAction
{
    private protected RunAction()
    {
    }
}

/// <summary>Run a step. Answered by a record of that attempt (a map or loop by <see cref="StepOutcome.Opened"/>).</summary>
/// <param name="Step">The step.</param>
/// <param name="Attempt">Number of the attempt, from 1.</param>
public sealed record StartStep(StepRef Step, int Attempt) : RunAction;

/// <summary>A wait is due. Answered by a final record, a retry, or another wait (same attempt and later due time, or a higher attempt).</summary>
/// <param name="Step">The step.</param>
/// <param name="Wait">The wait that is due.</param>
public sealed record ResumeStep(StepRef Step, PendingWait Wait) : RunAction;

/// <summary>
/// Decide whether a while-loop makes another pass. Answered by <see cref="StepOutcome.Opened"/> with the decision true or false, under
/// the key of the pass.
/// </summary>
/// <param name="Step">The loop.</param>
/// <param name="Iteration">Number of the pass, from 0; its key is <see cref="StepKey.Iteration"/>.</param>
public sealed record DecideIteration(StepRef Step, int Iteration) : RunAction;

/// <summary>All iterations are over. Answered by <see cref="StepOutcome.Succeeded"/> with that output.</summary>
/// <param name="Step">The map or loop.</param>
/// <param name="Attempt">The attempt that opened it.</param>
/// <param name="Output"><c>{ "items": […], "count": n }</c></param>
public sealed record CloseScope(StepRef Step, int Attempt, JsonElement Output) : RunAction;

/// <summary>An iteration has failed, or a limit was passed. Answered by <see cref="StepOutcome.Failed"/> with that error (never by a retry:
/// the nodes inside had theirs, and their final records stand).</summary>
/// <param name="Step">The map or loop.</param>
/// <param name="Attempt">The attempt that opened it.</param>
/// <param name="Error">Why.</param>
public sealed record FailScope(StepRef Step, int Attempt, StepError Error) : RunAction;

/// <summary>An iteration has failed while this step in it was in flight; its result is of no use any more. Needs no answer.</summary>
/// <param name="Step">The step.</param>
public sealed record AbortStep(StepRef Step) : RunAction;

/// <summary>
/// An iteration has failed while this step in it waited: nothing that comes of the wait matters any more, and what the wait is for may be given up. Given
/// again by every machine that reads the records, since giving up is not recorded. Needs no answer.
/// </summary>
/// <param name="Step">The step.</param>
/// <param name="Wait">The wait.</param>
public sealed record AbandonWait(StepRef Step, PendingWait Wait) : RunAction;

/// <summary>The run is over. On failure the owner aborts what is still in flight.</summary>
/// <param name="Result">What came of it.</param>
public sealed record FinishRun(RunResult Result) : RunAction;

/// <summary>What came of a run.</summary>
/// <param name="Output">The result of a completed run; null when it failed.</param>
/// <param name="Error">Why it failed; null when it completed.</param>
/// <param name="FailedStep">Key of the step at the top of the graph that failed it; null when it completed.</param>
public sealed record RunResult(JsonElement? Output, StepError? Error, string? FailedStep)
{
    /// <summary>Whether it completed.</summary>
    public bool Succeeded => Error is null;
}
