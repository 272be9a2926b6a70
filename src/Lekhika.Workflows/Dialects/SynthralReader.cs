using System.Text.Json;
using Lekhika.Workflows.Definitions;
using Lekhika.Workflows.Validation;

namespace Lekhika.Workflows.Dialects;

/// <summary>
/// SynthralOS: nodes as a list (<c>node_id</c>, <c>node_type</c>, or <c>id</c>, <c>type</c>) or as a map with <c>next</c>, perhaps inside
/// <c>graph_config</c>; edges with <c>condition</c> or <c>branch</c>; <c>{{trigger.data.x}}</c>, <c>{{node.result.y}}</c>.
/// </summary>
internal sealed class SynthralReader(ReadOptions options, ProblemList problems, SourceMap sources)
{
    private readonly ModelNames _models = new(options, problems);

    public WorkflowDefinition? Read(JsonElement document)
    {
        var shapes = new ShapeReader(options, problems);
        var wrapped = document.TryGet("graph_config", out var inner) && inner.ValueKind == JsonValueKind.Object;
        var root = wrapped ? inner : document;
        var path = wrapped ? "graph_config" : "";
        var graph = new DraftGraph { Name = document.Text("name") ?? root.Text("name") ?? "" };
        ReadNodes(root, JsonPath.Key(path, "nodes"), graph, shapes);
        shapes.ReadEdges(root, JsonPath.Key(path, "edges"), graph, Label);
        if (shapes.TooLarge(graph)) return null;
        if (graph.Edges.Count == 0) AddNext(root, graph);
        var all = graph.Nodes.ToList();
        var nodes = ShapeReader.ById(graph);
        CheckEntry(root, path, nodes);
        foreach (var node in all) node.Type = shapes.TypeOf(node, "synthralos", SynthralNodes.Resolve);
        foreach (var node in all) AddPaths(graph, node, nodes);
        for (var index = 0; index < graph.Edges.Count; index++)
        {
            var edge = graph.Edges[index];
            if (edge.When is not null && nodes.TryGetValue(edge.From, out var from))
                graph.Edges[index] = edge with { When = SynthralNodes.Label(from, edge.When) };
        }

        LoopBodies.Extract(graph, SynthralNodes.IsLoop);
        var expressions = new LegacyExpressions(nodes.Keys, new Names(nodes, LoopVariables(all)).Resolve);
        foreach (var node in all) SynthralNodes.Map(new Translation(node, expressions, _models, problems), nodes);
        return graph.Build(sources);
    }

    private void ReadNodes(JsonElement root, string path, DraftGraph graph, ShapeReader shapes)
    {
        if (!root.TryGet("nodes", out var nodes) || nodes.ValueKind != JsonValueKind.Object)
        {
            shapes.ReadNodes(root, path, graph, static (item, place) => Draft(item, place, null));
            return;
        }

        foreach (var property in nodes.EnumerateObject())
        {
            var place = JsonPath.Key(path, property.Name);
            if (property.Value.ValueKind == JsonValueKind.Object) graph.Nodes.Add(Draft(property.Value, place, property.Name));
            else problems.Error("wrong_type", place, $"a node must be an object, but this is {property.Value.Describe()}");
        }
    }

    private static DraftNode Draft(JsonElement item, string path, string? key)
    {
        var typed = item.TryGet("node_type", out _) ? "node_type" : "type";
        return new DraftNode
        {
            Id = key ?? ShapeReader.Id(item, item.TryGet("node_id", out _) ? "node_id" : "id"),
            AuthorType = item.Text(typed) ?? "",
            Path = path,
            TypePath = $"{path}.{typed}",
            ConfigPath = path + ".config",
            Source = item.ObjectOrEmpty("config"),
            Name = item.Text("name") ?? item.Text("label"),
        };
    }

    private static string? Label(JsonElement edge)
    {
        foreach (var field in new[] { "branch", "condition", "label", "sourceHandle" })
        {
            if (edge.TryGet(field, out var value) && value.Scalar() is { Length: > 0 } label) return label;
        }

        return null;
    }

    /// <summary>Edges from <c>next</c>, which count only where there is no list of edges.</summary>
    private void AddNext(JsonElement root, DraftGraph graph)
    {
        if (!root.TryGet("nodes", out var nodes)) return;
        var items = nodes.ValueKind switch
        {
            JsonValueKind.Object => nodes.EnumerateObject().Select(static property => property.Value).Where(static item => item.ValueKind == JsonValueKind.Object),
            JsonValueKind.Array => nodes.EnumerateArray().Where(static item => item.ValueKind == JsonValueKind.Object),
            _ => [],
        };
        foreach (var (node, item) in graph.Nodes.Zip(items))
        {
            if (!item.TryGet("next", out var next)) continue;
            var place = node.Path + ".next";
            if (next.ValueKind == JsonValueKind.Array)
            {
                var index = 0;
                foreach (var target in next.EnumerateArray()) Add(node, target, JsonPath.Index(place, index++));
            }
            else
            {
                Add(node, next, place);
            }
        }

        void Add(DraftNode node, JsonElement target, string place)
        {
            if (target.ValueKind is JsonValueKind.Null) return;
            if (target.Scalar() is { Length: > 0 } id) graph.Edges.Add(new DraftEdge(node.Id, id, null, place));
            else problems.Error("wrong_type", place, $"\"next\" must be the id of a node or a list of ids, but it is {target.Describe()}");
        }
    }

    private void CheckEntry(JsonElement root, string path, Dictionary<string, DraftNode> nodes)
    {
        if (root.Text("entry_node_id") is not { } entry || nodes.ContainsKey(entry)) return;
        var close = Suggestions.Closest(entry, nodes.Keys.Take(1000));
        problems.Error(
            "unknown_node", JsonPath.Key(path, "entry_node_id"), $"the entry node '{entry}' is not there{Suggestions.Ask(close)}", close);
    }

    /// <summary><c>true_path</c> and <c>false_path</c> label the edges that lead there, or make them.</summary>
    private static void AddPaths(DraftGraph graph, DraftNode node, Dictionary<string, DraftNode> nodes)
    {
        if (node.Type != "condition") return;
        foreach (var (field, label) in new[] { ("true_path", "true"), ("false_path", "false") })
        {
            if (node.Source.Text(field) is not { } target || !nodes.ContainsKey(target)) continue;
            var index = graph.Edges.FindIndex(edge => edge.From == node.Id && edge.To == target);
            if (index < 0) graph.Edges.Add(new DraftEdge(node.Id, target, label, $"{node.ConfigPath}.{field}"));
            else if (graph.Edges[index].When is null) graph.Edges[index] = graph.Edges[index] with { When = label };
        }
    }

    private static HashSet<string> LoopVariables(IEnumerable<DraftNode> nodes) =>
        nodes.Select(static node => node.Source.Text("loop_variable")).OfType<string>().ToHashSet(StringComparer.Ordinal);

    /// <summary>What names mean, at every node alike.</summary>
    private sealed class Names(Dictionary<string, DraftNode> nodes, HashSet<string> loopVariables)
    {
        public (string Cel, int Used) Resolve(string root, IReadOnlyList<string> members)
        {
            if (nodes.TryGetValue(root, out var node)) return Output(node, members);
            if (root.EndsWith("_output", StringComparison.Ordinal) && nodes.TryGetValue(root[..^"_output".Length], out var named)) return Output(named, members);
            if (loopVariables.Contains(root)) return (root, 0);
            switch (root)
            {
                case "trigger" or "data" or "input" or "execution_data" or "trigger_data":
                    return Data(members);
                case "vars" or "variables" or "workflow":
                    return ("vars", 0);
                case "loop":
                    return members.Count > 0 && members[0] is "item" or "index" ? (members[0], 1) : ("item", 0);
                case "env" or "secrets":
                    return ("secrets", 0);
                case "item" or "index" or "inputs" or "nodes" or "previous" or "execution":
                    return (root, 0);
                default:
                    return (CelText.Member("inputs", root), 0);
            }
        }

        /// <summary>The data of a run: the inputs, and the outputs of nodes as <c>id_output</c>.</summary>
        private (string Cel, int Used) Data(IReadOnlyList<string> members)
        {
            var skip = members.Count > 0 && members[0] is "data" or "output" or "result" or "trigger_data" ? 1 : 0;
            if (members.Count <= skip) return ("inputs", skip);
            const string suffix = "_output";
            var name = members[skip];
            if (!name.EndsWith(suffix, StringComparison.Ordinal) || !nodes.TryGetValue(name[..^suffix.Length], out var node)) return ("inputs", skip);
            var (cel, used) = Output(node, [.. members.Skip(skip + 1)]);
            return (cel, used + skip + 1);
        }

        private static (string Cel, int Used) Output(DraftNode node, IReadOnlyList<string> members)
        {
            var wrapped = members.Count > 0 && members[0] is "result" or "output" or "outputs" or "data";
            if (node.Type == "trigger") return ("inputs", wrapped ? 1 : 0);
            if (!wrapped) return OutputNames.Of(node, members);
            if (node.Type is "llm" && members.Count == 1) return OutputNames.Of(node, members);
            var output = CelText.Node(node.Id);
            // An endpoint may answer with a "result" or with its parts: both are what the author meant.
            if (OutputNames.Of(node, members, 1) is var (cel, used) && cel != output) return (cel, used);
            return SynthralNodes.IsForeign(node) ? (CelText.MemberOr(output, members[0], output), 1) : (output, 1);
        }
    }
}
