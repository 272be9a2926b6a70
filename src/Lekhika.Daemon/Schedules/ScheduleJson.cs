using System.Text.Json;
using Lekhika.Postgres.Schedules;

namespace Lekhika.Daemon.Schedules;

/// <summary>A schedule as HTTP and <c>--json</c> show it: the columns of its row, and the coming slots.</summary>
internal static class ScheduleJson
{
    private const int Shown = 5;

    /// <summary>Writes the properties into an open object.</summary>
    public static void Write(Utf8JsonWriter writer, ScheduleRow row)
    {
        writer.WriteString("id"u8, row.Id);
        writer.WriteString("workflow_id"u8, row.WorkflowId);
        writer.WriteString("workflow_name"u8, row.WorkflowName);
        writer.WriteString("cron"u8, row.Cron);
        writer.WriteString("timezone"u8, row.Timezone);
        writer.WriteString("catch_up"u8, row.CatchUp);
        writer.WriteNumber("catch_up_limit"u8, row.CatchUpLimit);
        writer.WritePropertyName("inputs"u8);
        if (row.Inputs is { } inputs) writer.WriteRawValue(inputs, skipInputValidation: true);
        else writer.WriteNullValue();
        writer.WriteString("user_id"u8, row.UserId);
        writer.WriteNumber("priority"u8, row.Priority);
        writer.WriteBoolean("is_active"u8, row.IsActive);
        writer.WriteString("state"u8, StateOf(row));
        Time(writer, "next_run_at"u8, row.NextRunAt);
        writer.WriteStartArray("next_runs"u8);
        foreach (var slot in ScheduleBook.Coming(row, Shown)) writer.WriteStringValue(slot.UtcDateTime);
        writer.WriteEndArray();
        Time(writer, "last_run_at"u8, row.LastRunAt);
        if (row.LastExecutionId is { } last) writer.WriteString("last_execution_id"u8, last);
        else writer.WriteNull("last_execution_id"u8);
        writer.WriteString("error"u8, row.Error);
        Time(writer, "created_at"u8, row.CreatedAt);
    }

    /// <summary>active, paused or quarantined.</summary>
    public static string StateOf(ScheduleRow row) => row.IsActive ? "active" : row.Error is null ? "paused" : "quarantined";

    private static void Time(Utf8JsonWriter writer, ReadOnlySpan<byte> name, DateTimeOffset? time)
    {
        if (time is { } at) writer.WriteString(name, at.UtcDateTime);
        else writer.WriteNull(name);
    }
}
