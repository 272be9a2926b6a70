using System.Text.Json;
using Lekhika.Workflows.Definitions;
using Lekhika.Workflows.Validation;

namespace Lekhika.Workflows.Dialects;

/// <summary>
/// CtrlChecks: bare nodes <c>{id, type, config}</c>, or hydrated ones <c>{type: "custom", data: {type, label, config}}</c>; edges with
/// <c>sourceHandle</c>. <c>{{input.x}}</c> is what reached the node, so it is led back to the node that made it.
/// </summary>
internal sealed class CtrlChecksReader(ReadOptions options, ProblemList problems, SourceMap sources)
{
    /// <summary>Types that give on what they got; their output is not what <c>input</c> means behind them.</summary>
    private static readonly string[] PassThrough = ["condition", "switch", "noop", "log_output", "delay", "approval", "respond_to_webhook"];

    private readonly ModelNames _models = new(options, problems);
    private Dictionary<string, DraftNode> _nodes = [];

    public WorkflowDefinition? Read(JsonElement document)
    {
        var shapes = new ShapeReader(options, problems);
        var graph = new DraftGraph { Name = document.Text("name") ?? "" };
        shapes.ReadNodes(document, "nodes", graph, Draft);
        shapes.ReadEdges(document, "edges", graph, static edge => edge.Text("sourceHandle"));
        if (shapes.TooLarge(graph)) return null;
        _nodes = ShapeReader.ById(graph);
        foreach (var node in graph.Nodes) node.Type = shapes.TypeOf(node, "ctrlchecks", CtrlChecksNodes.Resolve);
        var all = graph.Nodes.ToList();
        NormaliseLabels(graph);
        LoopBodies.Extract(graph, static node => node.Type == "map");
        var producers = Producers.Find(graph, _nodes, PassThrough);
        var ids = _nodes.Keys;
        var inLoop = all.Where(static node => node.Body is not null)
            .SelectMany(static node => node.Body!.Nodes)
            .Select(static node => node.Id)
            .ToHashSet(StringComparer.Ordinal);
        var expressions = new LegacyExpressions(ids, static (root, _) => (root, 0));
        foreach (var node in all)
        {
            var made = producers.GetValueOrDefault(node.Id) ?? [];
            var names = new Names(_nodes, made, inLoop.Contains(node.Id), orNull: false);
            var careful = new Names(_nodes, made, inLoop.Contains(node.Id), orNull: true);
            CtrlChecksNodes.Map(new Translation(node, expressions.With(names.Resolve), _models, problems, expressions.With(careful.Resolve)));
        }

        foreach (var node in all.Where(static node => node is { Type: "map", Body: null })) CtrlChecksNodes.LimitInstead(node, problems);
        return graph.Build(sources);
    }

    private static DraftNode Draft(JsonElement item, string path)
    {
        var data = item.ObjectOrEmpty("data");
        var hydrated = data.Text("type") is not null;
        var fromData = data.TryGet("config", out var config) && config.ValueKind == JsonValueKind.Object;
        if (!fromData) config = item.ObjectOrEmpty("config");
        return new DraftNode
        {
            Id = ShapeReader.Id(item, "id"),
            AuthorType = (hydrated ? data.Text("type") : item.Text("type")) ?? "",
            Path = path,
            TypePath = path + (hydrated ? ".data.type" : ".type"),
            ConfigPath = path + (fromData ? ".data.config" : ".config"),
            Source = config,
            Name = data.Text("label") ?? item.Text("label") ?? item.Text("name"),
        };
    }

    /// <summary>Handles that every node has say nothing; those of a switch may count its cases.</summary>
    private void NormaliseLabels(DraftGraph graph)
    {
        for (var index = 0; index < graph.Edges.Count; index++)
        {
            var edge = graph.Edges[index];
            if (edge.When is null || !_nodes.TryGetValue(edge.From, out var from)) continue;
            graph.Edges[index] = edge with { When = CtrlChecksNodes.Label(from, edge.When) };
        }
    }

    /// <summary>What names mean at one node; what is missing is an error there, or null.</summary>
    private sealed class Names(Dictionary<string, DraftNode> nodes, IReadOnlyList<string> producers, bool inLoop, bool orNull)
    {
        public (string Cel, int Used) Resolve(string root, IReadOnlyList<string> members) => root switch
        {
            "input" or "$json" or "$input" or "json" or "data" => Input(members),
            "trigger" => ("inputs", members.Count > 0 && members[0] is "data" or "body" or "input" or "output" ? 1 : 0),
            "env" or "secrets" or "credentials" => ("secrets", 0),
            "item" or "index" or "inputs" or "nodes" or "previous" or "vars" or "execution" => (root, 0),
            "$item" => ("item", 0),
            "variables" or "$vars" => ("vars", 0),
            _ when nodes.TryGetValue(root, out var node) => Output(node, members),
            _ => (root, 0),
        };

        private static (string Cel, int Used) Output(DraftNode node, IReadOnlyList<string> members)
        {
            if (node.Type == "trigger") return ("inputs", 0);
            var skip = members.Count > 0 && members[0] is "output" && node.Type is not "llm" ? 1 : 0;
            return OutputNames.Of(node, members, skip);
        }

        private (string Cel, int Used) Input(IReadOnlyList<string> members)
        {
            var made = producers.Where(id => nodes[id].Type != "trigger").ToList();
            if (made.Count == 0) return (inLoop ? "item" : "inputs", 0);
            if (inLoop && nodes[made[0]].Body is not null) return ("item", 0);
            var (cel, used) = Single(nodes[made[^1]], members);
            for (var index = made.Count - 2; index >= 0; index--)
            {
                var (other, otherUsed) = Single(nodes[made[index]], members);
                (cel, used) = ($"({CelText.Quote(made[index])} in nodes ? {Rest(other, members, otherUsed)} : {Rest(cel, members, used)})", members.Count);
            }

            return (cel, used);
        }

        /// <summary>A part of one node's output; what it has not may be an input, as the earlier engine passed those along.</summary>
        private (string Cel, int Used) Single(DraftNode node, IReadOnlyList<string> members)
        {
            var (cel, used) = Output(node, members);
            if (members.Count == 0 || used > 0 || cel != CelText.Node(node.Id) || node.Type == "http") return (cel, used);
            var input = orNull ? CelText.MemberOr("inputs", members[0], "null") : CelText.Member("inputs", members[0]);
            return (CelText.MemberOr(cel, members[0], input), 1);
        }

        private string Rest(string cel, IReadOnlyList<string> members, int used)
        {
            if (orNull) return CelText.OrNull(cel, [.. members.Skip(used)]);
            for (; used < members.Count; used++) cel = CelText.Member(cel, members[used]);
            return cel;
        }
    }
}
