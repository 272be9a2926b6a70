using System.Text.Json;

namespace Lekhika.Daemon.Http.Status;

/// <summary><c>GET /status/{id}</c>: live from memory, else from the daemon that holds it, else from the database.</summary>
internal sealed class StatusEndpoint(HttpServerContext services, ExecutionLookup lookup, Peers peers)
{
    private const int SendAt = 64 * 1024;

    public async Task HandleAsync(HttpContext context)
    {
        var id = RouteId.Of(context);
        var fields = StatusFields.Of(context.Request);
        if (lookup.InMemory(id) is { } live)
        {
            await WriteAsync(context, lookup.Picture(live.Snapshot()), fields);
            return;
        }

        var row = await RowOrMemoryAsync(context, id, fields);
        if (row is null) return;
        if (row.OwnerUrl is { } owner && await peers.PassOnAsync(context, owner)) return;
        await WriteAsync(context, await lookup.PictureAsync(row, context.RequestAborted), fields);
    }

    /// <summary>The row; null if the answer was given already, from the memory of one that ended here while the database is away.</summary>
    private async Task<Postgres.Executions.ExecutionRow?> RowOrMemoryAsync(HttpContext context, Guid id, StatusFields fields)
    {
        try
        {
            return await lookup.RowAsync(id, context.RequestAborted) ?? throw RequestException.NotFound(id);
        }
        catch (Exception exception) when (exception is DatabaseSilentException || Postgres.Database.IsTransient(exception))
        {
            if (services.Live.Find(id) is not { } ended) throw;
            await WriteAsync(context, lookup.Picture(ended.Snapshot()), fields);
            return null;
        }
    }

    private static async Task WriteAsync(HttpContext context, StatusPicture picture, StatusFields fields)
    {
        JsonReply.Begin(context.Response, StatusCodes.Status200OK);
        if (HttpMethods.IsHead(context.Request.Method)) return;
        // Started first: what is written before the start is kept aside and copied.
        await context.Response.StartAsync(context.RequestAborted);
        var pipe = context.Response.BodyWriter;
        await using var writer = new Utf8JsonWriter(pipe, JsonReply.WriterOptions);
        writer.WriteStartObject();
        writer.WriteBoolean("success"u8, true);
        writer.WriteString("executionId"u8, picture.Id);
        writer.WritePropertyName("status"u8);
        var sent = 0L;
        foreach (var _ in new StatusWriter(writer, picture, fields).Write())
        {
            if (writer.BytesCommitted + writer.BytesPending - sent < SendAt) continue;
            writer.Flush();
            sent = writer.BytesCommitted;
            await pipe.FlushAsync(context.RequestAborted);
        }

        writer.WriteEndObject();
        writer.Flush();
        await pipe.FlushAsync(context.RequestAborted);
    }
}
