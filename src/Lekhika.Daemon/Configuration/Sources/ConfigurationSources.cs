using System.Collections.Frozen;
using System.Collections.Immutable;

namespace Lekhika.Daemon.Configuration;

/// <summary>A configuration file as it was found.</summary>
/// <param name="Path">Where it was looked for.</param>
/// <param name="Text">Its text; null when it was not read.</param>
/// <param name="Problem">Why it was not read, if that is an error; null when it was read or may be absent.</param>
/// <param name="IsReadableByOthers">Whether every user of the machine may read it.</param>
internal sealed record ConfigurationFile(string Path, string? Text, string? Problem = null, bool IsReadableByOthers = false);

/// <summary>Everything that the configuration is read from, gathered beforehand so that reading it has no side effects.</summary>
internal sealed record ConfigurationSources
{
    /// <summary>The file looked for when neither <c>--config</c> nor <c>LEKHIKA_CONFIG</c> names one.</summary>
    public const string DefaultPath = "/etc/lekhika-daemon/daemon.conf";

    public ConfigurationFile? File { get; init; }

    public IReadOnlyDictionary<string, string> Environment { get; init; } = FrozenDictionary<string, string>.Empty;

    public ImmutableArray<SettingFlag> Flags { get; init; } = [];

    /// <summary>The files of <c>$CREDENTIALS_DIRECTORY</c> by name.</summary>
    public IReadOnlyDictionary<string, string> Credentials { get; init; } = FrozenDictionary<string, string>.Empty;

    /// <summary>Files of that folder that could not be read, and why.</summary>
    public ImmutableArray<(string Name, string Problem)> UnreadableCredentials { get; init; } = [];

    /// <summary>Name of this host, for the default of <c>worker.id</c>.</summary>
    public string HostName { get; init; } = "localhost";

    /// <summary>Reads the file that a <c>*_file</c> setting names; throws <see cref="IOException"/> or <see cref="UnauthorizedAccessException"/>.</summary>
    public Func<string, string> ReadFile { get; init; } = path => throw new FileNotFoundException("no such file", path);

    /// <summary>An environment variable, or null when it is absent or empty: an empty one counts as not set.</summary>
    public string? Variable(string name) => Environment.TryGetValue(name, out var value) && value.Length > 0 ? value : null;
}
