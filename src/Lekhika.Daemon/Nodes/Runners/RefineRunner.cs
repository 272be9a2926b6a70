using System.Text.Json;
using Lekhika.Daemon.Nodes.Documents;
using Lekhika.Workflows;
using Lekhika.Workflows.Execution;

namespace Lekhika.Daemon.Nodes.Runners;

/// <summary>Opens the editing of a text: each chapter by itself, or the text as one piece. The decision names the pieces; their text stays where it is.</summary>
internal sealed class RefineRunner : INodeRunner
{
    private const int AtATime = 4;

    public bool ShapesOutput => true;

    public ValueTask<NodeOutcome> RunAsync(NodeCall call, CancellationToken cancellationToken)
    {
        var pieces = Pieces(call);
        return ValueTask.FromResult<NodeOutcome>(pieces.Count == 0
            ? new NodeFailed(ErrorCodes.InvalidInput, $"Node '{call.Step.Node.Id}' has nothing to edit: config.source holds no text and no chapters.")
            : new NodeOpened(JsonConstants.Object(writer =>
            {
                writer.WriteStartArray("items");
                for (var i = 0; i < pieces.Count; i++)
                {
                    writer.WriteStartObject();
                    writer.WriteNumber("piece", i);
                    if (pieces[i].Number is { } number)
                    {
                        writer.WriteNumber("number", number);
                        writer.WriteString("title", pieces[i].Title);
                    }

                    writer.WriteEndObject();
                }

                writer.WriteEndArray();
                writer.WriteNumber("concurrency", AtATime);
                writer.WriteNumber("max_items", pieces.Count);
            })));
    }

    /// <summary>The pieces of the source, the same each time it is asked: it is made of recorded outputs.</summary>
    /// <param name="call">The node itself, or one of its pieces.</param>
    public static List<Section> Pieces(NodeCall call) => [.. DocumentReader.Sections(Source(call))];

    private static JsonElement Source(NodeCall call) =>
        call.Config.Get("source") ?? call.Machine.PreviousOf(NodeExpansion.SeenFrom(call.Step)) ?? call.Run.Inputs;

    public NodeOutcome Close(NodeCall call, JsonElement output)
    {
        var sections = new List<Section>();
        long tokensIn = 0, tokensOut = 0;
        string? model = null;
        var count = output.GetProperty("count").GetInt32();
        for (var i = 0; i < count; i++)
        {
            if (call.Machine.OutputOf(StepKey.Of(StepKey.Iteration(call.Step.Key, i), NodeExpansion.PieceId)) is not { } piece
                || piece.Text("content") is not { } content) continue;
            sections.Add(new Section(piece.Integer("number"), piece.Text("title") ?? "", content));
            tokensIn += (long)(piece.Number("tokens_in") ?? 0);
            tokensOut += (long)(piece.Number("tokens_out") ?? 0);
            model = piece.Text("model") ?? model;
        }

        var title = Source(call).Text("title") ?? "";
        var inChapters = sections.Exists(static section => section.Number is not null);
        return new NodeSucceeded(JsonConstants.Object(writer =>
        {
            if (title.Length > 0) writer.WriteString("title", title);
            if (inChapters) DocumentReader.WriteChapters(writer, sections);
            writer.WriteString("text", inChapters
                ? DocumentForms.MarkdownText(new Document(title, "", HasContents: false, [.. sections]))
                : string.Join("\n\n", sections.Select(static section => section.Content)));
            writer.WriteNumber("words", sections.Sum(static section => section.WordCount));
            writer.WriteString("model", model);
            writer.WriteNumber("tokens_in", tokensIn);
            writer.WriteNumber("tokens_out", tokensOut);
        }));
    }
}
