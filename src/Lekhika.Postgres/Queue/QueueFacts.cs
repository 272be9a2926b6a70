using Npgsql;
using NpgsqlTypes;

namespace Lekhika.Postgres.Queue;

/// <summary>One life of a daemon, as the database knows it.</summary>
public sealed record WorkerFact
{
    /// <summary>The name people gave it.</summary>
    public required string WorkerId { get; init; }

    /// <summary>Number of this life.</summary>
    public required long Incarnation { get; init; }

    /// <summary>The machine.</summary>
    public required string Host { get; init; }

    /// <summary>Where other daemons reach it.</summary>
    public string? Url { get; init; }

    /// <summary>Version of the program.</summary>
    public required string Version { get; init; }

    /// <summary>Its execution slots.</summary>
    public required int Slots { get; init; }

    /// <summary>When it began.</summary>
    public required DateTimeOffset StartedAt { get; init; }

    /// <summary>Its last heartbeat.</summary>
    public required DateTimeOffset HeartbeatAt { get; init; }

    /// <summary>When its lease ends if no heartbeat comes.</summary>
    public required DateTimeOffset ExpiresAt { get; init; }

    /// <summary>Whether its lease is valid by the database's clock.</summary>
    public required bool Alive { get; init; }

    /// <summary>Executions it holds.</summary>
    public required long Held { get; init; }
}

/// <summary>How long the queue is.</summary>
/// <param name="Ready">Executions that may be claimed.</param>
/// <param name="Held">Executions that workers own.</param>
/// <param name="Parked">Executions that wait.</param>
/// <param name="OldestAge">How long the oldest new one waits to be claimed; null if none does.</param>
public sealed record QueuePicture(long Ready, long Held, long Parked, TimeSpan? OldestAge);

/// <summary>What people ask about workers and the queue.</summary>
public sealed class QueueFacts(Database database)
{
    private readonly string _workers = database.Statements.Text("""
        SELECT w.worker_id, w.inc, w.host, w.url, w.version, w.slots, w.started_at, w.heartbeat_at, w.expires_at,
               NOT w.revoked AND w.expires_at > clock_timestamp(), (SELECT count(*) FROM {schema}.held h WHERE h.inc = w.inc)
          FROM (SELECT * FROM {schema}.workers
                 ORDER BY NOT revoked AND expires_at > clock_timestamp() DESC, inc DESC LIMIT $1) w
         ORDER BY 10 DESC, w.worker_id, w.inc DESC
        """);

    // Of the places in the order of their executions: new ones wait since they were inserted. Woken ones come first anyway, and how long they have
    // been ready is not known.
    private readonly string _queue = database.Statements.Text("""
        SELECT (SELECT count(*) FROM {schema}.ready), (SELECT count(*) FROM {schema}.held), (SELECT count(*) FROM {schema}.parked),
               (SELECT clock_timestamp() - min(e.created_at)
                  FROM (SELECT exec FROM {schema}.ready WHERE class = 1 ORDER BY exec LIMIT 50) r
                  JOIN {schema}.workflow_executions e ON e.seq = r.exec AND e.run = 1)
        """);

    private readonly string _repair = database.Statements.Text("SELECT placed, last FROM {schema}.reconcile($1, $2)");

    /// <summary>The workers, living ones first, then the newest.</summary>
    public async Task<List<WorkerFact>> WorkersAsync(int limit, CancellationToken cancellationToken)
    {
        await using var connection = await database.OpenAsync(cancellationToken);
        await using var command = new NpgsqlCommand(_workers, connection);
        command.Parameters.Add(new NpgsqlParameter<int> { TypedValue = limit });
        await using var reader = await command.ExecuteReaderAsync(cancellationToken);
        var workers = new List<WorkerFact>();
        while (await reader.ReadAsync(cancellationToken))
        {
            workers.Add(new WorkerFact
            {
                WorkerId = reader.GetString(0),
                Incarnation = reader.GetInt64(1),
                Host = reader.GetString(2),
                Url = reader.IsDBNull(3) ? null : reader.GetString(3),
                Version = reader.GetString(4),
                Slots = reader.GetInt32(5),
                StartedAt = reader.GetFieldValue<DateTimeOffset>(6),
                HeartbeatAt = reader.GetFieldValue<DateTimeOffset>(7),
                ExpiresAt = reader.GetFieldValue<DateTimeOffset>(8),
                Alive = reader.GetBoolean(9),
                Held = reader.GetInt64(10),
            });
        }

        return workers;
    }

    /// <summary>How long the queue is, and how old.</summary>
    public async Task<QueuePicture> QueueAsync(CancellationToken cancellationToken)
    {
        await using var connection = await database.OpenAsync(cancellationToken);
        await using var command = new NpgsqlCommand(_queue, connection);
        await using var reader = await command.ExecuteReaderAsync(cancellationToken);
        await reader.ReadAsync(cancellationToken);
        var age = reader.IsDBNull(3) ? (TimeSpan?)null : reader.GetTimeSpan(3);
        return new QueuePicture(reader.GetInt64(0), reader.GetInt64(1), reader.GetInt64(2), age < TimeSpan.Zero ? TimeSpan.Zero : age);
    }

    /// <summary>Gives a place to executions of a range that are not finished and have none (after a restore or replication that bypassed triggers).</summary>
    /// <param name="after">Looks at numbers above this one.</param>
    /// <param name="limit">How many executions to look at.</param>
    /// <param name="cancellationToken">Gives up.</param>
    /// <returns>How many got a place, and the last number looked at; null at the end.</returns>
    public async Task<(int Placed, long? Last)> ReconcileAsync(long after, int limit, CancellationToken cancellationToken)
    {
        await using var connection = await database.OpenAsync(cancellationToken);
        await using var command = new NpgsqlCommand(_repair, connection);
        command.Parameters.AddValue(after, NpgsqlDbType.Bigint);
        command.Parameters.AddValue(limit, NpgsqlDbType.Integer);
        await using var reader = await command.ExecuteReaderAsync(cancellationToken);
        await reader.ReadAsync(cancellationToken);
        return (reader.GetInt32(0), reader.IsDBNull(1) ? null : reader.GetInt64(1));
    }
}
