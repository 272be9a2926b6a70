using System.Text.Json;
using Lekhika.Workflows.Catalogue;
using Lekhika.Workflows.Definitions;
using Lekhika.Workflows.Validation;

namespace Lekhika.Workflows.Dialects;

/// <summary>What the readers of the earlier dialects have in common: lists of nodes and edges, ids, types.</summary>
internal sealed class ShapeReader(ReadOptions options, ProblemList problems)
{
    /// <summary>Far above what validation accepts; keeps a hostile document from costing more than a look.</summary>
    private const int MostNodes = 20_000;

    public void ReadNodes(JsonElement document, string path, DraftGraph graph, Func<JsonElement, string, DraftNode> draft)
    {
        if (!document.TryGet("nodes", out var list) || list.ValueKind != JsonValueKind.Array)
        {
            problems.Error("wrong_type", path, $"\"nodes\" must be an array of nodes, but it is {list.Describe()}");
            return;
        }

        var index = 0;
        foreach (var item in list.EnumerateArray())
        {
            var place = JsonPath.Index(path, index++);
            if (item.ValueKind == JsonValueKind.Object) graph.Nodes.Add(draft(item, place));
            else problems.Error("wrong_type", place, $"a node must be an object, but this is {item.Describe()}");
        }
    }

    public void ReadEdges(JsonElement document, string path, DraftGraph graph, Func<JsonElement, string?> label)
    {
        if (!document.TryGet("edges", out var list) || list.ValueKind == JsonValueKind.Null) return;
        if (list.ValueKind != JsonValueKind.Array)
        {
            problems.Error("wrong_type", path, $"\"edges\" must be an array of edges, but it is {list.Describe()}");
            return;
        }

        var index = 0;
        foreach (var item in list.EnumerateArray())
        {
            var place = JsonPath.Index(path, index++);
            if (item.ValueKind != JsonValueKind.Object)
            {
                problems.Error("wrong_type", place, $"an edge must be an object, but this is {item.Describe()}");
                continue;
            }

            var from = Id(item, item.TryGet("source", out _) ? "source" : "from");
            var to = Id(item, item.TryGet("target", out _) ? "target" : "to");
            graph.Edges.Add(new DraftEdge(from, to, label(item), place));
        }
    }

    /// <summary>The nodes by id, those in bodies not included; of a repeated id the first one stands.</summary>
    public static Dictionary<string, DraftNode> ById(DraftGraph graph)
    {
        var nodes = new Dictionary<string, DraftNode>(StringComparer.Ordinal);
        foreach (var node in graph.Nodes) nodes.TryAdd(node.Id, node);
        return nodes;
    }

    public bool TooLarge(DraftGraph graph)
    {
        if (graph.Nodes.Count <= MostNodes && graph.Edges.Count <= 10 * MostNodes) return false;
        problems.Error("too_many_nodes", "nodes", $"{graph.Nodes.Count} nodes and {graph.Edges.Count} edges are too many to read");
        return true;
    }

    /// <summary>The canonical type of a node: the operator's own external types first, then the dialect's names, then the canonical ones.</summary>
    public string TypeOf(DraftNode node, string dialect, Func<DraftNode, string?> special)
    {
        var type = node.AuthorType;
        if (options.Catalogue.Find(type) is { External: true }) return type;
        if (special(node) is { } chosen) return chosen;
        if (options.Catalogue.FindAlias(dialect, type) is { } alias) return alias.Name;
        if (options.Catalogue.Find(type) is not null) return type;
        TypeNames.ReportUnknown(problems, options.Catalogue, dialect, type, node.Path, node.TypePath.Length > 0 ? node.TypePath : node.Path);
        return type;
    }

    /// <summary>An id as text; editors also write numbers.</summary>
    public static string Id(JsonElement item, string field) =>
        item.TryGet(field, out var value) && value.ValueKind is JsonValueKind.String or JsonValueKind.Number ? value.Scalar()! : "";
}
