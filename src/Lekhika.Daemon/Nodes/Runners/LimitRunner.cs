namespace Lekhika.Daemon.Nodes.Runners;

/// <summary>Keeps the first items of a list.</summary>
internal sealed class LimitRunner : INodeRunner
{
    public ValueTask<NodeOutcome> RunAsync(NodeCall call, CancellationToken cancellationToken)
    {
        if (!ItemList.TryRead(call, out var items, out var failed)) return ValueTask.FromResult<NodeOutcome>(failed!);
        if (call.Config.Integer("count") is not { } count || count < 0)
        {
            return ValueTask.FromResult<NodeOutcome>(new NodeFailed(
                Workflows.ErrorCodes.ExpressionFailed, $"Node '{call.Step.Node.Id}': config.count must be a whole number from 0."));
        }

        var from = Math.Max(0, call.Config.Integer("from") ?? 0);
        return ValueTask.FromResult<NodeOutcome>(ItemList.Output([.. items.EnumerateArray().Skip(from).Take(count)]));
    }
}
