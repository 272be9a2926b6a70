using System.CommandLine;
using Lekhika.Daemon.Configuration;
using Lekhika.Daemon.Hosting;

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
        command.SetAction(async (parsed, cancellation) => LoadedConfiguration.Load(context, parsed, ConfigurationPurpose.Serve) is { } configuration
            ? await handlers.Run(configuration, cancellation)
            : ExitCodes.Configuration);
        return command;
    }
}
