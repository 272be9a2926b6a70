using Lekhika.Daemon.Diagnostics.Tracing;
using Lekhika.Daemon.Nodes;
using Lekhika.Workflows;
using Lekhika.Workflows.Execution;
using Lekhika.Workflows.Templates;

namespace Lekhika.Daemon.Dispatch;

internal sealed partial class ExecutionOwner
{
    private static readonly TimeSpan SlotPatience = TimeSpan.FromSeconds(1);
    private static readonly TimeSpan ProgressInterval = TimeSpan.FromMilliseconds(500);

    /// <summary>
    /// Starts what the machine has asked for, as many at a time as the fan-out allows; everything they depend on is durable by now. The bound also
    /// keeps the mailbox from filling up with ends of attempts.
    /// </summary>
    private void StartDeferred()
    {
        var started = 0;
        foreach (var start in _deferred)
        {
            if (_running.Count >= MaxFanOut) break;
            started++;
            var program = ProgramOf(start.Step);
            var now = _services.Now();
            _live.StepStarted(start.Step, start.Attempt, now);
            var effect = new RunningEffect(
                start.Step, start.Attempt, program, now, CancellationTokenSource.CreateLinkedTokenSource(_services.AbortWorking));
            _running.Add(start.Step.Key, effect);
            _lastNode = start.Step.Node.Id;
            NodeCall call;
            var deadline = new NodeDeadline(start.Step.Node.Definition.Timeout ?? Options.NodeTimeout, _services.MayBegin, _services.Time);
            try
            {
                call = CallOf(start.Step, start.Attempt, deadline);
            }
            catch (TemplateRenderException exception)
            {
                deadline.Dispose();
                effect.Task = EndAsync(effect, new NodeFailed(ExpressionProblem(start.Step, exception)));
                continue;
            }

            effect.Task = RunEffectAsync(effect, call, deadline);
        }

        _deferred.RemoveRange(0, started);
    }

    private int MaxFanOut => Math.Clamp(Options.Machine.MaxConcurrency, 1, 200);

    private async Task RunEffectAsync(RunningEffect effect, NodeCall call, NodeDeadline deadline)
    {
        using var owned = deadline;
        if (!await MayBeginAsync(effect, deadline)) return;
        using var either = CancellationTokenSource.CreateLinkedTokenSource(effect.Cancellation.Token, deadline.Overdue);
        using var span = _trace?.Node(call.Step, call.Attempt);
        NodeOutcome outcome;
        try
        {
            outcome = await effect.Program.Runner.RunAsync(call, either.Token);
        }
        catch (OperationCanceledException) when (deadline.Overdue.IsCancellationRequested && !effect.Cancellation.IsCancellationRequested)
        {
            outcome = new NodeFailed(
                ErrorCodes.NodeTimeout, $"Node '{call.Step.Node.Id}' took longer than its time limit of {deadline.Limit}.", retryable: true);
        }
        catch (OperationCanceledException) when (effect.Cancellation.IsCancellationRequested)
        {
            outcome = new NodeFailed(ErrorCodes.Cancelled, "Aborted.");
        }
        catch (TemplateRenderException exception)
        {
            outcome = new NodeFailed(ExpressionProblem(call.Step, exception));
        }
        catch (Exception exception)
        {
            outcome = Fault(call.Step, exception);
        }

        ExecutionTrace.End(span, outcome);
        await EndAsync(effect, outcome);
    }

    /// <summary>
    /// Waits out a time in which the database does not answer, once it is longer than the lease: others may hold the execution by now, and what they did
    /// would be done again. False: it was aborted meanwhile, and its end has been told.
    /// </summary>
    private async ValueTask<bool> MayBeginAsync(RunningEffect effect, NodeDeadline deadline)
    {
        try
        {
            await deadline.MayBeginAsync(effect.Cancellation.Token);
            return true;
        }
        catch (OperationCanceledException)
        {
            await EndAsync(effect, new NodeFailed(ErrorCodes.Cancelled, "Aborted."));
            return false;
        }
    }

    // Not to be lost, whatever else is in the mailbox: without it the step would run for ever.
    private async Task EndAsync(RunningEffect effect, NodeOutcome outcome) =>
        await _mailbox.Writer.WriteAsync(new AttemptEnded(effect, outcome, _services.Now()), CancellationToken.None);

    /// <summary>A slot for an execution that was claimed ahead. False: none came free for so long that another worker may as well have it.</summary>
    private async Task<bool> TakeSlotAsync()
    {
        using var patience = new CancellationTokenSource(SlotPatience, _services.Time);
        using var either = CancellationTokenSource.CreateLinkedTokenSource(_services.AbortWorking, patience.Token);
        try
        {
            await _services.Slots.TakeAsync(either.Token);
        }
        catch (OperationCanceledException) when (!_services.AbortWorking.IsCancellationRequested)
        {
            return false;
        }

        return _hasSlot = true;
    }

    /// <summary>Waits for the next message; without a slot while only model calls are under way.</summary>
    private async ValueTask<OwnerMessage> ReceiveAsync()
    {
        if (_mailbox.Reader.TryRead(out var waiting)) return waiting;
        SetTimer();
        if (_hasSlot && _running.Values.All(static effect => !effect.Program.Runner.HoldsSlot))
        {
            _hasSlot = false;
            _services.Slots.Release();
        }

        var message = await _mailbox.Reader.ReadAsync(_services.AbortWorking);
        if (!_hasSlot)
        {
            // What was received may be a result, and the wait may end with the daemon.
            _received = message;
            await _services.Slots.TakeAsync(_services.AbortWorking);
            _received = null;
            _hasSlot = true;
        }

        return message;
    }

    /// <summary>Sets the timer to whatever is due first: showing that it runs, a retry or wait beside what runs, the deadline.</summary>
    private void SetTimer()
    {
        var now = _services.Now();
        var due = Earliest(_deadline, _rowStatus == "paused" ? null : _machine.NextDue);
        if (!_shownRunning) due = Earliest(due, _startedAt > now - Options.ShowRunningAfter ? _startedAt + Options.ShowRunningAfter : now);
        if (_running.Count > 0) due = Earliest(due, now + ProgressInterval);
        if (due is null)
        {
            _timer?.Change(Timeout.InfiniteTimeSpan, Timeout.InfiniteTimeSpan);
            return;
        }

        var wait = due.Value - now;
        if (wait < TimeSpan.FromMilliseconds(1)) wait = TimeSpan.FromMilliseconds(1);
        if (wait > TimeSpan.FromDays(20)) wait = TimeSpan.FromDays(20);
        _timer ??= _services.Time.CreateTimer(static owner => ((ExecutionOwner)owner!).Tell(Tick.Instance), this, Timeout.InfiniteTimeSpan, Timeout.InfiniteTimeSpan);
        _timer.Change(wait, Timeout.InfiniteTimeSpan);
    }

    /// <summary>Acts on a message. False: this claim is over.</summary>
    private async Task<bool> HandleAsync(OwnerMessage message)
    {
        switch (message)
        {
            case AttemptEnded ended:
                _running.Remove(ended.Effect.Step.Key);
                ended.Effect.Cancellation.Dispose();
                if (ended.Effect.Aborted) return true;
                Record(ended.Effect.Step, ToRecord(ended.Effect.Step, ended.Effect.Attempt, ended.Outcome, ended.Effect.StartedAt, ended.FinishedAt));
                _unsavedEffect = true;
                return true;
            case RowSays says:
                return await ObeyAsync(says);
            case Drain:
                await DrainAsync();
                return true;
            case Tick:
                return await TickAsync();
            case EventsThere:
                await AnswerAsync();
                return true;
            default:
                return true;
        }
    }

    private async Task<bool> ObeyAsync(RowSays says)
    {
        if (says.Status is null or "completed" or "failed" or "cancelled" || says.Run != Fence.Run)
        {
            // Abort first: a stop ends the model call within a second, whatever the database does meanwhile.
            await AbortEffectsAsync();
            await WriteAsync(new Postgres.Executions.JournalEntry { Fence = Fence, Kind = Postgres.Executions.JournalKind.Release });
            if (says.Status is "cancelled" && says.Run == Fence.Run) ShowCancelled();
            else _live.Leave(says.Status ?? "deleted", null);
            return false;
        }

        if (_rowStatus != says.Status && (says.Status == "paused" || _rowStatus == "paused"))
        {
            _live.SetStatus(says.Status == "paused" ? "pausing" : "running");
        }

        _rowStatus = says.Status;
        return true;
    }

    /// <summary>What waits for a model's turn has cost nothing yet: it is left to the next owner. What is in flight may end.</summary>
    private async Task DrainAsync()
    {
        _draining = true;
        foreach (var effect in _running.Values.ToList())
        {
            if (_live.IsQueued(effect.Step.Key)) await AbortAsync(effect);
        }
    }

    private async Task<bool> TickAsync()
    {
        var now = _services.Now();
        ReportFractions();
        if (_deadline <= now)
        {
            await AbortEffectsAsync();
            return !await FinishAsync("failed", null, DeadlinePassed());
        }

        if (!_shownRunning && now - _startedAt >= Options.ShowRunningAfter) return await ShowRunningAsync();
        return true;
    }

    /// <summary>
    /// How far model calls are cannot be known, only that they move: each token takes a share of what is left, as if a reply had a few hundred.
    /// </summary>
    private void ReportFractions()
    {
        const double typical = 300;
        foreach (var effect in _running.Values)
        {
            var pieces = _live.PiecesOf(effect.Step.Key);
            if (pieces > 0) _machine.ReportFraction(effect.Step.Key, 1 - Math.Exp(-pieces / typical));
        }

        _live.SetProgress(_machine.Progress);
    }

    private static async Task AbortAsync(RunningEffect effect)
    {
        effect.Aborted = true;
        await effect.Cancellation.CancelAsync();
    }

    private async Task AbortEffectsAsync()
    {
        foreach (var effect in _running.Values) await AbortAsync(effect);
        foreach (var effect in _running.Values)
        {
            await effect.Task;
            effect.Cancellation.Dispose();
        }

        _running.Clear();
    }
}
