using Lekhika.Postgres.Executions;
using Npgsql;
using NpgsqlTypes;

namespace Lekhika.Postgres.Jobs;

/// <summary>Reads and writes generation jobs. What a job means for the queue is decided by triggers (Migrations/0014_generation.sql).</summary>
public sealed class GenerationJobs(Database database)
{
    /// <summary>One job; null if there is none with that id.</summary>
    public async Task<GenerationJobRow?> FindAsync(Guid id, CancellationToken cancellationToken)
    {
        await using var connection = await database.OpenAsync(cancellationToken);
        await using var command = new NpgsqlCommand(database.Statements.GenerationJob, connection);
        command.Parameters.Add(new NpgsqlParameter<Guid> { TypedValue = id });
        await database.PrepareAsync(command, cancellationToken);
        await using var reader = await command.ExecuteReaderAsync(cancellationToken);
        if (!await reader.ReadAsync(cancellationToken)) return null;
        return new GenerationJobRow
        {
            Id = reader.GetGuid(0),
            Status = reader.GetString(1),
            Prompt = reader.GetString(2),
            Mode = reader.GetString(3),
            Progress = reader.IsDBNull(4) ? null : reader.GetInt32(4),
            Phase = TextAt(reader, 5),
            Result = JsonText.ParseReadable(TextAt(reader, 6)),
            Error = TextAt(reader, 7),
            ErrorDetails = JsonText.ParseReadable(TextAt(reader, 8)),
            Logs = JsonText.ParseReadable(TextAt(reader, 9)),
            Observability = JsonText.ParseReadable(TextAt(reader, 10)),
            CreatedAt = reader.GetFieldValue<DateTimeOffset>(11),
            StartedAt = TimeAt(reader, 12),
            FinishedAt = TimeAt(reader, 13),
            DurationMs = reader.IsDBNull(14) ? null : reader.GetInt32(14),
            WorkerId = TextAt(reader, 15),
            RetryCount = reader.IsDBNull(16) ? 0 : reader.GetInt32(16),
            OwnerUrl = TextAt(reader, 17),
        };
    }

    /// <summary>Inserts a job; durable once it returns.</summary>
    /// <returns>False if one with that id is there already and differs; true if it was made, or is there and equal.</returns>
    public async Task<bool> InsertAsync(NewGenerationJob job, CancellationToken cancellationToken)
    {
        await using var connection = await database.OpenAsync(cancellationToken);
        await using var command = new NpgsqlCommand(database.Statements.InsertGenerationJob, connection);
        command.Parameters.AddValue(job.Id, NpgsqlDbType.Uuid);
        command.Parameters.AddValue(job.UserId, NpgsqlDbType.Uuid);
        command.Parameters.AddValue(job.Prompt, NpgsqlDbType.Text);
        command.Parameters.AddValue(job.Mode, NpgsqlDbType.Text);
        command.Parameters.AddValue(job.CurrentWorkflow, NpgsqlDbType.Jsonb);
        command.Parameters.AddValue(job.ExecutionHistory ?? "[]", NpgsqlDbType.Jsonb);
        command.Parameters.AddValue(job.Config ?? "{}", NpgsqlDbType.Jsonb);
        command.Parameters.AddValue(job.MaxRetries, NpgsqlDbType.Integer);
        if (await command.ExecuteNonQueryAsync(cancellationToken) == 1) return true;
        await using var compare = new NpgsqlCommand(database.Statements.SameGenerationJob, connection);
        foreach (NpgsqlParameter parameter in command.Parameters) compare.Parameters.Add(parameter.Clone());
        return await compare.ExecuteScalarAsync(cancellationToken) is true;
    }

    /// <summary>Cancels a job as a backend would by SQL.</summary>
    /// <returns>Its status then; null if there is no such job.</returns>
    public async Task<string?> CancelAsync(Guid id, CancellationToken cancellationToken)
    {
        await using var connection = await database.OpenAsync(cancellationToken);
        await using var command = new NpgsqlCommand(database.Statements.CancelGenerationJob, connection);
        command.Parameters.Add(new NpgsqlParameter<Guid> { TypedValue = id });
        return await command.ExecuteScalarAsync(cancellationToken) as string;
    }

    /// <summary>Sees to it that pending jobs have executions, whatever happened to the triggers.</summary>
    public async Task AdoptAsync(CancellationToken cancellationToken)
    {
        await using var connection = await database.OpenAsync(cancellationToken);
        await using var command = new NpgsqlCommand(database.Statements.AdoptGenerationJobs, connection);
        await command.ExecuteNonQueryAsync(cancellationToken);
    }

    /// <summary>The oldest pending job and how many there are (at most 1 000 are counted); null if there is none.</summary>
    public async Task<(Guid Id, long Count)?> OldestPendingAsync(CancellationToken cancellationToken)
    {
        await using var connection = await database.OpenAsync(cancellationToken);
        await using var command = new NpgsqlCommand(database.Statements.PendingGenerationJobs, connection);
        await using var reader = await command.ExecuteReaderAsync(cancellationToken);
        return await reader.ReadAsync(cancellationToken) ? (reader.GetGuid(0), reader.GetInt64(1)) : null;
    }

    /// <summary>Tells progress, under the fence of the claim.</summary>
    /// <returns>False if nothing was written: the claim or the job is over, or somebody has the row locked.</returns>
    public async Task<bool> TellAsync(GenerationProgress progress, CancellationToken cancellationToken)
    {
        await using var connection = await database.OpenAsync(cancellationToken);
        await using var command = new NpgsqlCommand(database.Statements.GenerationProgress, connection);
        command.Parameters.AddValue(progress.Job, NpgsqlDbType.Uuid);
        command.Parameters.AddValue(progress.Exec, NpgsqlDbType.Bigint);
        command.Parameters.AddValue(progress.Incarnation, NpgsqlDbType.Bigint);
        command.Parameters.AddValue(progress.Epoch, NpgsqlDbType.Integer);
        command.Parameters.AddValue(progress.Run, NpgsqlDbType.Integer);
        command.Parameters.AddValue(progress.WorkerId, NpgsqlDbType.Text);
        command.Parameters.AddValue(progress.Percent, NpgsqlDbType.Integer);
        command.Parameters.AddValue(progress.Phase, NpgsqlDbType.Text);
        command.Parameters.AddValue(progress.Retries, NpgsqlDbType.Integer);
        command.Parameters.AddValue(progress.Logs, NpgsqlDbType.Jsonb);
        return await command.ExecuteScalarAsync(cancellationToken) is true;
    }

    private static string? TextAt(NpgsqlDataReader reader, int ordinal) => reader.IsDBNull(ordinal) ? null : reader.GetString(ordinal);

    private static DateTimeOffset? TimeAt(NpgsqlDataReader reader, int ordinal) =>
        reader.IsDBNull(ordinal) ? null : reader.GetFieldValue<DateTimeOffset>(ordinal);
}
