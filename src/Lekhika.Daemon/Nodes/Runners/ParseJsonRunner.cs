using System.Text.Json;
using Lekhika.Daemon.Nodes.Documents;
using Lekhika.Workflows;
using Lekhika.Workflows.Expressions;

namespace Lekhika.Daemon.Nodes.Runners;

/// <summary>Reads JSON out of a text.</summary>
internal sealed class ParseJsonRunner : INodeRunner
{
    private const int ExcerptLength = 80;

    public ValueTask<NodeOutcome> RunAsync(NodeCall call, CancellationToken cancellationToken) => ValueTask.FromResult(Parse(call));

    private static NodeOutcome Parse(NodeCall call)
    {
        var given = call.Config.Get("text");
        var text = given is { ValueKind: JsonValueKind.String } ? given.Value.GetString()
            : given is null && call.Machine.PreviousOf(call.Step) is { } previous ? DocumentReader.Text(previous) : null;
        JsonElement value;
        if (text is null && given is { } already) value = already;
        else if (text is null)
            return new NodeFailed(ErrorCodes.InvalidInput, $"Node '{call.Step.Node.Id}' has no text: config.text is empty, and the node before has none.");
        else if (!JsonInText.TryFind(text, out value))
        {
            var excerpt = text.Length <= ExcerptLength ? text : text[..ExcerptLength] + "…";
            return new NodeFailed(ErrorCodes.InvalidInput, $"Node '{call.Step.Node.Id}': there is no JSON in the text \"{excerpt.ReplaceLineEndings(" ")}\".");
        }

        if (call.Program.Expressions.ContainsKey("select"))
            value = call.Program.Evaluate("select", new OverlayBindings(call.Bindings) { ["item"] = CelValue.FromJson(value), ["index"] = CelValue.From(0) }).ToJson();
        return new NodeSucceeded(JsonConstants.Object(writer =>
        {
            writer.WritePropertyName("value");
            value.WriteTo(writer);
        }));
    }
}
