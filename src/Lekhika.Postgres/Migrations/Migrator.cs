using Npgsql;

namespace Lekhika.Postgres.Migrations;

/// <summary>
/// Brings a database to the newest schema. One migrator works at a time (a lock that a transaction pooler cannot lose: it belongs to the
/// transaction); each migration commits with its own row in <c>schema_version</c>, so that an interrupted upgrade goes on where it stopped.
/// </summary>
public sealed class Migrator(Database database)
{
    /// <summary>The texts that would be applied, in order.</summary>
    /// <exception cref="NpgsqlException">The database could not be asked.</exception>
    public async Task<IReadOnlyList<Migration>> PendingAsync(CancellationToken cancellationToken)
    {
        var version = await VersionAsync(cancellationToken);
        return [.. Migration.All.Where(migration => migration.Version > version.Version)];
    }

    /// <summary>The SQL of a migration as this database would be sent it.</summary>
    public string TextOf(Migration migration) => database.Statements.Text(migration.Sql);

    /// <summary>The schema's version; 0 if there is none yet.</summary>
    public async Task<SchemaVersion> VersionAsync(CancellationToken cancellationToken)
    {
        await using var connection = await database.OpenAsync(cancellationToken);
        return await VersionAsync(connection, cancellationToken);
    }

    /// <summary>Applies what is missing.</summary>
    /// <param name="applied">Told of each migration once it is committed.</param>
    /// <param name="cancellationToken">Stops between or within migrations; a migration is applied whole or not at all.</param>
    /// <returns>The version reached.</returns>
    /// <exception cref="MigrationException">A migration was refused by the database, with its name and the reason.</exception>
    public async Task<SchemaVersion> MigrateAsync(Action<Migration>? applied, CancellationToken cancellationToken)
    {
        await using var connection = await database.OpenAsync(cancellationToken);
        foreach (var migration in Migration.All)
        {
            await using var transaction = await connection.BeginTransactionAsync(cancellationToken);
            await ExecuteAsync(connection, "SELECT pg_advisory_xact_lock(hashtext('lekhika-migrate'), hashtext($1))", cancellationToken, database.Statements.Schema);
            await ExecuteAsync(connection, database.Statements.Text(Bookkeeping), cancellationToken);
            var current = await VersionAsync(connection, cancellationToken);
            if (current.Version >= migration.Version)
            {
                await transaction.CommitAsync(cancellationToken);
                continue;
            }

            try
            {
                await ExecuteAsync(connection, TextOf(migration), cancellationToken);
            }
            catch (PostgresException exception)
            {
                throw new MigrationException(migration, exception);
            }

            await ExecuteAsync(
                connection,
                database.Statements.Text("INSERT INTO {schema}.schema_version (version, min_reader, name) VALUES ($1, $2, $3)"),
                cancellationToken, migration.Version, Migration.MinReader, migration.Name);
            await transaction.CommitAsync(cancellationToken);
            applied?.Invoke(migration);
        }

        return await VersionAsync(connection, cancellationToken);
    }

    private const string Bookkeeping = """
        DO $$ BEGIN
            IF to_regnamespace('{schema}') IS NULL THEN CREATE SCHEMA {schema}; END IF;
            IF to_regclass('{schema}.schema_version') IS NULL THEN
                CREATE TABLE {schema}.schema_version (
                    version    int PRIMARY KEY,
                    min_reader int NOT NULL,
                    name       text NOT NULL,
                    applied_at timestamptz NOT NULL DEFAULT now());
            END IF;
        END $$
        """;

    private async Task<SchemaVersion> VersionAsync(NpgsqlConnection connection, CancellationToken cancellationToken)
    {
        await using var exists = new NpgsqlCommand("SELECT to_regclass($1) IS NOT NULL", connection);
        exists.Parameters.Add(new NpgsqlParameter<string> { TypedValue = $"\"{database.Statements.Schema}\".schema_version" });
        if (await exists.ExecuteScalarAsync(cancellationToken) is not true) return new SchemaVersion(0, 0);

        await using var command = new NpgsqlCommand(database.Statements.SchemaVersion, connection);
        await using var reader = await command.ExecuteReaderAsync(cancellationToken);
        return await reader.ReadAsync(cancellationToken) ? new SchemaVersion(reader.GetInt32(0), reader.GetInt32(1)) : new SchemaVersion(0, 0);
    }

    private static async Task ExecuteAsync(NpgsqlConnection connection, string sql, CancellationToken cancellationToken, params object[] values)
    {
        await using var command = new NpgsqlCommand(sql, connection) { CommandTimeout = 0 };
        foreach (var value in values) command.Parameters.Add(new NpgsqlParameter { Value = value });
        await command.ExecuteNonQueryAsync(cancellationToken);
    }
}

/// <summary>How far a database's schema is.</summary>
/// <param name="Version">Number of the newest migration applied; 0 for none.</param>
/// <param name="MinReader">The oldest daemon version of the schema that may still work on it.</param>
public sealed record SchemaVersion(int Version, int MinReader)
{
    /// <summary>Whether this build can work on it: it is not older than needed, and has taken nothing away that is needed.</summary>
    public bool IsServable => Version >= Migration.Latest && MinReader <= Migration.Latest;
}

/// <summary>A migration that the database refused.</summary>
public sealed class MigrationException(Migration migration, PostgresException cause) : Exception(
    $"migration {migration.Version:0000} ({migration.Name}) was refused: {cause.MessageText}"
    + (string.IsNullOrEmpty(cause.Hint) ? "" : $" {cause.Hint}") + $" (SQLSTATE {cause.SqlState}). Nothing of it was applied.", cause);
