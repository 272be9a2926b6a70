using System.CommandLine;
using Lekhika.Daemon.Configuration;

namespace Lekhika.Daemon.Cli;

/// <summary>A configuration without errors, as a command gets it. Its warnings have been written to standard error.</summary>
/// <param name="Options">The options.</param>
/// <param name="Result">The same with the origin of every setting.</param>
/// <param name="File">The file it was read from; null for none.</param>
/// <param name="Reread">Reads everything again, for SIGHUP: file, environment, credentials, and the same flags.</param>
internal sealed record LoadedConfiguration(DaemonOptions Options, ConfigurationResult Result, string? File, Func<ConfigurationResult> Reread)
{
    /// <summary>Reads the configuration for a command.</summary>
    /// <returns>Null when it has errors; they have been written to standard error, and the command ends with <see cref="Hosting.ExitCodes.Configuration"/>.</returns>
    public static LoadedConfiguration? Load(CommandContext context, ParseResult parsed, ConfigurationPurpose purpose)
    {
        var path = parsed.GetValue(context.ConfigOption);
        var sources = context.Gather(path, context.Flags);
        var result = Read(sources);
        ProblemReport.Write(context, result);
        return result.Options is { } options ? new(options, result, sources.File?.Path, () => Read(context.Gather(path, context.Flags))) : null;

        ConfigurationResult Read(ConfigurationSources from) => ConfigurationReader.Read(from, purpose);
    }
}
