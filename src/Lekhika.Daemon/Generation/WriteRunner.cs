using System.Collections.Immutable;
using System.Text.Json;
using Lekhika.Daemon.Nodes;
using Lekhika.Daemon.Nodes.Models;
using Lekhika.Inference;
using Lekhika.Workflows.Execution;
using Lekhika.Workflows.Validation;

namespace Lekhika.Daemon.Generation;

/// <summary>
/// One round: a model writes the workflow, streaming; what it wrote is found, put right where that is safe, filled in and checked. A draft with errors is
/// the outcome of a round like any other; the next round is told of them.
/// </summary>
internal sealed class WriteRunner(GenerationServices services) : INodeRunner
{
    private const double TypicalPieces = 500;

    public bool HoldsSlot => false;

    public async ValueTask<NodeOutcome> RunAsync(NodeCall call, CancellationToken cancellationToken)
    {
        var (request, refused) = services.Begin(call);
        if (request is null) return refused!;
        var round = call.Step.Scope?.Index ?? 0;
        var catalogue = services.Catalogue!;
        var analysis = call.Machine.OutputOf(GenerationWorkflow.Analyze)?.Get("analysis") ?? JsonConstants.EmptyObject;
        var types = catalogue.Offer(request, Chosen(analysis));
        var form = request is { IsEdit: true, CurrentWorkflow: { } current } ? WorkflowDraft.FormOf(current) ?? catalogue.Edges : catalogue.Edges;
        var messages = GenerationPrompts.Workflow(request, analysis, types, catalogue, form);
        if (round > 0 && call.Step.Scope is { } scope && call.Machine.IterationOutput(scope.LoopStep.Key, round - 1) is { } last) messages = messages.AddRange(Again(last));

        await BeginAsync(call, round, cancellationToken);
        var (from, to) = round == 0 ? (JobPhases.Analyzed, JobPhases.Generated) : (JobPhases.Repairing, 99);
        var (reply, failed) = await services.AskAsync(
            call, request.GenerateModel, messages, GenerationSchema.Workflow(types, form, request.IsEdit), request, services.Options.MaxTokens,
            temperature: 0.2, new JobSink(call, from, to, TypicalPieces), cancellationToken);
        if (reply is null) return failed!;
        if (round == 0)
        {
            call.Live.Phase(JobPhases.Validate, JobPhases.Generated, "Validating workflow");
            ImmutableArray<JobLogEntry> logs =
            [
                new(call.Now + reply.TotalTime, "Workflow generation complete", JobPhases.Generated, JobPhases.Validate),
                new(call.Now + reply.TotalTime, "Validating workflow", JobPhases.Generated, JobPhases.Validate),
            ];
            await services.Face.TellAsync(call, JobPhases.Generated, JobPhases.Validate, round, logs, cancellationToken);
        }

        var begin = services.Time.GetTimestamp();
        var draft = Check(request, reply, analysis, form);
        var took = services.Time.GetElapsedTime(begin);
        if (draft.Problems.Count == 0) call.Live.OwnProgress(99);
        return new NodeSucceeded(Output(round, reply, draft), Metrics: Metrics(reply, took));
    }

    /// <summary>The first round and the first repair are told; more would be more writes than a job may cost.</summary>
    private async ValueTask BeginAsync(NodeCall call, int round, CancellationToken cancellationToken)
    {
        if (round == 0)
        {
            call.Live.Phase(JobPhases.Generate, JobPhases.Analyzed, "Generating workflow structure");
            ImmutableArray<JobLogEntry> logs =
            [
                new(call.Now, "Analysis complete", JobPhases.Analyzed, JobPhases.Generate),
                new(call.Now, "Generating workflow structure", JobPhases.Analyzed, JobPhases.Generate),
            ];
            await services.Face.TellAsync(call, JobPhases.Analyzed, JobPhases.Generate, 0, logs, cancellationToken);
            return;
        }

        var message = FormattableString.Invariant($"The draft has errors; the model is asked again (retry {round})");
        call.Live.Phase(JobPhases.Validate, JobPhases.Repairing, message);
        if (round == 1)
            await services.Face.TellAsync(call, JobPhases.Repairing, JobPhases.Validate, round, [new(call.Now, message, JobPhases.Repairing, JobPhases.Validate)], cancellationToken);
    }

    private Draft Check(JobRequest request, ModelReply reply, JsonElement analysis, EdgeForm form)
    {
        var wasCut = reply.DoneReason == "length";
        var found = ReplyReader.Read(reply.Text, wasCut, request.IsEdit ? FitsEdit : WorkflowDraft.Fits);
        if (found.Value is not { } value)
        {
            var why = $"the reply cannot be used: {found.Problem}";
            return new Draft(null, [new Problem(Severity.Error, wasCut ? "reply_cut" : "no_json", "", why)], [], []);
        }

        var written = WorkflowDraft.Unwrap(value) ?? value;
        if (request is { IsEdit: true, CurrentWorkflow: { } current }) written = EditMerge.Apply(current, written, request.Prompt, form);
        else form = FormOf(written, form);
        var name = analysis.Text("summary") ?? request.Prompt;
        var workflow = WorkflowDraft.ToElement(WorkflowDraft.Complete(written, services.Catalogue!, form, GenerationServices.Head(name.ReplaceLineEndings(" "), 80)));
        var problems = services.Rules!.Check(workflow, form, request, out var secrets);
        return new Draft(workflow, problems, found.Repairs, secrets);
    }

    /// <summary>
    /// Edges as this daemon writes them, unless the model drew in another dialect: then they stay as they are, since it is their form that tells
    /// dialects apart.
    /// </summary>
    private EdgeForm FormOf(JsonElement written, EdgeForm form)
    {
        if (services.Catalogue!.IsForeign || WorkflowDraft.FormOf(written) != EdgeForm.Editor) return form;
        var isOwn = written.GetProperty("nodes").EnumerateArray()
            .All(node => node.ValueKind == JsonValueKind.Object && !node.TryGetProperty("data", out _)
                && DraftNodes.TypeOf(node) is { } type && services.Catalogue.Catalogue.Find(type) is not null);
        return isOwn ? form : EdgeForm.Editor;
    }

    private static bool FitsEdit(JsonElement value) =>
        WorkflowDraft.Fits(value)
        || (value.ValueKind == JsonValueKind.Object
            && ((value.TryGetProperty("edges", out var edges) && edges.ValueKind == JsonValueKind.Array)
                || (value.TryGetProperty("removed", out var removed) && removed.ValueKind == JsonValueKind.Array)));

    private static IEnumerable<ModelMessage> Again(JsonElement last)
    {
        var problems = last.Get("problems") is { ValueKind: JsonValueKind.Array } list ? list.EnumerateArray() : default;
        yield return new ModelMessage("assistant", last.Text("reply") ?? "");
        yield return new ModelMessage("user", GenerationPrompts.Again(
            problems.Select(static problem => $"{problem.Text("path")}: {problem.Text("message")}".TrimStart(' ', ':')),
            last.Get("attempt")?.Text("done_reason") == "length"));
    }

    private static HashSet<string> Chosen(JsonElement analysis)
    {
        var chosen = new HashSet<string>(StringComparer.Ordinal);
        if (analysis.Text("triggerType") is { } trigger) chosen.Add(trigger);
        if (analysis.Get("requiredNodes") is { ValueKind: JsonValueKind.Array } list)
        {
            foreach (var item in list.EnumerateArray())
            {
                if (item.ValueKind == JsonValueKind.String) chosen.Add(item.GetString()!);
            }
        }

        return chosen;
    }

    private static JsonElement Output(int round, ModelReply reply, Draft draft) => JsonConstants.Object(writer =>
    {
        var isOk = draft.Problems.Count == 0;
        var text = PlainSecrets.Redact(reply.Text, draft.Secrets);
        writer.WriteBoolean("ok", isOk);
        if (isOk)
        {
            writer.WritePropertyName("workflow");
            draft.Workflow!.Value.WriteTo(writer);
        }
        else
        {
            // What the next round is shown.
            writer.WriteString("reply", GenerationServices.Head(text, 24_000));
        }

        WriteProblems(writer, draft.Problems, draft.Secrets);
        writer.WriteStartObject("attempt");
        writer.WriteNumber("round", round + 1);
        writer.WriteBoolean("ok", isOk);
        writer.WriteString("reply", GenerationServices.Head(text, 4000));
        writer.WriteString("done_reason", reply.DoneReason);
        if (draft.Repairs.Count > 0)
        {
            writer.WriteStartArray("repairs");
            foreach (var repair in draft.Repairs) writer.WriteStringValue(repair);
            writer.WriteEndArray();
        }

        WriteProblems(writer, draft.Problems, draft.Secrets);
        writer.WriteEndObject();
    });

    private static void WriteProblems(Utf8JsonWriter writer, IReadOnlyList<Problem> problems, IReadOnlyList<string> secrets)
    {
        writer.WriteStartArray("problems");
        foreach (var problem in problems.Take(50))
        {
            writer.WriteStartObject();
            writer.WriteString("code", problem.Code);
            writer.WriteString("path", problem.Path);
            writer.WriteString("message", PlainSecrets.Redact(problem.Message, secrets));
            writer.WriteEndObject();
        }

        writer.WriteEndArray();
    }

    private static JsonElement Metrics(ModelReply reply, TimeSpan check) => JsonConstants.Object(writer =>
    {
        foreach (var property in ModelCalls.Metrics(reply, words: null).EnumerateObject()) property.WriteTo(writer);
        writer.WriteNumber("check_ms", Math.Round(check.TotalMilliseconds, 3));
    });

    private sealed record Draft(JsonElement? Workflow, IReadOnlyList<Problem> Problems, IReadOnlyList<string> Repairs, IReadOnlyList<string> Secrets);
}
