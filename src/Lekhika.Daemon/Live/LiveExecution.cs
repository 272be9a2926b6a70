using System.Text;
using System.Text.Json;
using Lekhika.Workflows.Execution;

namespace Lekhika.Daemon.Live;

/// <summary>
/// The live picture of one execution that this daemon holds: what /status and the event streams tell, in memory only (law 3).
///
/// Written by the task that runs the execution and by the readers of its model streams; read by HTTP. One small lock guards it: nothing under it
/// waits, and an event is handed to a subscriber without blocking; a subscriber that does not keep up is told to ask for a snapshot.
/// A terminal status is published only after its commit, so nothing ever goes back from it.
/// </summary>
internal sealed class LiveExecution
{
    private readonly Lock _lock = new();
    private readonly Dictionary<string, LiveStep> _steps = new(StringComparer.Ordinal);
    private readonly EventLog _events;
    private string _status;
    private string? _currentStep;
    private double _progress;
    private JsonElement? _waitingFor;
    private JsonElement? _result;
    private string? _error;
    private JsonElement? _errorDetails;
    private DateTimeOffset? _startedAt;
    private DateTimeOffset? _finishedAt;
    private long _tokensIn;
    private long _tokensOut;
    private long _words;
    private int _sequence;
    private LiveChapter? _chapter;

    public LiveExecution(LiveHeader header, string status, DateTimeOffset? startedAt)
    {
        Header = header;
        _status = status;
        _startedAt = startedAt;
        _events = new EventLog(header.Epoch);
    }

    /// <summary>What does not change while this daemon holds it.</summary>
    public LiveHeader Header { get; }

    /// <summary>The names of the nodes in the author's order; set once the definition is read.</summary>
    public IReadOnlyList<PlannedNode> Nodes { get; private set; } = [];

    /// <summary>Whether the execution has ended; its picture then stays for a while.</summary>
    public bool IsOver
    {
        get
        {
            lock (_lock) return _finishedAt is not null;
        }
    }

    public void SetPlan(WorkflowPlan plan) => Nodes = plan.Nodes;

    public void Begin(DateTimeOffset now)
    {
        lock (_lock)
        {
            _startedAt ??= now;
            Move("running", waitingFor: null);
        }
    }

    /// <summary>Shows a status that is not the end: running, waiting, pausing, paused.</summary>
    public void SetStatus(string status, JsonElement? waitingFor = null)
    {
        lock (_lock) Move(status, waitingFor);
    }

    public void StepStarted(StepRef step, int attempt, DateTimeOffset now)
    {
        lock (_lock)
        {
            var live = _steps.TryGetValue(step.Key, out var known) ? known : _steps[step.Key] = new LiveStep(step.Key, step.Node, _sequence++);
            live.Attempt = attempt;
            live.Status = "running";
            live.StartedAt = now;
            live.FinishedAt = null;
            live.QueuePosition = null;
            live.ClearText();
            live.Pieces = 0;
            _currentStep = step.Key;
            Add("node", live, static (writer, step) => WriteStep(writer, step));
        }
    }

    /// <summary>Pieces streamed by a step so far: about as many as tokens.</summary>
    public int PiecesOf(string key)
    {
        lock (_lock) return _steps.TryGetValue(key, out var live) ? live.Pieces : 0;
    }

    /// <summary>Whether a step waits for its model's turn.</summary>
    public bool IsQueued(string key)
    {
        lock (_lock) return _steps.TryGetValue(key, out var live) && live.QueuePosition is not null;
    }

    public void StepQueued(string key, int position)
    {
        lock (_lock)
        {
            if (!_steps.TryGetValue(key, out var live)) return;
            live.QueuePosition = position;
            Add("queued", (key, position), static (writer, queued) =>
            {
                writer.WriteString("step", queued.key);
                writer.WriteNumber("position", queued.position);
            });
        }
    }

    public void StepTurn(string key, string endpoint, int attempt)
    {
        lock (_lock)
        {
            if (!_steps.TryGetValue(key, out var live)) return;
            live.QueuePosition = null;
            live.Endpoint = endpoint;
            Add("turn", (key, endpoint, attempt), static (writer, turn) =>
            {
                writer.WriteString("step", turn.key);
                writer.WriteString("endpoint", turn.endpoint);
                writer.WriteNumber("attempt", turn.attempt);
            });
        }
    }

    public void StepText(string key, string piece, bool thinking)
    {
        lock (_lock)
        {
            if (!_steps.TryGetValue(key, out var live)) return;
            (thinking ? live.Thinking : live.Text).Append(piece);
            live.Pieces++;
            Add(thinking ? "thinking" : "text", (key, piece), static (writer, text) =>
            {
                writer.WriteString("step", text.key);
                writer.WriteString("text", text.piece);
            });
        }
    }

    /// <summary>A chapter of a long text is being written.</summary>
    /// <param name="number">Its number, from 1.</param>
    /// <param name="total">How many there will be.</param>
    public void ChapterStarted(int number, int total)
    {
        lock (_lock)
        {
            _chapter = new LiveChapter(number, total);
            Add("chapter", (number, total), static (writer, chapter) =>
            {
                writer.WriteNumber("current", chapter.number);
                writer.WriteNumber("total", chapter.total);
            });
        }
    }

    /// <summary>The attempt broke: what was streamed so far is void.</summary>
    public void StepRestarted(string key, string reason)
    {
        lock (_lock)
        {
            if (!_steps.TryGetValue(key, out var live)) return;
            live.ClearText();
            live.Pieces = 0;
            Add("restart", (key, reason), static (writer, restart) =>
            {
                writer.WriteString("step", restart.key);
                writer.WriteString("reason", restart.reason);
            });
        }
    }

    /// <summary>A record was made (or replayed) for a step.</summary>
    public void StepRecorded(StepRef? step, StepRecord record, LiveTotals totals)
    {
        lock (_lock)
        {
            if (!_steps.TryGetValue(record.Key, out var live))
            {
                if (step is null) return;
                live = _steps[record.Key] = new LiveStep(step.Key, step.Node, _sequence++);
            }

            live.Attempt = record.Attempt;
            live.Status = record.Outcome switch
            {
                StepOutcome.Succeeded => "completed",
                StepOutcome.Failed => "failed",
                StepOutcome.Retrying => "retrying",
                StepOutcome.Waiting => "waiting",
                _ => "running",
            };
            live.StartedAt ??= record.StartedAt;
            live.FinishedAt = record.IsFinal ? record.FinishedAt : null;
            live.Output = record.Output ?? live.Output;
            live.Error = record.Error;
            live.Metrics = record.Metrics ?? live.Metrics;
            live.DueAt = record.IsFinal ? null : record.DueAt;
            (_tokensIn, _tokensOut, _words) = (totals.TokensIn, totals.TokensOut, totals.Words);
            if (record.IsFinal)
            {
                // The output is the truth now; the streamed text is not kept twice.
                live.ClearText();
                live.QueuePosition = null;
            }

            Add("node", live, static (writer, step) => WriteStep(writer, step));
        }
    }

    /// <summary>A record of an earlier claim was read back; only steps at the top are shown.</summary>
    public void StepReplayed(StepRecord record, PlannedNode? node)
    {
        if (node is null) return;
        lock (_lock)
        {
            if (!_steps.ContainsKey(record.Key)) _steps[record.Key] = new LiveStep(record.Key, node, _sequence++);
        }

        StepRecorded(step: null, record, new LiveTotals(_tokensIn, _tokensOut, _words));
    }

    public void SetProgress(double percent)
    {
        lock (_lock)
        {
            if (percent - _progress < 0.1) return;
            _progress = percent;
            Add("progress", percent, static (writer, progress) => writer.WriteNumber("progress", Math.Round(progress, 1)));
        }
    }

    /// <summary>The end, after its commit.</summary>
    public void Finish(string status, JsonElement? result, string? error, JsonElement? details, DateTimeOffset now)
    {
        lock (_lock)
        {
            (_result, _error, _errorDetails) = (result, error, details);
            _finishedAt = now;
            if (status == "completed") _progress = 100;
            foreach (var step in _steps.Values)
            {
                if (step.Status is "running" or "waiting" or "retrying") step.Status = status == "completed" ? "completed" : "cancelled";
                step.QueuePosition = null;
            }

            Move(status, waitingFor: null);
            Add("end", (status, error), static (writer, end) =>
            {
                writer.WriteString("status", end.status);
                if (end.error is not null) writer.WriteString("error", end.error);
            });
            _events.Complete();
        }
    }

    /// <summary>This daemon does not hold it any more (parked, released, taken over): streams end with a hint to ask again.</summary>
    public void Leave(string status, JsonElement? waitingFor)
    {
        lock (_lock)
        {
            Move(status, waitingFor);
            Add("leave", status, static (writer, left) => writer.WriteString("status", left));
            _events.Complete();
        }
    }

    /// <summary>What a list shows of it: without its steps.</summary>
    public LiveGlance Glance()
    {
        lock (_lock)
        {
            return new LiveGlance(
                _status, _progress, _currentStep is { } key && _steps.TryGetValue(key, out var step) ? step.Node.Id : null, _waitingFor, _error,
                _startedAt, _finishedAt, new LiveTotals(_tokensIn, _tokensOut, _words));
        }
    }

    public LiveSnapshot Snapshot()
    {
        lock (_lock)
        {
            return new LiveSnapshot
            {
                Header = Header,
                Status = _status,
                Progress = _progress,
                CurrentStep = _currentStep,
                WaitingFor = _waitingFor,
                Result = _result,
                Error = _error,
                ErrorDetails = _errorDetails,
                StartedAt = _startedAt,
                FinishedAt = _finishedAt,
                TokensIn = _tokensIn,
                TokensOut = _tokensOut,
                Words = _words,
                Chapter = _chapter,
                Nodes = Nodes,
                Steps = [.. _steps.Values.OrderBy(static step => step.Sequence).Select(static step => step.View())],
                EventId = _events.Mark(),
            };
        }
    }

    /// <summary>
    /// Follows the execution from after the given event. Where that event is not known any more (or none was given) the subscription begins with
    /// a snapshot.
    /// </summary>
    public EventSubscription Subscribe(string? lastEventId)
    {
        lock (_lock) return _events.Subscribe(lastEventId);
    }

    public void Unsubscribe(EventSubscription subscription)
    {
        lock (_lock) _events.Remove(subscription);
    }

    private void Move(string status, JsonElement? waitingFor)
    {
        var same = status == _status && waitingFor is null && _waitingFor is null;
        (_status, _waitingFor) = (status, waitingFor);
        if (same) return;
        Add("state", (status, waitingFor), static (writer, state) =>
        {
            writer.WriteString("status", state.status);
            if (state.waitingFor is { } what)
            {
                writer.WritePropertyName("waiting_for");
                what.WriteTo(writer);
            }
        });
    }

    private void Add<T>(string name, T what, Action<Utf8JsonWriter, T> properties) => _events.Add(name, what, properties);

    private static void WriteStep(Utf8JsonWriter writer, LiveStep step)
    {
        writer.WriteString("step", step.Key);
        writer.WriteString("node", step.Node.Definition.Id);
        writer.WriteString("name", step.Node.Definition.DisplayName);
        writer.WriteString("type", step.Node.Definition.Type);
        writer.WriteString("status", step.Status);
        writer.WriteNumber("attempt", step.Attempt);
        if (step.Error is { } error)
        {
            writer.WriteString("error", error.Message);
            writer.WriteString("code", error.Code);
        }
    }
}
