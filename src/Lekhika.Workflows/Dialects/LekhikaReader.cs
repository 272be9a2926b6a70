using System.Text.Json;
using Lekhika.Workflows.Definitions;
using Lekhika.Workflows.Validation;

namespace Lekhika.Workflows.Dialects;

/// <summary>
/// Lekhika: input, process, condition, preview and output nodes whose meaning is in <c>data</c>, above all in <c>data.role</c>. The earlier engine
/// ran nodes one after another in the order of their positions; edges are kept here, and that order fills in where they are missing.
/// </summary>
internal sealed class LekhikaReader(ReadOptions options, ProblemList problems, SourceMap sources)
{
    private static readonly string[] TargetFields = ["target", "targetNode", "nodeId", "skipTo"];

    private readonly Dictionary<string, DraftNode> _byId = new(StringComparer.Ordinal);
    private readonly ModelNames _models = new(options, problems);

    public WorkflowDefinition? Read(JsonElement document)
    {
        var shapes = new ShapeReader(options, problems);
        var graph = new DraftGraph { Name = document.Text("name") ?? "" };
        shapes.ReadNodes(document, "nodes", graph, Draft);
        shapes.ReadEdges(document, "edges", graph, static edge => edge.Text("sourceHandle") ?? edge.Text("label"));
        if (shapes.TooLarge(graph)) return null;
        foreach (var node in graph.Nodes) node.Type = shapes.TypeOf(node, "lekhika", LekhikaRoles.Resolve);
        for (var index = 0; index < graph.Edges.Count; index++)
        {
            var edge = graph.Edges[index];
            graph.Edges[index] = edge with { When = Label(graph, edge) };
        }

        var flow = LekhikaFlow.Complete(graph);
        var names = new LekhikaNames(graph, flow);
        var nodes = new LekhikaNodes(names, flow, _models, problems);
        foreach (var node in graph.Nodes) nodes.Map(node);
        return graph.Build(sources);
    }

    private static DraftNode Draft(JsonElement item, string path)
    {
        var data = item.ObjectOrEmpty("data");
        var type = item.Text("type");
        var inData = (type is null || !LekhikaRoles.Types.Contains(type)) && data.Text("type") is { } inner && LekhikaRoles.Types.Contains(inner);
        var position = item.ObjectOrEmpty("position");
        return new DraftNode
        {
            Id = ShapeReader.Id(item, "id"),
            AuthorType = (inData ? data.Text("type") : type) ?? "",
            Path = path,
            TypePath = path + (inData ? ".data.type" : ".type"),
            ConfigPath = path + ".data",
            Source = data,
            Name = data.Text("label") ?? item.Text("label") ?? item.Text("name"),
            Role = (data.Text("role") ?? item.Text("role") ?? "").ToLowerInvariant(),
            X = Coordinate(position, "x"),
            Y = Coordinate(position, "y"),
        };
    }

    private static double Coordinate(JsonElement position, string axis) =>
        position.TryGet(axis, out var value) && value.ValueKind == JsonValueKind.Number && value.TryGetDouble(out var number) && double.IsFinite(number)
            ? number
            : 0;

    /// <summary>The branch of an edge: its handle, or the side of the condition that names its target.</summary>
    private string? Label(DraftGraph graph, DraftEdge edge)
    {
        if (_byId.Count == 0)
        {
            foreach (var node in graph.Nodes) _byId.TryAdd(node.Id, node);
        }

        if (!_byId.TryGetValue(edge.From, out var from)) return null;
        if (edge.When == EdgeDefinition.ErrorBranch) return edge.When;
        switch (from.Type)
        {
            case "condition":
                if (edge.When is not null) return edge.When.ToLowerInvariant() switch { "yes" => "true", "no" => "false", var word => word };
                if (!from.Source.TryGet("conditions", out var list) || list.ValueKind != JsonValueKind.Array) return null;
                foreach (var item in list.EnumerateArray())
                {
                    if (LeadsTo(item.ObjectOrEmpty("trueAction"), edge.To)) return "true";
                    if (LeadsTo(item.ObjectOrEmpty("falseAction"), edge.To)) return "false";
                }

                return null;
            case "approval":
                return edge.When is "reject" or "rejected" ? "reject" : "approve";
            default:
                return null;
        }
    }

    private static bool LeadsTo(JsonElement action, string id) =>
        TargetFields.Any(field => action.Text(field) == id);
}
