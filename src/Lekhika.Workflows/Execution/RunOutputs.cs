using System.Buffers;
using System.Text.Encodings.Web;
using System.Text.Json;
using Lekhika.Workflows.Definitions;

namespace Lekhika.Workflows.Execution;

/// <summary>The JSON that the machine itself makes: outputs of failed nodes, results of graphs, of scopes and of joins.</summary>
internal static class RunOutputs
{
    /// <summary>Outputs are nested into each other, so more depth is allowed than for what comes from outside.</summary>
    private const int MaxDepth = 1000;

    private static readonly JsonWriterOptions WriterOptions = new()
    {
        Encoder = JavaScriptEncoder.UnsafeRelaxedJsonEscaping,
        MaxDepth = MaxDepth,
    };

    public static JsonElement Empty { get; } = Object(_ => { });

    /// <summary>Stands for an error that a record does not name.</summary>
    public static StepError UnknownError { get; } = new(ErrorCodes.InternalError, "The step failed; its record does not say why.");

    public static JsonElement Object(Action<Utf8JsonWriter> properties)
    {
        var buffer = new ArrayBufferWriter<byte>();
        using (var writer = new Utf8JsonWriter(buffer, WriterOptions))
        {
            writer.WriteStartObject();
            properties(writer);
            writer.WriteEndObject();
        }

        var reader = new Utf8JsonReader(buffer.WrittenSpan, new JsonReaderOptions { MaxDepth = MaxDepth });
        return JsonElement.ParseValue(ref reader);
    }

    /// <summary>What a step leaves for others; null if it has not ended or never ran.</summary>
    public static JsonElement? OfStep(StepState step) => step.Phase switch
    {
        StepPhase.Succeeded => step.Facts!.Final!.Output ?? Empty,
        StepPhase.PassedOver => OfError(step.Facts!.Final!.Error, skipped: true),
        StepPhase.Failed => OfError(step.Facts!.Final!.Error, skipped: false),
        _ => null,
    };

    /// <summary>
    /// The result of a graph that is over: the output of the last executed node of type <c>output</c>; else of the only executed node
    /// from which no edge was taken; else an object of all such nodes. Of a failed iteration: its error.
    /// </summary>
    public static JsonElement OfGraph(GraphState graph)
    {
        if (graph.Fatal is { } fatal) return OfError(fatal.Facts!.Final!.Error, skipped: false);
        var ends = new List<StepState>();
        for (var i = graph.Steps.Length - 1; i >= 0; i--)
        {
            var step = graph.Steps[i];
            if (!step.IsExecuted) continue;
            if (string.Equals(step.Node.Definition.Type, WorkflowPlan.OutputType, StringComparison.Ordinal)) return OfStep(step)!.Value;
            if (!LeadsOn(step)) ends.Add(step);
        }

        if (ends.Count == 1) return OfStep(ends[0])!.Value;
        ends.Reverse();
        return OfSteps(ends);
    }

    /// <summary><c>{ node id: output }</c></summary>
    public static JsonElement OfSteps(IEnumerable<StepState> steps) => Object(writer =>
    {
        foreach (var step in steps)
        {
            writer.WritePropertyName(step.Node.Id);
            OfStep(step)!.Value.WriteTo(writer);
        }
    });

    /// <summary><c>{ "items": […], "count": n }</c></summary>
    public static JsonElement OfIterations(IEnumerable<JsonElement> results) => Object(writer =>
    {
        var count = 0;
        writer.WriteStartArray("items");
        foreach (var result in results)
        {
            result.WriteTo(writer);
            count++;
        }

        writer.WriteEndArray();
        writer.WriteNumber("count", count);
    });

    private static bool LeadsOn(StepState step)
    {
        foreach (var edge in step.Node.Outgoing)
        {
            if (RunMachine.IsTaken(edge, step)) return true;
        }

        return false;
    }

    private static JsonElement OfError(StepError? error, bool skipped) => Object(writer =>
    {
        error ??= UnknownError;
        writer.WriteStartObject("error");
        writer.WriteString("code", error.Code);
        writer.WriteString("message", error.Message);
        writer.WriteEndObject();
        if (skipped) writer.WriteBoolean("skipped", true);
    });
}
