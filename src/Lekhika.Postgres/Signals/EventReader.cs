using System.Text.Json;
using Lekhika.Postgres.Executions;
using Npgsql;
using NpgsqlTypes;

namespace Lekhika.Postgres.Signals;

/// <summary>Events that are not consumed: read by owners, matched with what is parked. Consuming one is the journal's.</summary>
public sealed class EventReader(Database database)
{
    /// <summary>The events of a run with one of these topics, oldest first, at most a thousand.</summary>
    public async Task<List<WaitEvent>> EventsAsync(long exec, int run, IReadOnlyList<string> topics, CancellationToken cancellationToken)
    {
        await using var connection = await database.OpenAsync(cancellationToken);
        await using var command = new NpgsqlCommand(database.Statements.Events, connection);
        command.Parameters.Add(new NpgsqlParameter<long> { TypedValue = exec });
        command.Parameters.Add(new NpgsqlParameter<int> { TypedValue = run });
        command.Parameters.AddArray(topics.ToArray(), NpgsqlDbType.Text);
        await database.PrepareAsync(command, cancellationToken);
        await using var reader = await command.ExecuteReaderAsync(cancellationToken);
        var events = new List<WaitEvent>();
        while (await reader.ReadAsync(cancellationToken)) events.Add(Read(reader));
        return events;
    }

    /// <summary>Of these waits of held executions, the executions for which an event is there.</summary>
    public async Task<HashSet<long>> AnsweredAsync(IReadOnlyList<(Fence Fence, string Topic)> waits, CancellationToken cancellationToken)
    {
        await using var connection = await database.OpenAsync(cancellationToken);
        await using var command = new NpgsqlCommand(database.Statements.Answered, connection);
        command.Parameters.AddArray(waits, NpgsqlDbType.Bigint, static wait => wait.Fence.Exec);
        command.Parameters.AddArray(waits, NpgsqlDbType.Integer, static wait => wait.Fence.Run);
        command.Parameters.AddArray(waits, NpgsqlDbType.Text, static wait => wait.Topic);
        await database.PrepareAsync(command, cancellationToken);
        await using var reader = await command.ExecuteReaderAsync(cancellationToken);
        var answered = new HashSet<long>();
        while (await reader.ReadAsync(cancellationToken)) answered.Add(reader.GetInt64(0));
        return answered;
    }

    /// <summary>Wakes parked executions whose event is there.</summary>
    /// <param name="parked">Executions that have just been parked: all their events are looked at.</param>
    /// <param name="after">Where the round over the table has come to; 0 begins anew.</param>
    /// <param name="limit">How many of the newest events, and of those after <paramref name="after"/>, are looked at.</param>
    /// <param name="cancellationToken">Aborts.</param>
    /// <returns>How many were woken, and the next <paramref name="after"/>.</returns>
    public Task<(int Moved, long Last)> MatchAsync(long[] parked, long after, int limit, CancellationToken cancellationToken) =>
        RoundAsync(database.Statements.MatchEvents, parked, after, limit, cancellationToken);

    /// <summary>Drops events that nothing will ever take.</summary>
    /// <returns>How many were dropped, and the next <paramref name="after"/>.</returns>
    public Task<(int Dropped, long Last)> DropAsync(long after, int limit, CancellationToken cancellationToken) =>
        RoundAsync(database.Statements.DropEvents, parked: null, after, limit, cancellationToken);

    private async Task<(int Count, long Last)> RoundAsync(string sql, long[]? parked, long after, int limit, CancellationToken cancellationToken)
    {
        await using var connection = await database.OpenAsync(cancellationToken);
        await using var command = new NpgsqlCommand(sql, connection);
        if (parked is not null) command.Parameters.AddArray(parked, NpgsqlDbType.Bigint);
        command.Parameters.Add(new NpgsqlParameter<long> { TypedValue = after });
        command.Parameters.Add(new NpgsqlParameter<int> { TypedValue = limit });
        await database.PrepareAsync(command, cancellationToken);
        await using var reader = await command.ExecuteReaderAsync(cancellationToken);
        await reader.ReadAsync(cancellationToken);
        return (reader.GetInt32(0), reader.GetInt64(1));
    }

    private static WaitEvent Read(NpgsqlDataReader reader)
    {
        var payload = JsonAt(reader, 3);
        return new WaitEvent
        {
            Id = reader.GetInt64(0),
            Topic = reader.GetString(1),
            Name = reader.GetString(2),
            Payload = payload,
            At = reader.GetFieldValue<DateTimeOffset>(4),
            Child = reader.GetBoolean(5)
                ? new ChildEnd(
                    reader.IsDBNull(6) ? "deleted" : reader.GetString(6), JsonAt(reader, 7), reader.IsDBNull(8) ? null : reader.GetString(8), JsonAt(reader, 9))
                : null,
        };
    }

    private static JsonElement? JsonAt(NpgsqlDataReader reader, int ordinal) =>
        reader.IsDBNull(ordinal) ? null : JsonText.ParseReadable(reader.GetString(ordinal));
}
