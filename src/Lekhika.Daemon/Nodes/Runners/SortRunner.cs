using System.Globalization;
using System.Text.Json;
using Lekhika.Workflows.Expressions;

namespace Lekhika.Daemon.Nodes.Runners;

/// <summary>Orders a list; items that are equal keep their order, and those without a value come last either way.</summary>
internal sealed class SortRunner : INodeRunner
{
    public ValueTask<NodeOutcome> RunAsync(NodeCall call, CancellationToken cancellationToken)
    {
        if (!ItemList.TryRead(call, out var items, out var failed)) return ValueTask.FromResult<NodeOutcome>(failed!);
        var order = new Order(call.Config.Text("as") ?? "auto", call.Config.Text("direction") == "desc");
        var keyed = new List<(JsonElement Item, JsonElement Key)>(items.GetArrayLength());
        var bindings = new OverlayBindings(call.Bindings);
        var hasKey = call.Program.Expressions.ContainsKey("by");
        foreach (var item in items.EnumerateArray())
        {
            cancellationToken.ThrowIfCancellationRequested();
            bindings["item"] = CelValue.FromJson(item);
            bindings["index"] = CelValue.From(keyed.Count);
            keyed.Add((item, hasKey ? call.Program.Evaluate("by", bindings).ToJson() : item));
        }

        return ValueTask.FromResult<NodeOutcome>(ItemList.Output([.. keyed.OrderBy(static pair => pair.Key, order).Select(static pair => pair.Item)]));
    }

    private sealed class Order(string kind, bool isDescending) : IComparer<JsonElement>
    {
        public int Compare(JsonElement x, JsonElement y)
        {
            var (one, other) = (Key(x), Key(y));
            if (one is null || other is null) return one is null ? (other is null ? 0 : 1) : -1;
            var order = (one, other) switch
            {
                (double a, double b) => a.CompareTo(b),
                (DateTimeOffset a, DateTimeOffset b) => a.CompareTo(b),
                (string a, string b) => string.CompareOrdinal(a, b),
                (bool a, bool b) => a.CompareTo(b),
                _ => Rank(one).CompareTo(Rank(other)),
            };
            return isDescending ? -order : order;
        }

        private object? Key(JsonElement value)
        {
            if (value.ValueKind is JsonValueKind.Null or JsonValueKind.Undefined) return null;
            var text = NodeConfig.TextOf(value);
            return kind switch
            {
                "string" => text,
                "number" => double.TryParse(text, NumberStyles.Float, CultureInfo.InvariantCulture, out var number) ? number : null,
                "date" => DateTimeOffset.TryParse(text, CultureInfo.InvariantCulture, DateTimeStyles.AssumeUniversal, out var date) ? date : null,
                _ => value.ValueKind switch
                {
                    JsonValueKind.Number => value.GetDouble(),
                    JsonValueKind.True => true,
                    JsonValueKind.False => false,
                    _ => text,
                },
            };
        }

        /// <summary>Kinds that cannot be compared are kept apart: booleans, numbers, dates, texts.</summary>
        private static int Rank(object key) => key switch { bool => 0, double => 1, DateTimeOffset => 2, _ => 3 };
    }
}
