using Npgsql;
using NpgsqlTypes;

namespace Lekhika.Postgres.Schedules;

/// <summary>The statements on schedules, as calls. What they mean is in <c>0012_schedules.sql</c>.</summary>
public sealed class ScheduleStore(Database database)
{
    private const string Columns =
        "s.id, s.workflow_id, s.cron, s.timezone, s.catch_up, s.catch_up_limit, s.inputs, s.user_id, s.priority, s.is_active, "
        + "s.next_run_at, s.last_run_at, s.last_execution_id, s.error, s.created_at";

    private readonly string _now = "SELECT clock_timestamp()";

    // Two ranges of the index rather than one condition with OR, which no index serves.
    private readonly string _due = database.Statements.Text($$"""
        SELECT statement_timestamp(), (SELECT min(n.next_run_at) FROM {schema}.workflow_schedules n WHERE n.is_active AND ($2 OR n.timezone = ANY ($3))),
               NULL::text, {{Columns}}
          FROM (SELECT 1) one
          LEFT JOIN LATERAL (
               (SELECT * FROM {schema}.workflow_schedules WHERE is_active AND next_run_at IS NULL AND ($2 OR timezone = ANY ($3)) LIMIT $1)
               UNION ALL
               (SELECT * FROM {schema}.workflow_schedules
                 WHERE is_active AND next_run_at <= statement_timestamp() AND ($2 OR timezone = ANY ($3)) ORDER BY next_run_at LIMIT $1)) s ON true
        """);

    private readonly string _find = database.Statements.Text($$"""
        SELECT w.name, {{Columns}}
          FROM {schema}.workflow_schedules s
          LEFT JOIN {schema}.workflows w ON w.id = s.workflow_id
         WHERE s.id = $1
        """);

    private readonly string _list = database.Statements.Text($$"""
        SELECT w.name, {{Columns}}
          FROM {schema}.workflow_schedules s
          LEFT JOIN {schema}.workflows w ON w.id = s.workflow_id
         WHERE ($1 IS NULL OR s.workflow_id = $1)
           AND ($2 IS NULL OR (s.created_at, s.id) > (SELECT c.created_at, c.id FROM {schema}.workflow_schedules c WHERE c.id = $2))
         ORDER BY s.created_at, s.id
         LIMIT $3
        """);

    private readonly string _add = database.Statements.Text($$"""
        WITH s AS (
            INSERT INTO {schema}.workflow_schedules
                   (id, workflow_id, cron, timezone, catch_up, catch_up_limit, inputs, user_id, priority, is_active, next_run_at)
            SELECT $1, w.id, $3, $4, $5, $6, $7, $8, $9, $10, $11 FROM {schema}.workflows w WHERE w.id = $2
            RETURNING *)
        SELECT w.name, {{Columns}} FROM s JOIN {schema}.workflows w ON w.id = s.workflow_id
        """);

    private readonly string _active = database.Statements.Text($$"""
        WITH s AS (UPDATE {schema}.workflow_schedules SET is_active = $2, next_run_at = $3 WHERE id = $1 RETURNING *)
        SELECT w.name, {{Columns}} FROM s LEFT JOIN {schema}.workflows w ON w.id = s.workflow_id
        """);

    private readonly string _remove = database.Statements.Text("DELETE FROM {schema}.workflow_schedules WHERE id = $1");

    private readonly string _named = database.Statements.Text("SELECT id FROM {schema}.workflows WHERE name = $1 ORDER BY id LIMIT 2");

    private readonly string _fire = database.Statements.Text("SELECT outcome, started, problem, is_news FROM {schema}.fire($1, $2, $3, $4, $5, $6, $7)");

    private readonly string _quarantine = database.Statements.Text("""
        UPDATE {schema}.workflow_schedules SET is_active = false, error = $4, next_run_at = NULL
         WHERE id = $1 AND is_active AND cron = $2 AND timezone = $3
        """);

    /// <summary>The database's time.</summary>
    public async Task<DateTimeOffset> NowAsync(CancellationToken cancellationToken)
    {
        await using var command = database.Source.CreateCommand(_now);
        await using var reader = await command.ExecuteReaderAsync(cancellationToken);
        await reader.ReadAsync(cancellationToken);
        return reader.GetFieldValue<DateTimeOffset>(0);
    }

    /// <summary>Active schedules that are due or have no slot yet.</summary>
    /// <param name="limit">At most so many of each.</param>
    /// <param name="onlyZones">Only those in these zones; null for all.</param>
    /// <param name="cancellationToken">Aborts.</param>
    public async Task<DueSchedules> DueAsync(int limit, string[]? onlyZones, CancellationToken cancellationToken)
    {
        await using var connection = await database.OpenAsync(cancellationToken);
        await using var command = new NpgsqlCommand(_due, connection);
        command.Parameters.AddValue(limit, NpgsqlDbType.Integer);
        command.Parameters.AddValue(onlyZones is null, NpgsqlDbType.Boolean);
        command.Parameters.AddArray(onlyZones ?? [], NpgsqlDbType.Text);
        await database.PrepareAsync(command, cancellationToken);
        await using var reader = await command.ExecuteReaderAsync(cancellationToken);
        var due = new List<ScheduleRow>();
        var (now, next) = (default(DateTimeOffset), default(DateTimeOffset?));
        while (await reader.ReadAsync(cancellationToken))
        {
            now = reader.GetFieldValue<DateTimeOffset>(0);
            next = reader.IsDBNull(1) ? null : reader.GetFieldValue<DateTimeOffset>(1);
            if (!reader.IsDBNull(3)) due.Add(Read(reader, 2));
        }

        return new DueSchedules(now, next, due);
    }

    /// <summary>Makes executions of <paramref name="slots"/> and sets the next slot, if the schedule is still as it was read.</summary>
    /// <param name="schedule">As it was read.</param>
    /// <param name="next">Its next slot.</param>
    /// <param name="slots">The slots to run, in order; each with the id of its execution.</param>
    /// <param name="cancellationToken">Aborts.</param>
    public async Task<FireResult> FireAsync(
        ScheduleRow schedule, DateTimeOffset next, IReadOnlyList<(DateTimeOffset Slot, Guid Execution)> slots, CancellationToken cancellationToken)
    {
        await using var connection = await database.OpenAsync(cancellationToken);
        await using var command = new NpgsqlCommand(_fire, connection);
        AddKey(command, schedule);
        command.Parameters.AddValue(schedule.NextRunAt?.UtcDateTime, NpgsqlDbType.TimestampTz);
        command.Parameters.AddValue(next.UtcDateTime, NpgsqlDbType.TimestampTz);
        command.Parameters.AddArray(slots, NpgsqlDbType.TimestampTz, static slot => slot.Slot.UtcDateTime);
        command.Parameters.AddArray(slots, NpgsqlDbType.Uuid, static slot => slot.Execution);
        await database.PrepareAsync(command, cancellationToken);
        await using var reader = await command.ExecuteReaderAsync(cancellationToken);
        await reader.ReadAsync(cancellationToken);
        var outcome = reader.GetString(0) switch
        {
            "fired" => FireOutcome.Fired,
            "advanced" => FireOutcome.Advanced,
            "skipped" => FireOutcome.Skipped,
            _ => FireOutcome.Gone,
        };
        return new FireResult(outcome, reader.GetInt32(1), reader.IsDBNull(2) ? null : reader.GetString(2), reader.GetBoolean(3));
    }

    /// <summary>Takes a schedule out that cannot be read. False if somebody else did, or it was changed.</summary>
    public async Task<bool> QuarantineAsync(ScheduleRow schedule, string reason, CancellationToken cancellationToken)
    {
        await using var command = database.Source.CreateCommand(_quarantine);
        AddKey(command, schedule);
        command.Parameters.AddValue(reason, NpgsqlDbType.Text);
        return await command.ExecuteNonQueryAsync(cancellationToken) > 0;
    }

    /// <summary>One schedule; null if there is none.</summary>
    public Task<ScheduleRow?> FindAsync(Guid id, CancellationToken cancellationToken) => OneAsync(
        _find, command => command.Parameters.AddValue(id, NpgsqlDbType.Uuid), cancellationToken);

    /// <summary>Schedules in the order they were made.</summary>
    /// <param name="workflow">Only those of this workflow.</param>
    /// <param name="after">Only those after this one.</param>
    /// <param name="limit">At most so many.</param>
    /// <param name="cancellationToken">Aborts.</param>
    public async Task<List<ScheduleRow>> ListAsync(Guid? workflow, Guid? after, int limit, CancellationToken cancellationToken)
    {
        await using var command = database.Source.CreateCommand(_list);
        command.Parameters.AddValue(workflow, NpgsqlDbType.Uuid);
        command.Parameters.AddValue(after, NpgsqlDbType.Uuid);
        command.Parameters.AddValue(limit, NpgsqlDbType.Integer);
        await using var reader = await command.ExecuteReaderAsync(cancellationToken);
        var rows = new List<ScheduleRow>();
        while (await reader.ReadAsync(cancellationToken)) rows.Add(Read(reader, 0));
        return rows;
    }

    /// <summary>Stores a schedule; null if its workflow does not exist.</summary>
    public Task<ScheduleRow?> AddAsync(ScheduleRow schedule, CancellationToken cancellationToken) => OneAsync(
        _add,
        command =>
        {
            command.Parameters.AddValue(schedule.Id, NpgsqlDbType.Uuid);
            command.Parameters.AddValue(schedule.WorkflowId, NpgsqlDbType.Uuid);
            command.Parameters.AddValue(schedule.Cron, NpgsqlDbType.Text);
            command.Parameters.AddValue(schedule.Timezone, NpgsqlDbType.Text);
            command.Parameters.AddValue(schedule.CatchUp, NpgsqlDbType.Text);
            command.Parameters.AddValue(schedule.CatchUpLimit, NpgsqlDbType.Integer);
            command.Parameters.AddValue(schedule.Inputs, NpgsqlDbType.Jsonb);
            command.Parameters.AddValue(schedule.UserId, NpgsqlDbType.Text);
            command.Parameters.AddValue(schedule.Priority, NpgsqlDbType.Integer);
            command.Parameters.AddValue(schedule.IsActive, NpgsqlDbType.Boolean);
            command.Parameters.AddValue(schedule.NextRunAt?.UtcDateTime, NpgsqlDbType.TimestampTz);
        },
        cancellationToken);

    /// <summary>Pauses or resumes; null if there is no such schedule.</summary>
    public Task<ScheduleRow?> SetActiveAsync(Guid id, bool isActive, DateTimeOffset? next, CancellationToken cancellationToken) => OneAsync(
        _active,
        command =>
        {
            command.Parameters.AddValue(id, NpgsqlDbType.Uuid);
            command.Parameters.AddValue(isActive, NpgsqlDbType.Boolean);
            command.Parameters.AddValue(next?.UtcDateTime, NpgsqlDbType.TimestampTz);
        },
        cancellationToken);

    /// <summary>Removes one; false if there is none. Its executions stay.</summary>
    public async Task<bool> RemoveAsync(Guid id, CancellationToken cancellationToken)
    {
        await using var command = database.Source.CreateCommand(_remove);
        command.Parameters.AddValue(id, NpgsqlDbType.Uuid);
        return await command.ExecuteNonQueryAsync(cancellationToken) > 0;
    }

    /// <summary>Ids of workflows of this name; two at most.</summary>
    public async Task<List<Guid>> WorkflowsNamedAsync(string name, CancellationToken cancellationToken)
    {
        await using var command = database.Source.CreateCommand(_named);
        command.Parameters.AddValue(name, NpgsqlDbType.Text);
        await using var reader = await command.ExecuteReaderAsync(cancellationToken);
        var ids = new List<Guid>();
        while (await reader.ReadAsync(cancellationToken)) ids.Add(reader.GetGuid(0));
        return ids;
    }

    private async Task<ScheduleRow?> OneAsync(string sql, Action<NpgsqlCommand> fill, CancellationToken cancellationToken)
    {
        await using var command = database.Source.CreateCommand(sql);
        fill(command);
        await using var reader = await command.ExecuteReaderAsync(cancellationToken);
        return await reader.ReadAsync(cancellationToken) ? Read(reader, 0) : null;
    }

    private static void AddKey(NpgsqlCommand command, ScheduleRow schedule)
    {
        command.Parameters.AddValue(schedule.Id, NpgsqlDbType.Uuid);
        command.Parameters.AddValue(schedule.Cron, NpgsqlDbType.Text);
        command.Parameters.AddValue(schedule.Timezone, NpgsqlDbType.Text);
    }

    private static ScheduleRow Read(NpgsqlDataReader reader, int from)
    {
        return new ScheduleRow
        {
            WorkflowName = Text(0),
            Id = reader.GetGuid(from + 1),
            WorkflowId = reader.GetGuid(from + 2),
            Cron = reader.GetString(from + 3),
            Timezone = reader.GetString(from + 4),
            CatchUp = reader.GetString(from + 5),
            CatchUpLimit = reader.GetInt32(from + 6),
            Inputs = Text(7),
            UserId = Text(8),
            Priority = reader.GetInt32(from + 9),
            IsActive = reader.GetBoolean(from + 10),
            NextRunAt = Time(11),
            LastRunAt = Time(12),
            LastExecutionId = reader.IsDBNull(from + 13) ? null : reader.GetGuid(from + 13),
            Error = Text(14),
            CreatedAt = reader.GetFieldValue<DateTimeOffset>(from + 15),
        };

        string? Text(int column) => reader.IsDBNull(from + column) ? null : reader.GetString(from + column);

        DateTimeOffset? Time(int column) => reader.IsDBNull(from + column) ? null : reader.GetFieldValue<DateTimeOffset>(from + column);
    }
}
