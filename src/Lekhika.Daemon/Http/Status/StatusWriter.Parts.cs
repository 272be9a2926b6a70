using System.Text.Json;
using Lekhika.Daemon.Nodes;
using Lekhika.Workflows.Execution;

namespace Lekhika.Daemon.Http.Status;

/// <content>The parts that are made of steps and nodes.</content>
internal sealed partial class StatusWriter
{
    private void WriteNodeResult(StatusStep step)
    {
        writer.WriteStartObject(step.Key);
        writer.WriteString("type"u8, step.Type == WorkflowPlan.OutputType ? "final_output" : step.Type);
        writer.WriteString("nodeName"u8, step.Name);
        writer.WriteString("status"u8, step.Status);
        writer.WriteString("content"u8, step.Text ?? (step.Output is { } output ? JsonReply.Text(output) : ""));
        writer.WriteNumber("tokens"u8, step.Tokens);
        writer.WriteNumber("words"u8, step.Words);
        writer.WriteString("providerName"u8, step.Endpoint ?? step.Model);
        WriteChapters("chapters"u8, step.Output);
        writer.WriteStartObject("aiMetadata"u8);
        writer.WriteNumber("tokens"u8, step.Tokens);
        writer.WriteNumber("words"u8, step.Words);
        writer.WriteNumber("cost"u8, 0);
        writer.WriteString("provider"u8, step.Endpoint);
        writer.WriteString("model"u8, step.Model);
        writer.WriteEndObject();
        writer.WriteStartObject("metadata"u8);
        writer.WriteString("nodeId"u8, step.NodeId);
        writer.WriteString("nodeName"u8, step.Name);
        if (Formats(step.Output) is { } formats) writer.WriteRaw("allFormats"u8, formats);
        writer.WriteEndObject();
        if (step.Error is { } error) writer.WriteString("error"u8, error.Message);
        writer.WriteEndObject();
    }

    /// <summary>One entry per node at the top, begun or not, as the modal lists them.</summary>
    private void WriteProcessingSteps()
    {
        var begun = new Dictionary<string, (StatusStep Step, int Number)>(StringComparer.Ordinal);
        for (var i = 0; i < picture.Steps.Count; i++)
        {
            var step = picture.Steps[i];
            if (step.Key == StepKey.Of(step.NodeId)) begun[step.NodeId] = (step, i);
        }

        writer.WriteStartArray("processingSteps"u8);
        for (var i = 0; i < picture.Nodes.Count; i++)
        {
            var node = picture.Nodes[i];
            var isBegun = begun.TryGetValue(node.Id, out var found);
            WriteProcessingStep(i, node.Id, node.Name, isBegun ? found.Step : null, isBegun ? found.Number : i);
        }

        if (picture.Nodes.Count == 0)
        {
            foreach (var (step, number) in begun.Values) WriteProcessingStep(number, step.NodeId, step.Name, step, number);
        }

        writer.WriteEndArray();
    }

    private void WriteProcessingStep(int index, string nodeId, string name, StatusStep? step, int sequence)
    {
        var status = ModalStatus(step);
        writer.WriteStartObject();
        writer.WriteString("id"u8, nodeId);
        writer.WriteString("nodeId"u8, nodeId);
        writer.WriteString("name"u8, name);
        writer.WriteString("status"u8, status);
        writer.WriteNumber("progress"u8, status == "completed" ? 100 : 0);
        writer.WriteNumber("tokens"u8, step?.Tokens ?? 0);
        writer.WriteNumber("words"u8, step?.Words ?? 0);
        writer.WriteString("provider"u8, step?.Endpoint ?? step?.Model);
        writer.WriteNumber("nodeIndex"u8, index);
        writer.WriteNumber("sequenceNumber"u8, sequence);
        writer.WriteNumber("executionIndex"u8, sequence);
        writer.WriteNumber("totalNodes"u8, picture.Nodes.Count);
        writer.WriteMilliseconds("updatedAt"u8, step?.FinishedAt ?? step?.StartedAt);
        writer.WriteNumber("displayOrder"u8, index);
        writer.WriteEndObject();
    }

    /// <summary>The modal knows pending, running, paused, completed and failed.</summary>
    private string ModalStatus(StatusStep? step) => step?.Status switch
    {
        null => "pending",
        "completed" => "completed",
        "failed" or "cancelled" => "failed",
        _ when picture.Status == "paused" => "paused",
        _ => "running",
    };

    private void WriteStory()
    {
        JsonElement? chapters = null;
        for (var i = picture.Steps.Count - 1; i >= 0 && chapters is null; i--) chapters = Chapters(picture.Steps[i].Output);

        // Until a text in chapters is whole, its chapters are steps of their own.
        var written = chapters is null
            ? picture.Steps.Where(static step => step.Type == NodeExpansion.ChapterType && step.Status == "completed" && step.Output is not null)
                .Select(static step => step.Output!.Value).ToList()
            : [];
        var count = chapters?.GetArrayLength() ?? written.Count;
        if (fields.Has("storyContext"))
        {
            writer.WriteStartObject("storyContext"u8);
            writer.WritePropertyName("chapters"u8);
            if (chapters is not null) WriteArray(chapters);
            else
            {
                writer.WriteStartArray();
                foreach (var chapter in written) writer.WriteRaw(chapter);
                writer.WriteEndArray();
            }

            WriteEmptyObject("structural"u8);
            writer.WriteStartObject("assets"u8);
            WriteEmptyArray("images"u8);
            writer.WriteNull("cover"u8);
            writer.WriteEndObject();
            WriteEmptyObject("metadata"u8);
            writer.WriteEndObject();
        }

        if (fields.Has("chaptersGenerated")) writer.WriteNumber("chaptersGenerated"u8, count);
        if (!fields.Has("chapterInfo")) return;
        writer.WriteStartObject("chapterInfo"u8);
        writer.WriteNumber("currentChapter"u8, picture.Chapter?.Number ?? count);
        writer.WriteNumber("totalChapters"u8, picture.Chapter?.Total ?? count);
        writer.WriteEndObject();
    }

    /// <summary>The document in each form it was made in; null if there is none.</summary>
    private static JsonElement? Formats(JsonElement? output) =>
        output is { ValueKind: JsonValueKind.Object } value && value.TryGetProperty("formats"u8, out var formats) && formats.ValueKind == JsonValueKind.Object
            ? formats
            : null;

    private void WriteChapters(ReadOnlySpan<byte> name, JsonElement? output)
    {
        writer.WritePropertyName(name);
        WriteArray(Chapters(output));
    }

    private void WriteArray(JsonElement? array)
    {
        if (array is not null)
        {
            writer.WriteRaw(array);
            return;
        }

        writer.WriteStartArray();
        writer.WriteEndArray();
    }

    private static JsonElement? Chapters(JsonElement? output)
    {
        if (output is not { ValueKind: JsonValueKind.Object } value || !value.TryGetProperty("chapters"u8, out var chapters)) return null;
        return chapters.ValueKind == JsonValueKind.Array ? chapters : null;
    }

    private void WriteWorkflow()
    {
        writer.WriteStartObject("workflow"u8);
        using var parsed = picture.Definition.Text is { } text ? JsonDocument.Parse(text, new JsonDocumentOptions { MaxDepth = 512 }) : null;
        var graph = DefinitionNodes.Graph(parsed?.RootElement ?? picture.Definition.Element);
        if (graph is { } known && known.TryGetProperty("nodes"u8, out var nodes))
        {
            writer.WriteRaw("nodes"u8, nodes);
        }
        else
        {
            writer.WriteStartArray("nodes"u8);
            foreach (var node in picture.Nodes)
            {
                writer.WriteStartObject();
                writer.WriteString("id"u8, node.Id);
                writer.WriteString("name"u8, node.Name);
                writer.WriteString("type"u8, node.Type);
                writer.WriteEndObject();
            }

            writer.WriteEndArray();
        }

        writer.WritePropertyName("edges"u8);
        WriteArray(graph is { } drawn && drawn.TryGetProperty("edges"u8, out var edges) && edges.ValueKind == JsonValueKind.Array ? edges : null);
        writer.WriteEndObject();
    }

    private void WriteStep(StatusStep step)
    {
        writer.WriteStartObject();
        writer.WriteString("key"u8, step.Key);
        writer.WriteString("nodeId"u8, step.NodeId);
        writer.WriteString("name"u8, step.Name);
        writer.WriteString("type"u8, step.Type);
        writer.WriteString("status"u8, step.Status);
        writer.WriteNumber("attempt"u8, step.Attempt);
        writer.WriteTime("startedAt"u8, step.StartedAt);
        writer.WriteTime("finishedAt"u8, step.FinishedAt);
        if (step.DueAt is not null) writer.WriteTime("dueAt"u8, step.DueAt);
        if (step.QueuePosition is { } position) writer.WriteNumber("queuePosition"u8, position);
        if (step.Endpoint is not null) writer.WriteString("endpoint"u8, step.Endpoint);
        writer.WriteRaw("output"u8, step.Output);
        WriteError(step.Error);
        writer.WriteRaw("metrics"u8, step.Metrics);
        // A finished step's text is in its output.
        writer.WriteString("text"u8, step.PartialText);
        if (step.PartialThinking is not null) writer.WriteString("thinking"u8, step.PartialThinking);
        writer.WriteEndObject();
    }

    private void WriteError(StepError? error)
    {
        if (error is null)
        {
            writer.WriteNull("error"u8);
            return;
        }

        writer.WriteStartObject("error"u8);
        writer.WriteString("code"u8, error.Code);
        writer.WriteString("message"u8, error.Message);
        writer.WriteBoolean("retryable"u8, error.Retryable);
        if (error.Details is not null) writer.WriteRaw("details"u8, error.Details);
        writer.WriteEndObject();
    }
}
