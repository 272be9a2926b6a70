using System.Text.Json;
using Lekhika.Workflows;
using Lekhika.Workflows.Expressions;
using Lekhika.Workflows.Templates;

namespace Lekhika.Daemon.Nodes.Runners;

/// <summary>
/// Opens a loop: a number of passes, or as many as an expression wants. With both, the expression may end it before the number is reached. Each
/// answer of the expression is recorded, so a restart makes the same passes.
/// </summary>
internal sealed class LoopRunner : INodeRunner
{
    private const int DefaultMaxIterations = 100;

    public bool ShapesOutput => true;

    public ValueTask<NodeOutcome> RunAsync(NodeCall call, CancellationToken cancellationToken) => ValueTask.FromResult(Open(call));

    private static NodeOutcome Open(NodeCall call)
    {
        var hasWhile = call.Program.Expressions.ContainsKey("while");
        var times = call.Config.Get("times") is null ? null : call.Config.Integer("times");
        if (call.Config.Get("times") is { } written && times is null or < 0)
        {
            return new NodeFailed(
                ErrorCodes.ExpressionFailed, $"Node '{call.Step.Node.Id}': config.times must be a whole number from 0, but is {NodeConfig.TextOf(written)}.");
        }

        return new NodeOpened(JsonConstants.Object(writer =>
        {
            if (hasWhile) writer.WriteBoolean("while", true);
            else writer.WriteNumber("times", times ?? 0);
            writer.WriteNumber("max_iterations", Math.Max(0, call.Config.Integer("max_iterations") ?? DefaultMaxIterations));
        }));
    }

    public bool DecideIteration(NodeCall call, int iteration)
    {
        if (call.Config.Integer("times") is { } times && iteration >= times) return false;
        var bindings = new OverlayBindings(call.Bindings) { ["index"] = CelValue.From(iteration) };
        if (iteration > 0 && call.Machine.IterationOutput(call.Step.Key, iteration - 1) is { } last) bindings["previous"] = CelValue.FromJson(last);
        var value = call.Program.Evaluate("while", bindings);
        return value.TryGetBool(out var goOn)
            ? goOn
            : throw new TemplateRenderException(
                "config.while",
                call.Program.Expressions["while"].Text,
                new CelEvaluationException($"it gave {value.Kind} {value.ToText()}, but must give true or false"));
    }

    public NodeOutcome Close(NodeCall call, JsonElement output)
    {
        var items = output.GetProperty("items");
        return new NodeSucceeded(JsonConstants.Object(writer =>
        {
            foreach (var property in output.EnumerateObject()) property.WriteTo(writer);
            writer.WritePropertyName("last");
            if (items.GetArrayLength() > 0) items[items.GetArrayLength() - 1].WriteTo(writer);
            else writer.WriteNullValue();
        }));
    }
}
