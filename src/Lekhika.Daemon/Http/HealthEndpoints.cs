using System.Text.Json;
using Lekhika.Postgres.Migrations;

namespace Lekhika.Daemon.Http;

/// <summary>
/// <c>GET /health</c> says that the process lives, <c>GET /health/ready</c> whether it can do its work. Neither does any I/O: the loops that look say
/// what they saw.
/// </summary>
internal sealed class HealthEndpoints(HttpServerContext services)
{
    private readonly ProcessFacts _process = new(services);

    public Task LiveAsync(HttpContext context) => JsonReply.WriteAsync(context, StatusCodes.Status200OK, writer =>
    {
        writer.WriteString("status"u8, "healthy"u8);
        writer.WriteTime("timestamp"u8, services.Time.GetUtcNow());
        writer.WriteString("workerId"u8, services.WorkerId);
        writer.WriteString("worker_id"u8, services.WorkerId);
        if (services.State.Incarnation is { } incarnation) writer.WriteNumber("incarnation"u8, incarnation);
        writer.WriteString("version"u8, services.Version);
        writer.WriteNumber("uptime"u8, _process.UptimeSeconds);
        writer.WriteNumber("uptime_s"u8, _process.UptimeSeconds);
        ProcessFacts.WriteMemory(writer, "memory"u8);
        writer.WriteString("ollama_url"u8, services.OllamaUrl());
        writer.WriteBoolean("redis_available"u8, false);
        ProcessFacts.WriteIds(writer, "activeExecutionIds"u8, _process.Active());
    });

    public Task ReadyAsync(HttpContext context)
    {
        var readiness = Readiness.Of(services);
        if (!readiness.IsReady) context.Response.Headers.RetryAfter = "2";
        return JsonReply.WriteAsync(
            context, readiness.IsReady ? StatusCodes.Status200OK : StatusCodes.Status503ServiceUnavailable, writer => Write(writer, readiness));
    }

    private void Write(Utf8JsonWriter writer, Readiness readiness)
    {
        writer.WriteBoolean("ready"u8, readiness.IsReady);
        writer.WriteStartArray("reasons"u8);
        foreach (var reason in readiness.Reasons) writer.WriteStringValue(reason);
        writer.WriteEndArray();
        writer.WriteStartObject("checks"u8);
        WriteDatabase(writer);
        writer.WriteStartObject("ollama"u8);
        writer.WriteBoolean("ok"u8, readiness.ModelsProblem is null || readiness.IsReachable);
        writer.WriteStartArray("endpoints"u8);
        foreach (var endpoint in services.State.Endpoints)
        {
            writer.WriteStartObject();
            writer.WriteString("name"u8, endpoint.Name);
            writer.WriteString("url"u8, endpoint.Address);
            writer.WriteBoolean("ok"u8, endpoint.Reachable);
            writer.WriteString("version"u8, endpoint.Version);
            if (endpoint.Problem is not null) writer.WriteString("problem"u8, endpoint.Problem);
            writer.WriteEndObject();
        }

        writer.WriteEndArray();
        writer.WriteEndObject();
        writer.WriteStartObject("models"u8);
        writer.WriteBoolean("ok"u8, readiness.ModelsProblem is null);
        writer.WriteNumber("count"u8, services.State.Endpoints.Sum(static endpoint => endpoint.Models.Length));
        if (services.DefaultModel() is { } model) writer.WriteString("default"u8, model);
        if (readiness.ModelsProblem is { } problem) writer.WriteString("problem"u8, problem);
        writer.WriteEndObject();
        writer.WriteEndObject();
        writer.WriteString("worker_id"u8, services.WorkerId);
    }

    private void WriteDatabase(Utf8JsonWriter writer)
    {
        var problem = services.State.DatabaseProblem;
        writer.WriteStartObject("database"u8);
        writer.WriteBoolean("ok"u8, problem is null);
        if (problem is not null) writer.WriteString("problem"u8, problem);
        writer.WriteBoolean("listening"u8, services.State.Listening);
        writer.WriteEndObject();
        writer.WriteStartObject("schema"u8);
        // Served is what the last look at the database found to be so; of one that is away nothing is known.
        writer.WriteBoolean("ok"u8, problem is null && services.State.SchemaVersion is not null);
        if (services.State.SchemaVersion is { } version) writer.WriteNumber("version"u8, version);
        else writer.WriteNull("version"u8);
        writer.WriteNumber("expected"u8, Migration.Latest);
        writer.WriteEndObject();
    }
}
