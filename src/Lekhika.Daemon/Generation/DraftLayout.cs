using System.Text.Json;
using System.Text.Json.Nodes;

namespace Lekhika.Daemon.Generation;

/// <summary>Gives nodes that have no position one: in columns by their distance from the beginning, one below the other.</summary>
internal static class DraftLayout
{
    private const int Left = 250;
    private const int Top = 100;
    private const int Column = 300;
    private const int Row = 150;

    public static void Place(JsonObject workflow, EdgeForm form)
    {
        var nodes = ((JsonArray)workflow["nodes"]!).OfType<JsonObject>().ToList();
        var columns = Columns(nodes, (JsonArray)workflow["edges"]!, form);
        var taken = new HashSet<(int, int)>();
        foreach (var node in nodes)
        {
            if (PositionOf(node) is { } at) taken.Add(((int)at.X, (int)at.Y));
        }

        for (var index = 0; index < nodes.Count; index++)
        {
            if (PositionOf(nodes[index]) is not null) continue;
            var x = Left + (Column * columns[index]);
            var y = Top;
            while (!taken.Add((x, y))) y += Row;
            nodes[index]["position"] = new JsonObject { ["x"] = x, ["y"] = y };
        }
    }

    private static (double X, double Y)? PositionOf(JsonObject node) =>
        node["position"] is JsonObject position && Number(position["x"]) is { } x && Number(position["y"]) is { } y ? (x, y) : null;

    private static double? Number(JsonNode? node) =>
        node is JsonValue value && value.GetValueKind() == JsonValueKind.Number && double.TryParse(
            value.ToJsonString(), System.Globalization.NumberStyles.Float, System.Globalization.CultureInfo.InvariantCulture, out var number)
        && Math.Abs(number) < 1e9 ? number : null;

    /// <summary>The longest way from a beginning to each node; a cycle ends the counting.</summary>
    private static int[] Columns(List<JsonObject> nodes, JsonArray edges, EdgeForm form)
    {
        var places = new Dictionary<string, int>(StringComparer.Ordinal);
        for (var index = 0; index < nodes.Count; index++)
        {
            if (WorkflowDraft.Text(nodes[index]["id"]) is { } id) places.TryAdd(id, index);
        }

        var links = new List<(int From, int To)>();
        foreach (var edge in edges.OfType<JsonObject>())
        {
            if (WorkflowDraft.Text(edge[form.From]) is { } from && WorkflowDraft.Text(edge[form.To]) is { } to
                && places.TryGetValue(from, out var source) && places.TryGetValue(to, out var target) && source != target)
            {
                links.Add((source, target));
            }
        }

        var next = links.ToLookup(static link => link.From, static link => link.To);
        var open = new int[nodes.Count];
        foreach (var link in links) open[link.To]++;
        var columns = new int[nodes.Count];
        var ready = new Queue<int>(Enumerable.Range(0, nodes.Count).Where(index => open[index] == 0));
        while (ready.TryDequeue(out var at))
        {
            foreach (var target in next[at])
            {
                columns[target] = Math.Max(columns[target], columns[at] + 1);
                if (--open[target] == 0) ready.Enqueue(target);
            }
        }

        return columns;
    }
}
