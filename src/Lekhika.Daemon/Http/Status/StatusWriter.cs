using System.Text.Json;

namespace Lekhika.Daemon.Http.Status;

/// <summary>
/// Writes the status object: the fields that earlier front ends read (some of them under several names, none of the objects they reach into ever
/// null), and ours. It yields wherever what was written so far may be sent, so that a large picture need not be held twice.
/// </summary>
internal sealed partial class StatusWriter(Utf8JsonWriter writer, StatusPicture picture, StatusFields fields)
{
    private readonly StatusStep? _current = picture.Current >= 0 && picture.Current < picture.Steps.Count ? picture.Steps[picture.Current] : null;

    /// <summary>Writes the whole object at once.</summary>
    public static void WriteAll(Utf8JsonWriter writer, StatusPicture picture, StatusFields fields)
    {
        foreach (var _ in new StatusWriter(writer, picture, fields).Write())
        {
            // Nothing is sent in between.
        }
    }

    /// <summary>Writes the object part by part.</summary>
    public IEnumerable<bool> Write()
    {
        writer.WriteStartObject();
        foreach (var part in WriteFields()) yield return part;
        writer.WriteEndObject();
    }

    /// <summary>Writes the fields into an object that the caller has begun and ends.</summary>
    public IEnumerable<bool> WriteFields()
    {
        WriteHead();
        WriteCurrent();
        if (fields.Has("nodeResults"))
        {
            writer.WriteStartObject("nodeResults"u8);
            foreach (var step in picture.Steps)
            {
                if (step.Output is null && step.Error is null) continue;
                WriteNodeResult(step);
                yield return true;
            }

            writer.WriteEndObject();
        }

        if (fields.Has("processingSteps"))
        {
            WriteProcessingSteps();
            yield return true;
        }

        WriteStory();
        WriteTotals();
        if (fields.Has("result"))
        {
            writer.WriteRaw("result"u8, picture.Result);
            yield return true;
        }

        WriteOrigin();
        yield return true;
        WriteOurs();
        if (fields.Has("steps"))
        {
            writer.WriteStartArray("steps"u8);
            foreach (var step in picture.Steps)
            {
                WriteStep(step);
                yield return true;
            }

            writer.WriteEndArray();
        }

        if (fields.Has("timestamp")) writer.WriteTime("timestamp"u8, picture.Now);
    }

    private void WriteHead()
    {
        if (fields.Has("status")) writer.WriteString("status"u8, picture.Status);
        if (fields.Has("message")) writer.WriteString("message"u8, Message());
        if (fields.Has("startTime")) writer.WriteMilliseconds("startTime"u8, picture.StartedAt ?? picture.CreatedAt);
        if (fields.Has("endTime")) writer.WriteMilliseconds("endTime"u8, picture.FinishedAt);
        if (fields.Has("duration")) writer.WriteNumber("duration"u8, Duration());
        if (fields.Has("error")) writer.WriteString("error"u8, picture.Error);
        if (fields.Has("error_message")) writer.WriteString("error_message"u8, picture.Error);
        if (fields.Has("errorDetails")) writer.WriteRaw("errorDetails"u8, picture.ErrorDetails);
        if (fields.Has("progress")) writer.WriteNumber("progress"u8, Math.Round(picture.Progress, 1));
    }

    private void WriteCurrent()
    {
        var id = _current?.NodeId ?? picture.CurrentNodeId;
        var index = IndexOf(id);
        var name = _current?.Name ?? (index >= 0 ? picture.Nodes[index].Name : id);
        var text = _current?.Text;
        if (fields.Has("currentNode")) writer.WriteString("currentNode"u8, name);
        if (fields.Has("currentNodeId")) writer.WriteString("currentNodeId"u8, id);
        if (fields.Has("nodeName")) writer.WriteString("nodeName"u8, name);
        if (fields.Has("nodeType")) writer.WriteString("nodeType"u8, _current?.Type ?? (index >= 0 ? picture.Nodes[index].Type : null));
        if (fields.Has("nodeIndex")) writer.WriteNumber("nodeIndex"u8, Math.Max(0, index));
        if (fields.Has("totalNodes")) writer.WriteNumber("totalNodes"u8, picture.Nodes.Count);
        if (fields.Has("currentOutput")) writer.WriteString("currentOutput"u8, text ?? (_current?.Output is { } output ? JsonReply.Text(output) : ""));
        if (fields.Has("aiResponse")) writer.WriteString("aiResponse"u8, text ?? LatestText());
        if (fields.Has("aiThinking")) writer.WriteString("aiThinking"u8, _current?.PartialThinking ?? "");
        if (fields.Has("thinkingHistory")) WriteEmptyArray("thinkingHistory"u8);
        if (fields.Has("currentPhase")) writer.WriteString("currentPhase"u8, picture.Status);
        if (fields.Has("phaseDescription")) writer.WriteString("phaseDescription"u8, Message());
        if (fields.Has("providerName")) writer.WriteString("providerName"u8, _current?.Endpoint ?? _current?.Model);
        if (!fields.Has("allFormats")) return;
        if (Formats(picture.Result) is { } formats) writer.WriteRaw("allFormats"u8, formats);
        else WriteEmptyArray("allFormats"u8);
    }

    private void WriteTotals()
    {
        if (fields.Has("tokens")) writer.WriteNumber("tokens"u8, picture.TokensIn + picture.TokensOut);
        if (fields.Has("tokensIn")) writer.WriteNumber("tokensIn"u8, picture.TokensIn);
        if (fields.Has("tokensOut")) writer.WriteNumber("tokensOut"u8, picture.TokensOut);
        if (fields.Has("words")) writer.WriteNumber("words"u8, picture.Words);
        if (fields.Has("cost")) writer.WriteNumber("cost"u8, 0);
    }

    private void WriteOrigin()
    {
        if (fields.Has("failedNodeId"))
        {
            writer.WriteString("failedNodeId"u8, picture.Status == "failed"
                ? picture.Steps.LastOrDefault(static step => step.Status == "failed")?.NodeId ?? picture.CurrentNodeId
                : null);
        }

        if (fields.Has("resumable")) writer.WriteBoolean("resumable"u8, picture.Status is "paused");
        if (fields.Has("checkpointData")) WriteEmptyObject("checkpointData"u8);
        if (fields.Has("userInput"))
        {
            writer.WritePropertyName("userInput"u8);
            if (picture.Inputs.Text is { } text) writer.WriteRawValue(text, skipInputValidation: true);
            else if (picture.Inputs.Element is { } element) writer.WriteRaw(element);
            else WriteEmptyObject();
        }

        if (fields.Has("workflow")) WriteWorkflow();
    }

    private void WriteOurs()
    {
        if (fields.Has("runNumber")) writer.WriteNumber("runNumber"u8, picture.Run);
        if (fields.Has("waitingFor")) writer.WriteRaw("waitingFor"u8, picture.WaitingFor);
        if (fields.Has("queuePosition"))
        {
            if (picture.QueuePosition is { } position) writer.WriteNumber("queuePosition"u8, position);
            else writer.WriteNull("queuePosition"u8);
        }

        if (fields.Has("workerId")) writer.WriteString("workerId"u8, picture.WorkerId);
        if (fields.Has("userId")) writer.WriteString("userId"u8, picture.UserId);
        if (fields.Has("priority")) writer.WriteNumber("priority"u8, picture.Priority);
        if (fields.Has("createdAt")) writer.WriteTime("createdAt"u8, picture.CreatedAt);
        if (fields.Has("runAt")) writer.WriteTime("runAt"u8, picture.RunAt);
        if (!fields.Has("workflowId")) return;
        if (picture.WorkflowId is { } workflow) writer.WriteString("workflowId"u8, workflow);
        else writer.WriteNull("workflowId"u8);
    }

    private long Duration() => Math.Max(0, (long)((picture.FinishedAt ?? picture.Now) - (picture.StartedAt ?? picture.CreatedAt)).TotalMilliseconds);

    private string Message() => picture.Status switch
    {
        "pending" when picture.RunAt is { } at && at > picture.Now => string.Create(
            System.Globalization.CultureInfo.InvariantCulture, $"begins at {at.UtcDateTime:yyyy-MM-dd HH:mm:ss} UTC"),
        "pending" when picture.QueuePosition is { } position => string.Create(
            System.Globalization.CultureInfo.InvariantCulture, $"queued, {position} in front"),
        "pending" => "about to start",
        "running" when _current is { QueuePosition: { } turn } => string.Create(
            System.Globalization.CultureInfo.InvariantCulture, $"{_current.Name} waits for its model, {turn} in front"),
        "running" when _current is not null => _current.Name,
        "pausing" => "calls in flight end, then it is paused",
        "failed" => picture.Error ?? "failed",
        _ => picture.Status,
    };

    private string LatestText()
    {
        for (var i = picture.Steps.Count - 1; i >= 0; i--)
        {
            if (picture.Steps[i].Text is { } text) return text;
        }

        return "";
    }

    private int IndexOf(string? nodeId)
    {
        for (var i = 0; i < picture.Nodes.Count; i++)
        {
            if (picture.Nodes[i].Id == nodeId) return i;
        }

        return -1;
    }

    private void WriteEmptyArray(ReadOnlySpan<byte> name)
    {
        writer.WriteStartArray(name);
        writer.WriteEndArray();
    }

    private void WriteEmptyObject(ReadOnlySpan<byte> name)
    {
        writer.WritePropertyName(name);
        WriteEmptyObject();
    }

    private void WriteEmptyObject()
    {
        writer.WriteStartObject();
        writer.WriteEndObject();
    }
}
