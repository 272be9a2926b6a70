using Npgsql;
using NpgsqlTypes;

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

/// <summary>Inserts executions: durable once it returns.</summary>
public sealed class Submitter(Database database)
{
    /// <summary>Inserts one, claimed by <paramref name="incarnation"/> at once if <paramref name="claim"/>.</summary>
    /// <exception cref="NpgsqlException">It could not be made durable; it may or may not be there, so asking again is right.</exception>
    public async Task<SubmissionResult> SubmitAsync(long incarnation, bool claim, Submission submission, CancellationToken cancellationToken)
    {
        await using var connection = await database.OpenAsync(cancellationToken);
        await using var command = new NpgsqlCommand(database.Statements.Submit, connection);
        command.Parameters.AddValue(incarnation, NpgsqlDbType.Bigint);
        command.Parameters.AddValue(claim, NpgsqlDbType.Boolean);
        command.Parameters.AddValue(submission.Id, NpgsqlDbType.Uuid);
        command.Parameters.AddValue(submission.WorkflowId, NpgsqlDbType.Uuid);
        command.Parameters.AddValue(submission.Definition, NpgsqlDbType.Jsonb);
        command.Parameters.AddValue(submission.Inputs, NpgsqlDbType.Jsonb);
        command.Parameters.AddValue(submission.UserId, NpgsqlDbType.Text);
        command.Parameters.AddValue(submission.Priority, NpgsqlDbType.Integer);
        command.Parameters.AddValue(submission.RunAt?.UtcDateTime, NpgsqlDbType.TimestampTz);
        command.Parameters.AddValue(submission.TimeoutAt?.UtcDateTime, NpgsqlDbType.TimestampTz);
        command.Parameters.AddValue(submission.IdempotencyKey, NpgsqlDbType.Text);
        command.Parameters.AddValue(submission.Request, NpgsqlDbType.Jsonb);
        command.Parameters.AddValue(submission.RequestHash, NpgsqlDbType.Uuid);
        await database.PrepareAsync(command, cancellationToken);
        await using var reader = await command.ExecuteReaderAsync(cancellationToken);
        await reader.ReadAsync(cancellationToken);
        return new SubmissionResult(
            reader.GetBoolean(0), reader.GetBoolean(1), reader.GetGuid(2), reader.GetInt64(3), reader.GetString(4), reader.GetInt32(5),
            reader.IsDBNull(6) ? null : reader.GetGuid(6), reader.GetFieldValue<DateTimeOffset>(7))
        {
            DefinitionHash = reader.IsDBNull(8) ? null : reader.GetGuid(8),
            WorkflowActive = reader.IsDBNull(9) ? null : reader.GetBoolean(9),
        };
    }
}
