using System.Text.Json;
using Lekhika.Workflows.Catalogue;
using Lekhika.Workflows.Definitions;

namespace Lekhika.Workflows.Validation;

// Design. One pass over each graph, linear in nodes and edges, that reports everything it finds and stops at nothing. A definition is checked
// in canonical form; SourceMap turns places back into those of the author's document. Checks are apart by subject: GraphChecks (ids, edges,
// cycles, reach), BranchChecks (labels), ConfigChecks (fields), NameChecks (expressions, templates and the names in them).

/// <summary>Finds everything that is wrong or doubtful in a definition, at once.</summary>
public static class WorkflowValidator
{
    /// <summary>Checks a definition. It can run if no problem is an error.</summary>
    public static IReadOnlyList<Problem> Validate(WorkflowDefinition definition, ValidationOptions options)
    {
        var check = new Check(options);
        var count = CountNodes(definition);
        if (count > options.MaxNodes)
        {
            check.Problems.Error(
                "too_many_nodes", check.Place("nodes"), $"{count} nodes, but {options.MaxNodes} is the limit; move parts into sub-workflows");
            return check.Problems.Items;
        }

        ValidateGraph(check, definition, "", GraphScope.Top(definition));
        return check.Problems.Items;
    }

    private static void ValidateGraph(Check check, WorkflowDefinition graph, string path, GraphScope scope)
    {
        var nodesPath = JsonPath.Key(path, "nodes");
        if (graph.Nodes.Length == 0)
        {
            check.Problems.Error("no_nodes", check.Place(nodesPath), "there are no nodes; a workflow needs at least one");
            return;
        }

        var index = GraphChecks.Run(check, graph, path, scope);
        BranchChecks.Run(check, graph, path, index);
        for (var position = 0; position < graph.Nodes.Length; position++)
        {
            var node = graph.Nodes[position];
            var nodePath = JsonPath.Index(nodesPath, position);
            var type = check.Catalogue.Find(node.Type);
            if (type is null)
            {
                TypeNames.ReportUnknown(
                    check.Problems, check.Catalogue, "canonical", node.Type, check.Place(nodePath), check.Place(JsonPath.Key(nodePath, "type")));
                NameChecks.RunUntyped(check, node, nodePath, scope);
            }
            else
            {
                ConfigChecks.Run(check, node, type, nodePath, scope);
            }

            if (node.Body is not { } body) continue;
            var item = node.Config.Text("item");
            ValidateGraph(check, body, nodePath + ".config.body", scope.Inside(body, item));
        }
    }

    private static int CountNodes(WorkflowDefinition graph)
    {
        var count = graph.Nodes.Length;
        foreach (var node in graph.Nodes)
        {
            if (node.Body is { } body) count += CountNodes(body);
        }

        return count;
    }
}

/// <summary>What all checks of one validation share.</summary>
internal sealed class Check(ValidationOptions options)
{
    private int _suggestions;

    public ValidationOptions Options => options;

    public NodeCatalogue Catalogue => options.Catalogue;

    public ProblemList Problems { get; } = new();

    public HashSet<string>? Models { get; } = options.PresentModels is null ? null : new(options.PresentModels, StringComparer.OrdinalIgnoreCase);

    public string Place(string canonical) => options.Sources?.Resolve(canonical) ?? canonical;

    /// <summary>A suggestion from a list that may be as long as the graph; only the first problems get one, so that checking stays linear.</summary>
    public string? Closest(string name, IEnumerable<string> candidates) => _suggestions++ < 20 ? Suggestions.Closest(name, candidates) : null;
}

/// <summary>The names that can be used in one graph: its own nodes and, in a body, those around it.</summary>
internal sealed class GraphScope
{
    private readonly GraphScope? _outer;
    private readonly HashSet<string> _ids;

    private GraphScope(WorkflowDefinition graph, GraphScope? outer, string? itemName, HashSet<string>? inputs)
    {
        _outer = outer;
        _ids = graph.Nodes.Select(static node => node.Id).ToHashSet(StringComparer.Ordinal);
        ItemName = itemName;
        Inputs = inputs;
    }

    /// <summary>The author's name for the item of the innermost map; null if there is none.</summary>
    public string? ItemName { get; }

    /// <summary>Names of the declared inputs; null if none are declared, so that any may be used.</summary>
    public HashSet<string>? Inputs { get; }

    public bool InBody => _outer is not null;

    public IEnumerable<string> NodeIds => _outer is null ? _ids : _ids.Concat(_outer.NodeIds);

    public static GraphScope Top(WorkflowDefinition graph) => new(graph, null, null, DeclaredInputs(graph));

    public GraphScope Inside(WorkflowDefinition body, string? itemName) => new(body, this, itemName, Inputs);

    public bool HasNode(string id)
    {
        for (var scope = this; scope is not null; scope = scope._outer)
        {
            if (scope._ids.Contains(id)) return true;
        }

        return false;
    }

    public bool HasItem(string name)
    {
        for (var scope = this; scope is not null; scope = scope._outer)
        {
            if (scope.ItemName == name) return true;
        }

        return false;
    }

    private static HashSet<string>? DeclaredInputs(WorkflowDefinition graph)
    {
        HashSet<string>? names = null;
        foreach (var node in graph.Nodes)
        {
            if (node.Type != "trigger" || !node.Config.TryGet("fields", out var fields) || fields.ValueKind != JsonValueKind.Array) continue;
            foreach (var field in fields.EnumerateArray())
            {
                if (field.Text("name") is { } name) (names ??= new(StringComparer.Ordinal)).Add(name);
            }
        }

        return names;
    }
}
