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

/// <summary>Writes one chapter of a long text: knows the plan, the titles before it, and a summary of what was written.</summary>
internal sealed class ChapterRunner(ModelCalls models) : INodeRunner
{
    private const int TailLength = 600;

    public bool HoldsSlot => false;

    public async ValueTask<NodeOutcome> RunAsync(NodeCall call, CancellationToken cancellationToken)
    {
        if (call.Step.Scope is not { Item: { } planned } scope || ItemTemplate.Read(call, "prompt") is not { } prompt)
            return new NodeFailed(ErrorCodes.InvalidWorkflow, $"Node '{call.Step.Node.Definition.DisplayName}' has no prompt for its chapters.");
        var number = planned.Integer("number") ?? scope.Index + 1;
        var total = planned.Integer("total") ?? number;
        var title = planned.Text("title") ?? "";
        var messages = Messages(call, prompt, Item(call.Machine, scope, planned));
        call.Live.ChapterStarted(number, total);

        var (reply, failed) = await models.AskAsync(call, messages, format: null, call.Config.Integer("max_tokens"), cancellationToken);
        if (reply is null) return failed!;
        var content = Section.WithoutHeading(reply.Text, title);
        if (content.Length == 0)
            return new NodeFailed(ErrorCodes.ModelInvalidOutput, $"Chapter {number} ('{title}'): the model wrote nothing.", retryable: true);
        var words = Words.Count(content);
        var output = JsonConstants.Object(writer =>
        {
            writer.WriteNumber("number", number);
            writer.WriteNumber("total", total);
            writer.WriteString("title", title);
            writer.WriteString("content", content);
            writer.WriteNumber("words", words);
            writer.WriteString("model", reply.Model);
            writer.WriteNumber("tokens_in", reply.TokensIn);
            writer.WriteNumber("tokens_out", reply.TokensOut);
            writer.WriteString("done_reason", reply.DoneReason);
        });
        return new NodeSucceeded(output, number < total ? NodeExpansion.MoreBranch : "last", ModelCalls.Metrics(reply, words));
    }

    /// <summary>The planned chapter together with what came before it.</summary>
    private static JsonElement Item(RunMachine machine, ScopeRef scope, JsonElement planned) => JsonConstants.Object(writer =>
    {
        foreach (var property in planned.EnumerateObject()) property.WriteTo(writer);
        writer.WriteStartArray("previous_titles");
        for (var i = 0; i < scope.Index; i++)
        {
            if (Output(machine, scope, i, NodeExpansion.ChapterId)?.Text("title") is { } title) writer.WriteStringValue(title);
        }

        writer.WriteEndArray();
        writer.WriteString("previous_summary", PreviousSummary(machine, scope));
    });

    /// <summary>The summary made after the chapter before; where that failed, the end of that chapter.</summary>
    public static string PreviousSummary(RunMachine machine, ScopeRef scope)
    {
        if (scope.Index == 0) return "";
        if (Output(machine, scope, scope.Index - 1, NodeExpansion.SummaryId)?.Text("summary") is { Length: > 0 } summary) return summary;
        var content = Output(machine, scope, scope.Index - 1, NodeExpansion.ChapterId)?.Text("content") ?? "";
        return content.Length <= TailLength ? content : "… " + content[^TailLength..];
    }

    private static JsonElement? Output(RunMachine machine, ScopeRef scope, int iteration, string id) =>
        machine.OutputOf(StepKey.Of(StepKey.Iteration(scope.LoopStep.Key, iteration), id));

    private static ImmutableArray<ModelMessage> Messages(NodeCall call, ItemTemplate prompt, JsonElement item)
    {
        var messages = ImmutableArray.CreateBuilder<ModelMessage>();
        if (ItemTemplate.Read(call, "system")?.Render(call, item) is { Length: > 0 } system) messages.Add(new ModelMessage("system", system));
        var ask = new StringBuilder(prompt.Render(call, item));

        // What the author's prompt does not name is said after it: a chapter that knows neither plan nor past repeats what was there.
        if (!prompt.Names("number") && !prompt.Names("title"))
            ask.Append(CultureInfo.InvariantCulture, $"\n\nWrite chapter {item.Integer("number")} of {item.Integer("total")}: {item.Text("title")}");
        if (!prompt.Names("outline") && item.Text("outline") is { Length: > 0 } outline) ask.Append("\n\nWhat this chapter is for: ").Append(outline);
        if (!prompt.Names("previous_summary") && item.Text("previous_summary") is { Length: > 0 } summary) ask.Append("\n\nWhat came before: ").Append(summary);
        if (call.Config.Text("context") is { Length: > 0 } context) ask.Append("\n\nMaterial:\n").Append(context);
        if (item.Integer("words") is { } words) ask.Append(CultureInfo.InvariantCulture, $"\n\nWrite about {words} words.");
        messages.Add(new ModelMessage("user", ask.ToString()));
        return messages.ToImmutable();
    }
}
