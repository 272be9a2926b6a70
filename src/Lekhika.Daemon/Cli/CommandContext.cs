using System.Collections.Immutable;
using System.CommandLine;
using Lekhika.Daemon.Configuration;
using Lekhika.Daemon.Diagnostics;

namespace Lekhika.Daemon.Cli;

/// <summary>What the commands share: where they write, and the settings given as flags.</summary>
internal sealed class CommandContext
{
    /// <summary>What <c>-</c> as a file reads.</summary>
    public TextReader Input { get; init; } = TextReader.Null;

    public required TextWriter Output { get; init; }

    public required TextWriter Error { get; init; }

    /// <summary>What reads <see cref="Output"/>; tables are drawn for people only.</summary>
    public ConsoleTarget OutputTarget { get; init; } = ConsoleTarget.Pipe;

    /// <summary>Whether <see cref="Output"/> may be coloured.</summary>
    public bool HasOutputColour { get; init; }

    /// <summary>What reads <see cref="Error"/>; messages there are dressed for it.</summary>
    public ConsoleTarget ErrorTarget { get; init; } = ConsoleTarget.Pipe;

    /// <summary>Whether <see cref="Error"/> may be coloured.</summary>
    public bool HasErrorColour { get; init; }

    /// <summary>Whether what reads <see cref="Error"/> can clear and draw over a line.</summary>
    public bool HasErrorCursor { get; init; }

    /// <summary>Columns of the terminal that <see cref="Error"/> goes to.</summary>
    public int ErrorWidth { get; init; } = 80;

    /// <summary>Gathers what the configuration is read from, given <c>--config</c> and the flags.</summary>
    public required Func<string?, ImmutableArray<SettingFlag>, ConfigurationSources> Gather { get; init; }

    /// <summary>The settings of this command line.</summary>
    public ImmutableArray<SettingFlag> Flags { get; set; } = [];

    /// <summary><c>--config FILE</c>, understood by every command.</summary>
    public Option<string?> ConfigOption { get; } = new("--config")
    {
        Description = $"Configuration file [default: $LEKHIKA_CONFIG, else {ConfigurationSources.DefaultPath} if it exists]",
        HelpName = "FILE",
        Recursive = true,
    };

    /// <summary>The context of this process.</summary>
    public static CommandContext ForProcess()
    {
        var target = ConsoleTargets.OfError();
        return new()
        {
            Input = Console.In,
            Output = Console.Out,
            Error = Console.Error,
            OutputTarget = ConsoleTargets.OfOutput(),
            HasOutputColour = ConsoleTargets.OfOutput() == ConsoleTarget.Terminal && ConsoleTargets.AllowsColour(Environment.GetEnvironmentVariable),
            ErrorTarget = target,
            HasErrorColour = target == ConsoleTarget.Terminal && ConsoleTargets.AllowsColour(Environment.GetEnvironmentVariable),
            HasErrorCursor = target == ConsoleTarget.Terminal && Environment.GetEnvironmentVariable("TERM") is not (null or "" or "dumb"),
            ErrorWidth = target == ConsoleTarget.Terminal ? Width() : 80,
            Gather = ProcessSources.Gather,
        };
    }

    private static int Width()
    {
        try
        {
            return Console.WindowWidth is > 0 and var width ? width : 80;
        }
        catch (IOException)
        {
            return 80; // a terminal that does not tell
        }
    }
}
