using Npgsql;

namespace Lekhika.Postgres;

/// <summary>Looks at a database as an operator would: what may the role do, what does it see, who else works here. Changes nothing.</summary>
public sealed class Inspection(Database database)
{
    private const string Channel = "lekhika_doctor";

    // In a schema that is shared with other programs only our own tables count.
    private const string Tables = """
        SELECT c.oid, c.relname, c.reltuples
          FROM pg_class c
         WHERE c.relnamespace = to_regnamespace('{schema}') AND c.relkind IN ('r', 'p')
           AND (c.relname IN ('workflows', 'workflow_executions', 'workflow_execution_steps', 'workflow_signals', 'workflow_schedules',
                              'workflow_generation_jobs', 'definitions', 'execution_runs', 'outcomes', 'ready', 'held', 'parked', 'commands',
                              'events', 'workers', 'schema_version'))
        """;

    /// <summary>What the role is and may do.</summary>
    /// <exception cref="NpgsqlException">The database could not be asked.</exception>
    public async Task<DatabaseFacts> LookAsync(CancellationToken cancellationToken)
    {
        await using var connection = await database.OpenAsync(cancellationToken);
        var facts = await FactsAsync(connection, cancellationToken);
        return facts with
        {
            Missing = await TextsAsync(connection, MissingPrivileges, cancellationToken),
            Guarded = await TextsAsync(connection, $"SELECT t.relname::text FROM ({Tables}) t WHERE row_security_active(t.oid) ORDER BY 1", cancellationToken),
            Workers = await WorkersAsync(connection, cancellationToken),
        };
    }

    /// <summary>Tables of which statistics know rows, while this role sees none: what row-level security does to a role that it applies to.</summary>
    /// <exception cref="NpgsqlException">The database could not be asked.</exception>
    public async Task<IReadOnlyList<string>> HiddenAsync(IEnumerable<string> guarded, CancellationToken cancellationToken)
    {
        await using var connection = await database.OpenAsync(cancellationToken);
        var hidden = new List<string>();
        foreach (var table in guarded)
        {
            // The names are those that the query above gave.
            var sql = $$"""
                SELECT NOT EXISTS (SELECT 1 FROM {schema}."{{table}}")
                       AND (pg_relation_size('{schema}."{{table}}"') > 0)
                """;
            await using var command = new NpgsqlCommand(database.Statements.Text(sql), connection);
            try
            {
                if (await command.ExecuteScalarAsync(cancellationToken) is true) hidden.Add(table);
            }
            catch (PostgresException exception) when (exception.SqlState == PostgresErrorCodes.InsufficientPrivilege)
            {
                // Reported as a missing privilege.
            }
        }

        return hidden;
    }

    /// <summary>Whether a notification sent by one connection reaches another; behind a transaction pooler it does not.</summary>
    /// <exception cref="NpgsqlException">The database could not be asked.</exception>
    public async Task<bool> NotificationsArriveAsync(TimeSpan patience, CancellationToken cancellationToken)
    {
        await using var listening = await database.OpenAsync(cancellationToken);
        await using var sending = await database.OpenAsync(cancellationToken);
        var heard = false;
        listening.Notification += (_, notification) => heard |= notification.Channel == Channel;
        await ExecuteAsync(listening, $"LISTEN {Channel}", cancellationToken);
        try
        {
            await ExecuteAsync(sending, $"NOTIFY {Channel}", cancellationToken);
            using var limit = CancellationTokenSource.CreateLinkedTokenSource(cancellationToken);
            limit.CancelAfter(patience);
            while (!heard) await listening.WaitAsync(limit.Token);
        }
        catch (OperationCanceledException) when (!cancellationToken.IsCancellationRequested)
        {
            // Nothing came in time: heard says so.
        }

        await ExecuteAsync(listening, $"UNLISTEN {Channel}", cancellationToken);
        return heard;
    }

    private const string MissingPrivileges = $$"""
        SELECT format('%s on %s', string_agg(p.name, ', ' ORDER BY p.name), t.relname)
          FROM ({{Tables}}) t
         CROSS JOIN (VALUES ('SELECT'), ('INSERT'), ('UPDATE'), ('DELETE')) p (name)
         WHERE NOT has_table_privilege(t.oid, p.name) AND (t.relname <> 'schema_version' OR p.name = 'SELECT')
         GROUP BY t.relname
        UNION ALL
        SELECT 'USAGE on the schema' WHERE to_regnamespace('{schema}') IS NOT NULL AND NOT has_schema_privilege(to_regnamespace('{schema}'), 'USAGE')
        UNION ALL
        SELECT format('EXECUTE on function %s', p.proname)
          FROM pg_proc p
         WHERE p.pronamespace = to_regnamespace('{schema}') AND '{schema}' <> '"public"' AND NOT has_function_privilege(p.oid, 'EXECUTE')
        UNION ALL
        SELECT 'CREATE on the database (migrate makes a schema in it)'
         WHERE to_regnamespace('{schema}') IS NULL AND NOT has_database_privilege(current_database(), 'CREATE')
        UNION ALL
        SELECT 'CREATE on the schema (migrate makes tables in it)'
         WHERE NOT EXISTS (SELECT FROM pg_class v WHERE v.relnamespace = to_regnamespace('{schema}') AND v.relname = 'schema_version')
           AND to_regnamespace('{schema}') IS NOT NULL
           AND NOT has_schema_privilege(to_regnamespace('{schema}'), 'CREATE')
        UNION ALL
        SELECT format('ownership of %s (migrate adopts it; its owner is %s)', c.relname, pg_get_userbyid(c.relowner))
          FROM pg_class c
         WHERE NOT EXISTS (SELECT FROM pg_class v WHERE v.relnamespace = to_regnamespace('{schema}') AND v.relname = 'schema_version')
           AND c.relnamespace = to_regnamespace('{schema}') AND c.relname = 'workflow_generation_jobs'
           AND NOT pg_has_role(c.relowner, 'USAGE')
        UNION ALL
        SELECT 'USAGE on sequence incarnations'
          FROM pg_class c
         WHERE c.relnamespace = to_regnamespace('{schema}') AND c.relname = 'incarnations' AND CASE c.relkind WHEN 'S' THEN NOT has_sequence_privilege(c.oid, 'USAGE') END
        """;

    private static async Task<DatabaseFacts> FactsAsync(NpgsqlConnection connection, CancellationToken cancellationToken)
    {
        await using var command = new NpgsqlCommand(
            """
            SELECT current_setting('server_version'), current_user::text, current_database()::text, clock_timestamp(),
                   pg_is_in_recovery() OR current_setting('transaction_read_only')::boolean,
                   current_setting('max_connections')::int - current_setting('superuser_reserved_connections')::int,
                   (SELECT count(*)::int FROM pg_stat_activity WHERE backend_type = 'client backend')
            """,
            connection);
        await using var reader = await command.ExecuteReaderAsync(cancellationToken);
        await reader.ReadAsync(cancellationToken);
        return new DatabaseFacts
        {
            ServerVersion = reader.GetString(0),
            Role = reader.GetString(1),
            Database = reader.GetString(2),
            Now = reader.GetFieldValue<DateTimeOffset>(3),
            ReadOnly = reader.GetBoolean(4),
            MaxConnections = reader.GetInt32(5),
            UsedConnections = reader.GetInt32(6),
        };
    }

    private async Task<IReadOnlyList<string>> TextsAsync(NpgsqlConnection connection, string sql, CancellationToken cancellationToken)
    {
        await using var command = new NpgsqlCommand(database.Statements.Text(sql), connection);
        await using var reader = await command.ExecuteReaderAsync(cancellationToken);
        var texts = new List<string>();
        while (await reader.ReadAsync(cancellationToken)) texts.Add(reader.GetString(0));
        return texts;
    }

    private async Task<IReadOnlyList<WorkerFacts>> WorkersAsync(NpgsqlConnection connection, CancellationToken cancellationToken)
    {
        var sql = """
            SELECT inc, worker_id, host, url, version
              FROM {schema}.workers
             WHERE NOT revoked AND expires_at > clock_timestamp()
             ORDER BY inc
             LIMIT 1000
            """;
        await using var command = new NpgsqlCommand(database.Statements.Text(sql), connection);
        try
        {
            await using var reader = await command.ExecuteReaderAsync(cancellationToken);
            var workers = new List<WorkerFacts>();
            while (await reader.ReadAsync(cancellationToken))
            {
                workers.Add(new WorkerFacts(
                    reader.GetInt64(0), reader.GetString(1), reader.GetString(2), reader.IsDBNull(3) ? null : reader.GetString(3), reader.GetString(4)));
            }

            return workers;
        }
        catch (PostgresException exception) when (exception.SqlState is
            PostgresErrorCodes.UndefinedTable or PostgresErrorCodes.InvalidSchemaName or PostgresErrorCodes.InsufficientPrivilege)
        {
            return []; // no schema yet, or no right to see it: both are told by other means
        }
    }

    private static async Task ExecuteAsync(NpgsqlConnection connection, string sql, CancellationToken cancellationToken)
    {
        await using var command = new NpgsqlCommand(sql, connection);
        await command.ExecuteNonQueryAsync(cancellationToken);
    }
}

/// <summary>What a role finds in a database.</summary>
public sealed record DatabaseFacts
{
    /// <summary>The server's version, as it writes it.</summary>
    public required string ServerVersion { get; init; }

    /// <summary>The role that is connected.</summary>
    public required string Role { get; init; }

    /// <summary>The database's name.</summary>
    public required string Database { get; init; }

    /// <summary>The database's clock.</summary>
    public required DateTimeOffset Now { get; init; }

    /// <summary>Whether nothing can be written: a standby, or a role or database that is set so.</summary>
    public required bool ReadOnly { get; init; }

    /// <summary>Connections that ordinary roles may have open together.</summary>
    public required int MaxConnections { get; init; }

    /// <summary>Connections that are open now, this one included.</summary>
    public required int UsedConnections { get; init; }

    /// <summary>Privileges that the daemon needs and the role lacks, for people.</summary>
    public IReadOnlyList<string> Missing { get; init; } = [];

    /// <summary>Tables on which row-level security applies to this role.</summary>
    public IReadOnlyList<string> Guarded { get; init; } = [];

    /// <summary>The daemons with a valid lease, oldest first.</summary>
    public IReadOnlyList<WorkerFacts> Workers { get; init; } = [];
}

/// <summary>A daemon that works on the database.</summary>
/// <param name="Incarnation">Number of its present life.</param>
/// <param name="WorkerId">Its name.</param>
/// <param name="Host">Its machine.</param>
/// <param name="Url">Where others reach it; null if they do not.</param>
/// <param name="Version">Its version.</param>
public sealed record WorkerFacts(long Incarnation, string WorkerId, string Host, string? Url, string Version);
