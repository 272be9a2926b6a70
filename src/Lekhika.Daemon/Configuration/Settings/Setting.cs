using System.Collections.Immutable;

namespace Lekhika.Daemon.Configuration;

/// <summary>How far a setting's value may be shown.</summary>
internal enum Sensitivity
{
    /// <summary>As it is.</summary>
    Open,

    /// <summary>With passwords inside it masked: URLs and connection strings.</summary>
    MayHoldSecret,

    /// <summary>Never.</summary>
    Secret,
}

/// <summary>An environment variable of the earlier workers that still sets a setting.</summary>
/// <param name="Name">The variable.</param>
/// <param name="Note">How its value is taken, where it is not taken as it is.</param>
/// <param name="Translate">From its value to this daemon's grammar; null when they agree.</param>
internal sealed record OlderName(string Name, string? Note = null, Func<string, string>? Translate = null)
{
    public static implicit operator OlderName(string name) => new(name);
}

/// <summary>What a computed default may look at.</summary>
/// <param name="Sources">The sources.</param>
/// <param name="Effective">The text that counts of another setting; must not lead back to the one asked for.</param>
internal sealed record DefaultScope(ConfigurationSources Sources, Func<Setting, string?> Effective)
{
    /// <summary><paramref name="preferred"/>, or what <paramref name="bound"/> is set to if that is shorter.</summary>
    public string AtMost(string preferred, Setting bound)
    {
        var isShorter = Effective(bound) is { } text
            && DurationText.TryParse(text, out var most) && DurationText.TryParse(preferred, out var duration) && most < duration;
        return isShorter ? Effective(bound)! : preferred;
    }
}

/// <summary>One row of the table of settings: from it come reading, checking, printing, suggestions and <c>docs/configuration.md</c>.</summary>
internal abstract class Setting(string section, string name)
{
    public string Section { get; } = section;

    public string Name { get; } = name;

    /// <summary><c>section.key</c>, as in messages and flags.</summary>
    public string FullName { get; } = $"{section}.{name}";

    public string EnvironmentName { get; } = $"LEKHIKA_{section.ToUpperInvariant()}_{name.ToUpperInvariant()}";

    /// <summary>One or two sentences for the documentation.</summary>
    public required string Description { get; init; }

    /// <summary>The default in the file's own grammar; null when the setting is unset by default or its default is computed.</summary>
    public string? Default { get; init; }

    /// <summary>A default that depends on the machine or on other settings, used instead of <see cref="Default"/>; <see cref="DefaultNote"/> says how.</summary>
    public Func<DefaultScope, string?>? ComputeDefault { get; init; }

    /// <summary>The default in words, where <see cref="Default"/> cannot say it.</summary>
    public string? DefaultNote { get; init; }

    public Sensitivity Sensitivity { get; init; }

    /// <summary>Whether SIGHUP takes a new value over; others wait for a restart.</summary>
    public bool IsReloadable { get; init; }

    /// <summary>Variables of the earlier workers, the weightiest first.</summary>
    public ImmutableArray<OlderName> OlderNames { get; init; } = [];

    /// <summary>The file in <c>$CREDENTIALS_DIRECTORY</c> that sets it; null for settings that are no secrets.</summary>
    public string? CredentialName { get; init; }

    /// <summary>The setting that names a file whose content sets this one.</summary>
    public Setting<string>? FileSetting { get; init; }

    /// <summary>A word for the documentation: <c>duration</c>, <c>size</c>, …</summary>
    public abstract string TypeName { get; }

    /// <summary>What a value must look like, for messages and documentation.</summary>
    public abstract string Expected { get; }

    /// <summary>Reads a value; the result is of the setting's own type.</summary>
    public abstract Reading<object> Read(string text);

    /// <summary>The value as it may be shown.</summary>
    public string Show(string text) => Sensitivity switch
    {
        Sensitivity.Secret => Secret.Mask,
        Sensitivity.MayHoldSecret => Redaction.Inside(text),
        _ => text,
    };

    /// <summary>Whether this value has something in it that <see cref="Show"/> masks.</summary>
    public bool HoldsSecret(string text) => text.Length > 0 && Show(text).Contains(Secret.Mask, StringComparison.Ordinal);

    public override string ToString() => FullName;
}

/// <summary>A setting whose values are of type <typeparamref name="T"/>.</summary>
internal sealed class Setting<T>(string section, string name, SettingType<T> type) : Setting(section, name)
    where T : notnull
{
    public override string TypeName => type.Name;

    public override string Expected => type.Expected;

    public override Reading<object> Read(string text)
    {
        var (value, error) = type.Read(text);
        return error is null ? new Reading<object>(value, null) : Reading<object>.Failed(error);
    }
}

/// <summary>How a kind of value is read.</summary>
/// <param name="Name">A word for the documentation.</param>
/// <param name="Expected">What a value must look like: "a whole number from 1 to 10".</param>
/// <param name="Read">Reads it; an error says what is wrong without repeating the value.</param>
internal sealed record SettingType<T>(string Name, string Expected, Func<string, Reading<T>> Read)
    where T : notnull;
