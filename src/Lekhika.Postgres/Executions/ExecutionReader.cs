using System.Text.Json;
using Lekhika.Postgres.Queue;
using Lekhika.Workflows.Execution;
using Npgsql;
using NpgsqlTypes;

namespace Lekhika.Postgres.Executions;

/// <summary>Reads executions, their steps and definitions.</summary>
public sealed class ExecutionReader(Database database)
{
    /// <summary>One execution; null if there is none with that id.</summary>
    public async Task<ExecutionRow?> FindAsync(Guid id, CancellationToken cancellationToken)
    {
        await using var connection = await database.OpenAsync(cancellationToken);
        await using var command = new NpgsqlCommand(database.Statements.Execution, connection);
        command.Parameters.Add(new NpgsqlParameter<Guid> { TypedValue = id });
        await database.PrepareAsync(command, cancellationToken);
        await using var reader = await command.ExecuteReaderAsync(cancellationToken);
        if (!await reader.ReadAsync(cancellationToken)) return null;
        return new ExecutionRow
        {
            Id = reader.GetGuid(0),
            Exec = reader.GetInt64(1),
            WorkflowId = reader.IsDBNull(2) ? null : reader.GetGuid(2),
            Status = reader.GetString(3),
            Priority = reader.GetInt32(4),
            Run = reader.GetInt32(5),
            Attempts = reader.GetInt32(6),
            CurrentNodeId = TextAt(reader, 7),
            WaitingFor = JsonText.ParseOrNull(TextAt(reader, 8)),
            Inputs = JsonText.ParseReadable(TextAt(reader, 9)),
            Result = JsonText.ParseOrNull(TextAt(reader, 10)),
            Error = TextAt(reader, 11),
            ErrorDetails = JsonText.ParseOrNull(TextAt(reader, 12)),
            TokensIn = reader.GetInt64(13),
            TokensOut = reader.GetInt64(14),
            Words = reader.GetInt64(15),
            WorkerId = TextAt(reader, 16),
            UserId = TextAt(reader, 17),
            CreatedAt = reader.GetFieldValue<DateTimeOffset>(18),
            StartedAt = TimeAt(reader, 19),
            FinishedAt = TimeAt(reader, 20),
            RunAt = TimeAt(reader, 21),
            RequestHash = reader.IsDBNull(22) ? null : reader.GetGuid(22),
            Definition = JsonText.ParseReadable(TextAt(reader, 23)),
            OwnerUrl = TextAt(reader, 24),
        };
    }

    /// <summary>How many places are in front of an execution; null if it is not in the queue.</summary>
    public async Task<long?> QueuePositionAsync(long exec, CancellationToken cancellationToken)
    {
        await using var connection = await database.OpenAsync(cancellationToken);
        await using var command = new NpgsqlCommand(database.Statements.QueuePosition, connection);
        command.Parameters.Add(new NpgsqlParameter<long> { TypedValue = exec });
        return await command.ExecuteScalarAsync(cancellationToken) as long?;
    }

    /// <summary>The stored records of one run, and those of earlier runs that it takes over.</summary>
    public async Task<List<StepRecord>> StepsAsync(long exec, int run, CancellationToken cancellationToken)
    {
        await using var connection = await database.OpenAsync(cancellationToken);
        await using var command = new NpgsqlCommand(database.Statements.Steps, connection);
        command.Parameters.Add(new NpgsqlParameter<long> { TypedValue = exec });
        command.Parameters.Add(new NpgsqlParameter<int> { TypedValue = run });
        await database.PrepareAsync(command, cancellationToken);
        await using var reader = await command.ExecuteReaderAsync(cancellationToken);
        var steps = new List<StepRecord>();
        while (await reader.ReadAsync(cancellationToken))
        {
            steps.Add(new StepRecord
            {
                Run = run,
                Key = reader.GetString(0),
                Attempt = reader.GetInt32(1),
                Outcome = StepOutcomes.Parse(reader.GetString(2)),
                Branch = TextAt(reader, 3),
                FiredBy = TextAt(reader, 4),
                DueAt = TimeAt(reader, 5),
                StartedAt = TimeAt(reader, 6),
                FinishedAt = TimeAt(reader, 7),
                Decision = JsonText.ParseOrNull(TextAt(reader, 8)),
                Output = JsonText.ParseOrNull(TextAt(reader, 9)),
                Error = StepOutcomes.ParseError(TextAt(reader, 10)),
                Metrics = JsonText.ParseOrNull(TextAt(reader, 11)),
            });
        }

        return steps;
    }

    /// <summary>A pinned definition by its hash; null if it is not stored.</summary>
    public async Task<JsonElement?> DefinitionAsync(Guid hash, CancellationToken cancellationToken)
    {
        await using var connection = await database.OpenAsync(cancellationToken);
        await using var command = new NpgsqlCommand(database.Statements.Definition, connection);
        command.Parameters.Add(new NpgsqlParameter<Guid> { TypedValue = hash });
        return await command.ExecuteScalarAsync(cancellationToken) is string text ? JsonText.Parse(text) : null;
    }

    /// <summary>Asks for a status as a backend would by SQL; the answer is what the row says after the trigger has judged.</summary>
    /// <returns>The status and run after the change; null if there is no such execution.</returns>
    public async Task<Standing?> SetStatusAsync(Guid id, string status, string? reason, CancellationToken cancellationToken)
    {
        await using var connection = await database.OpenAsync(cancellationToken);
        await using var command = new NpgsqlCommand(database.Statements.SetStatus, connection);
        command.Parameters.Add(new NpgsqlParameter<Guid> { TypedValue = id });
        command.Parameters.AddValue(status, NpgsqlDbType.Text);
        command.Parameters.AddValue(reason, NpgsqlDbType.Text);
        await database.PrepareAsync(command, cancellationToken);
        await using var reader = await command.ExecuteReaderAsync(cancellationToken);
        if (!await reader.ReadAsync(cancellationToken)) return null;
        return new Standing(reader.GetInt64(2), reader.GetString(0), reader.GetInt32(1));
    }

    /// <summary>Resumes a paused execution.</summary>
    /// <returns>Its status and run after the change; null if it is not paused (any more).</returns>
    public async Task<Standing?> ResumeAsync(Guid id, CancellationToken cancellationToken)
    {
        await using var connection = await database.OpenAsync(cancellationToken);
        await using var command = new NpgsqlCommand(database.Statements.Resume, connection);
        command.Parameters.Add(new NpgsqlParameter<Guid> { TypedValue = id });
        await using var reader = await command.ExecuteReaderAsync(cancellationToken);
        if (!await reader.ReadAsync(cancellationToken)) return null;
        return new Standing(reader.GetInt64(2), reader.GetString(0), reader.GetInt32(1));
    }

    private static string? TextAt(NpgsqlDataReader reader, int ordinal) => reader.IsDBNull(ordinal) ? null : reader.GetString(ordinal);

    private static DateTimeOffset? TimeAt(NpgsqlDataReader reader, int ordinal) =>
        reader.IsDBNull(ordinal) ? null : reader.GetFieldValue<DateTimeOffset>(ordinal);
}
