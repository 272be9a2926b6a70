using System.Text.Json;

namespace Lekhika.Daemon.Nodes.Runners;

/// <summary>Takes the branch whose case equals the value of an expression; without one, the branch <c>default</c>.</summary>
internal sealed class SwitchRunner : INodeRunner
{
    public ValueTask<NodeOutcome> RunAsync(NodeCall call, CancellationToken cancellationToken)
    {
        var value = call.Program.Evaluate("expression", call.Bindings);
        var text = value.ToText();
        var branch = "default";
        if (call.Config.TryGetProperty("cases", out var cases) && cases.ValueKind == JsonValueKind.Array)
        {
            branch = cases.EnumerateArray().Select(CaseText).FirstOrDefault(candidate => candidate == text) ?? "default";
        }

        return ValueTask.FromResult<NodeOutcome>(new NodeSucceeded(
            JsonConstants.Object(writer =>
            {
                writer.WritePropertyName("value");
                value.WriteTo(writer);
                writer.WriteString("branch", branch);
            }),
            branch));
    }

    private static string CaseText(JsonElement entry) => entry.ValueKind switch
    {
        JsonValueKind.String => entry.GetString()!,
        JsonValueKind.Object when entry.TryGetProperty("value", out var value) => CaseText(value),
        _ => entry.GetRawText(),
    };
}
