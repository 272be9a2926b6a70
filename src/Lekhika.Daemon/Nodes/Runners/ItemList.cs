using System.Text.Json;
using Lekhika.Workflows;

namespace Lekhika.Daemon.Nodes.Runners;

/// <summary>The list that a data node works on: its field <c>items</c>, else the items of the output before.</summary>
internal static class ItemList
{
    public static bool TryRead(NodeCall call, out JsonElement items, out NodeFailed? failed)
    {
        (items, failed) = (default, null);
        if (Given(call) is { ValueKind: JsonValueKind.Array } list)
        {
            items = list;
            return true;
        }

        failed = new NodeFailed(
            ErrorCodes.ExpressionFailed,
            $"Node '{call.Step.Node.Id}' has no list: config.items must give one{(call.Config.Get("items") is { } given ? $", but gave {Describe(given)}" : ", or the node before must have items")}.");
        return false;
    }

    /// <summary>What is to be worked on, list or not; null if there is nothing.</summary>
    public static JsonElement? Given(NodeCall call)
    {
        if (call.Config.Get("items") is { } items) return items;
        if (call.Machine.PreviousOf(call.Step) is not { } previous) return null;
        return previous.ValueKind == JsonValueKind.Array ? previous : previous.Get("items");
    }

    public static NodeSucceeded Output(IReadOnlyCollection<JsonElement> items) => new(JsonConstants.Object(writer =>
    {
        writer.WriteStartArray("items");
        foreach (var item in items) item.WriteTo(writer);
        writer.WriteEndArray();
        writer.WriteNumber("count", items.Count);
    }));

    public static string Describe(JsonElement value) => value.ValueKind switch
    {
        JsonValueKind.Object => "an object",
        JsonValueKind.Array => "a list",
        JsonValueKind.String => "a text",
        JsonValueKind.Number => "a number",
        JsonValueKind.True or JsonValueKind.False => "a boolean",
        _ => "null",
    };
}
