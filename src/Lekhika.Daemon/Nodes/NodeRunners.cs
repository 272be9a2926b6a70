using System.Collections.Frozen;
using Lekhika.Workflows.Catalogue;

namespace Lekhika.Daemon.Nodes;

/// <summary>Which runner runs which node type. Types that an operator gives to an endpoint share one runner.</summary>
internal sealed class NodeRunners(IEnumerable<KeyValuePair<string, INodeRunner>> runners, INodeRunner? external = null)
{
    private readonly FrozenDictionary<string, INodeRunner> _byType = runners.ToFrozenDictionary(StringComparer.Ordinal);

    /// <summary>The types there are runners for, external ones apart.</summary>
    public IReadOnlyCollection<string> Types => _byType.Keys;

    public INodeRunner? Find(NodeType type) => type.External ? external : _byType.GetValueOrDefault(type.Name);
}
