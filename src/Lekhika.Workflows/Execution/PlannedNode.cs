using System.Diagnostics;
using Lekhika.Workflows.Catalogue;
using Lekhika.Workflows.Definitions;

namespace Lekhika.Workflows.Execution;

/// <summary>A node with its place in the graph. Immutable once its plan is compiled.</summary>
[DebuggerDisplay("{Index}: {Id}")]
public sealed class PlannedNode
{
    private readonly List<PlannedEdge> _incoming = [];
    private readonly List<PlannedEdge> _outgoing = [];

    internal PlannedNode(int index, NodeDefinition definition, EffectClass effect, WorkflowPlan? body)
    {
        Index = index;
        Definition = definition;
        Effect = effect;
        Body = body;
        Weight = RunProgress.WeightOf(effect, body);
    }

    /// <summary>Position in graph order: after all predecessors, otherwise as the author wrote it. From 0.</summary>
    public int Index { get; }

    /// <summary>The node as it was defined.</summary>
    public NodeDefinition Definition { get; }

    /// <summary>The node's id, unique in its graph.</summary>
    public string Id => Definition.Id;

    /// <summary>What running it does to the world.</summary>
    public EffectClass Effect { get; }

    /// <summary>The graph that is run per iteration; null for nodes that are not scopes.</summary>
    public WorkflowPlan? Body { get; }

    /// <summary>Edges that enter it, in the author's order.</summary>
    public IReadOnlyList<PlannedEdge> Incoming => _incoming;

    /// <summary>Edges that leave it, in the author's order.</summary>
    public IReadOnlyList<PlannedEdge> Outgoing => _outgoing;

    /// <summary>Whether an edge labelled <c>error</c> leaves it.</summary>
    public bool HasErrorEdge { get; private set; }

    /// <summary>Whether the body is repeated one pass after the other (<c>loop</c>) rather than once per item.</summary>
    public bool IsLoop => Body is not null && string.Equals(Definition.Type, WorkflowPlan.LoopType, StringComparison.Ordinal);

    internal bool JoinsAny => Definition.Join == JoinMode.Any && _incoming.Count > 0;

    /// <summary>Its share of the progress, see <see cref="RunProgress"/>.</summary>
    internal double Weight { get; }

    internal void Enter(PlannedEdge edge) => _incoming.Add(edge);

    internal void Leave(PlannedEdge edge)
    {
        _outgoing.Add(edge);
        HasErrorEdge |= edge.IsError;
    }
}

/// <summary>An edge between two planned nodes.</summary>
public sealed class PlannedEdge
{
    internal PlannedEdge(PlannedNode from, PlannedNode to, string? when)
    {
        From = from;
        To = to;
        When = when;
        IsError = string.Equals(when, EdgeDefinition.ErrorBranch, StringComparison.OrdinalIgnoreCase);
    }

    /// <summary>The node it leaves.</summary>
    public PlannedNode From { get; }

    /// <summary>The node it enters.</summary>
    public PlannedNode To { get; }

    /// <summary>Its branch label; null is taken on every success.</summary>
    public string? When { get; }

    /// <summary>Whether it is taken on final failure only.</summary>
    public bool IsError { get; }

    /// <summary>Whether a success with the given branch takes it.</summary>
    internal bool IsTakenOn(string? branch)
    {
        if (When is null) return true;
        if (IsError || branch is null) return false;
        // Booleans are written True, TRUE and true by the earlier editors; all other labels are the author's own words.
        return string.Equals(When, branch, StringComparison.Ordinal)
            || (string.Equals(When, branch, StringComparison.OrdinalIgnoreCase)
                && (When.Equals("true", StringComparison.OrdinalIgnoreCase) || When.Equals("false", StringComparison.OrdinalIgnoreCase)));
    }
}
