using System.Collections.Immutable;

namespace Lekhika.Daemon.Configuration;

/// <summary>A section of the configuration file.</summary>
internal sealed record SettingSection(string Name, string Description, ImmutableArray<Setting> Settings)
{
    /// <summary>Makes the setting of a key that the operator chooses, in sections that are tables; null elsewhere.</summary>
    public Func<string, Setting>? Entry { get; init; }

    /// <summary>How such a key is documented: <c>ALIAS = model</c>.</summary>
    public string? EntryForm { get; init; }

    /// <summary>What a chosen key must look like; null if it fits, else what was expected.</summary>
    public Func<string, string?>? EntryProblem { get; init; }
}
