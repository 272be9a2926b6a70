using System.CommandLine;
using Lekhika.Daemon.Configuration;
using Lekhika.Daemon.Doctor;
using Lekhika.Daemon.Hosting;

namespace Lekhika.Daemon.Cli;

/// <summary><c>lekhika-daemon migrate</c>: brings the database's schema up to date.</summary>
internal static class MigrateCommand
{
    public static Command Create(CommandContext context, CommandHandlers handlers)
    {
        var dryRun = new Option<bool>("--dry-run") { Description = "Print the statements that would run, and change nothing" };
        var status = new Option<bool>("--status") { Description = "List the migrations and whether they are applied" };
        var command = new ExampleCommand("migrate", "Bring the database's schema up to date; safe to repeat and while daemons run")
        {
            Examples =
            [
                ("what would happen", "lekhika-daemon migrate --dry-run"),
                ("do it, as another role", "lekhika-daemon migrate --database.url postgres://owner@localhost/lekhika"),
            ],
        };
        command.Add(dryRun);
        command.Add(status);
        command.Validators.Add(result =>
        {
            if (result.GetValue(dryRun) && result.GetValue(status))
            {
                result.AddError("--dry-run and --status exclude each other.");
            }
        });
        command.SetAction(async (parsed, cancellation) =>
        {
            if (LoadedConfiguration.Load(context, parsed, ConfigurationPurpose.Migrate) is not { } configuration)
            {
                return ExitCodes.Configuration;
            }

            ServiceUser.Become(configuration.File);
            var mode = parsed.GetValue(dryRun) ? MigrateMode.DryRun : parsed.GetValue(status) ? MigrateMode.Status : MigrateMode.Apply;
            return await Interruptible.RunAsync(token => handlers.Migrate(configuration, mode, token), cancellation);
        });
        return command;
    }
}
