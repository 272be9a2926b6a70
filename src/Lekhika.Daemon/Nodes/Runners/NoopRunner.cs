namespace Lekhika.Daemon.Nodes.Runners;

/// <summary>Does nothing, and gives on what came before.</summary>
internal sealed class NoopRunner : INodeRunner
{
    public ValueTask<NodeOutcome> RunAsync(NodeCall call, CancellationToken cancellationToken) =>
        ValueTask.FromResult<NodeOutcome>(new NodeSucceeded(call.Machine.PreviousOf(call.Step) ?? JsonConstants.EmptyObject));
}
