using Lekhika.Postgres;
using Lekhika.Postgres.Migrations;
using Lekhika.Tests.Support;
using Xunit;

namespace Lekhika.Postgres.Tests.Migrations;

public sealed class MigratorTests(PostgresCluster cluster)
{
    private static CancellationToken Token => TestContext.Current.CancellationToken;

    [Fact]
    public async Task An_empty_database_gets_every_migration_once()
    {
        await using var database = new Database(await cluster.CreateDatabaseAsync());
        var migrator = new Migrator(database);
        var applied = new List<int>();

        Assert.Equal(0, (await migrator.VersionAsync(Token)).Version);
        await migrator.MigrateAsync(migration => applied.Add(migration.Version), Token);
        await migrator.MigrateAsync(migration => applied.Add(migration.Version), Token);

        Assert.Equal(Migration.All.Select(migration => migration.Version), applied);
        Assert.True((await migrator.VersionAsync(Token)).IsServable);
        Assert.Empty(await migrator.PendingAsync(Token));
    }

    [Theory]
    [InlineData("public")]
    [InlineData("Mixed_Case")]
    public async Task Any_plain_schema_name_works(string schema)
    {
        await using var database = new Database(await cluster.CreateDatabaseAsync(), schema);
        Assert.True((await new Migrator(database).MigrateAsync(applied: null, Token)).IsServable);
    }

    [Fact]
    public async Task Migrators_that_start_together_apply_each_migration_once()
    {
        await using var database = new Database(await cluster.CreateDatabaseAsync());
        var applied = new System.Collections.Concurrent.ConcurrentBag<int>();
        await Task.WhenAll(Enumerable.Range(0, 4).Select(_ => new Migrator(database).MigrateAsync(migration => applied.Add(migration.Version), Token)));
        Assert.Equal(Migration.All.Select(migration => migration.Version), applied.Order());
    }

    [Fact]
    public async Task A_table_of_our_name_that_does_not_fit_is_refused_with_the_reason()
    {
        var connectionString = await cluster.CreateDatabaseAsync();
        await PostgresCluster.ExecuteAsync(connectionString, "CREATE TABLE public.workflow_executions (id text PRIMARY KEY, status int)");
        await using var database = new Database(connectionString, "public");

        var refused = await Assert.ThrowsAsync<MigrationException>(() => new Migrator(database).MigrateAsync(applied: null, Token));
        Assert.Contains("workflow_executions.id is text, expected uuid", refused.Message, StringComparison.Ordinal);
        Assert.Contains("workflow_executions.status is integer, expected text", refused.Message, StringComparison.Ordinal);
    }

    [Fact]
    public async Task A_table_of_our_name_that_fits_is_adopted_with_its_rows()
    {
        var connectionString = await cluster.CreateDatabaseAsync();
        await PostgresCluster.ExecuteAsync(
            connectionString,
            """
            CREATE TABLE public.workflow_executions (id uuid PRIMARY KEY DEFAULT gen_random_uuid(), workflow_id uuid, status text NOT NULL, inputs jsonb);
            INSERT INTO public.workflow_executions (status) VALUES ('completed'), ('failed')
            """);
        await using var database = new Database(connectionString, "public");
        Assert.True((await new Migrator(database).MigrateAsync(applied: null, Token)).IsServable);
    }
}
