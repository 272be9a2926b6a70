using System.Globalization;
using System.Text.Json;
using Lekhika.Workflows;

namespace Lekhika.Daemon.Nodes.Runners;

/// <summary>Opens a map: the list is decided once and recorded. The state machine holds what is asked for to the daemon's bounds.</summary>
internal sealed class MapRunner : INodeRunner
{
    private const int DefaultConcurrency = 4;
    private const int DefaultMaxItems = 1000;

    public ValueTask<NodeOutcome> RunAsync(NodeCall call, CancellationToken cancellationToken) => ValueTask.FromResult(Open(call));

    private static NodeOutcome Open(NodeCall call)
    {
        var node = call.Step.Node.Id;
        if (call.Config.Get("items") is not { ValueKind: JsonValueKind.Array } items)
        {
            var given = call.Config.Get("items")?.ValueKind.ToString().ToLowerInvariant() ?? "nothing";
            return new NodeFailed(ErrorCodes.ExpressionFailed, $"Node '{node}': config.items must give a list, but gave {given}.");
        }

        var most = Math.Max(0, call.Config.Integer("max_items") ?? DefaultMaxItems);
        if (items.GetArrayLength() > most)
        {
            return new NodeFailed(ErrorCodes.IterationLimit, string.Create(
                CultureInfo.InvariantCulture, $"Node '{node}' has {items.GetArrayLength()} items; its limit is {most}. Give it fewer, or raise max_items."));
        }

        return new NodeOpened(JsonConstants.Object(writer =>
        {
            writer.WritePropertyName("items");
            items.WriteTo(writer);
            writer.WriteNumber("concurrency", Math.Max(1, call.Config.Integer("concurrency") ?? DefaultConcurrency));
            writer.WriteNumber("max_items", most);
        }));
    }
}
