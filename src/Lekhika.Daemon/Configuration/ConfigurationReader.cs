using System.Collections.Immutable;

namespace Lekhika.Daemon.Configuration;

// Configuration: sources (file, credentials, environment, flags) → SettingResolver (the value that counts) → the table's
// own types (each value read) → ConsistencyRules (values against each other) → OptionBinder (immutable options).
// Every step adds to one list of problems and none stops at the first, so that check-config and a refused start say
// everything at once. Reading has no side effects: what the sources hold was gathered before (ProcessSources).

/// <summary>What the configuration is read for, which decides what must be there.</summary>
internal enum ConfigurationPurpose
{
    /// <summary><c>run</c> and <c>check-config</c>: a database, and a secret or leave to do without.</summary>
    Serve,

    /// <summary><c>migrate</c>: a database.</summary>
    Migrate,

    /// <summary><c>try</c>: nothing.</summary>
    Try,
}

/// <summary>What came of reading the configuration.</summary>
/// <param name="Options">The options; null when there are errors.</param>
/// <param name="Errors">Everything that is wrong.</param>
/// <param name="Warnings">Everything that is doubtful.</param>
/// <param name="Settings">Every setting with the value that counts and its origin, in the table's order.</param>
internal sealed record ConfigurationResult(
    DaemonOptions? Options,
    ImmutableArray<ConfigurationProblem> Errors,
    ImmutableArray<ConfigurationProblem> Warnings,
    ImmutableArray<EffectiveSetting> Settings)
{
    /// <summary>
    /// The settings whose values differ in <paramref name="other"/>: on SIGHUP those that are reloadable are taken over, the others want a restart.
    /// </summary>
    public ImmutableArray<Setting> ChangedIn(ConfigurationResult other)
    {
        var before = Settings.ToDictionary(setting => setting.Setting.FullName, setting => setting.Text, StringComparer.Ordinal);
        var after = other.Settings.ToDictionary(setting => setting.Setting.FullName, setting => setting.Text, StringComparer.Ordinal);
        return
        [
            .. Settings.Concat(other.Settings)
                .Select(setting => setting.Setting)
                .DistinctBy(setting => setting.FullName)
                .Where(setting => before.GetValueOrDefault(setting.FullName) != after.GetValueOrDefault(setting.FullName)),
        ];
    }
}

/// <summary>Reads the configuration.</summary>
internal static class ConfigurationReader
{
    public static ConfigurationResult Read(ConfigurationSources sources, ConfigurationPurpose purpose = ConfigurationPurpose.Serve)
    {
        var resolver = new SettingResolver(sources);
        resolver.Resolve();
        var errors = resolver.Errors;
        var warnings = resolver.Warnings;

        var settings = ImmutableArray.CreateBuilder<EffectiveSetting>();
        DefaultScope? scope = null;
        scope = new DefaultScope(sources, setting => resolver.Chosen.TryGetValue(setting, out var chosen) ? chosen.Text : DefaultOf(setting));
        var values = new Dictionary<Setting, object>();
        var unsound = new HashSet<Setting>();
        foreach (var setting in resolver.Settings)
        {
            var (text, origin) = resolver.Chosen.TryGetValue(setting, out var chosen)
                ? chosen
                : (DefaultOf(setting), SettingOrigin.Default);
            settings.Add(new(setting, text, origin));
            if (text is null)
            {
                continue;
            }

            var (value, error) = setting.Sensitivity != Sensitivity.Open && text.Contains(Secret.Mask, StringComparison.Ordinal)
                ? Reading<object>.Failed($"{Secret.Mask} stands where check-config --print masked a secret; put the secret in its place")
                : setting.Read(text);
            if (error is null)
            {
                values[setting] = value!;
                continue;
            }

            unsound.Add(setting);
            errors.Add(new(setting.FullName, origin, setting.Sensitivity == Sensitivity.Open ? $"\"{Shorten(text)}\" does not fit: {error}" : error));
            if (DefaultOf(setting) is { } fallback && setting.Read(fallback).Value is { } instead)
            {
                values[setting] = instead; // so that the rules below have something to look at
            }
        }

        var read = new SettingValues(values, settings.ToDictionary(setting => setting.Setting, setting => setting.Origin), unsound);
        ConsistencyRules.Check(read, purpose, errors, warnings);
        SecretRules.Check(resolver.Secrets, read, purpose, errors, warnings);
        var database = DatabaseBinder.Bind(read, isRequired: purpose != ConfigurationPurpose.Try, errors, warnings);
        var options = errors.Count == 0 ? OptionBinder.Bind(read, database) with { Secrets = SecretRules.Bind(resolver.Secrets, read) } : null;
        return new(options, [.. errors], [.. warnings], settings.ToImmutable());

        string? DefaultOf(Setting setting) => setting.ComputeDefault is { } compute ? compute(scope!) : setting.Default;
    }

    /// <summary>Reads the configuration of this process.</summary>
    /// <param name="configPath">The value of <c>--config</c>; null when it was not given.</param>
    /// <param name="flags">The settings given as flags (<see cref="SettingFlag.Extract"/>).</param>
    /// <param name="purpose">What it is read for.</param>
    public static ConfigurationResult FromProcess(
        string? configPath, ImmutableArray<SettingFlag> flags, ConfigurationPurpose purpose = ConfigurationPurpose.Serve) =>
        Read(ProcessSources.Gather(configPath, flags), purpose);

    private static string Shorten(string text) => text.Length <= 80 ? text : text[..77] + "…";
}
