using System.Text.Json;
using Lekhika.Workflows.Catalogue;
using Lekhika.Workflows.Definitions;

namespace Lekhika.Workflows.Dialects;

/// <summary>
/// Tells dialects apart by shape. Marks that only one dialect has decide at once; a document without any of them is given to the dialect that
/// knows most of its node types.
/// </summary>
internal static class DialectDetector
{
    private static readonly string[] LekhikaData =
    [
        "role", "inputFields", "aiEnabled", "selectedModels", "userPrompt", "systemPrompt", "inputInstructions", "processingInstructions", "exportFormats",
    ];

    private static readonly string[] LekhikaTypes = ["input", "process", "output", "condition", "preview", "structural"];

    public static Dialect Detect(JsonElement document, NodeCatalogue catalogue)
    {
        if (document.TryGet("graph_config", out var wrapped) && wrapped.ValueKind == JsonValueKind.Object) return Dialect.SynthralOS;
        if (!document.TryGet("nodes", out var nodes)) return Dialect.Canonical;
        if (nodes.ValueKind == JsonValueKind.Object) return Dialect.SynthralOS;
        if (nodes.ValueKind != JsonValueKind.Array) return Dialect.Canonical;
        foreach (var node in nodes.EnumerateArray())
        {
            if (FromNode(node) is { } found) return found;
        }

        if (document.TryGet("entry_node_id", out _)) return Dialect.SynthralOS;
        return FromEdges(document) ?? (UsesSourceTarget(document) ? ByTypes(nodes, catalogue) : Dialect.Canonical);
    }

    private static Dialect? FromNode(JsonElement node)
    {
        if (node.ValueKind != JsonValueKind.Object) return null;
        if (node.TryGet("node_id", out _) || node.TryGet("node_type", out _) || node.TryGet("next", out _)) return Dialect.SynthralOS;
        var type = node.Text("type");
        if (node.TryGet("data", out var data) && data.ValueKind == JsonValueKind.Object)
        {
            if (type == "custom" || (data.TryGet("config", out _) && data.Text("type") is not null)) return Dialect.CtrlChecks;
            if (LekhikaData.Any(name => data.TryGet(name, out _)) || LekhikaTypes.Contains(type)) return Dialect.Lekhika;
        }

        return type == "process" || (node.Text("role") is not null && LekhikaTypes.Contains(type)) ? Dialect.Lekhika : null;
    }

    private static Dialect? FromEdges(JsonElement document)
    {
        if (!document.TryGet("edges", out var edges) || edges.ValueKind != JsonValueKind.Array) return null;
        foreach (var edge in edges.EnumerateArray())
        {
            if (!edge.TryGet("source", out _)) continue;
            if (edge.TryGet("sourceHandle", out var handle) && handle.ValueKind == JsonValueKind.String) return Dialect.CtrlChecks;
            if (edge.TryGet("condition", out _) || edge.TryGet("branch", out _)) return Dialect.SynthralOS;
        }

        return null;
    }

    private static bool UsesSourceTarget(JsonElement document) =>
        document.TryGet("edges", out var edges)
        && edges.ValueKind == JsonValueKind.Array
        && edges.EnumerateArray().Any(static edge => edge.TryGet("source", out _) && !edge.TryGet("from", out _));

    private static Dialect ByTypes(JsonElement nodes, NodeCatalogue catalogue)
    {
        int synthral = 0, ctrl = 0;
        foreach (var node in nodes.EnumerateArray())
        {
            if (node.Text("type") is not { } type) continue;
            if (SynthralNodes.Knows(type)) synthral++;
            if (catalogue.FindAlias("ctrlchecks", type) is not null || (catalogue.Foreign.ContainsKey(type) && !SynthralNodes.Knows(type))) ctrl++;
        }

        return synthral > ctrl ? Dialect.SynthralOS : Dialect.CtrlChecks;
    }
}
