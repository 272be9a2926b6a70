using Npgsql;

namespace Lekhika.Postgres.Signals;

/// <summary>Looks up what a sub-workflow node is about to start.</summary>
public sealed class ChildReader(Database database)
{
    /// <summary>How deep the parent stands, and the workflow it wants to start.</summary>
    /// <param name="parent">The execution that starts it.</param>
    /// <param name="workflow">The workflow.</param>
    /// <param name="limit">How far depth is counted.</param>
    /// <param name="cancellationToken">Aborts.</param>
    public async Task<ChildTarget> FindAsync(Guid parent, Guid workflow, int limit, CancellationToken cancellationToken)
    {
        await using var connection = await database.OpenAsync(cancellationToken);
        await using var command = new NpgsqlCommand(database.Statements.ChildTarget, connection);
        command.Parameters.Add(new NpgsqlParameter<Guid> { TypedValue = parent });
        command.Parameters.Add(new NpgsqlParameter<Guid> { TypedValue = workflow });
        command.Parameters.Add(new NpgsqlParameter<int> { TypedValue = limit });
        await database.PrepareAsync(command, cancellationToken);
        await using var reader = await command.ExecuteReaderAsync(cancellationToken);
        await reader.ReadAsync(cancellationToken);
        return new ChildTarget(
            reader.IsDBNull(0) ? 0 : reader.GetInt32(0),
            reader.IsDBNull(1) ? null : reader.GetBoolean(1),
            reader.IsDBNull(2) ? "" : reader.GetString(2));
    }
}

/// <summary>What is known before a child is started.</summary>
/// <param name="ParentDepth">How many executions stand above the parent.</param>
/// <param name="IsActive">Whether the workflow is active; null if there is none.</param>
/// <param name="Name">The workflow's name.</param>
public sealed record ChildTarget(int ParentDepth, bool? IsActive, string Name);
