namespace Lekhika.Workflows.Dialects;

/// <summary>For each node, the nodes before it that made what reaches it, seen through those that only pass on.</summary>
internal static class Producers
{
    private const int Most = 8;

    public static Dictionary<string, List<string>> Find(DraftGraph graph, Dictionary<string, DraftNode> nodes, string[] passThrough)
    {
        var previous = new Dictionary<string, List<string>>(StringComparer.Ordinal);
        var next = new Dictionary<string, List<string>>(StringComparer.Ordinal);
        var open = new Dictionary<string, int>(StringComparer.Ordinal);
        Collect(graph, null);
        foreach (var id in nodes.Keys) open[id] = previous.GetValueOrDefault(id)?.Count ?? 0;

        var found = new Dictionary<string, List<string>>(StringComparer.Ordinal);
        var ready = new Queue<string>(nodes.Keys.Where(id => open[id] == 0));
        while (ready.TryDequeue(out var id))
        {
            found[id] = Before(id);
            foreach (var after in next.GetValueOrDefault(id) ?? [])
            {
                if (--open[after] == 0) ready.Enqueue(after);
            }
        }

        // What is left lies in or behind a cycle, which validation refuses; its nodes still get an answer.
        foreach (var id in nodes.Keys)
        {
            if (!found.ContainsKey(id)) found[id] = (previous.GetValueOrDefault(id) ?? []).Take(Most).ToList();
        }

        return found;

        List<string> Before(string id)
        {
            var made = new List<string>();
            foreach (var before in previous.GetValueOrDefault(id) ?? [])
            {
                if (!passThrough.Contains(nodes[before].Type)) AddOnce(made, before);
                else foreach (var earlier in found.GetValueOrDefault(before) ?? []) AddOnce(made, earlier);
            }

            return made;
        }

        void Collect(DraftGraph part, string? loop)
        {
            foreach (var edge in part.Edges) Link(edge.From, edge.To);
            var entered = part.Edges.Select(static edge => edge.To).ToHashSet(StringComparer.Ordinal);
            foreach (var node in part.Nodes)
            {
                if (loop is not null && !entered.Contains(node.Id)) Link(loop, node.Id);
                if (node.Body is { } body) Collect(body, node.Id);
            }
        }

        void Link(string from, string to)
        {
            if (from == to || !nodes.ContainsKey(from) || !nodes.ContainsKey(to)) return;
            AddTo(next, from, to);
            AddTo(previous, to, from);
        }
    }

    private static void AddTo(Dictionary<string, List<string>> lists, string key, string value)
    {
        if (!lists.TryGetValue(key, out var list)) lists[key] = list = [];
        list.Add(value);
    }

    private static void AddOnce(List<string> list, string id)
    {
        if (list.Count < Most && !list.Contains(id)) list.Add(id);
    }
}
