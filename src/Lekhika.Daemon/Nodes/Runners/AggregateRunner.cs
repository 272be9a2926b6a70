using System.Globalization;
using System.Text.Json;
using Lekhika.Workflows;

namespace Lekhika.Daemon.Nodes.Runners;

/// <summary>Computes one value from a list, or one for each group. Items without the field are counted, and otherwise passed over.</summary>
internal sealed class AggregateRunner : INodeRunner
{
    public ValueTask<NodeOutcome> RunAsync(NodeCall call, CancellationToken cancellationToken) => ValueTask.FromResult(Aggregate(call));

    private static NodeOutcome Aggregate(NodeCall call)
    {
        if (!ItemList.TryRead(call, out var items, out var failed)) return failed!;
        var operation = call.Config.Text("operation") ?? "count";
        var field = call.Config.Text("field");
        var separator = call.Config.Text("separator") ?? "\n";
        var all = items.EnumerateArray().ToList();
        if (operation is "sum" or "avg" && all.Select(item => At(item, field)).OfType<JsonElement>().FirstOrDefault(static value => Number(value) is null) is { ValueKind: not JsonValueKind.Undefined } wrong)
        {
            return new NodeFailed(
                ErrorCodes.ExpressionFailed, $"Node '{call.Step.Node.Id}': {operation} needs numbers{(field is null ? "" : $" in '{field}'")}, but there is {ItemList.Describe(wrong)}.");
        }

        return new NodeSucceeded(JsonConstants.Object(writer =>
        {
            writer.WritePropertyName("result");
            Write(writer, operation, all, field, separator);
            if (call.Config.Text("group_by") is { Length: > 0 } by)
            {
                writer.WriteStartObject("groups");
                foreach (var group in all.GroupBy(item => At(item, by) is { } name ? NodeConfig.TextOf(name) : "", StringComparer.Ordinal))
                {
                    writer.WritePropertyName(group.Key);
                    Write(writer, operation, [.. group], field, separator);
                }

                writer.WriteEndObject();
            }

            writer.WriteNumber("count", all.Count);
        }));
    }

    private static void Write(Utf8JsonWriter writer, string operation, List<JsonElement> items, string? field, string separator)
    {
        var values = items.Select(item => At(item, field)).OfType<JsonElement>().ToList();
        switch (operation)
        {
            case "count":
                writer.WriteNumberValue(field is null ? items.Count : values.Count);
                break;
            case "sum":
                WriteNumber(writer, Sum(values));
                break;
            case "avg" when values.Count > 0:
                WriteNumber(writer, Sum(values) / values.Count);
                break;
            case "min" when values.Count > 0:
                values.Min(Ends.Instance).WriteTo(writer);
                break;
            case "max" when values.Count > 0:
                values.Max(Ends.Instance).WriteTo(writer);
                break;
            case "join":
                writer.WriteStringValue(string.Join(separator, values.Select(NodeConfig.TextOf)));
                break;
            case "collect":
                writer.WriteStartArray();
                foreach (var value in values) value.WriteTo(writer);
                writer.WriteEndArray();
                break;
            default:
                writer.WriteNullValue();
                break;
        }
    }

    private static double Sum(List<JsonElement> values) => values.Sum(static value => Number(value) ?? 0);

    private static void WriteNumber(Utf8JsonWriter writer, double number)
    {
        if (!double.IsFinite(number)) writer.WriteNullValue();
        else if (Math.Floor(number) == number && Math.Abs(number) < 1e15) writer.WriteNumberValue((long)number);
        else writer.WriteNumberValue(number);
    }

    private static double? Number(JsonElement value) => value.ValueKind switch
    {
        JsonValueKind.Number => value.GetDouble(),
        JsonValueKind.String when double.TryParse(value.GetString(), NumberStyles.Float, CultureInfo.InvariantCulture, out var number) && double.IsFinite(number) => number,
        _ => null,
    };

    /// <summary>The field of an item; dots lead deeper. Null if it is not there.</summary>
    private static JsonElement? At(JsonElement item, string? path)
    {
        if (path is not { Length: > 0 }) return item.ValueKind == JsonValueKind.Null ? null : item;
        if (item.Get(path) is { } direct) return direct;
        JsonElement? at = item;
        foreach (var name in path.Split('.')) at = at?.Get(name);
        return at;
    }

    private sealed class Ends : IComparer<JsonElement>
    {
        public static Ends Instance { get; } = new();

        public int Compare(JsonElement x, JsonElement y) => (Number(x), Number(y)) switch
        {
            ({ } one, { } other) => one.CompareTo(other),
            (null, null) => string.CompareOrdinal(NodeConfig.TextOf(x), NodeConfig.TextOf(y)),
            (null, _) => 1,
            _ => -1,
        };
    }
}
