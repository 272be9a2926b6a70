using Lekhika.Daemon.Cli;
using Lekhika.Daemon.Doctor;
using Lekhika.Postgres;
using Lekhika.Postgres.Migrations;

namespace Lekhika.Daemon.Hosting;

/// <summary><c>lekhika-daemon migrate</c>: brings the database to the schema of this build, or says what that would take.</summary>
internal static class MigrateHandler
{
    public static async Task<int> RunAsync(CommandContext context, LoadedConfiguration configuration, MigrateMode mode, CancellationToken cancellationToken)
    {
        var options = configuration.Options.Database;
        await using var database = new Database(options.ConnectionString.Reveal(), options.Schema);
        var migrator = new Migrator(database);
        try
        {
            switch (mode)
            {
                case MigrateMode.DryRun:
                    foreach (var migration in await migrator.PendingAsync(cancellationToken))
                    {
                        await context.Output.WriteLineAsync($"-- {migration.Version:0000} {migration.Name}\n{migrator.TextOf(migration)}");
                    }

                    return ExitCodes.Success;
                case MigrateMode.Status:
                    var version = await migrator.VersionAsync(cancellationToken);
                    foreach (var migration in Migration.All)
                    {
                        var done = migration.Version <= version.Version;
                        await context.Output.WriteLineAsync($"{(done ? "applied" : "pending")}  {migration.Version:0000} {migration.Name}");
                    }

                    return version.IsServable ? ExitCodes.Success : ExitCodes.Failure;
                default:
                    var applied = 0;
                    await migrator.MigrateAsync(
                        migration =>
                        {
                            applied++;
                            context.Output.WriteLine($"applied  {migration.Version:0000} {migration.Name}");
                        },
                        cancellationToken);
                    await context.Output.WriteLineAsync(applied == 0
                        ? $"{options.Display}, schema {options.Schema}: up to date (version {Migration.Latest})"
                        : $"{options.Display}, schema {options.Schema}: now version {Migration.Latest}");
                    return ExitCodes.Success;
            }
        }
        catch (MigrationException exception)
        {
            ProblemReport.Error(context, exception.Message);
            return ExitCodes.Failure;
        }
        catch (Exception exception) when (exception is Npgsql.NpgsqlException or System.Net.Sockets.SocketException or TimeoutException)
        {
            var (message, fix) = new DatabaseAdvice(options).Of(exception);
            ProblemReport.Error(context, $"{options.Display}: {message}; fix: {fix}");
            return ExitCodes.Failure;
        }
    }
}
