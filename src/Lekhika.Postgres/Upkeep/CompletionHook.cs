using Npgsql;
using NpgsqlTypes;

namespace Lekhika.Postgres.Upkeep;

/// <summary>The SQL function that is told of every final state, and the calls of it that raised; see <c>0010_completion_hook.sql</c>.</summary>
public sealed class CompletionHook(Database database)
{
    /// <summary>Makes the database call this function, <c>schema.function</c>, or none. Replaces whatever it called before.</summary>
    /// <returns>Whether that was a change.</returns>
    /// <exception cref="PostgresException">There is no such function with arguments (uuid, text, bigint, bigint), or the table is locked too long.</exception>
    public async Task<bool> SetAsync(string? function, CancellationToken cancellationToken)
    {
        await using var connection = await database.OpenAsync(cancellationToken);
        await using var command = new NpgsqlCommand(database.Statements.SetCompletionHook, connection);
        command.Parameters.AddValue(function, NpgsqlDbType.Text);
        return await command.ExecuteScalarAsync(cancellationToken) is true;
    }

    /// <summary>Makes calls that raised again, if they are due.</summary>
    /// <param name="limit">At most so many.</param>
    /// <param name="cancellationToken">Aborts the statement.</param>
    /// <returns>Those that raised once more.</returns>
    public async Task<List<FailedHook>> RetryAsync(int limit, CancellationToken cancellationToken)
    {
        await using var connection = await database.OpenAsync(cancellationToken);
        await using var command = new NpgsqlCommand(database.Statements.RetryHooks, connection);
        command.Parameters.Add(new NpgsqlParameter<int> { TypedValue = limit });
        await using var reader = await command.ExecuteReaderAsync(cancellationToken);
        var failed = new List<FailedHook>();
        while (await reader.ReadAsync(cancellationToken)) failed.Add(new FailedHook(reader.GetGuid(0), reader.GetInt32(1), reader.GetString(2)));
        return failed;
    }

    /// <summary>How many calls wait to be made again.</summary>
    public async Task<long> BacklogAsync(CancellationToken cancellationToken)
    {
        await using var connection = await database.OpenAsync(cancellationToken);
        await using var command = new NpgsqlCommand(database.Statements.HookBacklog, connection);
        return (long)(await command.ExecuteScalarAsync(cancellationToken))!;
    }
}

/// <summary>A call of the completion hook that raised.</summary>
/// <param name="ExecutionId">The execution.</param>
/// <param name="Attempts">Calls so far.</param>
/// <param name="Error">What it raised.</param>
public readonly record struct FailedHook(Guid ExecutionId, int Attempts, string Error);
