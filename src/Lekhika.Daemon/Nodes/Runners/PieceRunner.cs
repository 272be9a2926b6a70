using System.Collections.Immutable;
using System.Text.Json;
using Lekhika.Daemon.Nodes.Documents;
using Lekhika.Daemon.Nodes.Models;
using Lekhika.Inference;
using Lekhika.Workflows;

namespace Lekhika.Daemon.Nodes.Runners;

/// <summary>Edits one piece of a text.</summary>
internal sealed class PieceRunner(ModelCalls models) : INodeRunner
{
    private const string DefaultPrompt = "Edit the following text: mend language, flow and consistency, and leave facts and voice as they are. Answer with the edited text only.";

    public bool HoldsSlot => false;

    public async ValueTask<NodeOutcome> RunAsync(NodeCall call, CancellationToken cancellationToken)
    {
        var pieces = RefineRunner.Pieces(call);
        var at = call.Step.Scope?.Item?.Integer("piece") ?? 0;
        if (at >= pieces.Count) return new NodeFailed(ErrorCodes.BadData, $"Piece {at} of '{call.Step.Node.Definition.DisplayName}' is not in its source any more.");
        var piece = pieces[at];
        var (reply, failed) = await models.AskAsync(call, Messages(call, piece), format: null, call.Config.Integer("max_tokens"), cancellationToken);
        if (reply is null) return failed!;
        var content = Section.WithoutHeading(reply.Text, piece.Title);
        if (content.Length == 0)
            return new NodeFailed(ErrorCodes.ModelInvalidOutput, $"Node '{call.Step.Node.Definition.DisplayName}': the model gave back no text.", retryable: true);
        var words = Words.Count(content);
        return new NodeSucceeded(
            JsonConstants.Object(writer =>
            {
                if (piece.Number is { } number) writer.WriteNumber("number", number);
                if (piece.Title.Length > 0) writer.WriteString("title", piece.Title);
                writer.WriteString("content", content);
                writer.WriteNumber("words", words);
                writer.WriteString("model", reply.Model);
                writer.WriteNumber("tokens_in", reply.TokensIn);
                writer.WriteNumber("tokens_out", reply.TokensOut);
            }),
            Metrics: ModelCalls.Metrics(reply, words: null));
    }

    private static ImmutableArray<ModelMessage> Messages(NodeCall call, Section piece)
    {
        var item = JsonConstants.Object(writer =>
        {
            writer.WriteString("text", piece.Content);
            writer.WriteString("title", piece.Title);
            if (piece.Number is { } number) writer.WriteNumber("number", number);
        });
        var messages = ImmutableArray.CreateBuilder<ModelMessage>();
        if (call.Config.Text("system") is { Length: > 0 } system) messages.Add(new ModelMessage("system", system));
        var template = ItemTemplate.Read(call, "prompt");
        var ask = template?.Render(call, item) ?? DefaultPrompt;
        if (template?.Names("text") != true) ask += "\n\n" + piece.Content;
        messages.Add(new ModelMessage("user", ask));
        return messages.ToImmutable();
    }
}
