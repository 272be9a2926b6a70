using System.Text.Json;
using Lekhika.Workflows.Execution;

namespace Lekhika.Daemon.Live;

/// <summary>What of a live execution does not change while this daemon holds it.</summary>
internal sealed record LiveHeader
{
    public required Guid Id { get; init; }

    public required long Exec { get; init; }

    public required int Epoch { get; init; }

    public required int Run { get; init; }

    public Guid? WorkflowId { get; init; }

    public string? UserId { get; init; }

    public int Priority { get; init; }

    public required string WorkerId { get; init; }

    public DateTimeOffset CreatedAt { get; init; }

    /// <summary>The inputs it was given, as JSON text.</summary>
    public string? InputsText { get; init; }

    /// <summary>The inline definition as its author wrote it, as JSON text; null if it runs a stored workflow.</summary>
    public string? DefinitionText { get; init; }
}

/// <summary>Sums over the steps of a run.</summary>
internal readonly record struct LiveTotals(long TokensIn, long TokensOut, long Words);

/// <summary>Which chapter of how many is being written, or was written last.</summary>
internal sealed record LiveChapter(int Number, int Total);

/// <summary>The part of a picture that lists show.</summary>
internal sealed record LiveGlance(
    string Status, double Progress, string? CurrentNodeId, JsonElement? WaitingFor, string? Error,
    DateTimeOffset? StartedAt, DateTimeOffset? FinishedAt, LiveTotals Totals);

/// <summary>A consistent picture of a live execution at one moment.</summary>
internal sealed record LiveSnapshot
{
    public required LiveHeader Header { get; init; }

    public required string Status { get; init; }

    /// <summary>Of the whole run, 0 to 100, never going back.</summary>
    public double Progress { get; init; }

    /// <summary>Key of the step that was started last.</summary>
    public string? CurrentStep { get; init; }

    public JsonElement? WaitingFor { get; init; }

    public JsonElement? Result { get; init; }

    public string? Error { get; init; }

    public JsonElement? ErrorDetails { get; init; }

    public DateTimeOffset? StartedAt { get; init; }

    public DateTimeOffset? FinishedAt { get; init; }

    public long TokensIn { get; init; }

    public long TokensOut { get; init; }

    public long Words { get; init; }

    /// <summary>Where a text in chapters has come to; null if none is being written.</summary>
    public LiveChapter? Chapter { get; init; }

    /// <summary>The nodes of the workflow in the author's order.</summary>
    public IReadOnlyList<PlannedNode> Nodes { get; init; } = [];

    /// <summary>The steps that have begun, in the order they began.</summary>
    public IReadOnlyList<LiveStepView> Steps { get; init; } = [];

    /// <summary>Id of the last event that is part of this picture.</summary>
    public string? EventId { get; init; }
}

/// <summary>One step in a <see cref="LiveSnapshot"/>.</summary>
internal sealed record LiveStepView
{
    public required string Key { get; init; }

    public required PlannedNode Node { get; init; }

    /// <summary>running, completed, failed, retrying, waiting or cancelled.</summary>
    public required string Status { get; init; }

    public int Attempt { get; init; }

    public DateTimeOffset? StartedAt { get; init; }

    public DateTimeOffset? FinishedAt { get; init; }

    /// <summary>When a retry or wait is due.</summary>
    public DateTimeOffset? DueAt { get; init; }

    /// <summary>Calls before this one in its model's lane; null if it does not wait there.</summary>
    public int? QueuePosition { get; init; }

    /// <summary>The model endpoint that answers.</summary>
    public string? Endpoint { get; init; }

    /// <summary>What the model has written so far.</summary>
    public string? PartialText { get; init; }

    /// <summary>What it has thought so far.</summary>
    public string? PartialThinking { get; init; }

    /// <summary>Pieces streamed so far: about as many as tokens.</summary>
    public int Pieces { get; init; }

    public JsonElement? Output { get; init; }

    public StepError? Error { get; init; }

    public JsonElement? Metrics { get; init; }
}
