using System.Collections.Immutable;
using System.CommandLine;
using System.CommandLine.Help;
using System.CommandLine.Invocation;
using Lekhika.Daemon.Cli.Remote;
using Lekhika.Daemon.Configuration;
using Lekhika.Daemon.Hosting;

namespace Lekhika.Daemon.Cli;

// The command line: settings (--section.key VALUE) are taken out first, since there are as many as the table has rows and
// the operator's own keys besides; what is left is parsed by System.CommandLine. Exit codes are in Hosting/ExitCodes.

/// <summary>The commands of <c>lekhika-daemon</c>.</summary>
internal static class CommandLine
{
    private static readonly ImmutableArray<(string, string)> Examples =
    [
        ("check the configuration, then prepare the database, then run", "lekhika-daemon check-config && lekhika-daemon migrate && lekhika-daemon run"),
        ("run a workflow file without a database", "lekhika-daemon try haiku.json --input topic=rain"),
        ("everything that is wrong with a workflow file", "lekhika-daemon validate haiku.json"),
    ];

    public static async Task<int> InvokeAsync(
        IReadOnlyList<string> arguments, CommandHandlers handlers, CommandContext context, CancellationToken cancellation = default)
    {
        var (others, flags) = SettingFlag.Extract(arguments);
        context.Flags = flags;
        var root = CreateRoot(handlers, context);
        var parsed = root.Parse(others, new ParserConfiguration { ResponseFileTokenReplacer = null }); // "@" in an input is just text
        var invocation = new InvocationConfiguration
        {
            Output = context.Output,
            Error = context.Error,
            EnableDefaultExceptionHandler = false,
            ProcessTerminationTimeout = null, // signals are ProcessSignals' (the library would kill a drain after two seconds)
        };
        var isAnswered = parsed.Action is { ClearsParseErrors: true };
        if (parsed.Errors.Count == 0 || isAnswered)
        {
            return await parsed.InvokeAsync(invocation, cancellation);
        }

        WriteUsage(context, root, parsed);
        return ExitCodes.Usage;
    }

    internal static RootCommand CreateRoot(CommandHandlers handlers, CommandContext context)
    {
        var root = new RootCommand("Runs AI workflows out of PostgreSQL against local models")
        {
            context.ConfigOption,
            RunCommand.Create(context, handlers),
            MigrateCommand.Create(context, handlers),
            CheckConfigCommand.Create(context),
            TryCommand.Create(context, handlers),
            ValidateCommand.Create(context),
            EvalCommand.Create(context),
            NodesCommand.Create(context),
        };
        foreach (var remote in RemoteCommands.All(context)) root.Add(remote);
        var help = root.Options.OfType<HelpOption>().Single();
        var helpAction = new ExampleHelp((HelpAction)help.Action!, Examples);
        help.Action = helpAction;
        root.Options.OfType<VersionOption>().Single().Action = new VersionAction();

        // Without a command there is nothing to do: help, and an exit code that a unit file with a slip in it will notice.
        root.SetAction(parsed =>
        {
            helpAction.Invoke(parsed);
            return ExitCodes.Usage;
        });
        return root;
    }

    private static void WriteUsage(CommandContext context, RootCommand root, ParseResult parsed)
    {
        foreach (var error in parsed.Errors.DistinctBy(error => error.Message))
        {
            ProblemReport.Error(context, error.Message);
        }

        var command = parsed.CommandResult.Command;
        if (command == root && parsed.UnmatchedTokens.Count > 0
            && Suggestion.Closest(parsed.UnmatchedTokens[0], root.Subcommands.Select(subcommand => subcommand.Name)) is { } near)
        {
            context.Error.WriteLine($"Did you mean: lekhika-daemon {near}");
        }

        context.Error.WriteLine($"See: lekhika-daemon {(command == root ? "" : command.Name + " ")}--help");
    }

    private sealed class VersionAction : SynchronousCommandLineAction
    {
        public override bool ClearsParseErrors => true;

        public override int Invoke(ParseResult parseResult)
        {
            parseResult.InvocationConfiguration.Output.WriteLine(VersionText.Line);
            return ExitCodes.Success;
        }
    }
}
