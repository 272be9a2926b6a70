using System.Globalization;
using System.Text.Json;
using Lekhika.Daemon.Diagnostics.Metrics;
using Lekhika.Daemon.Nodes;
using Lekhika.Postgres.Executions;
using Lekhika.Workflows;
using Lekhika.Workflows.Execution;

namespace Lekhika.Daemon.Dispatch;

internal sealed partial class ExecutionOwner
{
    /// <summary>Writes the records made so far. True: committed; false: replayed after a conflict; null: this claim is over.</summary>
    private async Task<bool?> AppendAsync()
    {
        var show = !_shownRunning && _services.Now() - _startedAt >= Options.ShowRunningAfter;
        var reply = await WriteAsync(new JournalEntry
        {
            Fence = Fence,
            Kind = show ? JournalKind.Running : JournalKind.Append,
            Steps = [.. _uncommitted],
            NodeId = _lastNode,
            StartedAt = _startedAt,
            Aside = Aside(),
        });
        if (reply.Verdict == JournalVerdict.Committed)
        {
            if (show) LogRunning(_services.Logger, _claim.Id, _lastNode);
            _shownRunning |= show;
            Saved();
            ShowWaits();
            return true;
        }

        return await RecoverAsync(reply) ? false : null;
    }

    /// <summary>Shows those who poll by SQL that the execution runs. False: this claim is over.</summary>
    private async Task<bool> ShowRunningAsync()
    {
        if (_uncommitted.Count == 0 && _running.Count > 0) _lastNode = _running.Values.Last().Step.Node.Id;
        return await AppendAsync() is not null;
    }

    /// <summary>The end of the run. True: the claim is over; false: there was a conflict, go on with what is stored.</summary>
    private Task<bool> FinishAsync(RunResult result) => result.Succeeded
        ? FinishAsync("completed", result.Output, null, null)
        : FinishAsync("failed", null, result.Error, result.FailedStep);

    private async Task<bool> FinishAsync(string status, JsonElement? result, StepError? error, string? failedStep = null)
    {
        if (_running.Count > 0) await AbortEffectsAsync();
        JsonElement? details = error is null ? null : ErrorDetails(error, failedStep);
        while (true)
        {
            var reply = await WriteAsync(new JournalEntry
            {
                Fence = Fence,
                Kind = JournalKind.Finish,
                Steps = [.. _uncommitted],
                Status = status,
                NodeId = failedStep ?? _lastNode,
                Result = result,
                Error = error?.Message,
                ErrorDetails = details,
                TokensIn = _totals.TokensIn,
                TokensOut = _totals.TokensOut,
                Words = _totals.Words,
                StartedAt = _startedAt,
                Aside = Aside(isEnd: true),
            });
            switch (reply.Verdict)
            {
                case JournalVerdict.Committed:
                    _live.Finish(status, result, error?.Message, details, _services.Now());
                    CountEnd(status, error);
                    if (error is null) LogFinished(_services.Logger, _claim.Id, status, (long)(_services.Now() - _startedAt).TotalMilliseconds);
                    else LogFailed(_services.Logger, _claim.Id, failedStep ?? _lastNode, error.Code, error.Message);
                    return true;
                case JournalVerdict.BadData when status == "completed":
                    // What the run produced cannot be stored. Its earlier steps stand; the execution fails and says why.
                    error = NotStored(reply);
                    (status, result, details) = ("failed", null, ErrorDetails(error, failedStep));
                    _uncommitted.RemoveAll(record => record.Output is not null);
                    continue;
                case JournalVerdict.BadData:
                    error = NotStored(reply);
                    details = ErrorDetails(error, failedStep: null);
                    _uncommitted.Clear();
                    continue;
                default:
                    return !await RecoverAsync(reply);
            }
        }
    }

    private async Task ReleaseAsync()
    {
        var reply = await WriteAsync(new JournalEntry { Fence = Fence, Kind = JournalKind.Release, Steps = [.. _uncommitted], Aside = Aside() });
        if (reply.Verdict == JournalVerdict.Finished) ShowCancelled();
        else _live.Leave("waiting", null);
    }

    /// <summary>
    /// Aborted: what was recorded is kept and the claim given back, if the journal still takes it. Else the results go to the spool, and the claim is
    /// taken back at the next start, or when the lease lapses.
    /// </summary>
    private async Task GiveBackAsync()
    {
        try
        {
            RecordEnded();
        }
        catch (InvalidOperationException exception)
        {
            LogFault(_services.Logger, _claim.Id, exception);
        }

        try
        {
            await AbortEffectsAsync();
            await ReleaseAsync();
        }
        catch (Exception exception) when (exception is OperationCanceledException or System.Threading.Channels.ChannelClosedException)
        {
            if (Spoolable() is { Count: > 0 } results) _services.Spool?.Invoke(Fence, results);
            _live.Leave("waiting", null);
        }
    }

    /// <summary>Records the attempts that ended while this owner waited for the journal or a slot; those that were aborted have no result.</summary>
    private void RecordEnded()
    {
        for (var message = _received; message is not null || _mailbox.Reader.TryRead(out message); message = null)
        {
            if (message is not AttemptEnded ended || ended.Effect.Aborted || ended.Outcome is NodeFailed { Error.Code: ErrorCodes.Cancelled }) continue;
            if (!_running.Remove(ended.Effect.Step.Key)) continue;
            ended.Effect.Cancellation.Dispose();
            Record(ended.Effect.Step, ToRecord(ended.Effect.Step, ended.Effect.Attempt, ended.Outcome, ended.Effect.StartedAt, ended.FinishedAt));
        }
    }

    /// <summary>Nothing is left to do but wait. False: parked, the claim is over; true: go on.</summary>
    private async Task<bool> ParkWaitingAsync()
    {
        if (_machine.Status != RunStatus.Waiting)
        {
            throw new InvalidOperationException($"The run has nothing to do, waits for nothing and is not over: it is {_machine.Status}.");
        }

        // An answer that is there already, early or sent while other branches went on, saves the way through the queue.
        if (await AnswerAsync()) return true;
        var waits = _machine.Waits;
        var due = _machine.NextDue;
        var waitingFor = WaitingFor(waits, due);
        var reply = await WriteAsync(new JournalEntry
        {
            Fence = Fence,
            Kind = JournalKind.Park,
            Steps = [.. _uncommitted],
            NodeId = _lastNode,
            StartedAt = _startedAt,
            DueAt = Earliest(due, _deadline),
            Why = waits.Count == 0 ? "retry" : "wait",
            WaitingFor = waitingFor,
            Awaits = _awaited,
            Aside = Aside(),
        });
        if (reply.Verdict != JournalVerdict.Committed) return await RecoverAsync(reply);
        Saved();
        LogParked(_services.Logger, _claim.Id, _lastNode, waitingFor.GetRawText());
        _live.Leave("waiting", waitingFor);
        _services.Parked?.Invoke();
        // Looked at again now that it is committed: what came between the last look and the commit woke nobody.
        if (_awaited.Count > 0) _services.ParkedAwaiting?.Invoke(Fence.Exec);
        return false;
    }

    /// <summary>Shows in memory what is waited for while other branches go on.</summary>
    private void ShowWaits()
    {
        var waits = _machine.Waits;
        if (_awaited.Count == 0 && waits.Count == 0) return;
        _awaited = [.. Open().Keys];
        _live.SetWaitingFor(waits.Count == 0 ? null : WaitingFor(waits, _machine.NextDue));
    }

    /// <summary>Somebody paused it. False: parked; true: it was resumed meanwhile, go on.</summary>
    private async Task<bool> ParkPausedAsync()
    {
        var reply = await WriteAsync(new JournalEntry
        {
            Fence = Fence,
            Kind = JournalKind.Park,
            Steps = [.. _uncommitted],
            NodeId = _lastNode,
            Why = "paused",
            Aside = Aside(),
        });
        switch (reply.Verdict)
        {
            case JournalVerdict.Committed:
                Saved();
                LogPaused(_services.Logger, _claim.Id, _lastNode);
                _live.Leave("paused", null);
                _services.Parked?.Invoke();
                return false;
            case JournalVerdict.Resumed:
                _rowStatus = reply.Status ?? "running";
                _live.SetStatus("running");
                return true;
            default:
                return await RecoverAsync(reply);
        }
    }

    /// <summary>What a refusal means. True: go on (replayed); false: the claim is over.</summary>
    private async Task<bool> RecoverAsync(JournalReply reply)
    {
        switch (reply.Verdict)
        {
            case JournalVerdict.Conflict:
                await AbortEffectsAsync();
                _replayNeeded = true;
                await ReplayAsync();
                return true;
            case JournalVerdict.BadData:
                // Outputs are looked at before they are recorded, so this is rare: what cannot be stored is not known, so the run ends here.
                _uncommitted.Clear();
                await FinishAsync("failed", null, NotStored(reply));
                return false;
            case JournalVerdict.Finished:
                await AbortEffectsAsync();
                if (reply.Status == "cancelled") ShowCancelled();
                else _live.Leave(reply.Status ?? "waiting", null);
                return false;
            default:
                LogLeft(_services.Logger, _claim.Id, reply.Verdict);
                await AbortEffectsAsync();
                _live.Leave(reply.Status ?? "waiting", null);
                return false;
        }
    }

    private static StepError NotStored(JournalReply reply) => new(
        ErrorCodes.BadData, $"The database cannot store what the workflow produced: {reply.Message}.");

    private async Task FailByFaultAsync(Exception exception)
    {
        try
        {
            _uncommitted.Clear();
            await FinishAsync(
                "failed", null, new StepError(ErrorCodes.InternalError, $"Fault of the daemon: {exception.GetType().Name}: {exception.Message}"));
        }
        catch (Exception second) when (second is not OperationCanceledException)
        {
            LogFault(_services.Logger, _claim.Id, second);
        }
        catch (OperationCanceledException)
        {
            LogAborted(_services.Logger, _claim.Id);
        }
    }

    private ValueTask<JournalReply> WriteAsync(JournalEntry entry) => _services.Journal.WriteAsync(entry, CancellationToken.None);

    private void CountEnd(string status, StepError? error)
    {
        _services.State.Finished.Count(status);
        Instruments.Ended(status, _services.Now() - _startedAt);
        _trace?.Ended(status, error);
    }

    private void ShowCancelled()
    {
        _live.Finish("cancelled", null, "cancelled", null, _services.Now());
        CountEnd("cancelled", error: null);
        LogFinished(_services.Logger, _claim.Id, "cancelled", (long)(_services.Now() - _startedAt).TotalMilliseconds);
    }

    private JsonElement ErrorDetails(StepError error, string? failedStep)
    {
        using var buffer = new MemoryStream();
        using (var writer = new Utf8JsonWriter(buffer))
        {
            writer.WriteStartObject();
            writer.WriteString("code", error.Code);
            writer.WriteString("message", error.Message);
            if (failedStep is not null)
            {
                writer.WriteString("step", failedStep);
                writer.WriteString("node_id", failedStep);
            }

            if (_machine?.Step(failedStep ?? "") is { } step) writer.WriteNumber("attempts", step.Attempt);
            if (_machine?.FailedSteps is { Count: > 0 } failed)
            {
                // Where a resume goes on; the status trigger reads it.
                writer.WriteStartArray("resume_at");
                foreach (var key in failed) writer.WriteStringValue(key);
                writer.WriteEndArray();
            }

            if (error.Details is { } details)
            {
                writer.WritePropertyName("details");
                details.WriteTo(writer);
            }

            writer.WriteEndObject();
        }

        return JsonConstants.Parse(buffer);
    }

    private static JsonElement WaitingFor(IReadOnlyCollection<PendingWait> waits, DateTimeOffset? due)
    {
        using var buffer = new MemoryStream();
        using (var writer = new Utf8JsonWriter(buffer))
        {
            writer.WriteStartObject();
            writer.WriteString("reason", waits.Count == 0 ? "retry" : "wait");
            if (due is { } at) writer.WriteString("due_at", at.ToString("O", CultureInfo.InvariantCulture));
            if (waits.Count > 0)
            {
                writer.WriteStartArray("steps");
                foreach (var wait in waits)
                {
                    writer.WriteStartObject();
                    writer.WriteString("step", wait.Step.Key);
                    writer.WriteString("node_id", wait.Step.Node.Id);
                    writer.WriteString("name", wait.Step.Node.Definition.DisplayName);
                    writer.WriteString("type", wait.Step.Node.Definition.Type);
                    if (wait.DueAt is { } until) writer.WriteString("due_at", until.ToString("O", CultureInfo.InvariantCulture));
                    if (wait.Decision is { } decision)
                    {
                        writer.WritePropertyName("awaits");
                        decision.WriteTo(writer);
                    }

                    writer.WriteEndObject();
                }

                writer.WriteEndArray();
            }

            writer.WriteEndObject();
        }

        return JsonConstants.Parse(buffer);
    }
}
