using System.Collections.Immutable;
using System.CommandLine;
using Lekhika.Daemon.Configuration;
using Lekhika.Daemon.Hosting;

namespace Lekhika.Daemon.Cli;

/// <summary><c>lekhika-daemon try</c>: runs a workflow file in memory.</summary>
internal static class TryCommand
{
    public static Command Create(CommandContext context, CommandHandlers handlers)
    {
        var file = new Argument<string>("FILE") { Description = "Workflow in JSON; - reads standard input" };
        var inputs = new Option<string[]>("--input")
        {
            Description = "An input of the workflow; repeat it for several",
            HelpName = "KEY=VALUE",
            Arity = ArgumentArity.OneOrMore,
            DefaultValueFactory = _ => [],
        };
        var command = new ExampleCommand("try", "Run a workflow file in memory, without a database, showing progress")
        {
            Examples =
            [
                ("one input", "lekhika-daemon try haiku.json --input topic=rain"),
                ("another server", "lekhika-daemon try haiku.json --input topic=rain --ollama.url http://gpu:11434"),
            ],
        };
        command.Add(file);
        command.Add(inputs);
        inputs.Validators.Add(result =>
        {
            foreach (var token in result.Tokens.Where(token => token.Value.IndexOf('=', StringComparison.Ordinal) <= 0))
            {
                result.AddError($"--input wants KEY=VALUE, such as --input topic=rain; got \"{token.Value}\".");
            }
        });
        command.SetAction(async (parsed, cancellation) =>
        {
            if (LoadedConfiguration.Load(context, parsed, ConfigurationPurpose.Try) is not { } configuration)
            {
                return ExitCodes.Configuration;
            }

            var arguments = new TryArguments(parsed.GetRequiredValue(file), [.. parsed.GetRequiredValue(inputs).Select(Split)]);
            return await Interruptible.RunAsync(token => handlers.Try(configuration, arguments, token), cancellation);
        });
        return command;
    }

    private static KeyValuePair<string, string> Split(string input)
    {
        var equals = input.IndexOf('=', StringComparison.Ordinal);
        return new(input[..equals], input[(equals + 1)..]);
    }
}
