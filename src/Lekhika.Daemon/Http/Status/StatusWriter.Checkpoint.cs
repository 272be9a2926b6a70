using System.Text.Json;
using Lekhika.Workflows.Execution;

namespace Lekhika.Daemon.Http.Status;

/// <content>
/// What earlier front ends know as the checkpoint. The checkpoint is the recorded steps, so this is a picture of them for those who look: it is there
/// while an execution has failed, and gone when it goes on or has completed.
/// </content>
internal sealed partial class StatusWriter
{
    /// <summary>The node it failed at; nulls if it has not failed.</summary>
    private (string? Id, string? Name) FailedNode()
    {
        if (picture.Status != "failed") return (null, null);
        var id = NamedByError() ?? picture.Steps.LastOrDefault(static step => step.Status == "failed")?.NodeId ?? picture.CurrentNodeId;
        var index = IndexOf(id);
        return (id, index >= 0 ? picture.Nodes[index].Name : picture.Steps.LastOrDefault(step => step.NodeId == id)?.Name ?? id);
    }

    /// <summary>The step key that the error names, where it is that of a node at the top.</summary>
    private string? NamedByError()
    {
        if (picture.ErrorDetails is not { ValueKind: JsonValueKind.Object } details
            || !details.TryGetProperty("step"u8, out var step) || step.ValueKind != JsonValueKind.String) return null;
        var key = step.GetString();
        return picture.Nodes.FirstOrDefault(node => StepKey.Of(node.Id) == key)?.Id;
    }

    private void WriteCheckpoint(string? failedId, string? failedName)
    {
        writer.WriteStartObject("checkpointData"u8);
        if (picture.Status == "failed")
        {
            var done = picture.Steps.Where(static step => step.Status == "completed" && step.Key == StepKey.Of(step.NodeId)).ToList();
            writer.WriteString("nodeId"u8, failedId);
            writer.WriteString("nodeName"u8, failedName);
            writer.WriteNumber("nodeIndex"u8, Math.Max(0, IndexOf(failedId)));
            writer.WriteString("failedAtNode"u8, failedId);
            writer.WriteStartArray("completedNodes"u8);
            foreach (var step in done) writer.WriteStringValue(step.NodeId);
            writer.WriteEndArray();
            writer.WriteStartObject("nodeOutputs"u8);
            foreach (var step in done)
            {
                writer.WritePropertyName(step.NodeId);
                writer.WriteRaw(step.Output);
            }

            writer.WriteEndObject();
            writer.WriteRaw("lastNodeOutput"u8, done.Count > 0 ? done[^1].Output : null);
            WriteEmptyObject("structuralNodeOutputs"u8);
            writer.WritePropertyName("userInput"u8);
            WriteInputs();
            writer.WriteStartObject("executionUser"u8);
            writer.WriteString("id"u8, picture.UserId);
            writer.WriteEndObject();
            writer.WriteStartArray("executionOrder"u8);
            foreach (var node in picture.Nodes)
            {
                writer.WriteStartObject();
                writer.WriteString("id"u8, node.Id);
                writer.WriteString("type"u8, node.Type);
                writer.WriteEndObject();
            }

            writer.WriteEndArray();
            writer.WriteTime("timestamp"u8, picture.FinishedAt ?? picture.Now);
        }

        writer.WriteEndObject();
    }

    private void WriteInputs()
    {
        if (picture.Inputs.Text is { } text) writer.WriteRawValue(text, skipInputValidation: true);
        else if (picture.Inputs.Element is { } element) writer.WriteRaw(element);
        else WriteEmptyObject();
    }
}
