using Npgsql;
using NpgsqlTypes;

namespace Lekhika.Postgres.Upkeep;

/// <summary>Removes finished executions and what they leave, batch by batch; see <c>0011_retention.sql</c>.</summary>
public sealed class Retention(Database database)
{
    /// <summary>One batch of the walk over executions. Of all daemons one at a time gets to do it.</summary>
    /// <param name="ages">How long finished ones are kept.</param>
    /// <param name="walk">Rows to look at.</param>
    /// <param name="cancellationToken">Aborts the statement.</param>
    /// <returns>How many were removed, and when to come again.</returns>
    public async Task<(int Removed, TimeSpan NextIn)> RetainAsync(RetentionAges ages, int walk, CancellationToken cancellationToken)
    {
        ArgumentNullException.ThrowIfNull(ages);
        await using var connection = await database.OpenAsync(cancellationToken);
        await using var command = new NpgsqlCommand(database.Statements.Retain, connection);
        command.Parameters.AddValue(ages.Completed, NpgsqlDbType.Interval);
        command.Parameters.AddValue(ages.Failed, NpgsqlDbType.Interval);
        command.Parameters.AddValue(ages.Cancelled, NpgsqlDbType.Interval);
        command.Parameters.Add(new NpgsqlParameter<int> { TypedValue = walk });
        await using var reader = await command.ExecuteReaderAsync(cancellationToken);
        await reader.ReadAsync(cancellationToken);
        return (reader.GetInt32(1), reader.GetTimeSpan(2));
    }

    /// <summary>Deletes steps and other rows of executions that are gone.</summary>
    /// <param name="limit">About so many rows.</param>
    /// <param name="cancellationToken">Aborts the statement.</param>
    /// <returns>Rows deleted; fewer than <paramref name="limit"/> means that nothing is left.</returns>
    public async Task<int> ClearAsync(int limit, CancellationToken cancellationToken)
    {
        await using var connection = await database.OpenAsync(cancellationToken);
        await using var command = new NpgsqlCommand(database.Statements.ClearRemoved, connection);
        command.Parameters.Add(new NpgsqlParameter<int> { TypedValue = limit });
        return (int)(await command.ExecuteScalarAsync(cancellationToken))!;
    }

    /// <summary>Deletes definitions that nothing names any more; does so once a day, however often it is called.</summary>
    public async Task<int> SweepDefinitionsAsync(CancellationToken cancellationToken)
    {
        await using var connection = await database.OpenAsync(cancellationToken);
        await using var command = new NpgsqlCommand(database.Statements.SweepDefinitions, connection) { CommandTimeout = 600 };
        return (int)(await command.ExecuteScalarAsync(cancellationToken))!;
    }
}

/// <summary>How long finished executions are kept, by status; null keeps them for ever.</summary>
public sealed record RetentionAges(TimeSpan? Completed, TimeSpan? Failed, TimeSpan? Cancelled);
