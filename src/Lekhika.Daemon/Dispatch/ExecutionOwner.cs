using System.Text;
using System.Text.Json;
using System.Threading.Channels;
using Lekhika.Daemon.Diagnostics.Tracing;
using Lekhika.Daemon.Live;
using Lekhika.Daemon.Nodes;
using Lekhika.Daemon.Nodes.Runners;
using Lekhika.Postgres.Executions;
using Lekhika.Postgres.Queue;
using Lekhika.Workflows;
using Lekhika.Workflows.Execution;

namespace Lekhika.Daemon.Dispatch;

/// <summary>
/// The owner of one claimed execution, from the claim to the write that gives it up: a single task that alone touches the run's state machine.
///
///   claim ─► read definition, replay stored steps ─► advance ─┬─► finish   (committed, then shown)
///                                                 ▲           ├─► park     (nothing left to do but wait; leaves memory)
///                                                 │           ├─► release  (draining)
///                              attempts end ──────┘           └─► leave    (fenced, cancelled, another run, deleted)
///
/// What is durable when (engine rules, "What is durable when"): records gather in <c>_uncommitted</c>. Pure ones ride along with the next write.
/// The outcome of an effect is written before anything that depends on it starts, and at once if nothing does. A conflict throws the machine away and
/// replays what is stored. A status is shown as final only after its commit.
///
/// The owner holds a slot while it advances or runs something that holds one; while only model calls are under way it gives the slot back. One that
/// was claimed ahead has none: it computes what it can, and takes a slot before its first effect.
/// </summary>
internal sealed partial class ExecutionOwner
{
    private readonly OwnerServices _services;
    private readonly ClaimedExecution _claim;
    private readonly LiveExecution _live;
    private readonly List<StepRecord> _uncommitted = [];
    private readonly Dictionary<string, RunningEffect> _running = new(StringComparer.Ordinal);
    private readonly List<StartStep> _deferred = [];

    private const int HintRoom = 256;

    // Writers: attempts under way, the poll of held rows, the timer. Reader: this owner. Beside the hints there is always room for the ends of all
    // attempts (at most MaxFanOut of them), so that an owner which waits for them without reading cannot stand still. Hints that do not fit are
    // dropped, and come again.
    private readonly Channel<OwnerMessage> _mailbox = Channel.CreateBounded<OwnerMessage>(
        new BoundedChannelOptions(2 * HintRoom) { FullMode = BoundedChannelFullMode.Wait, SingleReader = true });

    private CompiledWorkflow _workflow = null!;
    private RunFacts _facts = null!;
    private RunMachine _machine = null!;
    private LiveTotals _totals;
    private DateTimeOffset _startedAt;
    private DateTimeOffset? _deadline;
    private ITimer? _timer;
    private string _rowStatus;
    private volatile bool _hasSlot;
    private bool _shownRunning;
    private bool _draining;
    private bool _unsavedEffect;
    private bool _replayNeeded;
    private string? _lastNode;
    private OwnerMessage? _received;
    private ExecutionTrace? _trace;

    public ExecutionOwner(OwnerServices services, ClaimedExecution claim, LiveExecution live, bool hasSlot)
    {
        (_services, _claim, _live, _hasSlot) = (services, claim, live, hasSlot);
        _rowStatus = claim.Status;
        Fence = claim.Fence;
    }

    /// <summary>The claim.</summary>
    public Fence Fence { get; }

    /// <summary>Whether the poll of held rows is to report this one even if its row says "go on": it may have been resumed.</summary>
    public bool IsPausing => _rowStatus == "paused";

    /// <summary>Whether it holds an execution slot at this moment.</summary>
    public bool HasSlot => _hasSlot;

    private OwnerOptions Options => _services.Options();

    /// <summary>Tells the owner something; a hint that does not fit is dropped, since it is repeated.</summary>
    public void Tell(OwnerMessage message)
    {
        if (_mailbox.Reader.Count < HintRoom) _mailbox.Writer.TryWrite(message);
    }

    /// <summary>Runs the execution as far as this claim goes. Never throws.</summary>
    public async Task RunAsync()
    {
        try
        {
            await OwnAsync();
        }
        catch (Exception exception) when (
            (exception is OperationCanceledException && _services.AbortWorking.IsCancellationRequested) || exception is ChannelClosedException)
        {
            LogAborted(_services.Logger, _claim.Id);
            await GiveBackAsync();
        }
        catch (Exception exception)
        {
            LogFault(_services.Logger, _claim.Id, exception);
            await FailByFaultAsync(exception);
        }
        finally
        {
            await AbortEffectsAsync();
            if (_timer is not null) await _timer.DisposeAsync();
            _trace?.Dispose();
            if (_hasSlot) _services.Slots.Release();
            if (_live.IsOver) _services.Live.Keep(_live);
            else _services.Live.Forget(_live);
        }
    }

    private async Task OwnAsync()
    {
        if (!await BeginAsync()) return;
        while (true)
        {
            if (await AdvanceAsync() is not { } next) return;
            if (next == Next.Again) continue;
            var message = await ReceiveAsync();
            do
            {
                if (!await HandleAsync(message)) return;
            }
            while (_mailbox.Reader.TryRead(out message!));
        }
    }

    /// <summary>Checks the claim, reads the definition and replays what is stored. False if the execution ended right there.</summary>
    private async Task<bool> BeginAsync()
    {
        if (_claim.Status is "completed" or "failed" or "cancelled")
        {
            // Ended while it was in the queue: the write finds that out under the lock and drops the claim.
            await WriteAsync(new JournalEntry { Fence = Fence, Kind = JournalKind.Release });
            return false;
        }

        _startedAt = _claim.StartedAt ?? _services.Now();
        if (_claim.Status == "paused") return await ParkPausedAsync() && await BeginRunAsync();
        return await BeginRunAsync();
    }

    private async Task<bool> BeginRunAsync()
    {
        if (_claim.Rescues > Options.MaxRescues)
        {
            await FinishAsync("failed", null, new StepError(
                ErrorCodes.CrashLoop,
                $"The execution was taken over {_claim.Rescues} times in a row without making progress; it seems to bring its worker down."));
            return false;
        }

        if (_claim is { WorkflowId: not null, WorkflowActive: false, Fence.Epoch: 1 })
        {
            await FinishAsync("failed", null, new StepError(ErrorCodes.WorkflowInactive, $"Workflow {_claim.WorkflowId} is not active."));
            return false;
        }

        var definition = await _services.Definitions.GetAsync(_claim, _services.AbortWorking);
        if (definition.Workflow is not { } workflow)
        {
            await FinishAsync("failed", null, definition.Error!);
            return false;
        }

        if (!TryReadInputs(out var inputs, out var problem))
        {
            await FinishAsync("failed", null, problem!);
            return false;
        }

        // A later run may take over steps and be told to do something otherwise.
        var opening = Fence.Run > 1 ? await _services.Store.OpeningAsync(Fence.Exec, Fence.Run, _services.AbortWorking) : null;
        _workflow = workflow;
        _facts = new RunFacts
        {
            Id = _claim.Id,
            Run = Fence.Run,
            Inputs = inputs,
            WorkflowId = _claim.WorkflowId,
            StoredWorkflowId = _claim.Definition is null ? _claim.WorkflowId : null,
            WorkflowName = workflow.Plan.Definition.Name,
            UserId = _claim.UserId,
            Priority = _claim.Priority,
            Slot = ScheduledSlot.Of(_claim.Request),
            CreatedAt = _claim.CreatedAt,
            StartedAt = _startedAt,
            Instruction = opening?.Instruction,
            InstructionAt = opening?.At ?? [],
        };
        _deadline = Earliest(_claim.TimeoutAt, Options.ExecutionTimeout is { } limit ? _startedAt + limit : null);
        _live.SetPlan(workflow.Plan);
        _live.Begin(_startedAt);
        _trace = ExecutionTrace.Begin(_claim, workflow.Plan.Definition.Name, _startedAt);
        await ReplayAsync();
        if (_deadline > _services.Now() || _deadline is null) return true;
        await FinishAsync("failed", null, DeadlinePassed());
        return false;
    }

    /// <summary>Builds the machine from what is stored. A first claim of a first run has nothing stored, and does not ask.</summary>
    private async Task ReplayAsync()
    {
        _machine = new RunMachine(_workflow.Plan, Fence.Run, Options.Machine);
        Saved();
        _deferred.Clear();
        _awaited = [];
        _totals = default;
        if (Fence is { Epoch: 1, Run: 1 } && !_replayNeeded) return;

        foreach (var record in await _services.Store.StepsAsync(Fence.Exec, Fence.Run, _services.AbortWorking))
        {
            _machine.Apply(record);
            _totals = Usage.Add(_totals, record.Metrics);
            _live.StepReplayed(record, _machine.Step(record.Key)?.Node);
            _hasChildren |= record is { Outcome: StepOutcome.Waiting, Decision: { } decision } && decision.Text("kind") == SubworkflowRunner.Kind;
        }

        if (_machine.Waits.Count > 0) await AnswerAsync();

        _live.SetProgress(_machine.Progress);
    }

    private bool TryReadInputs(out JsonElement inputs, out StepError? problem)
    {
        (inputs, problem) = (default, null);
        // Only before anything has run: a smaller limit does not end what is under way.
        if (Fence is { Epoch: 1, Run: 1 } && _claim.Inputs is { } text && text.Length > Options.InputsSize / 3 && Encoding.UTF8.GetByteCount(text) is var size && size > Options.InputsSize)
        {
            problem = new StepError(
                ErrorCodes.InputsTooLarge,
                $"The inputs are {size} bytes of JSON; the limit is {Options.InputsSize} (limits.inputs_size). Put what is large where nodes can fetch it.");
            return false;
        }

        try
        {
            using var document = JsonDocument.Parse(_claim.Inputs ?? "{}", new JsonDocumentOptions { MaxDepth = 512 });
            inputs = document.RootElement.Clone();
        }
        catch (JsonException exception)
        {
            problem = new StepError(ErrorCodes.InvalidInput, $"inputs is not JSON that can be read: {exception.Message}");
            return false;
        }

        if (inputs.ValueKind == JsonValueKind.Null)
        {
            using var empty = JsonDocument.Parse("{}");
            inputs = empty.RootElement.Clone();
        }

        if (inputs.ValueKind == JsonValueKind.Object) return true;
        problem = new StepError(
            ErrorCodes.InvalidInput, $"inputs must be a JSON object of names and values, but is {Describe(inputs.ValueKind)}.");
        return false;
    }

    private StepError DeadlinePassed() => new(
        ErrorCodes.ExecutionTimeout, $"The execution did not end by {_deadline:u}, its time limit (timeout_at of the row, or limits.execution_timeout).");

    private static string Describe(JsonValueKind kind) => kind switch
    {
        JsonValueKind.Array => "an array",
        JsonValueKind.String => "a string",
        JsonValueKind.Number => "a number",
        _ => "a boolean",
    };

    private static DateTimeOffset? Earliest(DateTimeOffset? one, DateTimeOffset? other) =>
        one is null ? other : other is null ? one : one < other ? one : other;

    [LoggerMessage(3001, LogLevel.Information, "Execution {ExecutionId} {Status} in {Milliseconds} ms")]
    private static partial void LogFinished(ILogger logger, Guid executionId, string status, long milliseconds);

    [LoggerMessage(3002, LogLevel.Warning, "Execution {ExecutionId} failed at {NodeId} ({Code}): {Reason}")]
    private static partial void LogFailed(ILogger logger, Guid executionId, string? nodeId, string code, string reason);

    [LoggerMessage(3003, LogLevel.Error, "Execution {ExecutionId}: fault of the daemon")]
    private static partial void LogFault(ILogger logger, Guid executionId, Exception exception);

    [LoggerMessage(3004, LogLevel.Warning, "Execution {ExecutionId}: aborted, to be taken up again by the next owner")]
    private static partial void LogAborted(ILogger logger, Guid executionId);

    [LoggerMessage(3005, LogLevel.Warning, "Execution {ExecutionId}: gave it up, the database says {Verdict}")]
    private static partial void LogLeft(ILogger logger, Guid executionId, JournalVerdict verdict);

    [LoggerMessage(3006, LogLevel.Information, "Execution {ExecutionId} waits at {NodeId}: {Reason}")]
    private static partial void LogParked(ILogger logger, Guid executionId, string? nodeId, string reason);

    [LoggerMessage(3021, LogLevel.Information, "Execution {ExecutionId} is running, at {NodeId}")]
    private static partial void LogRunning(ILogger logger, Guid executionId, string? nodeId);

    [LoggerMessage(3022, LogLevel.Information, "Execution {ExecutionId} is paused at {NodeId}")]
    private static partial void LogPaused(ILogger logger, Guid executionId, string? nodeId);

    [LoggerMessage(3007, LogLevel.Warning, "Execution {ExecutionId}: node {NodeId} attempt {Attempt} failed ({Code}): {Reason}")]
    private static partial void LogAttemptFailed(ILogger logger, Guid executionId, string nodeId, int attempt, string code, string reason);

    private enum Next
    {
        Again,
        Wait,
    }
}
