using Lekhika.Workflows.Definitions;
using Lekhika.Workflows.Execution;

namespace Lekhika.Workflows.Tests.Execution;

/// <summary>The rules of readiness once more, said plainly and slowly over one graph and the records so far.</summary>
internal sealed class Oracle
{
    private readonly WorkflowDefinition _graph;
    private readonly Func<string, string> _keyOf;
    private readonly Dictionary<string, StepRecord> _finals;
    private readonly Dictionary<string, bool?> _fates = new(StringComparer.Ordinal);

    public Oracle(WorkflowDefinition graph, Func<string, string> keyOf, Dictionary<string, StepRecord> finals)
    {
        _graph = graph;
        _keyOf = keyOf;
        _finals = finals;
    }

    public bool HasFailed => _graph.Nodes.Any(node =>
        Final(node.Id) is { Outcome: StepOutcome.Failed } && node is { Optional: false, OnError: ErrorMode.Fail } && !HasErrorEdge(node.Id));

    /// <summary>Why the node may not start, or null if it may.</summary>
    public string? WhyNot(string id)
    {
        if (HasFailed) return "its graph has failed";
        if (Final(id) is not null) return "it has ended";
        var incoming = _graph.Edges.Where(edge => edge.To == id).ToList();
        if (incoming.Count == 0) return null;
        if (!incoming.Any(edge => Taken(edge) == true)) return "no edge to it is taken";
        return Node(id).Join == JoinMode.All && incoming.Any(edge => Taken(edge) is null) ? "an edge to it is not decided" : null;
    }

    /// <summary>Whether the node ran (true), was skipped (false), or neither is decided.</summary>
    public bool? Fate(string id)
    {
        if (_fates.TryGetValue(id, out var known)) return known;
        bool? fate = null;
        if (Final(id) is not null) fate = true;
        else
        {
            var incoming = _graph.Edges.Where(edge => edge.To == id).ToList();
            if (incoming.Count > 0 && incoming.TrueForAll(edge => Taken(edge) == false)) fate = false;
        }

        return _fates[id] = fate;
    }

    private bool? Taken(EdgeDefinition edge)
    {
        if (Fate(edge.From) is not true) return Fate(edge.From) is false ? false : null;
        var final = Final(edge.From)!;
        var node = Node(edge.From);
        var isError = edge.When == "error";
        if (final.Outcome == StepOutcome.Succeeded || node.Optional || node.OnError == ErrorMode.Continue)
            return edge.When is null || (!isError && string.Equals(edge.When, final.Branch, StringComparison.OrdinalIgnoreCase));
        // A failure that fails the graph decides nothing more.
        return node.OnError == ErrorMode.Branch || HasErrorEdge(edge.From) ? isError : null;
    }

    private bool HasErrorEdge(string id) => _graph.Edges.Any(edge => edge.From == id && edge.When == "error");

    private StepRecord? Final(string id) => _finals.GetValueOrDefault(_keyOf(id));

    private NodeDefinition Node(string id) => _graph.Nodes.Single(node => node.Id == id);
}
