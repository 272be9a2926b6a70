using System.Collections.Frozen;
using System.Collections.Immutable;

namespace Lekhika.Daemon.Configuration;

/// <summary>What must hold of a secret, and the rule that comes of it.</summary>
internal static class SecretRules
{
    /// <summary>Shorter texts are found in anything, so they cannot be taken out of what a server echoes.</summary>
    private const int ShortestValue = 4;

    public static void Check(
        SecretSections secrets, SettingValues values, ConfigurationPurpose purpose, List<ConfigurationProblem> errors, List<ConfigurationProblem> warnings)
    {
        foreach (var secret in secrets.All)
        {
            var name = secret.Section.Name;
            if (values.Find(secret.Value) is { } value)
            {
                if (value.Reveal().Length < ShortestValue)
                    errors.Add(new(secret.Value.FullName, values.Origin(secret.Value), $"a secret has {ShortestValue} characters or more"));
            }
            else if (purpose == ConfigurationPurpose.Serve && values.IsSound(secret.Value, secret.ValueFile) && !values.IsGiven(secret.ValueFile))
            {
                errors.Add(new(name, null, $"has no value; set value or value_file, or give the credential {secret.Value.CredentialName}"));
            }

            if (values.IsSound(secret.Hosts) && values.FindValue(secret.Hosts) is null)
                errors.Add(new(secret.Hosts.FullName, null, "says where the secret may be sent, and must be given: hosts = api.example.com"));
            if (values.IsSound(secret.Users, secret.Workflows) && values.FindValue(secret.Users) is null && values.FindValue(secret.Workflows) is null)
            {
                errors.Add(new(name, null,
                    "says neither whose executions (users) nor which stored workflows (workflows) may use it; users = * lets everyone"));
            }

            if (values.FindValue(secret.Hosts) is { } hosts && hosts.FirstOrDefault(static host => host.Scheme == Uri.UriSchemeHttp && !IsLocal(host.Host)) is { } plain)
                warnings.Add(new(secret.Hosts.FullName, values.Origin(secret.Hosts), $"{plain}: without https everyone on the way can read the secret"));
        }
    }

    public static ImmutableArray<SecretRule> Bind(SecretSections secrets, SettingValues values) =>
    [
        .. secrets.All.Select(secret => new SecretRule(
            secret.Name,
            values.Find(secret.Value),
            Listed(values.FindValue(secret.Users)),
            Listed(values.FindValue(secret.Workflows)),
            values.FindValue(secret.Hosts) ?? [])),
    ];

    private static FrozenSet<string>? Listed(ImmutableArray<string>? list) =>
        list is not { } given || given.Contains(SecretSettings.Any) ? null : given.ToFrozenSet(StringComparer.Ordinal);

    private static bool IsLocal(string host) => host == "localhost" || (System.Net.IPAddress.TryParse(host, out var address) && System.Net.IPAddress.IsLoopback(address));
}
