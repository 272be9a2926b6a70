using System.Collections.Immutable;
using System.CommandLine;
using System.CommandLine.Help;
using System.CommandLine.Invocation;

namespace Lekhika.Daemon.Cli;

/// <summary>A command whose help ends with examples.</summary>
internal class ExampleCommand(string name, string description) : Command(name, description)
{
    /// <summary>What to do, and the line that does it.</summary>
    public ImmutableArray<(string What, string Line)> Examples { get; init; } = [];

    /// <summary>Whether it reads the configuration, so that its help mentions the flags of settings.</summary>
    public bool ReadsConfiguration { get; init; } = true;
}

/// <summary>The library's help, followed by the examples.</summary>
internal sealed class ExampleHelp(HelpAction help, ImmutableArray<(string What, string Line)> rootExamples) : SynchronousCommandLineAction
{
    public override bool ClearsParseErrors => true;

    public override int Invoke(ParseResult parseResult)
    {
        var code = help.Invoke(parseResult);
        var output = parseResult.InvocationConfiguration.Output;
        var command = parseResult.CommandResult.Command as ExampleCommand;
        if (command is null or { ReadsConfiguration: true })
        {
            output.Write("Settings:\n  --section.key VALUE  Any setting of the configuration file, such as --worker.concurrency 4.\n"
                + "                       Weight rises from the file over credentials and LEKHIKA_SECTION_KEY variables to flags.\n\n");
        }

        output.Write("Examples:\n");
        foreach (var (what, line) in command?.Examples ?? rootExamples)
        {
            output.Write($"  # {what}\n  {line}\n");
        }

        return code;
    }
}
