namespace Lekhika.Postgres.Executions;

/// <summary>Which executions a list is about. What is null does not matter.</summary>
public sealed record ExecutionFilter
{
    /// <summary>Any of these; see <see cref="ExecutionLists.Statuses"/>. Empty means all.</summary>
    public IReadOnlyList<string> Statuses { get; init; } = [];

    /// <summary>Id or name of the workflow.</summary>
    public string? Workflow { get; init; }

    /// <summary>Whose they are.</summary>
    public string? User { get; init; }

    /// <summary>A model that a step of the present run was answered by.</summary>
    public string? Model { get; init; }

    /// <summary>Part of the workflow's name, the error or the user's id, or the beginning of the execution's id; in any case.</summary>
    public string? Query { get; init; }
}
