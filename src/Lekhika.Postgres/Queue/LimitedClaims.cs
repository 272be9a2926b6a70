using Npgsql;
using NpgsqlTypes;

namespace Lekhika.Postgres.Queue;

/// <summary>What the configuration sets for each user or each workflow; rows of <c>limits</c> replace it.</summary>
/// <param name="Concurrency">Most executions at work at a time; null for no limit.</param>
/// <param name="Rate">Most executions that start within <paramref name="Per"/>; null for no limit.</param>
/// <param name="Per">The period of <paramref name="Rate"/>.</param>
public sealed record StartLimit(int? Concurrency, int? Rate, TimeSpan Per)
{
    /// <summary>No limit.</summary>
    public static StartLimit None { get; } = new(null, null, TimeSpan.FromMinutes(1));

    /// <summary>Whether it limits anything.</summary>
    public bool IsSet => Concurrency is not null || Rate is not null;
}

/// <summary>The limits of the configuration.</summary>
/// <param name="User">Of each user; executions without a user have none.</param>
/// <param name="Workflow">Of each stored workflow.</param>
public sealed record StartLimits(StartLimit User, StartLimit Workflow)
{
    /// <summary>No limits.</summary>
    public static StartLimits None { get; } = new(StartLimit.None, StartLimit.None);

    /// <summary>Whether an execution of this user and workflow has to be counted.</summary>
    public bool Apply(string? userId, Guid? workflowId) => (User.IsSet && userId is not null) || (Workflow.IsSet && workflowId is not null);
}

/// <summary>What a claim under limits brought.</summary>
/// <param name="Claimed">The executions.</param>
/// <param name="More">Places were moved out of the way and there may be more behind them: look again at once.</param>
public sealed record LimitedClaim(List<ClaimedExecution> Claimed, bool More);

/// <summary>Claims under limits (0013_limits.sql): admit, claim and count in one transaction, so that a limit holds over all daemons.</summary>
public sealed class LimitedClaims(Database database, StartLimits limits, KeptConnection? kept = null)
{
    private readonly QueueReader _queue = new(database);

    /// <summary>Whether there are limits at all; without, claims need not come here.</summary>
    public async Task<bool> AreThereAsync(CancellationToken cancellationToken)
    {
        if (limits.User.IsSet || limits.Workflow.IsSet) return true;
        await using var loan = await KeptConnection.OpenAsync(kept, database, cancellationToken);
        await using var command = new NpgsqlCommand(database.Statements.HasLimits, loan.Connection);
        await database.PrepareAsync(command, cancellationToken);
        return await command.ExecuteScalarAsync(cancellationToken) is true;
    }

    /// <summary>Claims up to <paramref name="limit"/> executions from the lists, as far as limits allow.</summary>
    /// <exception cref="RevokedException">The incarnation may not claim any more.</exception>
    public async Task<LimitedClaim> ClaimAsync(long incarnation, int limit, IReadOnlyList<ListShare> lists, CancellationToken cancellationToken)
    {
        await using var loan = await KeptConnection.OpenAsync(kept, database, cancellationToken);
        var connection = loan.Connection;
        await using var transaction = await connection.BeginTransactionAsync(cancellationToken);
        var (admitted, more) = await AdmitAsync(connection, limit, lists, cancellationToken);
        List<ClaimedExecution> claimed = [];
        if (admitted.Count > 0)
        {
            claimed = await _queue.ClaimAsync(connection, incarnation, limit, admitted, cancellationToken);
            if (claimed.Count > 0) await CountAsync(connection, claimed, cancellationToken);
        }

        await transaction.CommitAsync(cancellationToken);
        return new LimitedClaim(claimed, more);
    }

    /// <summary>Removes what does not count any more, of at most <paramref name="gates"/> users and workflows. Returns how many rows.</summary>
    public async Task<int> TidyAsync(int gates, CancellationToken cancellationToken)
    {
        await using var connection = await database.OpenAsync(cancellationToken);
        await using var command = new NpgsqlCommand(database.Statements.TidyLimits, connection);
        command.Parameters.AddValue(gates, NpgsqlDbType.Integer);
        return (int)(await command.ExecuteScalarAsync(cancellationToken))!;
    }

    private async Task<(List<ListShare> Lists, bool More)> AdmitAsync(
        NpgsqlConnection connection, int limit, IReadOnlyList<ListShare> lists, CancellationToken cancellationToken)
    {
        await using var command = new NpgsqlCommand(database.Statements.Admit, connection);
        command.Parameters.AddValue(limit, NpgsqlDbType.Integer);
        QueueReader.AddLists(command, lists);
        foreach (var each in new[] { limits.User, limits.Workflow })
        {
            command.Parameters.AddValue(each.Concurrency, NpgsqlDbType.Integer);
            command.Parameters.AddValue(each.Rate, NpgsqlDbType.Integer);
            command.Parameters.AddValue(each.Per, NpgsqlDbType.Interval);
        }

        await database.PrepareAsync(command, cancellationToken);
        await using var reader = await command.ExecuteReaderAsync(cancellationToken);
        await reader.ReadAsync(cancellationToken);
        var classes = reader.GetFieldValue<short[]>(0);
        var pris = reader.GetFieldValue<short[]>(1);
        var tenants = reader.GetFieldValue<int[]>(2);
        var marks = reader.GetFieldValue<long[]>(3);
        var takes = reader.GetFieldValue<int[]>(4);
        // A list whose gate has opened is named for that, and again as the plan wants it: one share, or its places would be claimed twice over.
        var admitted = new List<ListShare>(classes.Length);
        for (var i = 0; i < classes.Length; i++)
        {
            var share = new ListShare(new QueueList(classes[i], pris[i], tenants[i]), marks[i], takes[i]);
            var same = admitted.FindIndex(other => other.List == share.List);
            if (same < 0) admitted.Add(share);
            else admitted[same] = new ListShare(share.List, Math.Min(admitted[same].Above, share.Above), admitted[same].Take + share.Take);
        }

        return (admitted, reader.GetBoolean(5));
    }

    private async Task CountAsync(NpgsqlConnection connection, List<ClaimedExecution> claimed, CancellationToken cancellationToken)
    {
        await using var command = new NpgsqlCommand(database.Statements.CountClaims, connection);
        command.Parameters.AddArray(claimed, NpgsqlDbType.Bigint, static one => one.Fence.Exec);
        command.Parameters.AddArray(claimed, NpgsqlDbType.Boolean, static one => one.Fence.Epoch == 1);
        foreach (var each in new[] { limits.User, limits.Workflow })
        {
            command.Parameters.AddValue(each.Concurrency is not null, NpgsqlDbType.Boolean);
            command.Parameters.AddValue(each.Rate is not null, NpgsqlDbType.Boolean);
        }

        await database.PrepareAsync(command, cancellationToken);
        await command.ExecuteNonQueryAsync(cancellationToken);
    }
}
