using System.Text.Json;
using Lekhika.Daemon.Nodes;

namespace Lekhika.Daemon.Generation;

/// <summary>Opens the rounds of writing and checking: another one while the last draft has errors and the job allows it.</summary>
internal sealed class RoundsRunner(GenerationServices services) : INodeRunner
{
    public bool ShapesOutput => true;

    public ValueTask<NodeOutcome> RunAsync(NodeCall call, CancellationToken cancellationToken)
    {
        var (request, refused) = services.Begin(call);
        return ValueTask.FromResult<NodeOutcome>(request is null ? refused! : new NodeOpened(JsonConstants.Object(writer =>
        {
            writer.WriteBoolean("while", true);
            writer.WriteNumber("max_iterations", request.MaxRetries + 2);
        })));
    }

    public bool DecideIteration(NodeCall call, int iteration)
    {
        if (iteration == 0) return true;
        if (call.Machine.IterationOutput(call.Step.Key, iteration - 1) is not { } last || last.Flag("ok")) return false;
        return services.Begin(call).Request is { } request && iteration <= request.MaxRetries;
    }

    /// <summary>Only the last draft counts; the others are in their own steps.</summary>
    public NodeOutcome Close(NodeCall call, JsonElement output)
    {
        var items = output.GetProperty("items");
        return new NodeSucceeded(JsonConstants.Object(writer =>
        {
            writer.WriteNumber("rounds", items.GetArrayLength());
            if (items.GetArrayLength() == 0) return;
            writer.WritePropertyName("last");
            items[items.GetArrayLength() - 1].WriteTo(writer);
        }));
    }
}

/// <summary>The end: the workflow, or why there is none.</summary>
internal sealed class GeneratedRunner : INodeRunner
{
    public ValueTask<NodeOutcome> RunAsync(NodeCall call, CancellationToken cancellationToken) => ValueTask.FromResult(End(call));

    private static NodeOutcome End(NodeCall call)
    {
        var rounds = call.Machine.OutputOf(GenerationWorkflow.Rounds) ?? JsonConstants.EmptyObject;
        var last = rounds.Get("last") ?? JsonConstants.EmptyObject;
        if (last.Flag("ok") && last.Get("workflow") is { } workflow)
        {
            return new NodeSucceeded(JsonConstants.Object(writer =>
            {
                writer.WritePropertyName("workflow");
                workflow.WriteTo(writer);
                writer.WriteNumber("rounds", rounds.Integer("rounds") ?? 1);
            }));
        }

        var problems = last.Get("problems") is { ValueKind: JsonValueKind.Array } list ? list.EnumerateArray().ToList() : [];
        var first = problems.Count > 0 ? problems[0].Text("message") : last.Get("error")?.Text("message");
        var more = problems.Count > 1 ? FormattableString.Invariant($" (and {problems.Count - 1} more)") : "";
        var details = JsonConstants.Object(writer =>
        {
            writer.WriteStartArray("problems");
            foreach (var problem in problems) problem.WriteTo(writer);
            writer.WriteEndArray();
            writer.WriteNumber("rounds", rounds.Integer("rounds") ?? 0);
            if (last.Get("attempt")?.Text("reply") is { } reply) writer.WriteString("reply", GenerationServices.Head(reply, 2000));
        });
        return new NodeFailed(new Workflows.Execution.StepError(
            Workflows.ErrorCodes.GenerationFailed,
            FormattableString.Invariant($"No valid workflow after {rounds.Integer("rounds") ?? 0} attempts. The last one: {first ?? "nothing usable"}{more}."),
            Details: details));
    }
}
