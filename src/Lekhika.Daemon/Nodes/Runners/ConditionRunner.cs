using Lekhika.Workflows;
using Lekhika.Workflows.Expressions;

namespace Lekhika.Daemon.Nodes.Runners;

/// <summary>Takes the branch <c>true</c> or <c>false</c> by an expression.</summary>
internal sealed class ConditionRunner : INodeRunner
{
    public ValueTask<NodeOutcome> RunAsync(NodeCall call, CancellationToken cancellationToken)
    {
        var value = call.Program.Evaluate("expression", call.Bindings);
        if (!value.TryGetBool(out var result))
        {
            return ValueTask.FromResult<NodeOutcome>(new NodeFailed(
                ErrorCodes.ExpressionFailed,
                $"Node '{call.Step.Node.Id}': config.expression gave {value.Kind} {value.ToText()}, but a condition must give true or false. "
                + "Compare it with something, for example: … != \"\"."));
        }

        var branch = result ? "true" : "false";
        return ValueTask.FromResult<NodeOutcome>(new NodeSucceeded(
            JsonConstants.Object(writer =>
            {
                writer.WriteBoolean("result", result);
                writer.WriteString("branch", branch);
            }),
            branch));
    }
}
