namespace Lekhika.Postgres.Queue;

/// <summary>An execution that this incarnation has claimed, as the claim returned it.</summary>
public sealed record ClaimedExecution
{
    /// <summary>The fence of every later write.</summary>
    public required Executions.Fence Fence { get; init; }

    /// <summary>The list it came from.</summary>
    public required QueueList List { get; init; }

    /// <summary>Its place there; 0 if it was not claimed from a list.</summary>
    public required long Place { get; init; }

    /// <summary>How often in a row it was taken from a dead incarnation without making progress.</summary>
    public required int Rescues { get; init; }

    /// <summary>The id everybody knows.</summary>
    public required Guid Id { get; init; }

    /// <summary>The row's status when it was claimed; may be terminal or paused.</summary>
    public required string Status { get; init; }

    /// <summary>The workflow it names, if any.</summary>
    public Guid? WorkflowId { get; init; }

    /// <summary>Whether that workflow is active; null if there is none with that id.</summary>
    public bool? WorkflowActive { get; init; }

    /// <summary>The definition it is pinned to; null if it has an inline one, or none.</summary>
    public Guid? DefinitionHash { get; init; }

    /// <summary>The inline definition's text.</summary>
    public string? Definition { get; init; }

    /// <summary>The inputs' text.</summary>
    public string? Inputs { get; init; }

    /// <summary>Whose it is.</summary>
    public string? UserId { get; init; }

    /// <summary>Higher goes first.</summary>
    public int Priority { get; init; }

    /// <summary>When it was submitted.</summary>
    public DateTimeOffset CreatedAt { get; init; }

    /// <summary>When it first ran, if it did and was recorded.</summary>
    public DateTimeOffset? StartedAt { get; init; }

    /// <summary>When it fails for taking too long.</summary>
    public DateTimeOffset? TimeoutAt { get; init; }

    /// <summary>What else was said at submission, as a JSON object's text.</summary>
    public string? Request { get; init; }
}

/// <summary>One list of the queue.</summary>
/// <param name="Class">0 woken, 1 new.</param>
/// <param name="Pri">Minus the priority: lower goes first.</param>
/// <param name="Tenant">Hash of the user.</param>
public readonly record struct QueueList(short Class, short Pri, int Tenant);

/// <summary>The database says that this incarnation is revoked: all that it held belongs to others.</summary>
public sealed class RevokedException() : Exception("This incarnation is revoked: its lease lapsed and another worker took over.");
