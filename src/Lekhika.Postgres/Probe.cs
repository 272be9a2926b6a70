using Lekhika.Postgres.Migrations;
using Npgsql;

namespace Lekhika.Postgres;

/// <summary>One look at the database: does it answer, which schema has it, what time is it there?</summary>
public sealed class Probe(Database database)
{
    /// <param name="time">For the timestamps between which the database's time was read: of that statement alone, or they would tell nothing.</param>
    /// <param name="cancellationToken">Aborts.</param>
    /// <exception cref="NpgsqlException">It does not answer.</exception>
    public async Task<(SchemaVersion Schema, DateTimeOffset Now, long Asked, long Answered)> LookAsync(
        TimeProvider time, CancellationToken cancellationToken)
    {
        var schema = await new Migrator(database).VersionAsync(cancellationToken);
        await using var connection = await database.OpenAsync(cancellationToken);
        await using var command = new NpgsqlCommand("SELECT clock_timestamp()", connection);
        var asked = time.GetTimestamp();
        await using var reader = await command.ExecuteReaderAsync(cancellationToken);
        await reader.ReadAsync(cancellationToken);
        return (schema, reader.GetFieldValue<DateTimeOffset>(0), asked, time.GetTimestamp());
    }
}
