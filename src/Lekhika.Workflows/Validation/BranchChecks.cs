using System.Text.Json;
using Lekhika.Workflows.Catalogue;
using Lekhika.Workflows.Definitions;

namespace Lekhika.Workflows.Validation;

/// <summary>Labels of edges against the branches their nodes can take.</summary>
internal static class BranchChecks
{
    public static void Run(Check check, WorkflowDefinition graph, string path, Dictionary<string, int> positions)
    {
        var carried = new Dictionary<int, HashSet<string>>();
        var plain = new HashSet<int>();
        for (var index = 0; index < graph.Edges.Length; index++)
        {
            var edge = graph.Edges[index];
            if (!positions.TryGetValue(edge.From, out var from)) continue;
            if (edge.When is null)
            {
                plain.Add(from);
                continue;
            }

            if (!carried.TryGetValue(from, out var labels)) carried[from] = labels = new(StringComparer.Ordinal);
            labels.Add(edge.When);
            CheckLabel(check, graph.Nodes[from], edge.When, JsonPath.Index(JsonPath.Key(path, "edges"), index));
        }

        for (var position = 0; position < graph.Nodes.Length; position++)
        {
            var node = graph.Nodes[position];
            var labels = carried.GetValueOrDefault(position);
            var place = JsonPath.Index(JsonPath.Key(path, "nodes"), position);
            if (node.OnError == ErrorMode.Branch && labels?.Contains(EdgeDefinition.ErrorBranch) != true)
            {
                check.Problems.Warn(
                    "branch_without_edge", check.Place(place), $"'{node.Id}' has on_error \"branch\", but no edge labelled \"error\" leaves it");
            }

            if (check.Catalogue.Find(node.Type) is { Routes: true } type) CheckCarried(check, node, type, labels, plain.Contains(position), place);
        }
    }

    /// <summary>The branches a node can take, those named in its config included.</summary>
    internal static List<string> Of(NodeDefinition node, NodeType type)
    {
        var branches = type.Branches.ToList();
        if (type.BranchesFrom is null || !node.Config.TryGet(type.BranchesFrom, out var list) || list.ValueKind != JsonValueKind.Array) return branches;
        if (type.BranchesReplaced) branches.Clear();
        foreach (var item in list.EnumerateArray())
        {
            if (item.Scalar() is { } label && !branches.Contains(label)) branches.Add(label);
        }

        return branches;
    }

    private static void CheckLabel(Check check, NodeDefinition node, string label, string edgePath)
    {
        if (label == EdgeDefinition.ErrorBranch || check.Catalogue.Find(node.Type) is not { External: false } type) return;
        var place = check.Place(edgePath + ".when");
        if (!type.Routes)
        {
            check.Problems.Error(
                "unknown_branch", place, $"an edge leaves '{node.Id}' on branch '{label}', but a node of type {type.Name} has no branches except \"error\"");
            return;
        }

        var branches = Of(node, type);
        if (branches.Contains(label)) return;
        var close = Suggestions.Closest(label, branches);
        check.Problems.Error(
            "unknown_branch",
            place,
            $"an edge leaves '{node.Id}' on branch '{label}', which it never takes; it can take {string.Join(", ", branches)} and error{Suggestions.Ask(close)}",
            close);
    }

    private static void CheckCarried(Check check, NodeDefinition node, NodeType type, HashSet<string>? labels, bool hasPlain, string nodePath)
    {
        if (labels is null && !hasPlain) return;
        foreach (var branch in Of(node, type))
        {
            // A default branch that ends there is ordinary: what no case fits is then simply over.
            if (labels?.Contains(branch) == true || hasPlain || (branch == "default" && type.BranchesFrom is not null)) continue;
            check.Problems.Warn(
                "branch_without_edge", check.Place(nodePath), $"no edge leaves '{node.Id}' on branch '{branch}': when it is taken, this path ends there");
        }
    }
}
