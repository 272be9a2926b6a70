using System.Text;
using System.Text.Json;
using Lekhika.Workflows.Execution;

namespace Lekhika.Daemon.Live;

/// <summary>One step in the live picture. Touched only under the lock of its <see cref="LiveExecution"/>.</summary>
internal sealed class LiveStep(string key, PlannedNode node, int sequence)
{
    private StringBuilder? _text;
    private StringBuilder? _thinking;

    public string Key { get; } = key;

    public PlannedNode Node { get; } = node;

    public int Sequence { get; } = sequence;

    public string Status { get; set; } = "running";

    public int Attempt { get; set; } = 1;

    public DateTimeOffset? StartedAt { get; set; }

    public DateTimeOffset? FinishedAt { get; set; }

    public DateTimeOffset? DueAt { get; set; }

    public int? QueuePosition { get; set; }

    public string? Endpoint { get; set; }

    /// <summary>What the attempt under way has streamed. Most steps never stream.</summary>
    public StringBuilder Text => _text ??= new StringBuilder();

    public StringBuilder Thinking => _thinking ??= new StringBuilder();

    public int Pieces { get; set; }

    public JsonElement? Output { get; set; }

    public StepError? Error { get; set; }

    public JsonElement? Metrics { get; set; }

    /// <summary>What was streamed is void, or stands in the output now.</summary>
    public void ClearText()
    {
        _text = null;
        _thinking = null;
    }

    public LiveStepView View() => new()
    {
        Key = Key,
        Node = Node,
        Status = Status,
        Attempt = Attempt,
        StartedAt = StartedAt,
        FinishedAt = FinishedAt,
        DueAt = DueAt,
        QueuePosition = QueuePosition,
        Endpoint = Endpoint,
        PartialText = _text is { Length: > 0 } ? _text.ToString() : null,
        PartialThinking = _thinking is { Length: > 0 } ? _thinking.ToString() : null,
        Pieces = Pieces,
        Output = Output,
        Error = Error,
        Metrics = Metrics,
    };
}
