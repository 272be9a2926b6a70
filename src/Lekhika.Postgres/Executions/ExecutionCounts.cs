using Npgsql;

namespace Lekhika.Postgres.Executions;

/// <summary>How many executions there are of each status.</summary>
/// <param name="Pending">In the queue, or not yet due to begin.</param>
/// <param name="Running">Held by a worker, or rescued from one.</param>
/// <param name="Waiting">Wait for a time, an event or a retry.</param>
/// <param name="Paused">Paused by somebody, or on the way there.</param>
/// <param name="Completed">Ended well.</param>
/// <param name="Failed">Ended with an error.</param>
/// <param name="Cancelled">Stopped.</param>
/// <param name="Exact">Whether all were counted; else the large ones among them are estimates.</param>
public sealed record ExecutionCounts(
    long Pending, long Running, long Waiting, long Paused, long Completed, long Failed, long Cancelled, bool Exact);

/// <summary>Counts executions by status without walking through the history.</summary>
public sealed class ExecutionCounter(Database database)
{
    private readonly string _text = database.Statements.Text(Text);

    // Up to so many executions are counted one by one; of more, what has ended is estimated from the statistics of the tables.
    private const string Text = """
        WITH sample AS MATERIALIZED (SELECT seq, status FROM {schema}.workflow_executions LIMIT 20001),
        small AS MATERIALIZED (SELECT count(*) <= 20000 AS yes FROM sample),
        exact AS (
            SELECT count(*) FILTER (WHERE s.status = 'pending' AND h.exec IS NULL) AS pending,
                   count(*) FILTER (WHERE s.status = 'running' OR (s.status IN ('pending', 'waiting') AND h.exec IS NOT NULL)) AS running,
                   count(*) FILTER (WHERE s.status = 'waiting' AND h.exec IS NULL) AS waiting,
                   count(*) FILTER (WHERE s.status = 'paused') AS paused,
                   count(*) FILTER (WHERE s.status = 'completed') AS completed,
                   count(*) FILTER (WHERE s.status = 'failed') AS failed,
                   count(*) FILTER (WHERE s.status = 'cancelled') AS cancelled
              FROM sample s LEFT JOIN {schema}.held h ON h.exec = s.seq
             WHERE (SELECT yes FROM small)),
        queue AS (
            SELECT (SELECT count(*) FROM {schema}.ready) AS ready, (SELECT count(*) FROM {schema}.held) AS held,
                   (SELECT count(*) FROM {schema}.parked WHERE paused) AS paused,
                   (SELECT count(*) FROM {schema}.parked WHERE NOT paused AND why = 'run_at') AS later,
                   (SELECT count(*) FROM {schema}.parked WHERE NOT paused AND why <> 'run_at') AS waiting
             WHERE NOT (SELECT yes FROM small)),
        ended AS (
            SELECT GREATEST(pg_stat_get_live_tuples('{schema}.workflow_executions'::regclass),
                            (SELECT reltuples FROM pg_class WHERE oid = '{schema}.workflow_executions'::regclass), 20001)::bigint AS rows,
                   (SELECT count(*) FROM (SELECT FROM {schema}.outcomes WHERE status = 'failed' LIMIT 100000) f) AS failed,
                   (SELECT count(*) FROM (SELECT FROM {schema}.outcomes WHERE status = 'cancelled' LIMIT 100000) c) AS cancelled
             WHERE NOT (SELECT yes FROM small))
        SELECT pending, running, waiting, paused, completed, failed, cancelled, true FROM exact WHERE (SELECT yes FROM small)
        UNION ALL
        SELECT q.ready + q.later, q.held, q.waiting, q.paused,
               GREATEST(0, e.rows - q.ready - q.held - q.paused - q.later - q.waiting - e.failed - e.cancelled), e.failed, e.cancelled, false
          FROM queue q CROSS JOIN ended e
        """;

    /// <summary>Counts them.</summary>
    public async Task<ExecutionCounts> CountAsync(CancellationToken cancellationToken)
    {
        await using var connection = await database.OpenAsync(cancellationToken);
        await using var command = new NpgsqlCommand(_text, connection);
        await using var reader = await command.ExecuteReaderAsync(cancellationToken);
        await reader.ReadAsync(cancellationToken);
        return new ExecutionCounts(
            reader.GetInt64(0), reader.GetInt64(1), reader.GetInt64(2), reader.GetInt64(3),
            reader.GetInt64(4), reader.GetInt64(5), reader.GetInt64(6), reader.GetBoolean(7));
    }
}
