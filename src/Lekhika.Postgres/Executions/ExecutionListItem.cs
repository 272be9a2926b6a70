using System.Text.Json;

namespace Lekhika.Postgres.Executions;

/// <summary>One execution in a list: what its row tells without its large columns.</summary>
public sealed record ExecutionListItem
{
    /// <summary>The id everybody knows.</summary>
    public required Guid Id { get; init; }

    /// <summary>The inner number; lists are ordered by it, newest first.</summary>
    public required long Exec { get; init; }

    /// <summary>The workflow, if it names one.</summary>
    public Guid? WorkflowId { get; init; }

    /// <summary>The workflow's name; that of an inline definition if it has one.</summary>
    public string? WorkflowName { get; init; }

    /// <summary>The status as people see it: one that is held runs, whether its row says so yet or not.</summary>
    public required string Status { get; init; }

    /// <summary>Higher goes first.</summary>
    public int Priority { get; init; }

    /// <summary>Whose it is.</summary>
    public string? UserId { get; init; }

    /// <summary>A lower bound from what is recorded, 0 to 100.</summary>
    public double Progress { get; init; }

    /// <summary>The node it was last seen at.</summary>
    public string? CurrentNodeId { get; init; }

    /// <summary>When it was submitted.</summary>
    public DateTimeOffset CreatedAt { get; init; }

    /// <summary>When it first ran.</summary>
    public DateTimeOffset? StartedAt { get; init; }

    /// <summary>When it ended.</summary>
    public DateTimeOffset? FinishedAt { get; init; }

    /// <summary>Why it failed.</summary>
    public string? Error { get; init; }

    /// <summary>The code of the error.</summary>
    public string? Code { get; init; }

    /// <summary>What it waits for.</summary>
    public JsonElement? WaitingFor { get; init; }

    /// <summary>Prompt tokens.</summary>
    public long TokensIn { get; init; }

    /// <summary>Generated tokens.</summary>
    public long TokensOut { get; init; }

    /// <summary>Words generated.</summary>
    public long Words { get; init; }

    /// <summary>Number of the run.</summary>
    public required int Run { get; init; }

    /// <summary>How often it was begun anew.</summary>
    public int Attempts { get; init; }

    /// <summary>The execution that started it.</summary>
    public Guid? ParentId { get; init; }

    /// <summary>Who works on it, or did last.</summary>
    public string? WorkerId { get; init; }
}

/// <summary>Part of a list.</summary>
/// <param name="Items">Newest first.</param>
/// <param name="Next">Go on below this number; null at the end. A page may be short, or empty, and the list go on all the same.</param>
public sealed record ExecutionPage(IReadOnlyList<ExecutionListItem> Items, long? Next);
