using System.Text.Json;

namespace Lekhika.Postgres.Definitions;

/// <summary>A workflow that is kept under an id.</summary>
public sealed record StoredWorkflow
{
    /// <summary>Its id.</summary>
    public required Guid Id { get; init; }

    /// <summary>Its name; not unique.</summary>
    public required string Name { get; init; }

    /// <summary>Counts the changes of its definition.</summary>
    public int Version { get; init; } = 1;

    /// <summary>The definition as its author wrote it; null in lists, and where there is none.</summary>
    public JsonElement? Definition { get; init; }

    /// <summary>Whether it may be executed.</summary>
    public bool IsActive { get; init; } = true;

    /// <summary>Whose it is.</summary>
    public string? OwnerId { get; init; }

    /// <summary>When it was stored.</summary>
    public DateTimeOffset CreatedAt { get; init; }

    /// <summary>When it was changed last.</summary>
    public DateTimeOffset UpdatedAt { get; init; }
}

/// <summary>What to change of a workflow; what is null stays.</summary>
public sealed record WorkflowChange
{
    /// <summary>A new name.</summary>
    public string? Name { get; init; }

    /// <summary>A new definition, as JSON text.</summary>
    public string? Definition { get; init; }

    /// <summary>Whether it may be executed from now on.</summary>
    public bool? IsActive { get; init; }

    /// <summary>A new owner.</summary>
    public string? OwnerId { get; init; }

    /// <summary>The version the change was made from; if that is not the present one, nothing is changed.</summary>
    public int? FromVersion { get; init; }
}
