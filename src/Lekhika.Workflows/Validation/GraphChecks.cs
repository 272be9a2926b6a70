using Lekhika.Workflows.Definitions;

namespace Lekhika.Workflows.Validation;

/// <summary>Ids, ends of edges, cycles and reach.</summary>
internal static class GraphChecks
{
    /// <summary>Positions of the nodes by id, for the checks that follow; of a repeated id the first one stands.</summary>
    public static Dictionary<string, int> Run(Check check, WorkflowDefinition graph, string path, GraphScope scope)
    {
        var positions = CheckIds(check, graph, path);
        var next = CheckEdges(check, graph, path, positions);
        CheckCycles(check, graph, path, next);
        CheckReach(check, graph, path, next, scope);
        return positions;
    }

    private static Dictionary<string, int> CheckIds(Check check, WorkflowDefinition graph, string path)
    {
        var positions = new Dictionary<string, int>(graph.Nodes.Length, StringComparer.Ordinal);
        for (var position = 0; position < graph.Nodes.Length; position++)
        {
            var id = graph.Nodes[position].Id;
            if (id.Length > 0 && positions.TryAdd(id, position)) continue;
            var place = check.Place(NodePath(path, position) + ".id");
            if (id.Length == 0) check.Problems.Error("missing_id", place, $"{check.Place(NodePath(path, position))} has no id; give it a unique one");
            else check.Problems.Error("duplicate_id", place, $"the id '{id}' is already that of {check.Place(NodePath(path, positions[id]))}");
        }

        return positions;
    }

    private static List<int>[] CheckEdges(Check check, WorkflowDefinition graph, string path, Dictionary<string, int> positions)
    {
        var next = new List<int>[graph.Nodes.Length];
        for (var position = 0; position < next.Length; position++) next[position] = [];
        var seen = new HashSet<EdgeDefinition>();
        for (var index = 0; index < graph.Edges.Length; index++)
        {
            var edge = graph.Edges[index];
            var place = JsonPath.Index(JsonPath.Key(path, "edges"), index);
            var from = End(check, place, "from", edge.From, positions);
            var to = End(check, place, "to", edge.To, positions);
            if (from < 0 || to < 0) continue;
            if (from == to)
            {
                check.Problems.Error(
                    "self_loop", check.Place(place), $"an edge leads from '{edge.From}' to itself; use a loop node for repetition");
            }
            else if (!seen.Add(edge))
            {
                check.Problems.Warn("duplicate_edge", check.Place(place), $"there is another edge from '{edge.From}' to '{edge.To}' like this one");
            }
            else
            {
                next[from].Add(to);
            }
        }

        return next;
    }

    private static int End(Check check, string edgePath, string end, string id, Dictionary<string, int> positions)
    {
        if (positions.TryGetValue(id, out var position)) return position;
        var place = check.Place($"{edgePath}.{end}");
        if (id.Length == 0)
        {
            check.Problems.Error("missing_edge_end", place, $"{check.Place(edgePath)} does not say which node it {(end == "from" ? "leaves" : "enters")}");
            return -1;
        }

        var close = check.Closest(id, positions.Keys);
        check.Problems.Error(
            "unknown_edge_end",
            place,
            $"{check.Place(edgePath)} {(end == "from" ? "leaves" : "enters")} a node that is not there: '{id}'{Suggestions.Ask(close)}",
            close);
        return -1;
    }

    /// <summary>A depth-first walk without recursion; every edge back into the current path closes a cycle, which is named in full.</summary>
    private static void CheckCycles(Check check, WorkflowDefinition graph, string path, List<int>[] next)
    {
        const int Most = 10;
        const int LongestNamed = 20;
        var state = new byte[next.Length];
        var trail = new List<(int Node, int Edge)>();
        var found = 0;
        for (var start = 0; start < next.Length && found < Most; start++)
        {
            if (state[start] != 0) continue;
            trail.Add((start, 0));
            state[start] = 1;
            while (trail.Count > 0)
            {
                var (node, edge) = trail[^1];
                if (edge == next[node].Count)
                {
                    state[node] = 2;
                    trail.RemoveAt(trail.Count - 1);
                    continue;
                }

                trail[^1] = (node, edge + 1);
                var target = next[node][edge];
                if (state[target] == 0)
                {
                    state[target] = 1;
                    trail.Add((target, 0));
                }
                else if (state[target] == 1 && found++ < Most)
                {
                    var ids = trail.SkipWhile(step => step.Node != target).Select(step => graph.Nodes[step.Node].Id).ToList();
                    var named = ids.Count > LongestNamed ? [.. ids.Take(LongestNamed), "…"] : ids;
                    check.Problems.Error(
                        "cycle",
                        check.Place(NodePath(path, target)),
                        $"the edges form a cycle: {string.Join(" → ", named)} → {ids[0]}; put what is to be repeated into the body of a loop node");
                }
            }
        }
    }

    private static void CheckReach(Check check, WorkflowDefinition graph, string path, List<int>[] next, GraphScope scope)
    {
        var entered = new bool[next.Length];
        foreach (var targets in next)
        {
            foreach (var target in targets) entered[target] = true;
        }

        var triggers = 0;
        for (var position = 0; position < next.Length; position++)
        {
            if (graph.Nodes[position].Type != "trigger") continue;
            triggers++;
            if (scope.InBody)
                check.Problems.Error("trigger_in_body", check.Place(NodePath(path, position)), "a body cannot hold a trigger; its nodes use item and inputs");
            else if (entered[position])
                check.Problems.Warn("trigger_entered", check.Place(NodePath(path, position)), $"an edge enters the trigger '{graph.Nodes[position].Id}'");
        }

        if (scope.InBody) return;
        if (triggers == 0)
        {
            check.Problems.Warn("no_trigger", check.Place(JsonPath.Key(path, "nodes")), "there is no trigger: inputs are taken as they come, unchecked");
            return;
        }

        var reached = Reach(graph, next, entered);
        for (var position = 0; position < next.Length; position++)
        {
            var node = graph.Nodes[position];
            if (!entered[position] && node.Type != "trigger")
            {
                check.Problems.Warn(
                    "unreachable_node",
                    check.Place(NodePath(path, position)),
                    $"no edge leads to '{node.Id}': it starts at once, beside the trigger, and has nothing before it");
            }
            else if (!reached[position])
            {
                check.Problems.Warn("unreachable_node", check.Place(NodePath(path, position)), $"'{node.Id}' is never reached");
            }
        }
    }

    /// <summary>What is reached from the nodes that nothing enters; those start a run.</summary>
    private static bool[] Reach(WorkflowDefinition graph, List<int>[] next, bool[] entered)
    {
        var reached = new bool[next.Length];
        var waiting = new Stack<int>();
        for (var position = 0; position < next.Length; position++)
        {
            if (entered[position] && graph.Nodes[position].Type != "trigger") continue;
            reached[position] = true;
            waiting.Push(position);
        }

        while (waiting.TryPop(out var position))
        {
            foreach (var target in next[position])
            {
                if (reached[target]) continue;
                reached[target] = true;
                waiting.Push(target);
            }
        }

        return reached;
    }

    private static string NodePath(string path, int position) => JsonPath.Index(JsonPath.Key(path, "nodes"), position);
}
