using Npgsql;
using NpgsqlTypes;

namespace Lekhika.Postgres.Jobs;

/// <summary>A generation job in a list.</summary>
public sealed record JobListItem
{
    /// <summary>Its id.</summary>
    public required Guid Id { get; init; }

    /// <summary>pending, processing, completed, failed or cancelled.</summary>
    public required string Status { get; init; }

    /// <summary>The phase it is in.</summary>
    public string? Phase { get; init; }

    /// <summary>0 to 100.</summary>
    public int Progress { get; init; }

    /// <summary>The beginning of the prompt.</summary>
    public string Prompt { get; init; } = "";

    /// <summary>Whose it is.</summary>
    public string? UserId { get; init; }

    /// <summary>Why it failed.</summary>
    public string? Error { get; init; }

    /// <summary>When it was asked for.</summary>
    public DateTimeOffset CreatedAt { get; init; }

    /// <summary>When work on it began.</summary>
    public DateTimeOffset? StartedAt { get; init; }

    /// <summary>When it ended.</summary>
    public DateTimeOffset? FinishedAt { get; init; }

    /// <summary>Who works on it, or did.</summary>
    public string? WorkerId { get; init; }
}

/// <summary>Lists generation jobs.</summary>
public sealed class JobList(Database database)
{
    /// <summary>The statuses a filter may name.</summary>
    public static readonly IReadOnlyList<string> Statuses = ["pending", "processing", "completed", "failed", "cancelled"];

    private readonly string _text = database.Statements.Text("""
        SELECT id, status, current_phase, COALESCE(progress_percentage, 0), left(prompt, 200), user_id::text, error_message, created_at, started_at,
               finished_at, worker_id
          FROM {schema}.workflow_generation_jobs
         WHERE ($1::text[] IS NULL OR status = ANY ($1)) AND ($2::timestamptz IS NULL OR created_at < $2)
         ORDER BY created_at DESC
         LIMIT $3
        """);

    /// <summary>Jobs, newest first.</summary>
    /// <param name="statuses">Any of these; empty for all.</param>
    /// <param name="before">Only those that are older; null for the newest.</param>
    /// <param name="limit">At most so many.</param>
    /// <param name="cancellationToken">Gives up.</param>
    public async Task<List<JobListItem>> ListAsync(
        IReadOnlyList<string> statuses, DateTimeOffset? before, int limit, CancellationToken cancellationToken)
    {
        await using var connection = await database.OpenAsync(cancellationToken);
        await using var command = new NpgsqlCommand(_text, connection);
        command.Parameters.AddArray(statuses.Count == 0 ? null : statuses.ToArray(), NpgsqlDbType.Text);
        command.Parameters.AddValue(before?.UtcDateTime, NpgsqlDbType.TimestampTz);
        command.Parameters.AddValue(limit, NpgsqlDbType.Integer);
        await using var reader = await command.ExecuteReaderAsync(cancellationToken);
        var jobs = new List<JobListItem>();
        while (await reader.ReadAsync(cancellationToken))
        {
            jobs.Add(new JobListItem
            {
                Id = reader.GetGuid(0),
                Status = reader.GetString(1),
                Phase = TextAt(reader, 2),
                Progress = reader.GetInt32(3),
                Prompt = reader.GetString(4),
                UserId = TextAt(reader, 5),
                Error = TextAt(reader, 6),
                CreatedAt = reader.GetFieldValue<DateTimeOffset>(7),
                StartedAt = TimeAt(reader, 8),
                FinishedAt = TimeAt(reader, 9),
                WorkerId = TextAt(reader, 10),
            });
        }

        return jobs;
    }

    private static string? TextAt(NpgsqlDataReader reader, int ordinal) => reader.IsDBNull(ordinal) ? null : reader.GetString(ordinal);

    private static DateTimeOffset? TimeAt(NpgsqlDataReader reader, int ordinal) =>
        reader.IsDBNull(ordinal) ? null : reader.GetFieldValue<DateTimeOffset>(ordinal);
}
