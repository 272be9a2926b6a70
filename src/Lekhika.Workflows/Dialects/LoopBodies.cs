namespace Lekhika.Workflows.Dialects;

/// <summary>
/// The earlier editors draw loops flat: an edge labelled for the body, or an edge back to the loop node. Here the nodes of such a loop are moved
/// into its body. Inner loops are found in the bodies of outer ones.
/// </summary>
internal static class LoopBodies
{
    private static readonly string[] BodyLabels = ["body", "loop", "loop_body", "each", "item", "iteration", "do"];

    /// <summary>Moves the bodies of all nodes for which <paramref name="isLoop"/> holds.</summary>
    public static void Extract(DraftGraph graph, Func<DraftNode, bool> isLoop, int depth = 0)
    {
        if (depth > 12) return;
        var loops = graph.Nodes.Where(isLoop).Where(static node => node.Body is null).ToList();
        if (loops.Count is 0 or > 200) return;
        foreach (var (loop, body) in loops.Select(loop => (loop, FindBody(graph, loop))).OrderByDescending(static pair => pair.Item2.Count))
        {
            // A loop that has just gone into an outer one's body is found again there.
            if (body.Count == 0 || !graph.Nodes.Contains(loop)) continue;
            Move(graph, loop, body);
            Extract(loop.Body!, isLoop, depth + 1);
        }
    }

    private static HashSet<string> FindBody(DraftGraph graph, DraftNode loop)
    {
        var next = graph.Edges.ToLookup(static edge => edge.From, StringComparer.Ordinal);
        var previous = graph.Edges.ToLookup(static edge => edge.To, StringComparer.Ordinal);
        var labelled = next[loop.Id].Where(static edge => IsBody(edge)).Select(static edge => edge.To).ToList();
        if (labelled.Count > 0)
        {
            var inside = Reach(labelled, loop.Id, id => next[id].Select(static edge => edge.To));
            inside.ExceptWith(Reach(
                next[loop.Id].Where(static edge => !IsBody(edge)).Select(static edge => edge.To), loop.Id, id => next[id].Select(static edge => edge.To)));
            return inside;
        }

        var after = Reach(next[loop.Id].Select(static edge => edge.To), loop.Id, id => next[id].Select(static edge => edge.To));
        after.IntersectWith(Reach(previous[loop.Id].Select(static edge => edge.From), loop.Id, id => previous[id].Select(static edge => edge.From)));
        return after;
    }

    private static void Move(DraftGraph graph, DraftNode loop, HashSet<string> body)
    {
        var inner = new DraftGraph { Nodes = [.. graph.Nodes.Where(node => body.Contains(node.Id))] };
        var outer = new List<DraftEdge>();
        foreach (var edge in graph.Edges)
        {
            var fromInside = body.Contains(edge.From);
            var toInside = body.Contains(edge.To);
            if (fromInside && toInside) inner.Edges.Add(edge);
            else if (fromInside && edge.To != loop.Id) Add(new DraftEdge(loop.Id, edge.To, null, edge.Path));
            else if (!fromInside && !toInside) Add(edge.From == loop.Id && edge.When is not "error" ? edge with { When = null } : edge);
            else if (!fromInside && edge.From != loop.Id) Add(edge with { To = loop.Id });
        }

        graph.Nodes.RemoveAll(node => body.Contains(node.Id));
        graph.Edges = outer;
        loop.Body = inner;

        void Add(DraftEdge edge)
        {
            if (edge.From != loop.Id || !outer.Any(known => known.From == loop.Id && known.To == edge.To && known.When == edge.When)) outer.Add(edge);
        }
    }

    private static bool IsBody(DraftEdge edge) => edge.When is not null && BodyLabels.Contains(edge.When);

    private static HashSet<string> Reach(IEnumerable<string> start, string stop, Func<string, IEnumerable<string>> step)
    {
        var reached = new HashSet<string>(StringComparer.Ordinal);
        var waiting = new Stack<string>(start);
        while (waiting.TryPop(out var id))
        {
            if (id == stop || !reached.Add(id)) continue;
            foreach (var other in step(id)) waiting.Push(other);
        }

        return reached;
    }
}
