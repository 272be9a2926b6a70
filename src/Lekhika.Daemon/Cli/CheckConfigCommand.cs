using System.CommandLine;
using Lekhika.Daemon.Configuration;
using Lekhika.Daemon.Hosting;

namespace Lekhika.Daemon.Cli;

/// <summary><c>lekhika-daemon check-config</c>: every error and warning of the configuration at once.</summary>
internal static class CheckConfigCommand
{
    public static Command Create(CommandContext context)
    {
        var print = new Option<bool>("--print") { Description = "Print the effective configuration with the origin of every setting; secrets are masked" };
        var json = new Option<bool>("--json") { Description = "Report in JSON on standard output" };
        var command = new ExampleCommand("check-config", "Check the configuration and say everything that is wrong; exit 78 if anything is")
        {
            Examples =
            [
                ("before a restart", "lekhika-daemon check-config && systemctl restart lekhika-daemon"),
                ("what would be used, and why", "lekhika-daemon check-config --print --config ./daemon.conf"),
            ],
        };
        command.Add(print);
        command.Add(json);
        command.SetAction(parsed =>
        {
            var path = parsed.GetValue(context.ConfigOption);
            var sources = context.Gather(path, context.Flags);
            var result = ConfigurationReader.Read(sources);
            if (parsed.GetValue(json))
            {
                context.Output.WriteLine(CheckConfigReport.ToJson(result, parsed.GetValue(print)));
            }
            else
            {
                if (parsed.GetValue(print))
                {
                    ConfigurationPrinter.Print(result, context.Output);
                }

                ProblemReport.Write(context, result, isCheck: true);
                if (result.Errors.IsEmpty && !parsed.GetValue(print))
                {
                    var file = sources.File is { Text: not null } read ? read.Path : "no file";
                    context.Output.WriteLine($"The configuration is valid ({file}).");
                }
            }

            return result.Errors.IsEmpty ? ExitCodes.Success : ExitCodes.Configuration;
        });
        return command;
    }
}
