using System.CommandLine;
using Lekhika.Daemon.Configuration;
using Lekhika.Daemon.Hosting;

namespace Lekhika.Daemon.Cli;

/// <summary><c>lekhika-daemon generate</c>: makes a workflow from a prompt.</summary>
internal static class GenerateCommand
{
    public static Command Create(CommandContext context, CommandHandlers handlers)
    {
        var prompt = new Argument<string>("PROMPT") { Description = "What the workflow is to do; - reads standard input" };
        var output = new Option<string?>("--out") { Description = "Write the workflow to this file instead of standard output", HelpName = "FILE" };
        var edit = new Option<string?>("--edit") { Description = "Change the workflow in this file instead of making a new one", HelpName = "FILE" };
        var command = new ExampleCommand("generate", "Make a workflow from a prompt, without a database, showing progress")
        {
            Examples =
            [
                ("a new workflow", "lekhika-daemon generate \"Summarise a text in three sentences\" --out summary.json"),
                ("a change", "lekhika-daemon generate \"Also translate it to German\" --edit summary.json --out summary.json"),
            ],
        };
        command.Add(prompt);
        command.Add(output);
        command.Add(edit);
        command.SetAction(async (parsed, cancellation) =>
        {
            if (LoadedConfiguration.Load(context, parsed, ConfigurationPurpose.Try) is not { } configuration) return ExitCodes.Configuration;
            var arguments = new GenerateArguments(parsed.GetRequiredValue(prompt), parsed.GetValue(output), parsed.GetValue(edit));
            return await Interruptible.RunAsync(token => handlers.Generate(configuration, arguments, token), cancellation);
        });
        return command;
    }
}
