using System.Reflection;
using System.Runtime.CompilerServices;
using System.Runtime.InteropServices;

namespace Lekhika.Daemon.Cli;

/// <summary>What this program is.</summary>
internal static class VersionText
{
    // The build writes version+commit; a build outside a repository has no commit.
    private static readonly string[] Informational =
        (typeof(VersionText).Assembly.GetCustomAttribute<AssemblyInformationalVersionAttribute>()?.InformationalVersion ?? "0.0.0").Split('+', 2);

    /// <summary>The semantic version: <c>0.1.0</c>.</summary>
    public static string Version => Informational[0];

    /// <summary>The commit it was built from, shortened; null when unknown.</summary>
    public static string? Commit => Informational.Length > 1 ? Informational[1][..Math.Min(12, Informational[1].Length)] : null;

    /// <summary>The line of <c>--version</c>.</summary>
    public static string Line
    {
        get
        {
            var commit = Commit is null ? "" : $"commit {Commit}, ";
            var kind = RuntimeFeature.IsDynamicCodeSupported ? "" : " native";
            return $"lekhika-daemon {Version} ({commit}{RuntimeInformation.FrameworkDescription}{kind}, {RuntimeInformation.RuntimeIdentifier})";
        }
    }
}
