using Npgsql;

namespace Lekhika.Postgres.Adopt;

/// <summary>Rows of the earlier platforms' tables that could not be written; see <c>0017_adopt.sql</c>.</summary>
public sealed class Mirrors(Database database)
{
    /// <summary>How many wait to be written again.</summary>
    public async Task<long> BacklogAsync(CancellationToken cancellationToken)
    {
        await using var connection = await database.OpenAsync(cancellationToken);
        await using var command = new NpgsqlCommand(database.Statements.MirrorBacklog, connection);
        return (long)(await command.ExecuteScalarAsync(cancellationToken))!;
    }

    /// <summary>Writes again those that are due.</summary>
    /// <param name="limit">At most so many.</param>
    /// <param name="cancellationToken">Aborts the statement.</param>
    /// <returns>Those that failed once more.</returns>
    public async Task<List<FailedMirror>> RetryAsync(int limit, CancellationToken cancellationToken)
    {
        await using var connection = await database.OpenAsync(cancellationToken);
        await using var command = new NpgsqlCommand(database.Statements.RetryMirrors, connection);
        command.Parameters.Add(new NpgsqlParameter<int> { TypedValue = limit });
        await using var reader = await command.ExecuteReaderAsync(cancellationToken);
        var failed = new List<FailedMirror>();
        while (await reader.ReadAsync(cancellationToken)) failed.Add(new FailedMirror(reader.GetGuid(0), reader.GetInt32(1), reader.GetString(2)));
        return failed;
    }
}

/// <summary>An execution that could not be written to its platform's table.</summary>
/// <param name="ExecutionId">The execution.</param>
/// <param name="Attempts">Tries so far.</param>
/// <param name="Error">Why not.</param>
public readonly record struct FailedMirror(Guid ExecutionId, int Attempts, string Error);
