using System.Text.Json;
using Lekhika.Daemon.Diagnostics.Metrics;
using Lekhika.Daemon.Diagnostics.Tracing;
using Lekhika.Daemon.Nodes;
using Lekhika.Postgres.Executions;
using Lekhika.Workflows;
using Lekhika.Workflows.Catalogue;
using Lekhika.Workflows.Execution;
using Lekhika.Workflows.Templates;

namespace Lekhika.Daemon.Dispatch;

internal sealed partial class ExecutionOwner
{
    /// <summary>Does everything that can be done now. Null: this claim is over.</summary>
    private async Task<Next?> AdvanceAsync()
    {
        FinishRun? finish = null;
        while (finish is null)
        {
            // Nothing falls due while it is paused.
            var actions = _machine.Advance(_rowStatus == "paused" ? DateTimeOffset.MinValue.AddDays(1) : _services.Now());
            if (actions.Count == 0) break;
            foreach (var action in actions)
            {
                if (action is FinishRun end) finish = end;
                else await ActAsync(action);
            }

            // A run that computes for long hears of a stop, a pause and its deadline between two rounds.
            if (finish is null && _mailbox.Reader.TryPeek(out _)) return Next.Wait;
        }

        _live.SetProgress(_machine.Progress);
        if (finish is not null) return await FinishAsync(finish.Result) ? null : Next.Again;

        var mayStart = _deferred.Count > 0 && _running.Count < MaxFanOut && _rowStatus != "paused" && !_draining;
        // A wait that somebody may answer is shown at once where other branches go on; else it is written by the park.
        if (_unsavedEffect || (_unsavedWait && (mayStart || _running.Count > 0)) || (_uncommitted.Count > 0 && !mayStart && _running.Count == 0))
        {
            if (await AppendAsync() is not { } committed) return null;
            if (!committed) return Next.Again;
        }

        if (mayStart)
        {
            if (!_hasSlot && !await TakeSlotAsync())
            {
                await ReleaseAsync();
                return null;
            }

            StartDeferred();
            return Next.Wait;
        }

        if (_running.Count > 0) return Next.Wait;
        if (_draining)
        {
            await ReleaseAsync();
            return null;
        }

        if (_rowStatus == "paused") return await ParkPausedAsync() ? Next.Again : null;
        return await ParkWaitingAsync() ? Next.Again : null;
    }

    private async ValueTask ActAsync(RunAction action)
    {
        switch (action)
        {
            case StartStep start when start.Step.Node.Effect == EffectClass.Effect:
                _deferred.Add(start);
                break;
            case StartStep start:
                await RunInlineAsync(start.Step, start.Attempt, wait: null);
                break;
            case ResumeStep resume when await AnswerDueAsync(resume.Wait):
                break;
            case ResumeStep resume:
                await RunInlineAsync(resume.Step, resume.Wait.Attempt, resume.Wait);
                break;
            case DecideIteration decide:
                DecideIteration(decide);
                break;
            case CloseScope close:
                Close(close);
                break;
            case FailScope fail:
                Record(fail.Step, new StepRecord
                {
                    Run = Fence.Run,
                    Key = fail.Step.Key,
                    Attempt = fail.Attempt,
                    Outcome = StepOutcome.Failed,
                    FiredBy = fail.Step.FiredBy,
                    Error = fail.Error,
                    FinishedAt = _services.Now(),
                });
                break;
            case AbortStep abort:
                if (_running.TryGetValue(abort.Step.Key, out var effect)) await AbortAsync(effect);
                _deferred.RemoveAll(deferred => deferred.Step.Key == abort.Step.Key);
                break;
            case AbandonWait abandon:
                Abandon(abandon.Wait);
                break;
            default:
                throw new InvalidOperationException($"The state machine asks for {action.GetType().Name}, which is not known here.");
        }
    }

    /// <summary>Runs a node that computes or waits: here and now, in this task.</summary>
    private async ValueTask RunInlineAsync(StepRef step, int attempt, PendingWait? wait)
    {
        var now = _services.Now();
        _live.StepStarted(step, attempt, now);
        using var span = _trace?.Node(step, attempt);
        NodeOutcome outcome;
        try
        {
            var call = CallOf(step, attempt);
            outcome = wait is null
                ? await call.Program.Runner.RunAsync(call, _services.AbortWorking)
                : await call.Program.Runner.ResumeAsync(call, wait, _services.AbortWorking);
        }
        catch (TemplateRenderException exception)
        {
            outcome = new NodeFailed(ExpressionProblem(step, exception));
        }
        catch (Exception exception) when (exception is not OperationCanceledException)
        {
            outcome = Fault(step, exception);
        }

        ExecutionTrace.End(span, outcome);
        Record(step, ToRecord(step, attempt, outcome, now, _services.Now()));
    }

    /// <summary>Records the end of a scope; types that make more of it than a list of results are asked for their output.</summary>
    private void Close(CloseScope close)
    {
        var now = _services.Now();
        NodeOutcome outcome = new NodeSucceeded(close.Output);
        try
        {
            var runner = ProgramOf(close.Step).Runner;
            if (runner.ShapesOutput) outcome = runner.Close(CallOf(close.Step, close.Attempt), close.Output);
        }
        catch (TemplateRenderException exception)
        {
            outcome = new NodeFailed(ExpressionProblem(close.Step, exception));
        }
        catch (Exception exception) when (exception is not OperationCanceledException)
        {
            outcome = Fault(close.Step, exception);
        }

        Record(close.Step, ToRecord(close.Step, close.Attempt, outcome, now, now) with { StartedAt = null });
    }

    private void DecideIteration(DecideIteration decide)
    {
        var now = _services.Now();
        StepRecord record;
        try
        {
            var goOn = ProgramOf(decide.Step).Runner.DecideIteration(CallOf(decide.Step, attempt: 1), decide.Iteration);
            record = new StepRecord
            {
                Run = Fence.Run,
                Key = StepKey.Iteration(decide.Step.Key, decide.Iteration),
                Attempt = 1,
                Outcome = StepOutcome.Opened,
                Decision = goOn ? JsonConstants.True : JsonConstants.False,
                FinishedAt = now,
            };
        }
        catch (Exception exception) when (exception is not OperationCanceledException)
        {
            var outcome = exception is TemplateRenderException template ? new NodeFailed(ExpressionProblem(decide.Step, template)) : Fault(decide.Step, exception);
            record = new StepRecord
            {
                Run = Fence.Run,
                Key = decide.Step.Key,
                Attempt = 1,
                Outcome = StepOutcome.Failed,
                Error = outcome.Error,
                FinishedAt = now,
            };
        }

        Record(decide.Step, record);
    }

    /// <summary>Applies a record and keeps it for the next write.</summary>
    private void Record(StepRef step, StepRecord record)
    {
        _machine.Apply(record);
        _uncommitted.Add(record);
        _lastNode = step.Node.Id;
        _totals = Usage.Add(_totals, record.Metrics);
        _live.StepRecorded(step, record, _totals);
        Instruments.Recorded(step.Node.Definition.Type, record);
        if (record is { Error: { } error, Outcome: StepOutcome.Failed or StepOutcome.Retrying })
        {
            LogAttemptFailed(_services.Logger, _claim.Id, step.Key, record.Attempt, error.Code, error.Message);
        }
    }

    private StepRecord ToRecord(StepRef step, int attempt, NodeOutcome outcome, DateTimeOffset startedAt, DateTimeOffset finishedAt)
    {
        NoteAside(step, outcome);
        switch (outcome)
        {
            case NodeSucceeded succeeded when Size(succeeded.Output) > Options.OutputSize:
                return Failed(step, attempt, new NodeFailed(
                    ErrorCodes.OutputTooLarge,
                    $"The output of node '{step.Node.Id}' is {Size(succeeded.Output)} bytes of JSON; the limit is {Options.OutputSize} "
                    + "(limits.output_size). Let the node produce less, or split it."), startedAt, finishedAt);
            case NodeSucceeded succeeded when Unstorable.IsIn(succeeded.Output):
                return Failed(step, attempt, new NodeFailed(
                    ErrorCodes.BadData,
                    $"The output of node '{step.Node.Id}' holds a NUL character or half a surrogate pair, which PostgreSQL cannot store in jsonb. "
                    + "Remove it in the source, or in a node before."), startedAt, finishedAt);
            case NodeSucceeded succeeded:
                return Succeeded(step, attempt, succeeded, startedAt, finishedAt);
            case NodeFailed failed:
                return Failed(step, attempt, failed, startedAt, finishedAt);
            case NodeWaits waits:
                return Open(step, attempt, StepOutcome.Waiting, waits.Decision, startedAt, finishedAt) with { DueAt = waits.DueAt };
            case NodeStartsAnew anew:
                return Failed(step, attempt, new NodeFailed(anew.Error), startedAt, finishedAt) with { Outcome = StepOutcome.Retrying, DueAt = finishedAt };
            case NodeOpened opened:
                return Open(step, attempt, StepOutcome.Opened, opened.Decision, startedAt, finishedAt) with { Metrics = opened.Metrics };
            default:
                throw new InvalidOperationException($"A runner answered with {outcome.GetType().Name}, which is not known here.");
        }
    }

    private StepRecord Succeeded(StepRef step, int attempt, NodeSucceeded outcome, DateTimeOffset? startedAt, DateTimeOffset finishedAt) => new()
    {
        Run = Fence.Run,
        Key = step.Key,
        Attempt = attempt,
        Outcome = StepOutcome.Succeeded,
        Branch = outcome.Branch,
        FiredBy = step.FiredBy,
        Output = outcome.Output,
        Metrics = outcome.Metrics,
        StartedAt = startedAt,
        FinishedAt = finishedAt,
    };

    private StepRecord Failed(StepRef step, int attempt, NodeFailed outcome, DateTimeOffset startedAt, DateTimeOffset finishedAt) =>
        _machine.Fail(step, attempt, outcome.Error, finishedAt, _services.Random.NextDouble(), Options.Retry) with
        {
            StartedAt = startedAt,
            Metrics = outcome.Metrics,
        };

    private StepRecord Open(StepRef step, int attempt, StepOutcome outcome, JsonElement decision, DateTimeOffset startedAt, DateTimeOffset finishedAt) => new()
    {
        Run = Fence.Run,
        Key = step.Key,
        Attempt = attempt,
        Outcome = outcome,
        FiredBy = step.FiredBy,
        Decision = decision,
        StartedAt = startedAt,
        FinishedAt = finishedAt,
    };

    private NodeProgram ProgramOf(StepRef step) => _workflow.ProgramOf(step.Node);

    private NodeCall CallOf(StepRef step, int attempt, NodeDeadline? deadline = null)
    {
        var program = ProgramOf(step);
        var bindings = new StepBindings(_workflow, _machine, NodeExpansion.SeenFrom(step), _facts);
        return new NodeCall
        {
            Step = step,
            Attempt = attempt,
            Config = program.Config.Render(bindings),
            Program = program,
            Run = _facts,
            Now = _services.Now(),
            Bindings = bindings,
            Machine = _machine,
            Deadline = deadline,
            Live = _live,
        };
    }

    private static StepError ExpressionProblem(StepRef step, TemplateRenderException exception) =>
        new(exception.Code, $"Node '{step.Node.Id}', {exception.Message}");

    private NodeFailed Fault(StepRef step, Exception exception)
    {
        LogFault(_services.Logger, _claim.Id, exception);
        return new NodeFailed(ErrorCodes.InternalError, $"Node '{step.Node.Id}': fault of the daemon ({exception.GetType().Name}: {exception.Message}).");
    }

    private static long Size(JsonElement element) => System.Runtime.InteropServices.JsonMarshal.GetRawUtf8Value(element).Length;
}
