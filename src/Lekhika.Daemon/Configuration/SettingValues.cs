namespace Lekhika.Daemon.Configuration;

/// <summary>The values that count, read. A setting whose text does not fit counts as unset here and is not <see cref="IsSound"/>.</summary>
internal sealed class SettingValues(IReadOnlyDictionary<Setting, object> values, IReadOnlyDictionary<Setting, SettingOrigin> origins, IReadOnlySet<Setting> unsound)
{
    /// <summary>The value of a setting that has a default.</summary>
    public T Get<T>(Setting<T> setting)
        where T : notnull => (T)values[setting];

    /// <summary>The value of a setting of a reference type, or null when it is unset.</summary>
    public T? Find<T>(Setting<T> setting)
        where T : class => values.TryGetValue(setting, out var value) ? (T)value : null;

    /// <summary>The value of a setting of a value type, or null when it is unset.</summary>
    public T? FindValue<T>(Setting<T> setting)
        where T : struct => values.TryGetValue(setting, out var value) ? (T)value : null;

    public SettingOrigin Origin(Setting setting) => origins.TryGetValue(setting, out var origin) ? origin : SettingOrigin.Default;

    /// <summary>Whether someone set it, rather than the default.</summary>
    public bool IsGiven(Setting setting) => Origin(setting).Kind != OriginKind.Default;

    /// <summary>Whether none of these has a text that does not fit, so that a rule about them means something.</summary>
    public bool IsSound(params ReadOnlySpan<Setting> settings)
    {
        foreach (var setting in settings)
        {
            if (unsound.Contains(setting))
            {
                return false;
            }
        }

        return true;
    }

    /// <summary>The operator's own keys of a section that is a table.</summary>
    public IEnumerable<KeyValuePair<string, T>> Entries<T>(string section)
        where T : notnull => values.Where(value => value.Key.Section == section && SettingTable.Find(section, value.Key.Name) is null)
            .Select(value => KeyValuePair.Create(value.Key.Name, (T)value.Value));
}
