using System.CommandLine;
using Lekhika.Daemon.Configuration;
using Lekhika.Daemon.Hosting;
using Microsoft.Extensions.Logging.Abstractions;

namespace Lekhika.Daemon.Cli;

/// <summary><c>lekhika-daemon run</c>: the daemon itself, in the foreground.</summary>
internal static class RunCommand
{
    public static Command Create(CommandContext context, CommandHandlers handlers)
    {
        var command = new ExampleCommand("run", "Run the daemon in the foreground until SIGTERM")
        {
            Examples =
            [
                ("with the file in /etc", "lekhika-daemon run"),
                ("on a laptop, without a secret",
                    "lekhika-daemon run --database.url postgres://localhost/lekhika --auth.allow_insecure_loopback"),
            ],
        };
        command.SetAction(async (parsed, cancellation) =>
        {
            if (LoadedConfiguration.Load(context, parsed, ConfigurationPurpose.Serve) is { } configuration)
            {
                return await handlers.Run(configuration, cancellation);
            }

            SayWhatHelps(context, context.Gather(parsed.GetValue(context.ConfigOption), context.Flags).File?.Path);
            return ExitCodes.Configuration;
        });
        return command;
    }

    /// <summary>The last line of the journal, and what <c>systemctl status</c> shows, is what to do next.</summary>
    private static void SayWhatHelps(CommandContext context, string? file)
    {
        var path = file ?? ConfigurationSources.DefaultPath;
        var option = path == ConfigurationSources.DefaultPath ? "" : $" --config {path}";
        var hint = $"edit {path}, then run: lekhika-daemon doctor{option}";
        ProblemReport.Error(context, hint);
        using var notifier = new SystemdNotifier(Environment.GetEnvironmentVariable, TimeProvider.System, NullLogger.Instance);
        notifier.Status($"not configured: {hint}");
    }
}
