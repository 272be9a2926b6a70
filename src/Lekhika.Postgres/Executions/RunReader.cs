using System.Text.Json;
using Npgsql;
using NpgsqlTypes;

namespace Lekhika.Postgres.Executions;

/// <summary>How the next run of a failed execution is to begin.</summary>
public sealed record NextRun
{
    /// <summary>The execution.</summary>
    public required Guid Id { get; init; }

    /// <summary>The run that failed, as the caller saw it.</summary>
    public required int Run { get; init; }

    /// <summary>Keys of the steps that run again, each with everything inside it; every other finished step is taken over.</summary>
    public required IReadOnlyList<string> Again { get; init; }

    /// <summary>JSON of the definition it runs from now on; null for the one it ran before.</summary>
    public string? Definition { get; init; }

    /// <summary>What is to be done otherwise, for the prompts of the steps in <see cref="InstructionAt"/>.</summary>
    public string? Instruction { get; init; }

    /// <summary>Keys of the steps that the instruction is for, each with everything inside it.</summary>
    public IReadOnlyList<string> InstructionAt { get; init; } = [];
}

/// <summary>What a later run was opened with.</summary>
/// <param name="Instruction">What is to be done otherwise; null for nothing.</param>
/// <param name="At">Keys of the steps it is for.</param>
public sealed record RunOpening(string? Instruction, IReadOnlyList<string> At);

/// <summary>Opens later runs, and reads how they were opened.</summary>
public sealed class RunReader(Database database)
{
    /// <summary>Opens the next run of an execution that has failed; committed when it returns.</summary>
    /// <returns>Whether it was opened, and what the row says now; null if there is no such execution.</returns>
    public async Task<(bool Opened, Queue.Standing Standing)?> OpenAsync(NextRun next, CancellationToken cancellationToken)
    {
        ArgumentNullException.ThrowIfNull(next);
        await using var connection = await database.OpenAsync(cancellationToken);
        await using var command = new NpgsqlCommand(database.Statements.OpenRun, connection);
        command.Parameters.Add(new NpgsqlParameter<Guid> { TypedValue = next.Id });
        command.Parameters.Add(new NpgsqlParameter<int> { TypedValue = next.Run });
        command.Parameters.AddArray(next.Again, NpgsqlDbType.Text, static key => key);
        command.Parameters.AddValue(next.Definition, NpgsqlDbType.Jsonb);
        command.Parameters.AddValue(next.Instruction, NpgsqlDbType.Text);
        command.Parameters.AddArray(next.InstructionAt, NpgsqlDbType.Text, static key => key);
        await using var reader = await command.ExecuteReaderAsync(cancellationToken);
        if (!await reader.ReadAsync(cancellationToken) || reader.IsDBNull(0)) return null;
        return (reader.GetBoolean(0), new Queue.Standing(reader.GetInt64(3), reader.GetString(1), reader.GetInt32(2)));
    }

    /// <summary>How a run after the first was opened; null if nothing is known of it.</summary>
    public async Task<RunOpening?> OpeningAsync(long exec, int run, CancellationToken cancellationToken)
    {
        await using var connection = await database.OpenAsync(cancellationToken);
        await using var command = new NpgsqlCommand(database.Statements.Opening, connection);
        command.Parameters.Add(new NpgsqlParameter<long> { TypedValue = exec });
        command.Parameters.Add(new NpgsqlParameter<int> { TypedValue = run });
        await using var reader = await command.ExecuteReaderAsync(cancellationToken);
        if (!await reader.ReadAsync(cancellationToken)) return null;
        List<string> at = [];
        if (!reader.IsDBNull(1) && JsonText.Parse(reader.GetString(1)) is { ValueKind: JsonValueKind.Array } keys)
        {
            foreach (var key in keys.EnumerateArray()) at.Add(key.ToString());
        }

        return new RunOpening(reader.IsDBNull(0) ? null : reader.GetString(0), at);
    }
}
