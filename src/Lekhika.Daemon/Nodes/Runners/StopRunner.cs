using Lekhika.Workflows;
using Lekhika.Workflows.Execution;

namespace Lekhika.Daemon.Nodes.Runners;

/// <summary>Fails the run on purpose.</summary>
internal sealed class StopRunner : INodeRunner
{
    public ValueTask<NodeOutcome> RunAsync(NodeCall call, CancellationToken cancellationToken)
    {
        var message = call.Config.Text("message") is { Length: > 0 } given ? given : "stopped by the workflow";
        var code = call.Config.Text("code");
        return ValueTask.FromResult<NodeOutcome>(new NodeFailed(new StepError(
            ErrorCodes.StoppedByWorkflow,
            message,
            Details: code is null ? null : JsonConstants.Object(writer => writer.WriteString("code", code)))));
    }
}
