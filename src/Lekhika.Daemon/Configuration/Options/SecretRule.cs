using System.Collections.Frozen;
using System.Collections.Immutable;

namespace Lekhika.Daemon.Configuration;

/// <summary>A secret that nodes may send, and the rule for it.</summary>
/// <param name="Name">What expressions call it.</param>
/// <param name="Value">The value; null where it cannot be read, as on the command line of somebody without the right to.</param>
/// <param name="Users">Whose executions may use it; null for all.</param>
/// <param name="Workflows">Ids (in the form "D") of the stored workflows that may use it; null for all executions.</param>
/// <param name="Hosts">Where it may be sent.</param>
internal sealed record SecretRule(string Name, Secret? Value, FrozenSet<string>? Users, FrozenSet<string>? Workflows, ImmutableArray<SecretHost> Hosts)
{
    /// <summary>Why an execution may not use it; null if it may.</summary>
    public string? Objection(string? user, Guid? workflow)
    {
        if (Users is not null && (user is null || !Users.Contains(user)))
            return user is null ? "is for some users only, and the execution has no user_id" : $"is not for the user {user}";
        if (Workflows is null || (workflow is { } id && Workflows.Contains(id.ToString("D")))) return null;
        return workflow is { } other ? $"is not for the workflow {other}" : "is for some stored workflows only, and the execution has a definition of its own";
    }

    /// <summary>Why it may not be sent there; null if it may.</summary>
    public string? Objection(Uri url) => Hosts.Any(host => host.Allows(url))
        ? null
        : $"may not be sent to {url.GetComponents(UriComponents.SchemeAndServer, UriFormat.UriEscaped)}; its hosts are {string.Join(", ", Hosts)}";
}
