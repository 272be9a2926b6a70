using System.Text.Json;

namespace Lekhika.Postgres.Jobs;

/// <summary>A row of <c>workflow_generation_jobs</c>.</summary>
public sealed record GenerationJobRow
{
    /// <summary>Id of the job, and of the execution behind it.</summary>
    public required Guid Id { get; init; }

    /// <summary>pending, processing, completed, failed or cancelled.</summary>
    public required string Status { get; init; }

    /// <summary>What is asked for.</summary>
    public required string Prompt { get; init; }

    /// <summary>create or edit.</summary>
    public required string Mode { get; init; }

    /// <summary>0 to 100; null if a backend wrote that.</summary>
    public int? Progress { get; init; }

    /// <summary>analyze, workflow_generation or validation; null before the start.</summary>
    public string? Phase { get; init; }

    /// <summary>The workflow; present once completed.</summary>
    public JsonElement? Result { get; init; }

    /// <summary>Why it failed.</summary>
    public string? Error { get; init; }

    /// <summary>More of that: an object with <c>code</c>.</summary>
    public JsonElement? ErrorDetails { get; init; }

    /// <summary>What was told so far.</summary>
    public JsonElement? Logs { get; init; }

    /// <summary>What it cost, by phase and attempt.</summary>
    public JsonElement? Observability { get; init; }

    /// <summary>When it was inserted.</summary>
    public required DateTimeOffset CreatedAt { get; init; }

    /// <summary>When work on it began.</summary>
    public DateTimeOffset? StartedAt { get; init; }

    /// <summary>When it ended.</summary>
    public DateTimeOffset? FinishedAt { get; init; }

    /// <summary>Milliseconds from start to end.</summary>
    public int? DurationMs { get; init; }

    /// <summary>Who works or worked on it.</summary>
    public string? WorkerId { get; init; }

    /// <summary>How often the model was asked again.</summary>
    public int RetryCount { get; init; }

    /// <summary>URL of the daemon that holds it; null if none does, or it cannot be reached.</summary>
    public string? OwnerUrl { get; init; }
}

/// <summary>A job to insert.</summary>
public sealed record NewGenerationJob
{
    /// <summary>Its id; chosen by the caller.</summary>
    public required Guid Id { get; init; }

    /// <summary>Whose it is.</summary>
    public Guid? UserId { get; init; }

    /// <summary>What is asked for; not empty.</summary>
    public required string Prompt { get; init; }

    /// <summary>create or edit.</summary>
    public string Mode { get; init; } = "create";

    /// <summary>The workflow to change, as JSON text.</summary>
    public string? CurrentWorkflow { get; init; }

    /// <summary>What happened before, as JSON text; null stands for an empty list.</summary>
    public string? ExecutionHistory { get; init; }

    /// <summary>Settings of this job, as JSON text; null stands for an empty object.</summary>
    public string? Config { get; init; }

    /// <summary>How often the model may be asked again.</summary>
    public int MaxRetries { get; init; } = 3;
}

/// <summary>Progress of a job, told at a phase boundary by whoever holds its execution.</summary>
/// <param name="Job">Id of the job.</param>
/// <param name="Exec">Inner number of the execution.</param>
/// <param name="Incarnation">The daemon's life that holds it.</param>
/// <param name="Epoch">Number of the claim.</param>
/// <param name="Run">Number of the run.</param>
/// <param name="WorkerId">Name of the daemon.</param>
/// <param name="Percent">0 to 100; never goes back.</param>
/// <param name="Phase">A phase the table allows.</param>
/// <param name="Retries">How often the model was asked again so far.</param>
/// <param name="Logs">Entries to append: a JSON array as text.</param>
public sealed record GenerationProgress(
    Guid Job, long Exec, long Incarnation, int Epoch, int Run, string WorkerId, int Percent, string Phase, int Retries, string Logs);
