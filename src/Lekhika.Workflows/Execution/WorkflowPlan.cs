using System.Globalization;
using Lekhika.Workflows.Catalogue;
using Lekhika.Workflows.Definitions;

namespace Lekhika.Workflows.Execution;

/// <summary>
/// A definition made ready to run: nodes in graph order with their edges resolved, bodies compiled. Immutable, and shared by all
/// executions of one definition. Problems are reported to authors by validation; what is thrown here guards against skipping it.
/// </summary>
public sealed class WorkflowPlan
{
    /// <summary>The type whose body is repeated pass by pass; any other type with a body runs it once per item.</summary>
    public const string LoopType = "loop";

    /// <summary>The type whose output is the result of its graph.</summary>
    public const string OutputType = "output";

    /// <summary>How deep bodies may be nested.</summary>
    public const int MaxDepth = 32;

    private readonly Dictionary<string, PlannedNode> _byId;

    private WorkflowPlan(WorkflowDefinition definition, PlannedNode[] nodes, Dictionary<string, PlannedNode> byId)
    {
        Definition = definition;
        Nodes = nodes;
        _byId = byId;
        foreach (var node in nodes) Weight += node.Weight;
    }

    /// <summary>What it was compiled from.</summary>
    public WorkflowDefinition Definition { get; }

    /// <summary>The nodes in graph order; a node's <see cref="PlannedNode.Index"/> is its position here.</summary>
    public IReadOnlyList<PlannedNode> Nodes { get; }

    internal double Weight { get; }

    /// <summary>The node with that id, or null.</summary>
    public PlannedNode? Find(string nodeId) => _byId.GetValueOrDefault(nodeId);

    /// <summary>Compiles a definition.</summary>
    /// <param name="definition">The definition, already validated.</param>
    /// <param name="effects">What a node does to the world, by its type.</param>
    /// <exception cref="ArgumentException">Duplicate ids, edges to nodes that are not there, cycles, or a scope without a body.</exception>
    public static WorkflowPlan Compile(WorkflowDefinition definition, Func<NodeDefinition, EffectClass> effects)
    {
        ArgumentNullException.ThrowIfNull(definition);
        ArgumentNullException.ThrowIfNull(effects);
        return Compile(definition, effects, "the workflow", 0);
    }

    private static WorkflowPlan Compile(WorkflowDefinition definition, Func<NodeDefinition, EffectClass> effects, string where, int depth)
    {
        if (depth > MaxDepth) throw Invalid($"Bodies are nested deeper than {MaxDepth} at {where}.");
        var nodes = definition.Nodes.IsDefault ? [] : definition.Nodes;
        var edges = definition.Edges.IsDefault ? [] : definition.Edges;

        var positions = new Dictionary<string, int>(nodes.Length, StringComparer.Ordinal);
        for (var i = 0; i < nodes.Length; i++)
        {
            if (!positions.TryAdd(nodes[i].Id, i)) throw Invalid($"Two nodes of {where} have the id '{nodes[i].Id}'; ids must be unique.");
        }

        var ends = new (int From, int To)[edges.Length];
        for (var i = 0; i < edges.Length; i++) ends[i] = (End(edges[i].From, i), End(edges[i].To, i));

        var order = Order(nodes.Length, ends, where);
        var planned = new PlannedNode[nodes.Length];
        var byAuthor = new PlannedNode[nodes.Length];
        var byId = new Dictionary<string, PlannedNode>(nodes.Length, StringComparer.Ordinal);
        for (var i = 0; i < order.Length; i++)
        {
            var node = nodes[order[i]];
            var effect = effects(node);
            if (node.Body is null && effect == EffectClass.Scope)
                throw Invalid($"Node '{node.Id}' of {where} has type '{node.Type}', which needs a body with nodes and edges; it has none.");
            var body = node.Body is null ? null : Compile(node.Body, effects, $"the body of '{node.Id}'", depth + 1);
            planned[i] = byAuthor[order[i]] = byId[node.Id] = new PlannedNode(i, node, effect, body);
        }

        for (var i = 0; i < edges.Length; i++)
        {
            var edge = new PlannedEdge(byAuthor[ends[i].From], byAuthor[ends[i].To], edges[i].When);
            edge.From.Leave(edge);
            edge.To.Enter(edge);
        }

        return new WorkflowPlan(definition, planned, byId);

        int End(string id, int edge) => positions.TryGetValue(id, out var position)
            ? position
            : throw Invalid(string.Create(CultureInfo.InvariantCulture, $"Edge {edge} of {where} names the node '{id}', which is not there."));
    }

    /// <summary>Graph order: predecessors first, otherwise the author's order, so that it does not depend on how edges are listed.</summary>
    private static int[] Order(int count, (int From, int To)[] edges, string where)
    {
        var blockers = new int[count];
        var firstEdge = new int[count];
        var nextEdge = new int[edges.Length];
        Array.Fill(firstEdge, -1);
        for (var i = 0; i < edges.Length; i++)
        {
            blockers[edges[i].To]++;
            nextEdge[i] = firstEdge[edges[i].From];
            firstEdge[edges[i].From] = i;
        }

        var free = new PriorityQueue<int, int>();
        for (var i = 0; i < count; i++)
        {
            if (blockers[i] == 0) free.Enqueue(i, i);
        }

        var order = new int[count];
        var placed = 0;
        while (free.TryDequeue(out var node, out _))
        {
            order[placed++] = node;
            for (var e = firstEdge[node]; e >= 0; e = nextEdge[e])
            {
                if (--blockers[edges[e].To] == 0) free.Enqueue(edges[e].To, edges[e].To);
            }
        }

        return placed == count ? order : throw Invalid($"The edges of {where} form a cycle; repeat nodes with a loop instead.");
    }

    private static ArgumentException Invalid(string message) => new(message);
}
