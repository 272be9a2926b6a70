using System.Collections.Frozen;
using System.Collections.Immutable;

namespace Lekhika.Daemon.Configuration;

/// <summary>Every section and every setting, in the order of the documentation.</summary>
internal static class SettingTable
{
    public static readonly ImmutableArray<SettingSection> Sections =
    [
        DatabaseSettings.Section,
        ServerSettings.Section,
        AuthSettings.Section,
        OllamaSettings.Section,
        OpenAiSettings.Section,
        WorkerSettings.Section,
        LimitSettings.Section,
        HttpSettings.Section,
        ModelSettings.Section,
        NodeSettings.Section,
        GenerationSettings.Section,
        RetentionSettings.Section,
        TelemetrySettings.Section,
        AdoptSettings.Section,
    ];

    public static readonly ImmutableArray<Setting> All = [.. Sections.SelectMany(section => section.Settings)];

    public static readonly ImmutableArray<string> FullNames = [.. All.Select(setting => setting.FullName)];

    private static readonly FrozenDictionary<string, Setting> ByFullName = All.ToFrozenDictionary(setting => setting.FullName);

    public static SettingSection? FindSection(string name) => Sections.FirstOrDefault(section => section.Name == name);

    public static Setting? Find(string section, string key) => ByFullName.GetValueOrDefault($"{section}.{key}");
}
