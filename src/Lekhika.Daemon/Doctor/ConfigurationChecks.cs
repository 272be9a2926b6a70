using Lekhika.Daemon.Configuration;

namespace Lekhika.Daemon.Doctor;

/// <summary>Is the configuration valid? Every error and warning is a line.</summary>
internal static class ConfigurationChecks
{
    private const string Name = "configuration";

    public static IEnumerable<Check> Of(ConfigurationResult result, ConfigurationSources sources)
    {
        var file = sources.File?.Path ?? ConfigurationSources.DefaultPath;
        foreach (var error in result.Errors) yield return Check.Failed(Name, error.ToString(), Fix(error, sources, file));
        foreach (var warning in result.Warnings) yield return Check.Warning(Name, warning.ToString(), $"edit {file}; lekhika-daemon check-config --print shows what is in force and why");
        if (!result.Errors.IsEmpty) yield break;
        yield return Check.Ok(Name, sources.File?.Text is null ? "valid; there is no file, only environment and flags" : $"{file} is valid");
    }

    private static string Fix(ConfigurationProblem error, ConfigurationSources sources, string file)
    {
        if (sources.File is { Text: null, Problem: not null } && error.Key == "--config" && !File.Exists(file)) return "name the file that there is, or make one: lekhika-daemon check-config --print shows every setting";
        if (sources.File is { Text: null, Problem: not null } && error.Key == "--config") return $"run this as root (sudo), or: chown root:lekhika-daemon {file}; chmod 640 {file}";
        if (error.Key == AuthSettings.InternalSecret.FullName)
        {
            var folder = Path.Combine(Path.GetDirectoryName(file) ?? "/etc/lekhika-daemon", "credentials");
            return $"as root: openssl rand -hex 32 | install -D -m 600 /dev/stdin {folder}/internal-secret, give the same to the callers, and restart the daemon";
        }

        return error.Key == DatabaseSettings.Url.FullName
            ? $"set url under [database] in {file}, then: lekhika-daemon migrate, and restart the daemon"
            : $"edit {file}, then restart the daemon";
    }
}
