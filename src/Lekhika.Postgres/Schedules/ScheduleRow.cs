namespace Lekhika.Postgres.Schedules;

/// <summary>A row of <c>workflow_schedules</c>.</summary>
public sealed record ScheduleRow
{
    /// <summary>Its id.</summary>
    public required Guid Id { get; init; }

    /// <summary>What it runs.</summary>
    public required Guid WorkflowId { get; init; }

    /// <summary>That workflow's name; null if there is no such workflow.</summary>
    public string? WorkflowName { get; init; }

    /// <summary>The expression as it was written.</summary>
    public required string Cron { get; init; }

    /// <summary>IANA name of the zone whose clock it follows.</summary>
    public required string Timezone { get; init; }

    /// <summary><c>skip</c>, <c>once</c> or <c>all</c>.</summary>
    public required string CatchUp { get; init; }

    /// <summary>Most missed slots that <c>all</c> makes up for; 1 to 1000.</summary>
    public required int CatchUpLimit { get; init; }

    /// <summary>Inputs of each execution, as JSON text; null for none.</summary>
    public string? Inputs { get; init; }

    /// <summary>Whose the executions are.</summary>
    public string? UserId { get; init; }

    /// <summary>Priority of the executions; higher goes first.</summary>
    public int Priority { get; init; }

    /// <summary>False: paused, or quarantined if there is an <see cref="Error"/>.</summary>
    public bool IsActive { get; init; } = true;

    /// <summary>The next slot; null until a daemon works it out.</summary>
    public DateTimeOffset? NextRunAt { get; init; }

    /// <summary>The last slot that became an execution.</summary>
    public DateTimeOffset? LastRunAt { get; init; }

    /// <summary>That execution.</summary>
    public Guid? LastExecutionId { get; init; }

    /// <summary>Why it is quarantined, or why its last slot was passed over.</summary>
    public string? Error { get; init; }

    /// <summary>When it was made.</summary>
    public DateTimeOffset CreatedAt { get; init; }
}

/// <summary>The schedules that are due, by the database's clock.</summary>
/// <param name="Now">The database's time when it was asked.</param>
/// <param name="NextAt">The earliest slot of all active schedules; null if there is none.</param>
/// <param name="Due">Those that are due or have no slot yet.</param>
public sealed record DueSchedules(DateTimeOffset Now, DateTimeOffset? NextAt, IReadOnlyList<ScheduleRow> Due);

/// <summary>What became of an attempt to fire.</summary>
public enum FireOutcome
{
    /// <summary>Its slots are executions now.</summary>
    Fired,

    /// <summary>There were no slots; the next one is set.</summary>
    Advanced,

    /// <summary>The workflow cannot run; the slots were passed over.</summary>
    Skipped,

    /// <summary>Another daemon was faster, or the schedule was changed.</summary>
    Gone,
}

/// <summary>What became of it, in full.</summary>
/// <param name="Outcome">In a word.</param>
/// <param name="Started">Executions inserted.</param>
/// <param name="Problem">Why the slots were passed over.</param>
/// <param name="IsNews">Whether that was not known before.</param>
public sealed record FireResult(FireOutcome Outcome, int Started, string? Problem, bool IsNews);
