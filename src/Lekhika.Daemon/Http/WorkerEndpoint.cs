using System.Text.Json;
using Lekhika.Inference;
using Lekhika.Inference.Lanes;

namespace Lekhika.Daemon.Http;

/// <summary><c>GET /status</c>: this worker, from memory.</summary>
internal sealed class WorkerEndpoint(HttpServerContext services)
{
    private readonly ProcessFacts _process = new(services);

    public Task HandleAsync(HttpContext context) => JsonReply.WriteAsync(context, StatusCodes.Status200OK, Write);

    private void Write(Utf8JsonWriter writer)
    {
        var state = services.State;
        var active = _process.Active();
        writer.WriteBoolean("success"u8, true);
        writer.WriteString("status"u8, Status());
        writer.WriteString("workerId"u8, services.WorkerId);
        writer.WriteNumber("activeExecutions"u8, active.Count);
        writer.WriteNumber("maxConcurrent"u8, services.Concurrency);
        writer.WriteString("capacity"u8, string.Create(
            System.Globalization.CultureInfo.InvariantCulture, $"{state.SlotsUsed}/{services.Concurrency}"));
        ProcessFacts.WriteIds(writer, "activeExecutionIds"u8, active);
        WriteNumber(writer, "queued"u8, state.Queued);
        WriteNumber(writer, "parked"u8, state.Parked);
        writer.WriteStartObject("finished"u8);
        writer.WriteNumber("completed"u8, state.Finished.Completed);
        writer.WriteNumber("failed"u8, state.Finished.Failed);
        writer.WriteNumber("cancelled"u8, state.Finished.Cancelled);
        writer.WriteEndObject();
        WriteNumber(writer, "hooksWaiting"u8, state.HooksWaiting);
        writer.WriteStartObject("spool"u8);
        writer.WriteNumber("saved"u8, state.Spool.Saved);
        writer.WriteNumber("replayed"u8, state.Spool.Replayed);
        writer.WriteNumber("rejected"u8, state.Spool.Rejected);
        writer.WriteNumber("corrupt"u8, state.Spool.Corrupt);
        writer.WriteEndObject();
        writer.WriteNumber("uptime"u8, _process.UptimeSeconds);
        ProcessFacts.WriteMemory(writer, "memoryUsage"u8);
        WriteLanes(writer, services.Lanes());
        WriteModels(writer, state.Endpoints);
        writer.WriteString("database"u8, state.DatabaseProblem ?? "ok");
        writer.WriteBoolean("listening"u8, state.Listening);
        writer.WriteString("version"u8, services.Version);
    }

    private string Status()
    {
        var state = services.State;
        if (state.Draining) return "draining";
        if (!Readiness.Of(services).IsReady) return "degraded";
        return state.SlotsUsed >= services.Concurrency && services.Concurrency > 0 ? "overloaded" : "healthy";
    }

    private static void WriteLanes(Utf8JsonWriter writer, PoolSnapshot pool)
    {
        writer.WriteStartArray("lanes"u8);
        foreach (var endpoint in pool.Endpoints)
        {
            foreach (var lane in endpoint.Lanes)
            {
                writer.WriteStartObject();
                writer.WriteString("endpoint"u8, endpoint.Name);
                writer.WriteString("model"u8, lane.Model);
                if (lane.Runner.Length > 0) writer.WriteString("runner"u8, lane.Runner);
                writer.WriteString("state"u8, lane.State);
                writer.WriteNumber("depth"u8, lane.Depth);
                writer.WriteNumber("inFlight"u8, lane.InFlight);
                writer.WriteNumber("oldestSeconds"u8, Math.Round(lane.OldestAge.TotalSeconds, 1));
                writer.WriteNumber("swaps"u8, lane.Swaps);
                writer.WriteNumber("served"u8, lane.Served);
                writer.WriteNumber("failed"u8, lane.Failed);
                writer.WriteEndObject();
            }
        }

        writer.WriteEndArray();
        writer.WriteNumber("waitingForEndpoint"u8, pool.Parked);
    }

    private static void WriteModels(Utf8JsonWriter writer, IReadOnlyList<EndpointHealth> endpoints)
    {
        writer.WriteStartArray("models"u8);
        foreach (var endpoint in endpoints)
        {
            foreach (var model in endpoint.Models)
            {
                writer.WriteStartObject();
                writer.WriteString("name"u8, model.Name);
                writer.WriteString("endpoint"u8, endpoint.Name);
                writer.WriteNumber("size"u8, model.Size);
                writer.WriteBoolean("loaded"u8, endpoint.Loaded.Any(loaded => loaded.Name == model.Name));
                writer.WriteEndObject();
            }
        }

        writer.WriteEndArray();
    }

    private static void WriteNumber(Utf8JsonWriter writer, ReadOnlySpan<byte> name, long? value)
    {
        if (value is { } number) writer.WriteNumber(name, number);
        else writer.WriteNull(name);
    }
}
