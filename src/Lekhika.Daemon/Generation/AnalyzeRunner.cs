using System.Collections.Immutable;
using System.Text.Json;
using Lekhika.Daemon.Nodes;
using Lekhika.Daemon.Nodes.Models;

namespace Lekhika.Daemon.Generation;

/// <summary>
/// The first phase: a model says what the request needs. An analysis that cannot be read costs nothing but its help: the request itself is given to the
/// second phase, and the attempt's record says so.
/// </summary>
internal sealed class AnalyzeRunner(GenerationServices services) : INodeRunner
{
    private const double TypicalPieces = 120;

    public bool HoldsSlot => false;

    public async ValueTask<NodeOutcome> RunAsync(NodeCall call, CancellationToken cancellationToken)
    {
        var (request, refused) = services.Begin(call);
        if (request is null) return refused!;
        var catalogue = services.Catalogue!;
        call.Live.Phase(JobPhases.Analyze, 0, "Analyzing requirements");
        ImmutableArray<JobLogEntry> logs =
        [
            new(call.Now, "Starting workflow generation", 0, JobPhases.Analyze),
            new(call.Now, "Analyzing requirements", 0, JobPhases.Analyze),
        ];
        await services.Face.TellAsync(call, 0, JobPhases.Analyze, 0, logs, cancellationToken);

        var types = catalogue.Offer(request, []);
        var (reply, failed) = await services.AskAsync(
            call, request.AnalyzeModel, GenerationPrompts.Analysis(request, catalogue), GenerationSchema.Analysis(catalogue.Types.Length > 40 ? catalogue.Types : types),
            request, maxTokens: 1024, temperature: 0.2, new JobSink(call, 0, JobPhases.Analyzed, TypicalPieces), cancellationToken);
        if (reply is null) return failed!;
        var found = ReplyReader.Read(reply.Text, reply.DoneReason == "length", static value => value.ValueKind == JsonValueKind.Object);
        var text = PlainSecrets.Redact(reply.Text, []);
        var output = JsonConstants.Object(writer =>
        {
            writer.WritePropertyName("analysis");
            if (found.Value is { } analysis) analysis.WriteTo(writer);
            else WriteFallback(writer, text);
            writer.WriteStartObject("attempt");
            writer.WriteBoolean("ok", found.Value is not null);
            writer.WriteString("reply", GenerationServices.Head(text, 4000));
            writer.WriteString("done_reason", reply.DoneReason);
            if (found.Problem is { } problem) writer.WriteString("fallback", "the analysis could not be read and was passed on as text: " + problem);
            if (found.Repairs.Count > 0)
            {
                writer.WriteStartArray("repairs");
                foreach (var repair in found.Repairs) writer.WriteStringValue(repair);
                writer.WriteEndArray();
            }

            writer.WriteEndObject();
        });
        return new NodeSucceeded(output, Metrics: ModelCalls.Metrics(reply, words: null));
    }

    private static void WriteFallback(Utf8JsonWriter writer, string text)
    {
        writer.WriteStartObject();
        writer.WriteString("summary", GenerationServices.Head(text, 2000));
        writer.WriteStartArray("requirements");
        writer.WriteEndArray();
        writer.WriteEndObject();
    }
}
