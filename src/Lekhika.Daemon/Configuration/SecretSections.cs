namespace Lekhika.Daemon.Configuration;

/// <summary>The secrets that the sources name, in the order of their names.</summary>
internal sealed class SecretSections
{
    private const string VariablePrefix = "LEKHIKA_SECRET_";

    private readonly SortedDictionary<string, SecretSettings> _byName = new(StringComparer.Ordinal);

    public IReadOnlyCollection<SecretSettings> All => _byName.Values;

    /// <summary>Every setting of every secret.</summary>
    public IEnumerable<Setting> Settings => All.SelectMany(static secret => secret.Section.Settings);

    /// <summary>Whether a section of the file is meant to be a secret's, whatever its name.</summary>
    public static bool IsMeant(string section) => section.StartsWith(SecretSettings.Prefix, StringComparison.Ordinal);

    /// <summary>The secret of that name, which is new if none has named it before.</summary>
    /// <param name="name">The name.</param>
    /// <param name="problem">What is wrong with the name, if the result is null.</param>
    public SecretSettings? Declare(string name, out string? problem)
    {
        problem = SecretSettings.NameProblem(name);
        if (problem is not null) return null;
        if (!_byName.TryGetValue(name, out var secret)) _byName[name] = secret = new SecretSettings(name);
        return secret;
    }

    /// <summary>Takes <c>section.key</c> of a flag apart, which is cut at its first dot: <c>secret</c> and <c>NAME.key</c>.</summary>
    public static bool TryCutFlag(string section, string key, out string name, out string setting)
    {
        var dot = key.LastIndexOf('.');
        (name, setting) = dot > 0 ? (key[..dot], key[(dot + 1)..]) : ("", "");
        return section == "secret" && dot > 0;
    }

    /// <summary>The setting that a variable names: <c>LEKHIKA_SECRET_NAME_VALUE</c>. A name that the file has in lower case is meant by it too.</summary>
    public Setting? FindVariable(string variable)
    {
        if (!variable.StartsWith(VariablePrefix, StringComparison.Ordinal)) return null;
        var rest = variable[VariablePrefix.Length..];
        foreach (var key in new SecretSettings("x").Section.Settings.Select(static setting => setting.Name).OrderByDescending(static key => key.Length))
        {
            var suffix = "_" + key.ToUpperInvariant();
            if (!rest.EndsWith(suffix, StringComparison.Ordinal)) continue;
            var name = rest[..^suffix.Length];
            var known = _byName.ContainsKey(name) ? name : _byName.Keys.FirstOrDefault(declared => declared.Equals(name, StringComparison.OrdinalIgnoreCase)) ?? name;
            return Declare(known, out _)?.Section.Settings.First(setting => setting.Name == key);
        }

        return null;
    }
}
