namespace Lekhika.Postgres.Executions;

/// <summary>An execution to insert.</summary>
public sealed record Submission
{
    /// <summary>Its id; chosen by the caller.</summary>
    public required Guid Id { get; init; }

    /// <summary>A stored workflow; else <see cref="Definition"/>.</summary>
    public Guid? WorkflowId { get; init; }

    /// <summary>An inline definition, as JSON text.</summary>
    public string? Definition { get; init; }

    /// <summary>The inputs, as JSON text.</summary>
    public string? Inputs { get; init; }

    /// <summary>Whose it is.</summary>
    public string? UserId { get; init; }

    /// <summary>Higher goes first.</summary>
    public int Priority { get; init; }

    /// <summary>Not before this time.</summary>
    public DateTimeOffset? RunAt { get; init; }

    /// <summary>Fails after this time.</summary>
    public DateTimeOffset? TimeoutAt { get; init; }

    /// <summary>A second name that may exist once.</summary>
    public string? IdempotencyKey { get; init; }

    /// <summary>What else was said, as JSON text; without secrets.</summary>
    public string? Request { get; init; }

    /// <summary>Hash of everything that makes the request what it is.</summary>
    public Guid? RequestHash { get; init; }
}

/// <summary>What became of a submission.</summary>
/// <param name="Created">False if one with that id or key was there already.</param>
/// <param name="Claimed">Whether the submitter holds it now.</param>
/// <param name="Id">The id of the execution that is there.</param>
/// <param name="Exec">Its inner number.</param>
/// <param name="Status">Its status.</param>
/// <param name="Run">Its run.</param>
/// <param name="RequestHash">The hash it was submitted with.</param>
/// <param name="CreatedAt">When.</param>
public sealed record SubmissionResult(bool Created, bool Claimed, Guid Id, long Exec, string Status, int Run, Guid? RequestHash, DateTimeOffset CreatedAt)
{
    /// <summary>The stored workflow's definition it is pinned to, if it was claimed.</summary>
    public Guid? DefinitionHash { get; init; }

    /// <summary>Whether that workflow is active; null if there is none.</summary>
    public bool? WorkflowActive { get; init; }
}
