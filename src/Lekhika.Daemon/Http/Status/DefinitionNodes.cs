using System.Text.Json;

namespace Lekhika.Daemon.Http.Status;

/// <summary>
/// The names of a stored definition's nodes, for people. It is not read as a workflow here: whatever dialect it is in, ids and names are found by the
/// few places they are ever at, and what is not found is left out.
/// </summary>
internal static class DefinitionNodes
{
    private static readonly string[] IdNames = ["id", "node_id"];
    private static readonly string[] NameNames = ["name", "label"];

    public static List<StatusNode> Of(JsonElement? definition)
    {
        var nodes = new List<StatusNode>();
        if (NodesOf(definition) is not { } all) return nodes;
        if (all.ValueKind == JsonValueKind.Array)
        {
            foreach (var node in all.EnumerateArray()) Add(nodes, node, key: null);
        }
        else if (all.ValueKind == JsonValueKind.Object)
        {
            foreach (var property in all.EnumerateObject()) Add(nodes, property.Value, property.Name);
        }

        return nodes;
    }

    /// <summary>The object that has nodes and edges.</summary>
    public static JsonElement? Graph(JsonElement? definition)
    {
        if (definition is not { ValueKind: JsonValueKind.Object } root) return null;
        return !root.TryGetProperty("nodes"u8, out _) && root.TryGetProperty("graph_config"u8, out var graph) && graph.ValueKind == JsonValueKind.Object
            ? graph
            : root;
    }

    private static JsonElement? NodesOf(JsonElement? definition) =>
        Graph(definition) is { } graph && graph.TryGetProperty("nodes"u8, out var nodes) ? nodes : null;

    private static void Add(List<StatusNode> nodes, JsonElement node, string? key)
    {
        if (node.ValueKind != JsonValueKind.Object) return;
        JsonElement? data = node.TryGetProperty("data"u8, out var inner) && inner.ValueKind == JsonValueKind.Object ? inner : null;
        if ((First(node, IdNames) ?? key) is not { } id) return;
        var name = First(node, NameNames) ?? (data is { } described ? First(described, ["label", "name"]) : null) ?? id;
        var type = First(node, ["type"]);
        if (type is null or "custom" && data is { } hydrated) type = First(hydrated, ["type"]) ?? type;
        nodes.Add(new StatusNode(id, name, type ?? ""));
    }

    private static string? First(JsonElement owner, ReadOnlySpan<string> names)
    {
        foreach (var name in names)
        {
            if (!owner.TryGetProperty(name, out var value) || value.ValueKind != JsonValueKind.String) continue;
            if (value.GetString() is { Length: > 0 } text) return text;
        }

        return null;
    }
}
