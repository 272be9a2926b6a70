using System.Text.Json;

namespace Lekhika.Daemon.Nodes.Runners;

/// <summary>The result: <c>value</c>, or the outputs of the nodes named in <c>from</c>, or what came before.</summary>
internal sealed class OutputRunner : INodeRunner
{
    public ValueTask<NodeOutcome> RunAsync(NodeCall call, CancellationToken cancellationToken)
    {
        if (call.Config.TryGetProperty("value", out var value) && value.ValueKind != JsonValueKind.Null)
        {
            return Done(value.ValueKind == JsonValueKind.Object ? value : JsonConstants.Object(writer =>
            {
                writer.WritePropertyName("value");
                value.WriteTo(writer);
            }));
        }

        return Done(call.Machine.PreviousOf(call.Step) ?? call.Run.Inputs);
    }

    private static ValueTask<NodeOutcome> Done(JsonElement output) => ValueTask.FromResult<NodeOutcome>(new NodeSucceeded(output));
}
