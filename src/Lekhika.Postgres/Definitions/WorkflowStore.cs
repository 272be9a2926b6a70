using Lekhika.Postgres.Executions;
using Npgsql;
using NpgsqlTypes;

namespace Lekhika.Postgres.Definitions;

/// <summary>Reads and writes stored workflows.</summary>
public sealed class WorkflowStore(Database database)
{
    private const string Columns = "w.id, w.name, w.version, w.is_active, w.owner_id, w.created_at, w.updated_at";

    private readonly string _list = database.Statements.Text($$"""
        SELECT {{Columns}}, NULL::jsonb FROM {schema}.workflows w
         WHERE ($1::uuid IS NULL OR w.id > $1) AND ($2::text IS NULL OR strpos(lower(w.name), lower($2)) > 0)
         ORDER BY w.id LIMIT $3
        """);

    private readonly string _find = database.Statements.Text($$"""SELECT {{Columns}}, w.definition FROM {schema}.workflows w WHERE w.id = $1""");

    private readonly string _add = database.Statements.Text($$"""
        INSERT INTO {schema}.workflows AS w (id, name, definition, is_active, owner_id) VALUES ($1, $2, $3, $4, $5)
            ON CONFLICT (id) DO NOTHING
        RETURNING {{Columns}}, w.definition
        """);

    private readonly string _change = database.Statements.Text($$"""
        UPDATE {schema}.workflows AS w
           SET name = COALESCE($2, w.name), definition = COALESCE($3, w.definition), is_active = COALESCE($4, w.is_active),
               owner_id = COALESCE($5, w.owner_id), updated_at = now(),
               version = w.version + CASE WHEN $3 IS DISTINCT FROM w.definition AND $3 IS NOT NULL THEN 1 ELSE 0 END
         WHERE w.id = $1 AND ($6::int IS NULL OR w.version = $6)
        RETURNING {{Columns}}, w.definition
        """);

    /// <summary>Workflows in the order of their ids, without definitions.</summary>
    /// <param name="after">Only those with a higher id.</param>
    /// <param name="query">Part of the name, in any case.</param>
    /// <param name="limit">At most so many.</param>
    /// <param name="cancellationToken">Gives up.</param>
    public async Task<List<StoredWorkflow>> ListAsync(Guid? after, string? query, int limit, CancellationToken cancellationToken)
    {
        await using var connection = await database.OpenAsync(cancellationToken);
        await using var command = new NpgsqlCommand(_list, connection);
        command.Parameters.AddValue(after, NpgsqlDbType.Uuid);
        command.Parameters.AddValue(query, NpgsqlDbType.Text);
        command.Parameters.AddValue(limit, NpgsqlDbType.Integer);
        await using var reader = await command.ExecuteReaderAsync(cancellationToken);
        var list = new List<StoredWorkflow>();
        while (await reader.ReadAsync(cancellationToken)) list.Add(Read(reader));
        return list;
    }

    /// <summary>One workflow; null if there is none with that id.</summary>
    public Task<StoredWorkflow?> FindAsync(Guid id, CancellationToken cancellationToken) =>
        OneAsync(_find, command => command.Parameters.AddValue(id, NpgsqlDbType.Uuid), cancellationToken);

    /// <summary>Stores a new one.</summary>
    /// <returns>It as it is stored; null if its id is taken.</returns>
    public Task<StoredWorkflow?> AddAsync(StoredWorkflow workflow, string definition, CancellationToken cancellationToken) => OneAsync(
        _add,
        command =>
        {
            command.Parameters.AddValue(workflow.Id, NpgsqlDbType.Uuid);
            command.Parameters.AddValue(workflow.Name, NpgsqlDbType.Text);
            command.Parameters.AddValue(definition, NpgsqlDbType.Jsonb);
            command.Parameters.AddValue(workflow.IsActive, NpgsqlDbType.Boolean);
            command.Parameters.AddValue(workflow.OwnerId, NpgsqlDbType.Text);
        },
        cancellationToken);

    /// <summary>Changes one. Runs that have begun keep the definition they began with.</summary>
    /// <returns>It after the change; null if there is none with that id, or it has another version than the change was made from.</returns>
    public Task<StoredWorkflow?> ChangeAsync(Guid id, WorkflowChange change, CancellationToken cancellationToken) => OneAsync(
        _change,
        command =>
        {
            command.Parameters.AddValue(id, NpgsqlDbType.Uuid);
            command.Parameters.AddValue(change.Name, NpgsqlDbType.Text);
            command.Parameters.AddValue(change.Definition, NpgsqlDbType.Jsonb);
            command.Parameters.AddValue(change.IsActive, NpgsqlDbType.Boolean);
            command.Parameters.AddValue(change.OwnerId, NpgsqlDbType.Text);
            command.Parameters.AddValue(change.FromVersion, NpgsqlDbType.Integer);
        },
        cancellationToken);

    private async Task<StoredWorkflow?> OneAsync(string text, Action<NpgsqlCommand> fill, CancellationToken cancellationToken)
    {
        await using var connection = await database.OpenAsync(cancellationToken);
        await using var command = new NpgsqlCommand(text, connection);
        fill(command);
        await using var reader = await command.ExecuteReaderAsync(cancellationToken);
        return await reader.ReadAsync(cancellationToken) ? Read(reader) : null;
    }

    private static StoredWorkflow Read(NpgsqlDataReader reader) => new()
    {
        Id = reader.GetGuid(0),
        Name = reader.GetString(1),
        Version = reader.GetInt32(2),
        IsActive = reader.GetBoolean(3),
        OwnerId = reader.IsDBNull(4) ? null : reader.GetString(4),
        CreatedAt = reader.GetFieldValue<DateTimeOffset>(5),
        UpdatedAt = reader.GetFieldValue<DateTimeOffset>(6),
        Definition = JsonText.ParseReadable(reader.IsDBNull(7) ? null : reader.GetString(7)),
    };
}
