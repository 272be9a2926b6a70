using System.Globalization;
using System.Text.Json;
using System.Text.Json.Nodes;
using Lekhika.Workflows;

namespace Lekhika.Daemon.Nodes.Runners;

/// <summary>Brings the outputs of the branches that were taken together, in edge order.</summary>
internal sealed class MergeRunner : INodeRunner
{
    public ValueTask<NodeOutcome> RunAsync(NodeCall call, CancellationToken cancellationToken) => ValueTask.FromResult(Merge(call));

    private static NodeOutcome Merge(NodeCall call)
    {
        var parts = Parts(call);
        switch (call.Config.Text("mode"))
        {
            case "append" or "array":
                return ItemList.Output([.. parts.Select(static part => part.Value)]);
            case "concat":
                return ItemList.Output([.. parts.SelectMany(static part => Items(part.Value))]);
            case "first":
                return new NodeSucceeded(parts.Select(static part => part.Value).FirstOrDefault(static value => value.ValueKind == JsonValueKind.Object) is { ValueKind: JsonValueKind.Object } first
                    ? first : JsonConstants.EmptyObject);
            case "by_key":
                return call.Config.Text("key") is { Length: > 0 } key
                    ? ItemList.Output(ByKey(parts, key))
                    : new NodeFailed(ErrorCodes.InvalidWorkflow, $"Node '{call.Step.Node.Id}': mode by_key needs config.key, the name of the field to join by.");
            case "by_id":
                return new NodeSucceeded(JsonConstants.Object(writer => WriteAll(writer, parts)));
            case "deep":
                return new NodeSucceeded(Deep(parts));
            default:
                return new NodeSucceeded(JsonConstants.Object(writer => WriteMerged(writer, parts)));
        }
    }

    private static List<(string Name, JsonElement Value)> Parts(NodeCall call)
    {
        if (call.Config.Get("inputs") is { ValueKind: JsonValueKind.Array } inputs)
            return [.. inputs.EnumerateArray().Select(static (value, index) => (index.ToString(CultureInfo.InvariantCulture), value))];

        var parts = new List<(string, JsonElement)>();
        foreach (var key in call.Step.Predecessors)
        {
            if (call.Machine.Step(key) is { } step && call.Machine.OutputOf(key) is { } output) parts.Add((step.Node.Id, output));
        }

        return parts;
    }

    /// <summary>The list in a part: the part itself, or its items; anything else is a list of one.</summary>
    private static List<JsonElement> Items(JsonElement value) =>
        value.ValueKind == JsonValueKind.Array ? [.. value.EnumerateArray()]
        : value.Get("items") is { ValueKind: JsonValueKind.Array } items ? [.. items.EnumerateArray()]
        : [value];

    private static List<JsonElement> ByKey(List<(string Name, JsonElement Value)> parts, string key)
    {
        var order = new List<string>();
        var byKey = new Dictionary<string, List<(string Name, JsonElement Value)>>(StringComparer.Ordinal);
        foreach (var item in parts.SelectMany(static part => Items(part.Value)))
        {
            if (item.Text(key) is not { } id) continue;
            if (!byKey.TryGetValue(id, out var same))
            {
                byKey[id] = same = [];
                order.Add(id);
            }

            same.Add((id, item));
        }

        return [.. order.Select(id => JsonConstants.Object(writer => WriteMerged(writer, byKey[id])))];
    }

    private static void WriteAll(Utf8JsonWriter writer, List<(string Name, JsonElement Value)> parts)
    {
        foreach (var (name, value) in parts)
        {
            writer.WritePropertyName(name);
            value.WriteTo(writer);
        }
    }

    private static void WriteMerged(Utf8JsonWriter writer, List<(string Name, JsonElement Value)> parts)
    {
        var merged = new Dictionary<string, JsonElement>(StringComparer.Ordinal);
        foreach (var (_, value) in parts)
        {
            if (value.ValueKind != JsonValueKind.Object) continue;
            foreach (var property in value.EnumerateObject()) merged[property.Name] = property.Value;
        }

        foreach (var (name, value) in merged)
        {
            writer.WritePropertyName(name);
            value.WriteTo(writer);
        }
    }

    private static JsonElement Deep(List<(string Name, JsonElement Value)> parts)
    {
        var merged = new JsonObject();
        foreach (var (_, value) in parts)
        {
            if (value.ValueKind == JsonValueKind.Object) Into(merged, value);
        }

        return JsonConstants.Object(writer =>
        {
            foreach (var (name, value) in merged)
            {
                writer.WritePropertyName(name);
                if (value is null) writer.WriteNullValue();
                else value.WriteTo(writer);
            }
        });
    }

    private static void Into(JsonObject target, JsonElement source)
    {
        foreach (var property in source.EnumerateObject())
        {
            if (property.Value.ValueKind == JsonValueKind.Object)
            {
                if (target[property.Name] is not JsonObject inner) target[property.Name] = inner = [];
                Into(inner, property.Value);
            }
            else
            {
                target[property.Name] = JsonNode.Parse(property.Value.GetRawText());
            }
        }
    }
}
