using System.Globalization;

namespace Lekhika.Daemon.Configuration;

/// <summary>Where values come from, in rising weight.</summary>
internal enum OriginKind
{
    Default,
    File,
    Credential,
    Environment,
    Flag,
}

/// <summary>Where one value came from.</summary>
/// <param name="Kind">Its weight.</param>
/// <param name="Place">The place as people would look for it: <c>/etc/lekhika-daemon/daemon.conf:12</c>, a variable, a flag.</param>
internal sealed record SettingOrigin(OriginKind Kind, string Place)
{
    public static readonly SettingOrigin Default = new(OriginKind.Default, "default");

    public static SettingOrigin FileLine(string path, int line) => new(OriginKind.File, string.Create(CultureInfo.InvariantCulture, $"{path}:{line}"));

    public static SettingOrigin Credential(string name) => new(OriginKind.Credential, $"credential {name}");

    public static SettingOrigin Variable(string name) => new(OriginKind.Environment, $"environment variable {name}");

    public static SettingOrigin Flag(SettingFlag flag) => new(OriginKind.Flag, $"flag {flag.Name}");

    public override string ToString() => Place;
}

/// <summary>Something wrong or doubtful in the configuration.</summary>
/// <param name="Key">The setting, <c>section.key</c>, or the name as it was given where there is no such setting.</param>
/// <param name="Origin">Where it came from; null for what is missing everywhere.</param>
/// <param name="Message">What is wrong, what was expected and how to mend it; never a secret.</param>
/// <param name="DidYouMean">A near name that may have been meant.</param>
internal sealed record ConfigurationProblem(string Key, SettingOrigin? Origin, string Message, string? DidYouMean = null)
{
    public override string ToString() =>
        $"{Key}{(Origin is null or { Kind: OriginKind.Default } ? "" : $" ({Origin})")}: {Message}{(DidYouMean is null ? "" : $"; did you mean {DidYouMean}?")}";
}

/// <summary>A setting with the value that counts and where it came from.</summary>
/// <param name="Setting">The row of the table.</param>
/// <param name="Text">The value in the file's grammar, secrets included; null when it is unset.</param>
/// <param name="Origin">Where it came from.</param>
internal sealed record EffectiveSetting(Setting Setting, string? Text, SettingOrigin Origin)
{
    /// <summary>The value as it may be shown.</summary>
    public string? Shown => Text is null ? null : Setting.Show(Text);

    public override string ToString() => $"{Setting.FullName} = {Shown}";
}
