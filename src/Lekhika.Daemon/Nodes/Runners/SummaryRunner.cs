using System.Collections.Immutable;
using Lekhika.Daemon.Nodes.Models;
using Lekhika.Inference;
using Lekhika.Workflows;
using Lekhika.Workflows.Execution;

namespace Lekhika.Daemon.Nodes.Runners;

/// <summary>Carries the summary of a long text on by the chapter that was just written, so that the next one knows all that came before.</summary>
internal sealed class SummaryRunner(ModelCalls models) : INodeRunner
{
    private const int MostTokens = 400;

    /// <summary>Of a chapter that is longer the beginning and the end are read: a small model's context holds no more.</summary>
    private const int MostCharacters = 12_000;

    public bool HoldsSlot => false;

    public async ValueTask<NodeOutcome> RunAsync(NodeCall call, CancellationToken cancellationToken)
    {
        if (call.Step.Scope is not { } scope || call.Machine.PreviousOf(call.Step) is not { } chapter || chapter.Text("content") is not { Length: > 0 } content)
            return new NodeFailed(ErrorCodes.InvalidInput, "There is no chapter to summarise.");
        if (content.Length > MostCharacters) content = $"{content[..(MostCharacters * 2 / 3)]}\n…\n{content[^(MostCharacters / 3)..]}";
        var before = ChapterRunner.PreviousSummary(call.Machine, scope);
        var ask = (before.Length > 0 ? $"Summary of the chapters so far:\n{before}\n\n" : "")
            + $"The chapter that follows, \"{chapter.Text("title")}\":\n{content}\n\n"
            + "Write the summary of everything so far, this chapter included, in at most 150 words: what was told, who and what matters, and what is still "
            + "open. Use the language of the text. Answer with the summary only.";
        ImmutableArray<ModelMessage> messages = [new ModelMessage("user", ask)];
        var (reply, failed) = await models.AskAsync(call, messages, format: null, MostTokens, cancellationToken);
        if (reply is null) return failed!;
        return new NodeSucceeded(
            JsonConstants.Object(writer =>
            {
                writer.WriteString("summary", reply.Text.Trim());
                writer.WriteNumber("tokens_in", reply.TokensIn);
                writer.WriteNumber("tokens_out", reply.TokensOut);
            }),
            Metrics: ModelCalls.Metrics(reply, words: null));
    }
}
