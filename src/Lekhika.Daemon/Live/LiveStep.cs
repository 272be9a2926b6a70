using System.Text;
using System.Text.Json;
using Lekhika.Workflows.Execution;

namespace Lekhika.Daemon.Live;

/// <summary>One step in the live picture. Touched only under the lock of its <see cref="LiveExecution"/>.</summary>
internal sealed class LiveStep(string key, PlannedNode node, int sequence)
{
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

    public StringBuilder Text { get; } = new();

    public StringBuilder Thinking { get; } = new();

    public int Pieces { get; set; }

    public JsonElement? Output { get; set; }

    public StepError? Error { get; set; }

    public JsonElement? Metrics { get; set; }

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
        PartialText = Text.Length == 0 ? null : Text.ToString(),
        PartialThinking = Thinking.Length == 0 ? null : Thinking.ToString(),
        Pieces = Pieces,
        Output = Output,
        Error = Error,
        Metrics = Metrics,
    };
}
