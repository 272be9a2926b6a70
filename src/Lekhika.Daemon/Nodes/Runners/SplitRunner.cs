using System.Text;
using System.Text.Json;
using Lekhika.Workflows;

namespace Lekhika.Daemon.Nodes.Runners;

/// <summary>Cuts a list into lists, or a text into texts.</summary>
internal sealed class SplitRunner : INodeRunner
{
    public ValueTask<NodeOutcome> RunAsync(NodeCall call, CancellationToken cancellationToken) => ValueTask.FromResult(Split(call));

    private static NodeOutcome Split(NodeCall call)
    {
        var node = call.Step.Node.Id;
        var size = call.Config.Get("size") is null ? null : call.Config.Integer("size");
        if (call.Config.Get("size") is not null && size is null or < 1)
            return new NodeFailed(ErrorCodes.ExpressionFailed, $"Node '{node}': config.size must be a whole number from 1.");
        return ItemList.Given(call) switch
        {
            { ValueKind: JsonValueKind.Array } list when size is { } items => Output([.. list.EnumerateArray().Chunk(items)], WriteList),
            { ValueKind: JsonValueKind.Array } => new NodeFailed(ErrorCodes.ExpressionFailed, $"Node '{node}': a list is cut by config.size; a separator parts texts."),
            { ValueKind: JsonValueKind.String } text => Output(Pieces(text.GetString()!, call.Config.Text("separator"), size), static (writer, piece) => writer.WriteStringValue(piece)),
            { } other => new NodeFailed(ErrorCodes.ExpressionFailed, $"Node '{node}': config.items must give a list or a text, but gave {ItemList.Describe(other)}."),
            null => new NodeFailed(ErrorCodes.ExpressionFailed, $"Node '{node}' has nothing to cut: config.items must give a list or a text, or the node before must have items."),
        };
    }

    private static List<string> Pieces(string text, string? separator, int? size)
    {
        IEnumerable<string> pieces = separator is { Length: > 0 } ? text.Split(separator) : [text];
        return size is { } characters ? [.. pieces.SelectMany(piece => Cut(piece, characters))] : [.. pieces];
    }

    /// <summary>Cuts between characters as people see them at least: never inside a surrogate pair.</summary>
    private static IEnumerable<string> Cut(string text, int size)
    {
        var piece = new StringBuilder();
        var count = 0;
        foreach (var rune in text.EnumerateRunes())
        {
            piece.Append(rune.ToString());
            if (++count < size) continue;
            yield return piece.ToString();
            piece.Clear();
            count = 0;
        }

        if (piece.Length > 0) yield return piece.ToString();
    }

    private static void WriteList(Utf8JsonWriter writer, JsonElement[] items)
    {
        writer.WriteStartArray();
        foreach (var item in items) item.WriteTo(writer);
        writer.WriteEndArray();
    }

    private static NodeSucceeded Output<T>(List<T> pieces, Action<Utf8JsonWriter, T> write) => new(JsonConstants.Object(writer =>
    {
        writer.WriteStartArray("items");
        foreach (var piece in pieces) write(writer, piece);
        writer.WriteEndArray();
        writer.WriteNumber("count", pieces.Count);
    }));
}
