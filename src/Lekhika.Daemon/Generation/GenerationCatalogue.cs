using System.Collections.Immutable;
using System.Text.Json;
using Lekhika.Workflows.Catalogue;

namespace Lekhika.Daemon.Generation;

/// <summary>The node types that generated workflows are made of, and the form those workflows have.</summary>
internal sealed class GenerationCatalogue
{
    private GenerationCatalogue(NodeCatalogue catalogue, ImmutableArray<NodeType> types, bool isForeign)
    {
        (Catalogue, Types, IsForeign) = (catalogue, types, isForeign);
        Edges = isForeign ? EdgeForm.Editor : EdgeForm.Canonical;
    }

    public NodeCatalogue Catalogue { get; }

    /// <summary>What may be used.</summary>
    public ImmutableArray<NodeType> Types { get; }

    /// <summary>Whether the workflows are for another editor: its types, not this daemon's.</summary>
    public bool IsForeign { get; }

    /// <summary>How edges are written, unless a workflow that is edited writes them otherwise.</summary>
    public EdgeForm Edges { get; }

    /// <summary>Types of this daemon, those left out that it cannot run.</summary>
    public static GenerationCatalogue Own(NodeCatalogue catalogue, Func<NodeType, bool> runs) =>
        new(catalogue, [.. catalogue.Types.Where(runs)], isForeign: false);

    /// <summary>Types of an operator's catalogue file.</summary>
    /// <exception cref="FormatException">It is no catalogue; says where.</exception>
    public static GenerationCatalogue Foreign(ReadOnlyMemory<byte> json)
    {
        var catalogue = NodeCatalogue.FromFile(json);
        if (catalogue.Types.Length == 0) throw new FormatException("catalogue: types is empty");
        if (!catalogue.Types.Any(IsTriggerType)) throw new FormatException("catalogue: no type is of the category \"triggers\", so no workflow could begin");
        return new(catalogue, catalogue.Types, isForeign: true);
    }

    public static bool IsTriggerType(NodeType type) => type.Category == "triggers";

    /// <summary>
    /// The types to offer for one job: all of them if they are few, else what the analysis chose, triggers and logic first, and what the prompt names.
    /// A model is told about tens of types, not hundreds.
    /// </summary>
    public ImmutableArray<NodeType> Offer(JobRequest request, IReadOnlyCollection<string> chosen)
    {
        const int most = 40;
        var allowed = request.NodeTypes.IsEmpty ? Types : [.. Types.Where(type => request.NodeTypes.Contains(type.Name) || IsTriggerType(type))];
        if (allowed.Length <= most) return allowed;
        var present = Present(request.CurrentWorkflow);
        return
        [
            .. allowed
                .Select((type, index) => (Type: type, Index: index, Rank: Rank(type)))
                .OrderByDescending(static entry => entry.Rank)
                .ThenBy(static entry => entry.Index)
                .Take(most)
                .OrderBy(static entry => entry.Index)
                .Select(static entry => entry.Type),
        ];

        int Rank(NodeType type)
        {
            if (chosen.Contains(type.Name) || present.Contains(type.Name)) return 100;
            var words = type.Name.Split('_');
            var named = words.Count(word => word.Length > 2 && request.Prompt.Contains(word, StringComparison.OrdinalIgnoreCase));
            return (10 * named) + type.Category switch
            {
                "triggers" => 9,
                "logic" => 5,
                "http_api" or "output" => 3,
                _ => 0,
            };
        }
    }

    private static HashSet<string> Present(JsonElement? workflow)
    {
        var types = new HashSet<string>(StringComparer.Ordinal);
        if (workflow is { ValueKind: JsonValueKind.Object } given && given.TryGetProperty("nodes", out var nodes) && nodes.ValueKind == JsonValueKind.Array)
        {
            foreach (var node in nodes.EnumerateArray())
            {
                if (DraftNodes.TypeOf(node) is { } type) types.Add(type);
            }
        }

        return types;
    }
}

/// <summary>What the ends and the branch of an edge are called.</summary>
internal sealed record EdgeForm(string From, string To, string Branch)
{
    public static EdgeForm Canonical { get; } = new("from", "to", "when");

    public static EdgeForm Editor { get; } = new("source", "target", "sourceHandle");
}

/// <summary>Reads nodes of drafts and given workflows, bare or with their fields under <c>data</c>.</summary>
internal static class DraftNodes
{
    public static string? TypeOf(JsonElement node)
    {
        if (node.ValueKind != JsonValueKind.Object) return null;
        if (node.TryGetProperty("data", out var data) && data.ValueKind == JsonValueKind.Object
            && data.TryGetProperty("type", out var inner) && inner.ValueKind == JsonValueKind.String)
        {
            return inner.GetString();
        }

        return node.TryGetProperty("type", out var type) && type.ValueKind == JsonValueKind.String ? type.GetString() : null;
    }
}
