using System.Text.Json;
using Lekhika.Workflows.Execution;

namespace Lekhika.Daemon.Http.Status;

/// <summary>What is told about an execution, wherever it was found: in memory or in the database.</summary>
internal sealed record StatusPicture
{
    public required Guid Id { get; init; }

    public required string Status { get; init; }

    public required int Run { get; init; }

    /// <summary>Of the whole run, 0 to 100.</summary>
    public double Progress { get; init; }

    /// <summary>Position in <see cref="Steps"/> of the step that matters now; -1 if there is none.</summary>
    public int Current { get; init; } = -1;

    /// <summary>Where the row says it is, for those of which no step is known.</summary>
    public string? CurrentNodeId { get; init; }

    public JsonElement? WaitingFor { get; init; }

    public JsonElement? Result { get; init; }

    public string? Error { get; init; }

    public JsonElement? ErrorDetails { get; init; }

    public DateTimeOffset CreatedAt { get; init; }

    public DateTimeOffset? StartedAt { get; init; }

    public DateTimeOffset? FinishedAt { get; init; }

    public DateTimeOffset? RunAt { get; init; }

    /// <summary>When the picture was taken.</summary>
    public required DateTimeOffset Now { get; init; }

    public long TokensIn { get; init; }

    public long TokensOut { get; init; }

    public long Words { get; init; }

    /// <summary>Which chapter of how many a long text has come to; null if none is being written here.</summary>
    public Live.LiveChapter? Chapter { get; init; }

    public IReadOnlyList<StatusNode> Nodes { get; init; } = [];

    public IReadOnlyList<StatusStep> Steps { get; init; } = [];

    public string? WorkerId { get; init; }

    public string? UserId { get; init; }

    public Guid? WorkflowId { get; init; }

    public int Priority { get; init; }

    /// <summary>Executions in front of it; null if it is not queued.</summary>
    public long? QueuePosition { get; init; }

    public RawJson Inputs { get; init; }

    public RawJson Definition { get; init; }

    /// <summary>Whether this status is the last one of its run.</summary>
    public bool IsOver => Terminal.Is(Status);
}

/// <summary>A node of the workflow at the top.</summary>
internal sealed record StatusNode(string Id, string Name, string Type);

/// <summary>A step that has begun.</summary>
internal sealed record StatusStep
{
    public required string Key { get; init; }

    public required string NodeId { get; init; }

    public required string Name { get; init; }

    public required string Type { get; init; }

    /// <summary>running, completed, failed, retrying, waiting or cancelled.</summary>
    public required string Status { get; init; }

    public int Attempt { get; init; }

    public DateTimeOffset? StartedAt { get; init; }

    public DateTimeOffset? FinishedAt { get; init; }

    public DateTimeOffset? DueAt { get; init; }

    public int? QueuePosition { get; init; }

    public string? Endpoint { get; init; }

    /// <summary>What a model has written of an output that is not there yet.</summary>
    public string? PartialText { get; init; }

    public string? PartialThinking { get; init; }

    public int Pieces { get; init; }

    public JsonElement? Output { get; init; }

    public StepError? Error { get; init; }

    public JsonElement? Metrics { get; init; }

    /// <summary>The text of its output, or what there is of it.</summary>
    public string? Text => PartialText ?? OutputText("text");

    public string? Model => OutputText("model") ?? MetricText("model");

    public long Tokens => Metric("tokens_in") + Metric("tokens_out") is > 0 and var counted ? counted : Pieces;

    public long Words => Metric("words");

    private long Metric(string name) =>
        Metrics is { ValueKind: JsonValueKind.Object } metrics && metrics.TryGetProperty(name, out var value)
        && value.ValueKind == JsonValueKind.Number && value.TryGetInt64(out var number) ? number : 0;

    private string? MetricText(string name) => StringIn(Metrics, name);

    private string? OutputText(string name) => StringIn(Output, name);

    private static string? StringIn(JsonElement? owner, string name) =>
        owner is { ValueKind: JsonValueKind.Object } there && there.TryGetProperty(name, out var value) && value.ValueKind == JsonValueKind.String
            ? value.GetString()
            : null;
}

/// <summary>JSON that is copied as it is: read already, or still the text it arrived as.</summary>
internal readonly record struct RawJson(string? Text, JsonElement? Element)
{
    public bool IsNull => Text is null && Element is null;
}

/// <summary>Statuses that a run ends with.</summary>
internal static class Terminal
{
    public static bool Is(string status) => status is "completed" or "failed" or "cancelled";
}
