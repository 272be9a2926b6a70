using Lekhika.Postgres.Executions;
using Npgsql;
using NpgsqlTypes;

namespace Lekhika.Postgres.Queue;

/// <summary>The statements of the queue, as calls.</summary>
/// <param name="database">Where.</param>
/// <param name="kept">The connection that claims are made on; null for any.</param>
public sealed class QueueReader(Database database, KeptConnection? kept = null)
{
    private const string RevokedState = "LK001";

    /// <summary>Claims up to <paramref name="limit"/> executions.</summary>
    /// <param name="incarnation">Who claims.</param>
    /// <param name="limit">At most so many; free slots.</param>
    /// <param name="lists">Which lists, above which watermark, how many of each; null takes in the queue's own order.</param>
    /// <param name="cancellationToken">Aborts; a claim that was committed all the same is found by <see cref="HoldingsAsync"/>.</param>
    /// <exception cref="RevokedException">The incarnation may not claim any more.</exception>
    public async Task<List<ClaimedExecution>> ClaimAsync(
        long incarnation, int limit, IReadOnlyList<ListShare>? lists, CancellationToken cancellationToken)
    {
        await using var loan = await KeptConnection.OpenAsync(kept, database, cancellationToken);
        return await ClaimAsync(loan.Connection, incarnation, limit, lists, cancellationToken);
    }

    /// <summary>The same on a connection that has a transaction open.</summary>
    internal async Task<List<ClaimedExecution>> ClaimAsync(
        NpgsqlConnection connection, long incarnation, int limit, IReadOnlyList<ListShare>? lists, CancellationToken cancellationToken)
    {
        await using var command = new NpgsqlCommand(database.Statements.Claim, connection);
        command.Parameters.Add(new NpgsqlParameter<long> { TypedValue = incarnation });
        command.Parameters.Add(new NpgsqlParameter<int> { TypedValue = limit });
        AddLists(command, lists);
        try
        {
            return await ReadAsync(command, cancellationToken);
        }
        catch (PostgresException exception) when (exception.SqlState == RevokedState)
        {
            throw new RevokedException();
        }
    }

    /// <summary>What the incarnation holds without knowing it: claims whose reply was lost.</summary>
    public async Task<List<ClaimedExecution>> HoldingsAsync(long incarnation, long[] known, CancellationToken cancellationToken)
    {
        await using var connection = await database.OpenAsync(cancellationToken);
        await using var command = new NpgsqlCommand(database.Statements.Holdings, connection);
        command.Parameters.Add(new NpgsqlParameter<long> { TypedValue = incarnation });
        command.Parameters.AddArray(known, NpgsqlDbType.Bigint);
        return await ReadAsync(command, cancellationToken);
    }

    /// <summary>The lists that are not empty, at most <paramref name="limit"/>, in order, beginning after <paramref name="after"/>.</summary>
    public async Task<List<WaitingList>> ListsAsync(int limit, QueueList? after, CancellationToken cancellationToken)
    {
        await using var loan = await KeptConnection.OpenAsync(kept, database, cancellationToken);
        await using var command = new NpgsqlCommand(database.Statements.Lists, loan.Connection);
        command.Parameters.Add(new NpgsqlParameter<int> { TypedValue = limit });
        command.Parameters.Add(new NpgsqlParameter<short> { TypedValue = after?.Class ?? short.MinValue });
        command.Parameters.Add(new NpgsqlParameter<short> { TypedValue = after?.Pri ?? short.MinValue });
        command.Parameters.Add(new NpgsqlParameter<int> { TypedValue = after?.Tenant ?? int.MinValue });
        await database.PrepareAsync(command, cancellationToken);
        await using var reader = await command.ExecuteReaderAsync(cancellationToken);
        var lists = new List<WaitingList>();
        while (await reader.ReadAsync(cancellationToken))
        {
            var list = new QueueList(reader.GetInt16(0), reader.GetInt16(1), reader.GetInt32(2));
            lists.Add(new WaitingList(list, TimeSpan.FromSeconds(Math.Clamp(reader.GetDouble(3), 0, TimeSpan.MaxValue.TotalSeconds / 2))));
        }

        return lists;
    }

    /// <summary>Obeys commands for executions nobody holds. Returns how many commands were obeyed.</summary>
    public async Task<int> ObeyAsync(int limit, CancellationToken cancellationToken)
    {
        await using var connection = await database.OpenAsync(cancellationToken);
        await using var command = new NpgsqlCommand(database.Statements.Obey, connection);
        command.Parameters.Add(new NpgsqlParameter<int> { TypedValue = limit });
        await database.PrepareAsync(command, cancellationToken);
        return (int)(await command.ExecuteScalarAsync(cancellationToken))!;
    }

    /// <summary>Wakes what is due. Returns how many were woken, and how long until the next one is due.</summary>
    public async Task<(int Moved, TimeSpan? NextIn)> WakeDueAsync(int limit, CancellationToken cancellationToken)
    {
        await using var connection = await database.OpenAsync(cancellationToken);
        await using var command = new NpgsqlCommand(database.Statements.WakeDue, connection);
        command.Parameters.Add(new NpgsqlParameter<int> { TypedValue = limit });
        await database.PrepareAsync(command, cancellationToken);
        await using var reader = await command.ExecuteReaderAsync(cancellationToken);
        await reader.ReadAsync(cancellationToken);
        return (reader.GetInt32(0), reader.IsDBNull(1) ? null : reader.GetTimeSpan(1));
    }

    /// <summary>Takes over what dead incarnations hold. Returns how many executions.</summary>
    public async Task<int> RescueAsync(long incarnation, CancellationToken cancellationToken)
    {
        await using var connection = await database.OpenAsync(cancellationToken);
        await using var command = new NpgsqlCommand(database.Statements.Rescue, connection);
        command.Parameters.Add(new NpgsqlParameter<long> { TypedValue = incarnation });
        await database.PrepareAsync(command, cancellationToken);
        return (int)(await command.ExecuteScalarAsync(cancellationToken))!;
    }

    /// <summary>Revokes an incarnation and puts what it holds back into the queue. Returns how many executions.</summary>
    public async Task<int> EvictAsync(long incarnation, CancellationToken cancellationToken)
    {
        await using var connection = await database.OpenAsync(cancellationToken);
        await using var command = new NpgsqlCommand(database.Statements.Evict, connection);
        command.Parameters.AddArray([incarnation], NpgsqlDbType.Bigint);
        await database.PrepareAsync(command, cancellationToken);
        return (int)(await command.ExecuteScalarAsync(cancellationToken))!;
    }

    /// <summary>Takes over what an incarnation of the same host still holds. Returns how many executions.</summary>
    public async Task<int> TakeOverAsync(long previous, string host, CancellationToken cancellationToken)
    {
        await using var connection = await database.OpenAsync(cancellationToken);
        await using var command = new NpgsqlCommand(database.Statements.TakeOver, connection);
        command.Parameters.Add(new NpgsqlParameter<long> { TypedValue = previous });
        command.Parameters.Add(new NpgsqlParameter<string> { TypedValue = host });
        return (int)(await command.ExecuteScalarAsync(cancellationToken))!;
    }

    /// <summary>Of the given held executions, those whose row does not simply say "go on".</summary>
    public async Task<List<Standing>> StandingAsync(IReadOnlyList<Fence> held, CancellationToken cancellationToken)
    {
        await using var connection = await database.OpenAsync(cancellationToken);
        await using var command = new NpgsqlCommand(database.Statements.Standing, connection);
        command.Parameters.AddArray(held, NpgsqlDbType.Bigint, static fence => fence.Exec);
        command.Parameters.AddArray(held, NpgsqlDbType.Integer, static fence => fence.Run);
        await database.PrepareAsync(command, cancellationToken);
        await using var reader = await command.ExecuteReaderAsync(cancellationToken);
        var standings = new List<Standing>();
        while (await reader.ReadAsync(cancellationToken))
        {
            standings.Add(new Standing(
                reader.GetInt64(0),
                reader.IsDBNull(1) ? null : reader.GetString(1),
                reader.IsDBNull(2) ? null : reader.GetInt32(2)));
        }

        return standings;
    }

    /// <summary>Adds the arrays of <c>claim</c> and <c>admit</c>.</summary>
    internal static void AddLists(NpgsqlCommand command, IReadOnlyList<ListShare>? lists)
    {
        command.Parameters.AddArray(lists?.Select(share => share.List.Class).ToArray(), NpgsqlDbType.Smallint);
        command.Parameters.AddArray(lists?.Select(share => share.List.Pri).ToArray(), NpgsqlDbType.Smallint);
        command.Parameters.AddArray(lists?.Select(share => share.List.Tenant).ToArray(), NpgsqlDbType.Integer);
        command.Parameters.AddArray(lists?.Select(share => share.Above).ToArray(), NpgsqlDbType.Bigint);
        command.Parameters.AddArray(lists?.Select(share => share.Take).ToArray(), NpgsqlDbType.Integer);
    }

    private async Task<List<ClaimedExecution>> ReadAsync(NpgsqlCommand command, CancellationToken cancellationToken)
    {
        var claimed = new List<ClaimedExecution>();
        await database.PrepareAsync(command, cancellationToken);
        await using var reader = await command.ExecuteReaderAsync(cancellationToken);
        while (await reader.ReadAsync(cancellationToken))
        {
            claimed.Add(new ClaimedExecution
            {
                Place = reader.GetInt64(0),
                List = new QueueList(reader.GetInt16(1), reader.GetInt16(2), reader.GetInt32(3)),
                Fence = new Fence(reader.GetInt64(4), reader.GetInt32(5), reader.GetInt32(6)),
                Rescues = reader.GetInt16(7),
                Id = reader.GetGuid(8),
                Status = reader.GetString(9),
                WorkflowId = reader.IsDBNull(10) ? null : reader.GetGuid(10),
                WorkflowActive = reader.IsDBNull(11) ? null : reader.GetBoolean(11),
                DefinitionHash = reader.IsDBNull(12) ? null : reader.GetGuid(12),
                Definition = reader.IsDBNull(13) ? null : reader.GetString(13),
                Inputs = reader.IsDBNull(14) ? null : reader.GetString(14),
                UserId = reader.IsDBNull(15) ? null : reader.GetString(15),
                Priority = reader.GetInt32(16),
                CreatedAt = reader.GetFieldValue<DateTimeOffset>(17),
                StartedAt = reader.IsDBNull(18) ? null : reader.GetFieldValue<DateTimeOffset>(18),
                TimeoutAt = reader.IsDBNull(19) ? null : reader.GetFieldValue<DateTimeOffset>(19),
                Request = reader.IsDBNull(20) ? null : reader.GetString(20),
            });
        }

        return claimed;
    }
}

/// <summary>How much of one list a claim takes.</summary>
/// <param name="List">The list.</param>
/// <param name="Above">Its watermark: only places after it are looked at.</param>
/// <param name="Take">At most so many of it.</param>
public readonly record struct ListShare(QueueList List, long Above, int Take);

/// <summary>A list that is not empty.</summary>
/// <param name="List">The list.</param>
/// <param name="Waited">Age of the execution that is first in it.</param>
public readonly record struct WaitingList(QueueList List, TimeSpan Waited);

/// <summary>What the row of a held execution says.</summary>
/// <param name="Exec">The execution.</param>
/// <param name="Status">Its status; null if the row is gone.</param>
/// <param name="Run">Its run.</param>
public readonly record struct Standing(long Exec, string? Status, int? Run);
