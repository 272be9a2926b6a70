using System.Collections.Immutable;
using System.CommandLine;
using Lekhika.Daemon.Configuration;
using Lekhika.Daemon.Diagnostics;

namespace Lekhika.Daemon.Cli;

/// <summary>What the commands share: where they write, and the settings given as flags.</summary>
internal sealed class CommandContext
{
    public required TextWriter Output { get; init; }

    public required TextWriter Error { get; init; }

    /// <summary>What reads <see cref="Error"/>; messages there are dressed for it.</summary>
    public ConsoleTarget ErrorTarget { get; init; } = ConsoleTarget.Pipe;

    /// <summary>Whether <see cref="Error"/> may be coloured.</summary>
    public bool HasErrorColour { get; init; }

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
            Output = Console.Out,
            Error = Console.Error,
            ErrorTarget = target,
            HasErrorColour = target == ConsoleTarget.Terminal && ConsoleTargets.AllowsColour(Environment.GetEnvironmentVariable),
            Gather = ProcessSources.Gather,
        };
    }
}
