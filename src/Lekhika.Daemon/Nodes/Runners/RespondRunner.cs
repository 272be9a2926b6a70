using System.Text.Json;

namespace Lekhika.Daemon.Nodes.Runners;

/// <summary>Sets the answer for the caller who started the run: whoever answers the caller finds it as this node's output.</summary>
internal sealed class RespondRunner : INodeRunner
{
    public ValueTask<NodeOutcome> RunAsync(NodeCall call, CancellationToken cancellationToken)
    {
        var status = call.Config.Integer("status") ?? 200;
        if (status is < 100 or > 599)
        {
            return ValueTask.FromResult<NodeOutcome>(new NodeFailed(
                Workflows.ErrorCodes.InvalidInput, $"Node '{call.Step.Node.Id}': config.status must be an HTTP status from 100 to 599, but is {status}."));
        }

        return ValueTask.FromResult<NodeOutcome>(new NodeSucceeded(JsonConstants.Object(writer =>
        {
            writer.WriteNumber("status", status);
            writer.WritePropertyName("headers");
            (call.Config.Get("headers") is { ValueKind: JsonValueKind.Object } headers ? headers : JsonConstants.EmptyObject).WriteTo(writer);
            writer.WritePropertyName("body");
            if ((call.Config.Get("body") ?? call.Machine.PreviousOf(call.Step)) is { } body) body.WriteTo(writer);
            else writer.WriteNullValue();
        })));
    }
}
