namespace Lekhika.Daemon.Http.Browse;

/// <summary><c>GET /workers</c> and <c>GET /queue</c>: all the daemons that share the database, and what waits for them.</summary>
internal sealed class FleetEndpoints(HttpServerContext services, ExecutionLookup lookup)
{
    private const int MaxWorkers = 200;

    public async Task WorkersAsync(HttpContext context)
    {
        _ = new QueryReader(context.Request);
        var workers = await lookup.BoundedAsync(token => services.Browse.WorkersAsync(MaxWorkers, token), context.RequestAborted);
        await JsonReply.WriteAsync(context, StatusCodes.Status200OK, writer =>
        {
            writer.WriteStartArray("workers"u8);
            foreach (var worker in workers)
            {
                writer.WriteStartObject();
                writer.WriteString("workerId"u8, worker.WorkerId);
                writer.WriteNumber("incarnation"u8, worker.Incarnation);
                writer.WriteString("host"u8, worker.Host);
                writer.WriteString("url"u8, worker.Url);
                writer.WriteString("version"u8, worker.Version);
                writer.WriteNumber("slots"u8, worker.Slots);
                writer.WriteTime("startedAt"u8, worker.StartedAt);
                writer.WriteTime("heartbeatAt"u8, worker.HeartbeatAt);
                writer.WriteTime("expiresAt"u8, worker.ExpiresAt);
                writer.WriteBoolean("alive"u8, worker.Alive);
                writer.WriteNumber("held"u8, worker.Held);
                writer.WriteEndObject();
            }

            writer.WriteEndArray();
        });
    }

    public async Task QueueAsync(HttpContext context)
    {
        _ = new QueryReader(context.Request);
        var queue = await lookup.BoundedAsync(services.Browse.QueueAsync, context.RequestAborted);
        await JsonReply.WriteAsync(context, StatusCodes.Status200OK, writer =>
        {
            writer.WriteNumber("ready"u8, queue.Ready);
            writer.WriteNumber("held"u8, queue.Held);
            writer.WriteNumber("parked"u8, queue.Parked);
            if (queue.OldestAge is { } age) writer.WriteNumber("oldestAgeMs"u8, (long)age.TotalMilliseconds);
            else writer.WriteNull("oldestAgeMs"u8);
        });
    }
}
