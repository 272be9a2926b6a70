using System.Text.Json;

namespace Lekhika.Postgres.Executions;

/// <summary>An execution as its row tells it.</summary>
public sealed record ExecutionRow
{
    /// <summary>The id everybody knows.</summary>
    public required Guid Id { get; init; }

    /// <summary>The inner number.</summary>
    public required long Exec { get; init; }

    /// <summary>The workflow, if it names one.</summary>
    public Guid? WorkflowId { get; init; }

    /// <summary>The status.</summary>
    public required string Status { get; init; }

    /// <summary>Higher goes first.</summary>
    public int Priority { get; init; }

    /// <summary>Number of the run.</summary>
    public required int Run { get; init; }

    /// <summary>How often it was begun anew.</summary>
    public int Attempts { get; init; }

    /// <summary>The node it was last seen at.</summary>
    public string? CurrentNodeId { get; init; }

    /// <summary>What it waits for.</summary>
    public JsonElement? WaitingFor { get; init; }

    /// <summary>What it was given.</summary>
    public JsonElement? Inputs { get; init; }

    /// <summary>What came out.</summary>
    public JsonElement? Result { get; init; }

    /// <summary>Why it failed.</summary>
    public string? Error { get; init; }

    /// <summary>The same with code and place.</summary>
    public JsonElement? ErrorDetails { get; init; }

    /// <summary>Prompt tokens.</summary>
    public long TokensIn { get; init; }

    /// <summary>Generated tokens.</summary>
    public long TokensOut { get; init; }

    /// <summary>Words generated.</summary>
    public long Words { get; init; }

    /// <summary>Who worked on it last.</summary>
    public string? WorkerId { get; init; }

    /// <summary>Whose it is.</summary>
    public string? UserId { get; init; }

    /// <summary>When it was submitted.</summary>
    public DateTimeOffset CreatedAt { get; init; }

    /// <summary>When it first ran.</summary>
    public DateTimeOffset? StartedAt { get; init; }

    /// <summary>When it ended.</summary>
    public DateTimeOffset? FinishedAt { get; init; }

    /// <summary>Not before this time.</summary>
    public DateTimeOffset? RunAt { get; init; }

    /// <summary>Tells a repeated submission from another one.</summary>
    public Guid? RequestHash { get; init; }

    /// <summary>The definition as its author wrote it.</summary>
    public JsonElement? Definition { get; init; }

    /// <summary>Where the daemon that holds it can be reached; null if none does, or it did not say.</summary>
    public string? OwnerUrl { get; init; }
}
