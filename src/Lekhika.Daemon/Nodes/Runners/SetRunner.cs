using System.Text.Json;

namespace Lekhika.Daemon.Nodes.Runners;

/// <summary>Gives values names. With <c>keep</c> the previous output's fields are kept, less those in <c>remove</c>.</summary>
internal sealed class SetRunner : INodeRunner
{
    public ValueTask<NodeOutcome> RunAsync(NodeCall call, CancellationToken cancellationToken)
    {
        var values = call.Config.GetProperty("values");
        var keep = call.Config.TryGetProperty("keep", out var kept) && kept.ValueKind == JsonValueKind.True;
        var removed = call.Config.TryGetProperty("remove", out var list) && list.ValueKind == JsonValueKind.Array
            ? list.EnumerateArray().Select(static name => name.ToString()).ToHashSet(StringComparer.Ordinal)
            : [];
        return ValueTask.FromResult<NodeOutcome>(new NodeSucceeded(JsonConstants.Object(writer =>
        {
            if (keep && call.Machine.PreviousOf(call.Step) is { ValueKind: JsonValueKind.Object } previous)
            {
                foreach (var property in previous.EnumerateObject())
                {
                    if (!removed.Contains(property.Name) && !values.TryGetProperty(property.Name, out _)) property.WriteTo(writer);
                }
            }

            foreach (var property in values.EnumerateObject()) property.WriteTo(writer);
        })));
    }
}
