using System.ComponentModel;
using System.Diagnostics;
using Lekhika.Daemon.Configuration;

namespace Lekhika.Daemon.Doctor;

/// <summary>The systemd unit that a configuration file belongs to, and what systemd says of it.</summary>
internal sealed class ServiceUnit
{
    private static readonly string Folder = Path.GetDirectoryName(ConfigurationSources.DefaultPath)!;

    private static readonly string[] Properties =
    [
        "LoadState", "ActiveState", "SubState", "Result", "ExecMainStatus", "StatusText", "UnitFileState", "NRestarts", "LimitNOFILE", "TimeoutStopUSec",
        "NeedDaemonReload",
    ];

    private readonly Dictionary<string, string> _values;

    private ServiceUnit(string name, Dictionary<string, string> values) => (Name, _values) = (name, values);

    public string Name { get; }

    public bool IsInstalled => this["LoadState"] == "loaded";

    public bool IsActive => this["ActiveState"] is "active" or "reloading";

    public string this[string property] => _values.GetValueOrDefault(property, "");

    /// <summary>The unit that runs with this file: <c>daemon.conf</c> is the service's, <c>two.conf</c> that of instance <c>two</c>; null for a file elsewhere.</summary>
    public static string? NameFor(string? configurationFile)
    {
        if (configurationFile is null || Path.GetDirectoryName(configurationFile) != Folder || !configurationFile.EndsWith(".conf", StringComparison.Ordinal)) return null;
        var stem = Path.GetFileNameWithoutExtension(configurationFile);
        return stem == "daemon" ? "lekhika-daemon.service" : $"lekhika-daemon@{stem}.service";
    }

    /// <summary>Where the unit keeps its state; what <c>$STATE_DIRECTORY</c> is inside it.</summary>
    public static string StateDirectoryOf(string unit) =>
        unit == "lekhika-daemon.service" ? "/var/lib/lekhika-daemon" : $"/var/lib/lekhika-daemon/{unit["lekhika-daemon@".Length..^".service".Length]}";

    /// <summary>Asks systemd; null where this machine does not run it.</summary>
    public static async Task<ServiceUnit?> AskAsync(string name, CancellationToken cancellationToken)
    {
        if (!Directory.Exists("/run/systemd/system")) return null;
        var start = new ProcessStartInfo("systemctl", ["show", name, "--no-pager", .. Properties.Select(static property => $"--property={property}")])
        {
            RedirectStandardOutput = true,
            RedirectStandardError = true,
            UseShellExecute = false,
        };
        try
        {
            using var process = Process.Start(start);
            if (process is null) return null;
            var errors = process.StandardError.ReadToEndAsync(cancellationToken);
            var text = await process.StandardOutput.ReadToEndAsync(cancellationToken);
            await errors;
            await process.WaitForExitAsync(cancellationToken);
            return process.ExitCode == 0 ? Parse(name, text) : null;
        }
        catch (Win32Exception)
        {
            return null; // no systemctl
        }
    }

    /// <summary>Reads the lines <c>Property=value</c>.</summary>
    internal static ServiceUnit Parse(string name, string text)
    {
        var values = new Dictionary<string, string>(StringComparer.Ordinal);
        foreach (var line in text.Split('\n'))
        {
            var equals = line.IndexOf('=', StringComparison.Ordinal);
            if (equals > 0) values[line[..equals]] = line[(equals + 1)..].Trim();
        }

        return new ServiceUnit(name, values);
    }
}
