using System.Collections.Immutable;
using Npgsql;
using NpgsqlTypes;

namespace Lekhika.Postgres.Queue;

/// <summary>Whose turn it is at the model servers that daemons share.</summary>
public sealed class ModelTurns(Database database)
{
    /// <summary>Says what this daemon has and wants at an endpoint, and hears what comes of it.</summary>
    /// <param name="incarnation">Who asks.</param>
    /// <param name="endpoint">What all daemons call the endpoint.</param>
    /// <param name="places">Models that it holds at once, at least 1.</param>
    /// <param name="has">Models whose turn this daemon has; what it had before and is not among them is given back.</param>
    /// <param name="wants">Models it waits for, in order.</param>
    /// <param name="cancellationToken">Aborts; asking again says the same.</param>
    /// <exception cref="NpgsqlException">The database could not be asked.</exception>
    public async Task<ModelTurnReply> AskAsync(
        long incarnation, string endpoint, int places, string[] has, string[] wants, CancellationToken cancellationToken)
    {
        await using var connection = await database.OpenAsync(cancellationToken);
        await using var command = new NpgsqlCommand(database.Statements.ModelTurn, connection);
        command.Parameters.Add(new NpgsqlParameter<long> { TypedValue = incarnation });
        command.Parameters.Add(new NpgsqlParameter<string> { TypedValue = endpoint });
        command.Parameters.Add(new NpgsqlParameter<int> { TypedValue = places });
        command.Parameters.AddArray(has, NpgsqlDbType.Text);
        command.Parameters.AddArray(wants, NpgsqlDbType.Text);
        await database.PrepareAsync(command, cancellationToken);
        await using var reader = await command.ExecuteReaderAsync(cancellationToken);
        await reader.ReadAsync(cancellationToken);
        return new ModelTurnReply(
            reader.GetBoolean(0), [.. reader.GetFieldValue<string[]>(1)], [.. reader.GetFieldValue<string[]>(2)]);
    }
}

/// <summary>What came of asking.</summary>
/// <param name="Alone">No other daemon is alive.</param>
/// <param name="Granted">Of the models wanted, those whose turn this daemon has from now on.</param>
/// <param name="Contested">Of the models it has, those that another daemon's model waits for.</param>
public sealed record ModelTurnReply(bool Alone, ImmutableArray<string> Granted, ImmutableArray<string> Contested);
