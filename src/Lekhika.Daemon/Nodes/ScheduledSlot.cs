using System.Text.Json;

namespace Lekhika.Daemon.Nodes;

/// <summary>Which slot of which schedule an execution is for: it began later than that, perhaps much later.</summary>
/// <param name="ScheduleId">The schedule.</param>
/// <param name="At">The slot.</param>
internal sealed record ScheduledSlot(string ScheduleId, DateTimeOffset At)
{
    /// <summary>What the column <c>request</c> says; null if it is not from a schedule.</summary>
    public static ScheduledSlot? Of(string? request)
    {
        if (request is null || !request.Contains("\"schedule\"", StringComparison.Ordinal)) return null;
        try
        {
            using var document = JsonDocument.Parse(request);
            return document.RootElement.ValueKind == JsonValueKind.Object
                && document.RootElement.TryGetProperty("schedule"u8, out var schedule) && schedule.ValueKind == JsonValueKind.Object
                && schedule.TryGetProperty("id"u8, out var id) && id.ValueKind == JsonValueKind.String
                && schedule.TryGetProperty("slot"u8, out var slot) && slot.ValueKind == JsonValueKind.String && slot.TryGetDateTimeOffset(out var at)
                    ? new ScheduledSlot(id.GetString()!, at)
                    : null;
        }
        catch (JsonException)
        {
            return null; // nested too deeply: not what a schedule wrote
        }
    }
}
