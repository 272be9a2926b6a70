using System.Text.Json;
using Lekhika.Workflows.Expressions;
using Lekhika.Workflows.Templates;

namespace Lekhika.Daemon.Nodes.Runners;

/// <summary>Keeps the items for which an expression is true.</summary>
internal sealed class FilterRunner : INodeRunner
{
    public ValueTask<NodeOutcome> RunAsync(NodeCall call, CancellationToken cancellationToken)
    {
        if (!ItemList.TryRead(call, out var items, out var failed)) return ValueTask.FromResult<NodeOutcome>(failed!);
        var kept = new List<JsonElement>();
        var bindings = new OverlayBindings(call.Bindings);
        var index = 0;
        foreach (var item in items.EnumerateArray())
        {
            cancellationToken.ThrowIfCancellationRequested();
            bindings["item"] = CelValue.FromJson(item);
            bindings["index"] = CelValue.From(index++);
            var value = call.Program.Evaluate("condition", bindings);
            if (!value.TryGetBool(out var keep))
            {
                throw new TemplateRenderException(
                    "config.condition",
                    call.Program.Expressions["condition"].Text,
                    new CelEvaluationException($"it gave {value.Kind} {value.ToText()} for item {index - 1}, but must give true or false"));
            }

            if (keep) kept.Add(item);
        }

        return ValueTask.FromResult<NodeOutcome>(ItemList.Output(kept));
    }
}
