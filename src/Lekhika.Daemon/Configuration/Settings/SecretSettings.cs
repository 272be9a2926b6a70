using System.Collections.Immutable;

namespace Lekhika.Daemon.Configuration;

// Secrets are sections of the operator's own naming, [secret.NAME], each with the same few settings. They are no part of SettingTable, whose names are
// fixed: SecretSections finds them while the sources are read. A secret says itself who may use it and where it may go, and nothing is allowed unsaid.

/// <summary>The settings of one secret.</summary>
internal sealed class SecretSettings
{
    /// <summary>What the names of these sections begin with.</summary>
    public const string Prefix = "secret.";

    /// <summary>What the names of their credentials begin with.</summary>
    public const string CredentialPrefix = "secret-";

    /// <summary>The word for everybody.</summary>
    public const string Any = "*";

    private static readonly SettingType<ImmutableArray<string>> UserList =
        new("list", "users (user_id of executions), separated by commas, or *", text => SettingTypes.ReadList(text, static part => (Reading<string>)part));

    private static readonly SettingType<ImmutableArray<string>> WorkflowList =
        new("list", "ids of stored workflows, separated by commas, or *", text => SettingTypes.ReadList(text, ReadWorkflow));

    private static readonly SettingType<ImmutableArray<SecretHost>> HostList =
        new("list", "hosts such as api.example.com, *.example.com:8443 or http://127.0.0.1:9000, separated by commas", text => SettingTypes.ReadList(text, SecretHost.Read));

    public SecretSettings(string name)
    {
        Name = name;
        var section = Prefix + name;
        ValueFile = new(section, "value_file", SettingTypes.FilePath)
        {
            Description = "File that holds the value; its last newline is dropped.",
            IsReloadable = true,
        };
        Value = new(section, "value", SettingTypes.SecretText)
        {
            Description = "The value, 4 characters or more.",
            Sensitivity = Sensitivity.Secret,
            CredentialName = CredentialPrefix + name,
            FileSetting = ValueFile,
            IsReloadable = true,
        };
        Users = new(section, "users", UserList)
        {
            Description = "Whose executions may use it; * for those of everyone, also without a user_id. One of users and workflows must be given.",
            DefaultNote = "all, if workflows is given",
            IsReloadable = true,
        };
        Workflows = new(section, "workflows", WorkflowList)
        {
            Description = "Which stored workflows may use it; an execution with a definition of its own is none of them.",
            DefaultNote = "all, if users is given",
            IsReloadable = true,
        };
        Hosts = new(section, "hosts", HostList)
        {
            Description = "Where it may be sent, over https unless http:// is written before the host; without a port to any port. Must be given.",
            IsReloadable = true,
        };
        Section = new(section, "A secret that nodes may send as secrets.NAME.", [Value, ValueFile, Users, Workflows, Hosts]);
    }

    /// <summary>What expressions call it: a letter or "_", then letters, digits and "_".</summary>
    public string Name { get; }

    public Setting<Secret> Value { get; }

    public Setting<string> ValueFile { get; }

    public Setting<ImmutableArray<string>> Users { get; }

    public Setting<ImmutableArray<string>> Workflows { get; }

    public Setting<ImmutableArray<SecretHost>> Hosts { get; }

    public SettingSection Section { get; }

    /// <summary>What is wrong with a name; null if it fits.</summary>
    public static string? NameProblem(string name) =>
        name.Length is > 0 and <= 64 && !char.IsAsciiDigit(name[0]) && name.All(static character => char.IsAsciiLetterOrDigit(character) || character == '_')
            ? null
            : "the name of a secret is 1 to 64 letters, digits and \"_\", and does not begin with a digit: [secret.API_TOKEN]";

    private static Reading<string> ReadWorkflow(string text) =>
        text == Any ? text : Guid.TryParse(text, out var id) ? id.ToString("D") : Reading<string>.Failed("expected the id (a UUID) of a stored workflow, or *");
}
