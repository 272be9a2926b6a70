using System.Collections.Immutable;

namespace Lekhika.Daemon.Configuration;

// One pass over the sources in rising weight (file, credentials, environment, flags) puts the last value that names a
// setting into Chosen. What names no setting is an error here; whether a value fits its setting is read afterwards, so
// that a bad value in the file does no harm when a flag overrides it.

/// <summary>Finds the value that counts of every setting, and everything that names no setting.</summary>
internal sealed class SettingResolver(ConfigurationSources sources)
{
    private readonly Dictionary<string, Setting> _entries = new(StringComparer.Ordinal);

    /// <summary>The secrets that were found on the way.</summary>
    public SecretSections Secrets { get; } = new();

    public Dictionary<Setting, (string Text, SettingOrigin Origin)> Chosen { get; } = [];

    public List<ConfigurationProblem> Errors { get; } = [];

    public List<ConfigurationProblem> Warnings { get; } = [];

    public void Resolve()
    {
        TakeFile();
        TakeCredentials();
        TakeEnvironment();
        TakeFlags();
        TakeSecretFiles();
    }

    /// <summary>The settings of the table and the operator's own keys, in the order of the table.</summary>
    public IEnumerable<Setting> Settings => SettingTable.Sections.SelectMany(section => section.Settings.Concat(
        _entries.Values.Where(entry => entry.Section == section.Name).OrderBy(entry => entry.Name, StringComparer.Ordinal))).Concat(Secrets.Settings);

    private IEnumerable<Setting> Known => SettingTable.All.Concat(Secrets.Settings);

    private void TakeFile()
    {
        if (sources.File is not { } file)
        {
            return;
        }

        if (file.Problem is { } problem)
        {
            Errors.Add(new("--config", new(OriginKind.File, file.Path), problem));
        }

        if (file.Text is null)
        {
            return;
        }

        var parsed = ConfigurationText.Parse(file.Text);
        foreach (var (line, message) in parsed.Errors)
        {
            Errors.Add(new("syntax", SettingOrigin.FileLine(file.Path, line), message));
        }

        foreach (var (name, line) in parsed.Sections)
        {
            var origin = SettingOrigin.FileLine(file.Path, line);
            if (SecretSections.IsMeant(name))
            {
                if (Secrets.Declare(name[SecretSettings.Prefix.Length..], out var wrong) is null) Errors.Add(new($"[{name}]", origin, wrong!));
            }
            else if (name == "secret" || name == "secrets" || name.StartsWith("secrets.", StringComparison.Ordinal))
            {
                Errors.Add(new($"[{name}]", origin, "unknown section; each secret has a section of its own", $"[{SecretSettings.Prefix}{(name.Length > 8 ? name[8..] : "NAME")}]"));
            }
            else if (SettingTable.FindSection(name) is null)
            {
                var near = Suggestion.Closest(name, SettingTable.Sections.Select(section => section.Name));
                Errors.Add(new($"[{name}]", origin, "unknown section", near is null ? null : $"[{near}]"));
            }
        }

        var seen = new Dictionary<Setting, int>();
        foreach (var entry in parsed.Entries)
        {
            var origin = SettingOrigin.FileLine(file.Path, entry.Line);
            if (!IsSection(entry.Section) || Find(entry.Section, entry.Key, origin) is not { } setting)
            {
                continue;
            }

            if (!seen.TryAdd(setting, entry.Line))
            {
                Errors.Add(new(setting.FullName, origin, $"given twice; line {seen[setting]} has it already"));
            }

            Take(setting, entry.Value, origin);
            if (file.IsReadableByOthers && setting.HoldsSecret(entry.Value))
            {
                Warnings.Add(new(setting.FullName, origin, $"a secret in a file that every user may read; chmod 640 {file.Path}, or use a credential"));
            }
        }
    }

    private void TakeCredentials()
    {
        foreach (var (name, problem) in sources.UnreadableCredentials)
        {
            Errors.Add(new(name, SettingOrigin.Credential(name), $"the credential cannot be read: {problem}"));
        }

        foreach (var name in sources.Credentials.Keys.Where(static name => name.StartsWith(SecretSettings.CredentialPrefix, StringComparison.Ordinal)).Order(StringComparer.Ordinal))
        {
            if (Secrets.Declare(name[SecretSettings.CredentialPrefix.Length..], out var wrong) is null) Warnings.Add(new(name, SettingOrigin.Credential(name), wrong!));
        }

        foreach (var setting in Known)
        {
            if (setting.CredentialName is { } name && sources.Credentials.TryGetValue(name, out var text))
            {
                Take(setting, WithoutLastNewline(text), SettingOrigin.Credential(name));
            }
        }
    }

    private void TakeEnvironment()
    {
        var named = new List<(Setting Setting, string Name, string Value)>();
        foreach (var (name, value) in sources.Environment.OrderBy(variable => variable.Key, StringComparer.Ordinal))
        {
            if (value.Length == 0)
            {
                continue;
            }

            if (OlderVariables.Replacements.TryGetValue(name, out var replacement))
            {
                Warnings.Add(new(name, SettingOrigin.Variable(name), $"means nothing here: {replacement}"));
            }
            else if (name.StartsWith("LEKHIKA_", StringComparison.Ordinal) && name is not ("LEKHIKA_CONFIG" or "LEKHIKA_LOG_LEVEL")
                && FindVariable(name) is { } setting)
            {
                named.Add((setting, name, value));
            }
        }

        foreach (var setting in SettingTable.All)
        {
            TakeOlderNames(setting, named.Any(variable => variable.Setting == setting));
        }

        foreach (var (setting, name, value) in named)
        {
            Take(setting, value, SettingOrigin.Variable(name));
        }
    }

    private void TakeOlderNames(Setting setting, bool hasOwnVariable)
    {
        var given = setting.OlderNames.Where(older => sources.Variable(older.Name) is not null).ToList();
        if (hasOwnVariable || given.Count == 0)
        {
            return;
        }

        var older = given[0];
        var value = sources.Variable(older.Name)!;
        var origin = SettingOrigin.Variable(older.Name);
        if (Chosen.TryGetValue(setting, out var below) && below.Text != value && !older.Name.StartsWith("LEKHIKA_", StringComparison.Ordinal))
        {
            Warnings.Add(new(setting.FullName, origin, $"the environment outweighs {below.Origin}, which is ignored; unset {older.Name} if that is not meant"));
        }

        foreach (var ignored in given.Skip(1).Where(name => sources.Variable(name.Name) != value))
        {
            Warnings.Add(new(setting.FullName, SettingOrigin.Variable(ignored.Name), $"ignored, because {older.Name} is set too"));
        }

        Take(setting, older.Translate?.Invoke(value) ?? value, origin);
    }

    private void TakeFlags()
    {
        foreach (var flag in sources.Flags)
        {
            var origin = SettingOrigin.Flag(flag);
            if (Find(flag.Section, flag.Key, origin) is not { } setting)
            {
                continue;
            }

            if (flag.Value is null)
            {
                Errors.Add(new(setting.FullName, origin, $"needs a value: {flag.Name} VALUE, or {flag.Name}=VALUE if it begins with two dashes"));
                continue;
            }

            Take(setting, flag.Value, origin);
            if (setting.HoldsSecret(flag.Value))
            {
                Warnings.Add(new(setting.FullName, origin, "a secret on the command line is shown to every user by ps; use a credential, a file or the environment"));
            }
        }
    }

    // A *_file setting stands below the setting it fills.
    private void TakeSecretFiles()
    {
        foreach (var setting in Known)
        {
            if (setting.FileSetting is not { } file || !Chosen.TryGetValue(file, out var path) || file.Read(path.Text).Error is not null)
            {
                continue;
            }

            if (Chosen.TryGetValue(setting, out var direct))
            {
                Warnings.Add(new(file.FullName, path.Origin, $"ignored, because {setting.FullName} is set too ({direct.Origin})"));
                continue;
            }

            try
            {
                var text = WithoutLastNewline(sources.ReadFile(path.Text));
                Take(setting, text, path.Origin with { Place = $"{path.Text}, named by {path.Origin}" });
                if (text.Length == 0)
                {
                    Errors.Add(new(file.FullName, path.Origin, $"{path.Text} is empty"));
                }
            }
            catch (Exception error) when (error is IOException or UnauthorizedAccessException)
            {
                Errors.Add(new(file.FullName, path.Origin, $"cannot be read: {error.Message}"));
            }
        }
    }

    private void Take(Setting setting, string text, SettingOrigin origin)
    {
        if (text.Length > 0)
        {
            Chosen[setting] = (text, origin);
        }
    }

    private Setting? Find(string sectionName, string key, SettingOrigin origin)
    {
        if (SettingTable.Find(sectionName, key) is { } setting)
        {
            return setting;
        }

        if (SecretSections.TryCutFlag(sectionName, key, out var secret, out var part)) return Find(SecretSettings.Prefix + secret, part, origin);
        var name = $"{sectionName}.{key}";
        if (SecretSections.IsMeant(sectionName))
        {
            if (Secrets.Declare(sectionName[SecretSettings.Prefix.Length..], out var wrong) is not { Section: { } own })
            {
                Errors.Add(new(name, origin, wrong!));
                return null;
            }

            if (own.Settings.FirstOrDefault(candidate => candidate.Name == key) is { } found) return found;
            Unknown(name, origin, Suggestion.ClosestSetting(sectionName, key, [.. own.Settings.Select(candidate => candidate.FullName)]));
            return null;
        }

        if (SettingTable.FindSection(sectionName) is not { } section)
        {
            Unknown(name, origin, Suggestion.ClosestSetting(sectionName, key, SettingTable.FullNames));
            return null;
        }

        if (section.Entry is null)
        {
            Unknown(name, origin, Suggestion.ClosestSetting(sectionName, key, SettingTable.FullNames));
            return null;
        }

        if (section.EntryProblem?.Invoke(key) is { } problem)
        {
            Errors.Add(new(name, origin, problem));
            return null;
        }

        if (!_entries.TryGetValue(name, out var entry))
        {
            _entries[name] = entry = section.Entry(key);
        }

        return entry;
    }

    private Setting? FindVariable(string variable)
    {
        var origin = SettingOrigin.Variable(variable);
        if (SettingTable.All.FirstOrDefault(setting => setting.EnvironmentName == variable) is { } setting)
        {
            return setting;
        }

        if (Secrets.FindVariable(variable) is { } ofSecret) return ofSecret;

        // The shells' variables are upper-case; the operator's own keys are not. A name with other characters is taken as it stands.
        var section = SettingTable.Sections.FirstOrDefault(section =>
            section.Entry is not null && variable.StartsWith($"LEKHIKA_{section.Name.ToUpperInvariant()}_", StringComparison.Ordinal));
        if (section is not null && variable.Length > "LEKHIKA__".Length + section.Name.Length)
        {
            var key = variable[("LEKHIKA__".Length + section.Name.Length)..];
            var isPlain = key.All(character => char.IsAsciiLetterUpper(character) || char.IsAsciiDigit(character) || character == '_');
            return Find(section.Name, isPlain ? key.ToLowerInvariant() : key, origin);
        }

        Unknown(variable, origin, Suggestion.Closest(variable, SettingTable.All.Select(known => known.EnvironmentName).Append("LEKHIKA_CONFIG").Append("LEKHIKA_LOG_LEVEL")));
        return null;
    }

    private static bool IsSection(string name) =>
        SecretSections.IsMeant(name) ? SecretSettings.NameProblem(name[SecretSettings.Prefix.Length..]) is null : SettingTable.FindSection(name) is not null;

    private void Unknown(string name, SettingOrigin origin, string? near) =>
        Errors.Add(new(name, origin, "unknown setting", near is not null && origin.Kind == OriginKind.Flag ? $"--{near}" : near));

    private static string WithoutLastNewline(string text) => text.EndsWith('\n') ? text[..^1].TrimEnd('\r') : text;
}
