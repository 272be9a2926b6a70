using System.Collections.Immutable;
using System.Globalization;
using System.Text;
using System.Text.Json;
using Lekhika.Daemon.Nodes.Documents;
using Lekhika.Daemon.Nodes.Models;
using Lekhika.Inference;
using Lekhika.Workflows;
using Lekhika.Workflows.Execution;

namespace Lekhika.Daemon.Nodes.Runners;

/// <summary>
/// Opens a long text: takes the plan that an earlier node made, or has a model make one. The plan is the recorded decision; the chapters are the
/// iterations, and what they wrote is put together at the end.
/// </summary>
internal sealed class ChaptersRunner(ModelCalls models) : INodeRunner
{
    private const int DefaultChapters = 4;

    public bool HoldsSlot => false;

    public bool ShapesOutput => true;

    public async ValueTask<NodeOutcome> RunAsync(NodeCall call, CancellationToken cancellationToken)
    {
        var config = call.Config;
        var asked = config.Get("chapters");
        if ((asked is null ? DefaultChapters : BookPlan.Count(asked)) is not { } count)
        {
            return new NodeFailed(
                ErrorCodes.InvalidInput, $"Node '{call.Step.Node.Id}': config.chapters must be a number of chapters such as 6, but is {NodeConfig.TextOf(asked!.Value)}.");
        }

        var words = BookPlan.WordGoal(config.Get("words"));
        if (config.Get("structure") is { } structure && BookPlan.Read(structure, count) is { } given) return Open(call, given, words, reply: null);

        var messages = Messages(call, count, words);
        var (reply, failed) = await models.AskAsync(call, messages, BookPlan.Schema(count), maxTokens: null, cancellationToken);
        if (reply is null) return Retryable(failed!);
        return JsonInText.TryFind(reply.Text, out var json) && BookPlan.Read(json, count) is { } plan
            ? Open(call, plan, words, reply)
            : new NodeFailed(
                ErrorCodes.ModelInvalidOutput, $"Node '{call.Step.Node.Id}': the model's plan of the text names no chapters.", retryable: true);
    }

    /// <summary>A plan cut short or not in JSON is another matter the next time.</summary>
    private static NodeFailed Retryable(NodeFailed failed) =>
        failed.Error.Code == ErrorCodes.ModelInvalidOutput ? failed with { Error = failed.Error with { Retryable = true } } : failed;

    private static NodeOpened Open(NodeCall call, BookPlan plan, long? words, ModelReply? reply)
    {
        var title = call.Config.Text("title") is { Length: > 0 } given ? given : plan.Title;
        var count = plan.Chapters.Count;
        return new NodeOpened(
            JsonConstants.Object(writer =>
            {
                writer.WriteString("title", title);
                writer.WriteStartArray("items");
                for (var i = 0; i < count; i++)
                {
                    writer.WriteStartObject();
                    writer.WriteNumber("number", i + 1);
                    writer.WriteNumber("total", count);
                    writer.WriteString("title", plan.Chapters[i].Title);
                    writer.WriteString("outline", plan.Chapters[i].Outline);
                    if (words is { } all) writer.WriteNumber("words", Math.Max(1, all / count));
                    writer.WriteEndObject();
                }

                writer.WriteEndArray();
                writer.WriteNumber("concurrency", 1);
                writer.WriteNumber("max_items", count);
                if (reply is null) return;
                writer.WriteString("model", reply.Model);
                writer.WriteNumber("tokens_in", reply.TokensIn);
                writer.WriteNumber("tokens_out", reply.TokensOut);
            }),
            reply is null ? null : ModelCalls.Metrics(reply, words: null));
    }

    private static ImmutableArray<ModelMessage> Messages(NodeCall call, int count, long? words)
    {
        var sample = Sample(count);
        var messages = ImmutableArray.CreateBuilder<ModelMessage>();
        if (ItemTemplate.Read(call, "system")?.Render(call, sample) is { Length: > 0 } system) messages.Add(new ModelMessage("system", system));
        var ask = new StringBuilder();
        if (call.Config.Text("outline_prompt") is { Length: > 0 } own) ask.Append(own);
        else
        {
            ask.Append("Plan a text in chapters. This is what will be asked for when its first chapter is written:\n\n")
                .Append(ItemTemplate.Read(call, "prompt")?.Render(call, sample));
        }

        if (call.Config.Text("title") is { Length: > 0 } title) ask.Append("\n\nTitle of the whole: ").Append(title);
        if (words is { } all) ask.Append(CultureInfo.InvariantCulture, $"\n\nThe whole is to have about {all} words.");
        if (call.Config.Text("structure") is { Length: > 0 } structure) ask.Append("\n\nThe structure it is to have:\n").Append(structure);
        if (call.Config.Text("context") is { Length: > 0 } context) ask.Append("\n\nMaterial:\n").Append(context);
        ask.Append(CultureInfo.InvariantCulture, $"\n\nAnswer with JSON: the title of the whole, and exactly {count} chapters, each with its title and an outline of what it is for.");
        messages.Add(new ModelMessage("user", ask.ToString()));
        return messages.ToImmutable();
    }

    /// <summary>Stands for a chapter while there is no plan yet.</summary>
    private static JsonElement Sample(int count) => JsonConstants.Object(writer =>
    {
        writer.WriteNumber("number", 1);
        writer.WriteNumber("total", count);
        writer.WriteString("title", "(the title you plan for it)");
        writer.WriteString("outline", "(what you plan it to be for)");
        writer.WriteStartArray("previous_titles");
        writer.WriteEndArray();
        writer.WriteString("previous_summary", "");
        writer.WriteNumber("words", 0);
    });

    public NodeOutcome Close(NodeCall call, JsonElement output)
    {
        var key = call.Step.Key;
        var decision = call.Machine.DecisionOf(key) ?? default;
        var chapters = new List<Section>();
        var (tokensIn, tokensOut, model) = ((long)(decision.Number("tokens_in") ?? 0), (long)(decision.Number("tokens_out") ?? 0), decision.Text("model"));
        var count = decision.Get("items")?.GetArrayLength() ?? 0;
        for (var i = 0; i < count; i++)
        {
            var iteration = StepKey.Iteration(key, i);
            var summary = call.Machine.OutputOf(StepKey.Of(iteration, NodeExpansion.SummaryId)) ?? default;
            tokensIn += (long)(summary.Number("tokens_in") ?? 0);
            tokensOut += (long)(summary.Number("tokens_out") ?? 0);
            if (call.Machine.OutputOf(StepKey.Of(iteration, NodeExpansion.ChapterId)) is not { } chapter || chapter.Text("content") is not { } content) continue;
            chapters.Add(new Section(chapter.Integer("number"), chapter.Text("title") ?? "", content));
            tokensIn += (long)(chapter.Number("tokens_in") ?? 0);
            tokensOut += (long)(chapter.Number("tokens_out") ?? 0);
            model = chapter.Text("model") ?? model;
        }

        var document = new Document(decision.Text("title") ?? "", "", HasContents: false, [.. chapters]);
        return new NodeSucceeded(JsonConstants.Object(writer =>
        {
            writer.WriteString("title", document.Title);
            DocumentReader.WriteChapters(writer, chapters);
            writer.WriteString("text", DocumentForms.MarkdownText(document));
            writer.WriteNumber("words", document.WordCount);
            writer.WriteString("model", model);
            writer.WriteNumber("tokens_in", tokensIn);
            writer.WriteNumber("tokens_out", tokensOut);
        }));
    }
}
