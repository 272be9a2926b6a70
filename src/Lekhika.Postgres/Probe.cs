using Lekhika.Postgres.Migrations;
using Npgsql;

namespace Lekhika.Postgres;

/// <summary>One look at the database: does it answer, which schema has it, what time is it there?</summary>
public sealed class Probe(Database database)
{
    /// <exception cref="NpgsqlException">It does not answer.</exception>
    public async Task<(SchemaVersion Schema, DateTimeOffset Now)> LookAsync(CancellationToken cancellationToken)
    {
        var schema = await new Migrator(database).VersionAsync(cancellationToken);
        await using var connection = await database.OpenAsync(cancellationToken);
        await using var command = new NpgsqlCommand("SELECT clock_timestamp()", connection);
        await using var reader = await command.ExecuteReaderAsync(cancellationToken);
        await reader.ReadAsync(cancellationToken);
        return (schema, reader.GetFieldValue<DateTimeOffset>(0));
    }
}
