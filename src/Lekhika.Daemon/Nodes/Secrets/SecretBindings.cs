using Lekhika.Workflows.Expressions;

namespace Lekhika.Daemon.Nodes.Secrets;

/// <summary>What expressions see as <c>secrets</c>: for each that the node names its stand-in.</summary>
internal static class SecretBindings
{
    public static CelValue Of(IReadOnlyList<string> names)
    {
        var map = new Dictionary<string, CelValue>(StringComparer.Ordinal);
        foreach (var name in names) map[name] = CelValue.From(StandIn.Of(name));
        return CelValue.FromMap(map);
    }
}
