using System.Collections.Frozen;
using System.Collections.Immutable;
using Lekhika.Daemon.Configuration;

namespace Lekhika.Daemon.Nodes.Secrets;

// Secrets of the configuration on their way into a call.
//
//   {{ secrets.KEY }} ──render──► stand-in ──SecretUse.Open: may it be used?──► Fill: the value ──may it go there?──► the wire
//                                                                                   answer, error ◄── Redact ──┘
//
// Expressions never see a value: they put a stand-in where it belongs (OpaqueUse holds them to that), and the runner puts the value in its place when
// everything else is decided. So a value is in no binding, no rendered configuration, no template's error and nothing that is recorded. A stand-in
// counts only in a node whose own templates name that secret: one that comes along in data stays the meaningless text it is.

/// <summary>The secrets in force; a reload replaces them, also for executions under way.</summary>
internal sealed class SecretVault(ImmutableArray<SecretRule> rules)
{
    private volatile FrozenDictionary<string, SecretRule> _rules = Index(rules);

    public void Replace(ImmutableArray<SecretRule> rules) => _rules = Index(rules);

    public SecretRule? Find(string name) => _rules.GetValueOrDefault(name);

    private static FrozenDictionary<string, SecretRule> Index(ImmutableArray<SecretRule> rules) =>
        rules.ToFrozenDictionary(static rule => rule.Name, StringComparer.Ordinal);
}
