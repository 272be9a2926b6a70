using System.Text.Json;
using Lekhika.Postgres.Executions;

namespace Lekhika.Daemon.Http.Browse;

/// <summary>The fields of an execution in a list.</summary>
internal static class ExecutionFields
{
    public static void Write(Utf8JsonWriter writer, ExecutionListItem item, DateTimeOffset now)
    {
        writer.WriteString("executionId"u8, item.Id);
        WriteOwn(writer, item, now);
        writer.WriteString("status"u8, item.Status);
        writer.WriteNumber("priority"u8, item.Priority);
        writer.WriteString("userId"u8, item.UserId);
        writer.WriteNumber("progress"u8, Math.Round(item.Progress, 1));
        writer.WriteString("currentNodeId"u8, item.CurrentNodeId);
        writer.WriteTime("createdAt"u8, item.CreatedAt);
        writer.WriteString("error"u8, item.Error);
        writer.WriteRaw("waitingFor"u8, item.WaitingFor);
        writer.WriteNumber("tokensIn"u8, item.TokensIn);
        writer.WriteNumber("tokensOut"u8, item.TokensOut);
        writer.WriteNumber("words"u8, item.Words);
        writer.WriteString("workerId"u8, item.WorkerId);
        WriteId(writer, "workflowId"u8, item.WorkflowId);
    }

    /// <summary>Those of them that a status does not have.</summary>
    public static void WriteOwn(Utf8JsonWriter writer, ExecutionListItem item, DateTimeOffset now)
    {
        writer.WriteString("workflowName"u8, item.WorkflowName);
        writer.WriteTime("startedAt"u8, item.StartedAt);
        writer.WriteTime("finishedAt"u8, item.FinishedAt);
        if (item.StartedAt is { } started)
            writer.WriteNumber("durationMs"u8, Math.Max(0, (long)((item.FinishedAt ?? now) - started).TotalMilliseconds));
        else
            writer.WriteNull("durationMs"u8);
        writer.WriteString("code"u8, item.Code);
        writer.WriteNumber("run"u8, item.Run);
        writer.WriteNumber("attempts"u8, item.Attempts);
        WriteId(writer, "parentId"u8, item.ParentId);
    }

    private static void WriteId(Utf8JsonWriter writer, ReadOnlySpan<byte> name, Guid? id)
    {
        if (id is { } value) writer.WriteString(name, value);
        else writer.WriteNull(name);
    }
}
