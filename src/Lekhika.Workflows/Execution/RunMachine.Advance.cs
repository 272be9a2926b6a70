using System.Text.Json;
using Lekhika.Workflows.Definitions;

namespace Lekhika.Workflows.Execution;

/// <content>Handing out what is to be done, and judging failures.</content>
public sealed partial class RunMachine
{
    /// <summary>What is to be done now. Each action is given once; costs what has changed since the last call.</summary>
    /// <param name="now">The present time; retries and waits due by then are handed out.</param>
    public IReadOnlyList<RunAction> Advance(DateTimeOffset now)
    {
        // What a run that has failed was waiting for ends with it as a whole.
        var actions = _root.Fatal is null ? new List<RunAction>(_aborts) : [.. _aborts.Where(static action => action is not AbandonWait)];
        _aborts.Clear();
        TakeDue(now, actions);
        while (_offers.TryDequeue(out var step))
        {
            step.IsOffered = false;
            if (step.Graph.Live && Offer(step) is { } action) actions.Add(action);
        }

        if (!_announced && Status is (RunStatus.Completed or RunStatus.Failed))
        {
            _announced = true;
            actions.Add(new FinishRun(Result()));
        }

        return actions;
    }

    /// <summary>When the next retry or wait is due; null if none has a time.</summary>
    public DateTimeOffset? NextDue
    {
        get
        {
            while (_timers.TryPeek(out var timer, out var due))
            {
                if (IsPending(timer)) return due;
                _timers.Dequeue();
            }

            return null;
        }
    }

    /// <summary>
    /// Makes the record of an attempt that failed: another attempt if the error is retryable and the policy has one left, else final.
    /// </summary>
    /// <param name="step">The step.</param>
    /// <param name="attempt">The attempt that failed.</param>
    /// <param name="error">Why.</param>
    /// <param name="now">The present time.</param>
    /// <param name="jitterSample">A random number from 0 to 1.</param>
    /// <param name="fallback">The policy of nodes that give none.</param>
    public StepRecord Fail(StepRef step, int attempt, StepError error, DateTimeOffset now, double jitterSample, RetryPolicy fallback)
    {
        ArgumentNullException.ThrowIfNull(step);
        ArgumentNullException.ThrowIfNull(error);
        ArgumentNullException.ThrowIfNull(fallback);
        var facts = FindStep(step.Key)?.Facts;
        var policy = step.Node.Definition.Retry ?? fallback;
        // Failures are counted, not attempts: a step that was put off and asked again has used up nothing.
        var failures = (facts?.Retries ?? 0) + 1;
        var record = new StepRecord
        {
            Run = Run,
            Key = step.Key,
            Attempt = attempt,
            Outcome = StepOutcome.Failed,
            FiredBy = step.FiredBy,
            Error = error,
            FinishedAt = now,
        };
        if (!error.Retryable || failures >= policy.MaxAttempts || facts?.Opened is not null) return record;
        var delay = policy.DelayAfter(failures, jitterSample);
        var due = DateTimeOffset.MaxValue - now > delay ? now + delay : DateTimeOffset.MaxValue;
        return record with { Outcome = StepOutcome.Retrying, DueAt = due };
    }

    private void TakeDue(DateTimeOffset now, List<RunAction> actions)
    {
        while (_timers.TryPeek(out var timer, out var due) && due <= now)
        {
            _timers.Dequeue();
            if (!IsPending(timer)) continue;
            var step = timer.Step;
            if (step.Phase == StepPhase.Retrying)
            {
                Move(step, StepPhase.Ready);
                OfferNext(step);
            }
            else
            {
                var wait = WaitOf(step);
                Move(step, StepPhase.Running);
                actions.Add(new ResumeStep(wait.Step, wait));
            }
        }
    }

    private static bool IsPending((StepState Step, StepRecord Record) timer) =>
        timer.Step.Graph.Live && timer.Step.Phase is (StepPhase.Retrying or StepPhase.Waiting)
        && ReferenceEquals(timer.Step.Facts!.Latest, timer.Record);

    private void OfferNext(StepState step)
    {
        // It may be there already for what it wanted before its last record.
        if (step.IsOffered) return;
        step.IsOffered = true;
        _offers.Enqueue(step);
    }

    private RunAction? Offer(StepState step)
    {
        switch (step.Phase)
        {
            case StepPhase.Ready:
                if (step.Node.JoinsAny) step.ChosenToFire ??= ChooseToFire(step);
                Move(step, StepPhase.Running);
                return new StartStep(RefOf(step), step.Facts?.NextAttempt ?? 1);
            case StepPhase.Deciding:
                return new DecideIteration(RefOf(step), step.Scope!.Next);
            case StepPhase.Closing:
                var attempt = step.Facts!.Opened!.Attempt;
                return ScopeError(step) is { } error
                    ? new FailScope(RefOf(step), attempt, error)
                    : new CloseScope(RefOf(step), attempt, RunOutputs.OfIterations(ResultsOf(step.Scope!)));
            default:
                // Something was recorded since it was offered.
                return null;
        }
    }

    private static StepError? ScopeError(StepState step)
    {
        var scope = step.Scope!;
        if (scope.Error is not null || scope.FailedIteration is not { Fatal: { } cause } iteration) return scope.Error;
        var error = cause.Facts!.Final!.Error ?? RunOutputs.UnknownError;
        return new StepError(
            error.Code,
            FormattableString.Invariant($"Iteration {iteration.Iteration} failed at '{cause.Key}': {error.Message}"),
            Retryable: false,
            RunOutputs.Object(writer =>
            {
                writer.WriteString("step", cause.Key);
                writer.WriteNumber("iteration", iteration.Iteration);
            }));
    }

    private static IEnumerable<JsonElement> ResultsOf(ScopeState scope)
    {
        for (var i = 0; i < scope.Count; i++) yield return RunOutputs.OfGraph(scope.Iterations[i]);
    }

    private RunResult Result() => _root.Fatal is { } fatal
        ? new RunResult(null, fatal.Facts!.Final!.Error ?? RunOutputs.UnknownError, fatal.Key)
        : new RunResult(RunOutputs.OfGraph(_root), null, null);
}
