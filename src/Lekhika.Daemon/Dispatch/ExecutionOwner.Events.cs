using Lekhika.Daemon.Nodes;
using Lekhika.Daemon.Nodes.Runners;
using Lekhika.Postgres.Executions;
using Lekhika.Postgres.Signals;
using Lekhika.Workflows.Execution;
using Lekhika.Workflows.Templates;

namespace Lekhika.Daemon.Dispatch;

// Events: what ends waits besides time. They lie in the database until the write that records what came of them deletes them, so an owner that dies
// with one in its hands has taken nothing. Looked for when the stored steps are replayed, before the run is parked, when a wait is due (an answer that is
// there goes before the end of its time), and when the poll of held executions says that there are some.
internal sealed partial class ExecutionOwner
{
    private readonly List<long> _consumed = [];
    private readonly List<ChildStart> _starts = [];
    private readonly List<Guid> _abandoned = [];
    private bool _hasChildren;
    private bool _unsavedWait;
    private int? _asideAt;
    private HashSet<string> _besideAside = [];
    private volatile IReadOnlyList<string> _awaited = [];

    /// <summary>Topics of the events that this execution waits for while it is held; read by the poll.</summary>
    public IReadOnlyList<string> Awaited => _awaited;

    /// <summary>Ends waits whose events are there. True: something was recorded.</summary>
    private async ValueTask<bool> AnswerAsync()
    {
        var waits = Open();
        _awaited = [.. waits.Keys];
        if (waits.Count == 0 || _rowStatus == "paused") return false;
        var recorded = false;
        foreach (var given in await EventsAsync(_awaited))
        {
            if (_consumed.Contains(given.Id) || !waits.TryGetValue(given.Topic, out var wait)) continue;
            if (!Answer(wait, given)) continue;
            recorded = true;
            // What names its step means no other one; what does not may now mean the next.
            waits = Open();
        }

        _awaited = [.. waits.Keys];
        return recorded;
    }

    /// <summary>Ends a wait that is due by an event that is there already. False: there is none.</summary>
    private async ValueTask<bool> AnswerDueAsync(PendingWait wait)
    {
        var topics = ProgramOf(wait.Step).Runner.Topics(wait, IsOnlyGate(_machine.Waits.Append(wait))).ToList();
        if (topics.Count == 0) return false;
        foreach (var given in await EventsAsync(topics))
        {
            if (!_consumed.Contains(given.Id) && Answer(wait, given)) return true;
        }

        return false;
    }

    private bool Answer(PendingWait wait, WaitEvent given)
    {
        var now = _services.Now();
        MarkAside();
        _consumed.Add(given.Id);
        // Written before an effect begins, so that the effect's own result needs no more than its record.
        _unsavedWait = true;
        NodeOutcome? outcome;
        try
        {
            outcome = ProgramOf(wait.Step).Runner.Answer(CallOf(wait.Step, wait.Attempt), wait, given);
        }
        catch (TemplateRenderException exception)
        {
            outcome = new NodeFailed(ExpressionProblem(wait.Step, exception));
        }
        catch (Exception exception) when (exception is not OperationCanceledException)
        {
            outcome = Fault(wait.Step, exception);
        }

        if (outcome is null)
        {
            LogNoAnswer(_services.Logger, _claim.Id, given.Name, wait.Step.Key);
            return false;
        }

        Record(wait.Step, ToRecord(wait.Step, wait.Attempt, outcome, now, now));
        return true;
    }

    /// <summary>The waits that events can end, by topic; of several for the same signal the first.</summary>
    private Dictionary<string, PendingWait> Open()
    {
        var byTopic = new Dictionary<string, PendingWait>(StringComparer.Ordinal);
        var waits = _machine.Waits;
        if (waits.Count == 0) return byTopic;
        var isOnlyGate = IsOnlyGate(waits);
        foreach (var wait in waits.OrderBy(static wait => wait.Step.Node.Index).ThenBy(static wait => wait.Step.Key, StringComparer.Ordinal))
        {
            foreach (var topic in ProgramOf(wait.Step).Runner.Topics(wait, isOnlyGate)) byTopic.TryAdd(topic, wait);
        }

        return byTopic;
    }

    private static bool IsOnlyGate(IEnumerable<PendingWait> waits) =>
        waits.Count(static wait => wait.Decision?.Text("kind") == ApprovalRunner.Kind) <= 1;

    private Task<List<WaitEvent>> EventsAsync(IReadOnlyList<string> topics) =>
        _services.Store.EventsAsync(Fence.Exec, Fence.Run, topics, _services.AbortWorking);

    /// <summary>Notes what an outcome does beside its record: it is written with it.</summary>
    private void NoteAside(StepRef step, NodeOutcome outcome)
    {
        if (outcome.Child is not null || outcome.Abandoned is not null)
        {
            MarkAside();
            _unsavedWait = true;
        }

        if (outcome.Child is { } child)
        {
            _starts.Add(child);
            _hasChildren |= child.IsAwaited;
        }

        if (outcome.Abandoned is { } abandoned) _abandoned.Add(abandoned);
        if (outcome is NodeWaits waits && ProgramOf(step).Runner.Topics(new PendingWait(step, 1, waits.DueAt, waits.Decision), isOnlyGate: true).Any())
            _unsavedWait = true;
    }

    /// <summary>
    /// Its iteration has failed: a child that it waits for is cancelled with the write of that. Nothing rests on it, and who replays the records is told
    /// of the wait again.
    /// </summary>
    private void Abandon(PendingWait wait)
    {
        if (SubworkflowRunner.AwaitedChild(wait) is not { } child) return;
        _abandoned.Add(child);
        _unsavedWait = true;
    }

    /// <summary>What goes with the next write. A child is started only together with the record of the step that starts it.</summary>
    private JournalAside? Aside(bool isEnd = false)
    {
        var recorded = _starts.Count == 0 ? [] : _uncommitted.Select(static record => (record.Key, record.Attempt)).ToHashSet();
        var aside = new JournalAside
        {
            Consumed = [.. _consumed],
            Children = [.. _starts.Where(start => recorded.Contains((start.StepKey, start.Attempt)))],
            Abandoned = [.. _abandoned],
            // Ended before its steps were read, it may have children that it does not know of.
            EndsChildren = isEnd && (_hasChildren || (_machine is null && Fence.Epoch > 1)),
        };
        return aside.IsEmpty ? null : aside;
    }

    /// <summary>From here on, records may rest on what is written beside them. Only effects that run already do not.</summary>
    private void MarkAside()
    {
        if (_asideAt is not null) return;
        _asideAt = _uncommitted.Count;
        _besideAside = [.. _running.Keys];
    }

    /// <summary>
    /// What may be offered without the fence, by the next life: no record that consumed an event or started a child, and none that may rest on one. A wait
    /// for a child that was never started would be for ever, and an event would be taken twice.
    /// </summary>
    private List<StepRecord> Spoolable()
    {
        if (_asideAt is not { } first) return [.. _uncommitted];
        var starts = _starts.Select(static start => start.StepKey).ToHashSet(StringComparer.Ordinal);
        return [.. _uncommitted.Where((record, i) => i < first || (_besideAside.Contains(record.Key) && !starts.Contains(record.Key)))];
    }

    /// <summary>Everything noted so far is durable.</summary>
    private void Saved()
    {
        _uncommitted.Clear();
        _consumed.Clear();
        _starts.Clear();
        _abandoned.Clear();
        _asideAt = null;
        _besideAside = [];
        _unsavedEffect = false;
        _unsavedWait = false;
    }

    [LoggerMessage(3008, LogLevel.Warning, "Execution {ExecutionId}: signal '{Name}' holds no answer to '{StepKey}' and was dropped")]
    private static partial void LogNoAnswer(ILogger logger, Guid executionId, string name, string stepKey);
}
