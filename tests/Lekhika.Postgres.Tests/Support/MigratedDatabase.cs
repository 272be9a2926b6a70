using Lekhika.Postgres;
using Lekhika.Postgres.Migrations;
using Npgsql;

namespace Lekhika.Tests.Support;

/// <summary>A database of a test's own with the newest schema in it.</summary>
public sealed class MigratedDatabase : IAsyncDisposable
{
    private MigratedDatabase(string connectionString, NpgsqlDataSource sql)
    {
        ConnectionString = connectionString;
        Database = new Database(connectionString);
        Sql = sql;
    }

    public string ConnectionString { get; }

    /// <summary>As the product sees it.</summary>
    public Database Database { get; }

    /// <summary>As a backend sees it.</summary>
    public NpgsqlDataSource Sql { get; }

    public static async Task<MigratedDatabase> CreateAsync(PostgresCluster cluster, CancellationToken cancellationToken)
    {
        var connectionString = await cluster.CreateDatabaseAsync();
        var created = new MigratedDatabase(connectionString, NpgsqlDataSource.Create(connectionString));
        await new Migrator(created.Database).MigrateAsync(applied: null, cancellationToken);
        return created;
    }

    /// <summary>Runs statements.</summary>
    public async Task ExecuteAsync(string sql, CancellationToken cancellationToken, params object[] values)
    {
        await using var command = Sql.CreateCommand(sql);
        foreach (var value in values) command.Parameters.AddWithValue(value);
        await command.ExecuteNonQueryAsync(cancellationToken);
    }

    /// <summary>One value.</summary>
    public async Task<T?> ScalarAsync<T>(string sql, CancellationToken cancellationToken, params object[] values)
    {
        await using var command = Sql.CreateCommand(sql);
        foreach (var value in values) command.Parameters.AddWithValue(value);
        return await command.ExecuteScalarAsync(cancellationToken) is T result ? result : default;
    }

    public async ValueTask DisposeAsync()
    {
        await Sql.DisposeAsync();
        await Database.DisposeAsync();
    }
}
