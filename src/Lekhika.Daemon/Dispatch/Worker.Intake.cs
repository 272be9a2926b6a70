using System.Threading.Channels;
using Lekhika.Daemon.Diagnostics.Metrics;
using Lekhika.Postgres;
using Lekhika.Postgres.Executions;
using Lekhika.Postgres.Queue;

namespace Lekhika.Daemon.Dispatch;

// What requests ask of the worker: to insert an execution, and begin it where a slot is free; to look at its commands and events now.
internal sealed partial class Worker
{
    private const string ShuttingDown = "the worker is shutting down";

    private static readonly TimeSpan StartPatience = TimeSpan.FromSeconds(5);

    /// <inheritdoc/>
    public async Task<SubmissionResult> SubmitAsync(Submission submission, CancellationToken cancellationToken)
    {
        var shift = await ShiftAsync(cancellationToken);

        var slot = shift.Incarnation.LeaseIsValid && Room(shift) > 0 && !_settings.Limits.Apply(submission.UserId, submission.WorkflowId) && Slots.Take(1) == 1;
        var kept = false;
        try
        {
            // Once taken it is waited for, even if the caller has left: what it has claimed is to be started.
            var result = await _submitter.SubmitAsync(shift.Incarnation.Number, slot, submission, cancellationToken);
            if (!result.Claimed) return result;
            kept = true;
            Instruments.Claimed(1);
            Start(shift, new ClaimedExecution
            {
                Fence = new Fence(result.Exec, 1, result.Run),
                List = default,
                Place = 0,
                Rescues = 0,
                Id = result.Id,
                Status = result.Status,
                WorkflowId = submission.WorkflowId,
                WorkflowActive = result.WorkflowActive,
                DefinitionHash = result.DefinitionHash,
                Definition = submission.Definition,
                Inputs = submission.Inputs,
                UserId = submission.UserId,
                Priority = submission.Priority,
                CreatedAt = result.CreatedAt,
                TimeoutAt = submission.TimeoutAt,
                Request = submission.Request,
            }, hasSlot: true);
            return result;
        }
        catch (Exception exception) when (Database.IsTransient(exception))
        {
            throw new IntakeClosedException("the database did not confirm the execution", exception);
        }
        catch (ChannelClosedException)
        {
            throw new IntakeClosedException(ShuttingDown);
        }
        finally
        {
            if (slot && !kept) Slots.Release();
        }
    }

    /// <inheritdoc/>
    public void HintCommands() => _shift?.Housekeeping.HintCommands();

    /// <inheritdoc/>
    public void HintEvents() => _shift?.Events.Hint();

    /// <summary>The present shift; with a usable database the next one is a moment away, at the start and after a revocation, and is waited for.</summary>
    private async ValueTask<Shift> ShiftAsync(CancellationToken cancellationToken)
    {
        if (_state.Draining) throw new IntakeClosedException(ShuttingDown);
        if (_shift is { } present) return present;
        if (_state.DatabaseProblem is { } problem) throw new IntakeClosedException(problem);
        try
        {
            return await _begun.Task.WaitAsync(StartPatience, _time, cancellationToken);
        }
        catch (TimeoutException)
        {
            throw new IntakeClosedException(_state.DatabaseProblem ?? _state.WorkerProblem ?? "the worker is starting");
        }
    }

    private int Room(Shift shift) => _settings.MaxClaimed - shift.Owners.Count;
}
