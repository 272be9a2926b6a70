using System.Text.Json;

namespace Lekhika.Daemon.Http;

/// <summary>Age and memory of this process, for health and status.</summary>
internal sealed class ProcessFacts(HttpServerContext services)
{
    public double UptimeSeconds => Math.Round(services.Time.GetElapsedTime(services.StartedAt).TotalSeconds, 1);

    public static void WriteMemory(Utf8JsonWriter writer, ReadOnlySpan<byte> name)
    {
        writer.WriteStartObject(name);
        writer.WriteNumber("rss"u8, Environment.WorkingSet);
        writer.WriteNumber("heapTotal"u8, GC.GetGCMemoryInfo().TotalCommittedBytes);
        writer.WriteNumber("heapUsed"u8, GC.GetTotalMemory(forceFullCollection: false));
        writer.WriteNumber("external"u8, 0);
        writer.WriteNumber("arrayBuffers"u8, 0);
        writer.WriteEndObject();
    }

    /// <summary>The executions that are held and have not ended.</summary>
    public List<Guid> Active()
    {
        var active = new List<Guid>();
        foreach (var live in services.Live.All)
        {
            if (!live.IsOver) active.Add(live.Header.Id);
        }

        return active;
    }

    public static void WriteIds(Utf8JsonWriter writer, ReadOnlySpan<byte> name, List<Guid> ids)
    {
        writer.WriteStartArray(name);
        foreach (var id in ids) writer.WriteStringValue(id);
        writer.WriteEndArray();
    }
}
