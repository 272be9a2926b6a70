using System.Text.Json;

namespace Lekhika.Daemon.Nodes.Runners;

/// <summary>
/// Brings branches together. Modes: <c>object</c> (default) merges the fields of the predecessors' outputs, later ones winning; <c>append</c> and
/// <c>array</c> list the outputs in edge order; <c>by_id</c> keeps each under its node's id.
/// </summary>
internal sealed class MergeRunner : INodeRunner
{
    public ValueTask<NodeOutcome> RunAsync(NodeCall call, CancellationToken cancellationToken)
    {
        var mode = call.Config.TryGetProperty("mode", out var given) ? given.GetString() : null;
        var parts = Parts(call);
        var output = mode switch
        {
            "append" or "array" => JsonConstants.Object(writer => WriteItems(writer, parts)),
            "by_id" => JsonConstants.Object(writer =>
            {
                foreach (var (name, value) in parts)
                {
                    writer.WritePropertyName(name);
                    value.WriteTo(writer);
                }
            }),
            _ => JsonConstants.Object(writer => WriteMerged(writer, parts)),
        };
        return ValueTask.FromResult<NodeOutcome>(new NodeSucceeded(output));
    }

    private static List<(string Name, JsonElement Value)> Parts(NodeCall call)
    {
        if (call.Config.TryGetProperty("inputs", out var inputs) && inputs.ValueKind == JsonValueKind.Array)
        {
            return [.. inputs.EnumerateArray().Select(static (value, index) => (index.ToString(System.Globalization.CultureInfo.InvariantCulture), value))];
        }

        var parts = new List<(string, JsonElement)>();
        foreach (var key in call.Step.Predecessors)
        {
            if (call.Machine.Step(key) is { } step && call.Machine.OutputOf(key) is { } output) parts.Add((step.Node.Id, output));
        }

        return parts;
    }

    private static void WriteItems(Utf8JsonWriter writer, List<(string Name, JsonElement Value)> parts)
    {
        writer.WriteStartArray("items");
        foreach (var (_, value) in parts) value.WriteTo(writer);
        writer.WriteEndArray();
        writer.WriteNumber("count", parts.Count);
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
}
