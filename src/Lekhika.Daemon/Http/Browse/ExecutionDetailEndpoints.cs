using System.Globalization;
using System.Text.Json;
using Lekhika.Daemon.Http.Status;
using Lekhika.Postgres.Executions;

namespace Lekhika.Daemon.Http.Browse;

/// <summary><c>GET /executions/{id}</c>, its steps and its timeline.</summary>
internal sealed class ExecutionDetailEndpoints(HttpServerContext services, ExecutionLookup lookup, Peers peers, ExecutionListEndpoints lists)
{
    private const int DefaultSteps = 200;
    private const int MaxSteps = 1000;

    public async Task OneAsync(HttpContext context)
    {
        var id = RouteId.Of(context);
        var row = await lookup.RowAsync(id, context.RequestAborted) ?? throw RequestException.NotFound(id);
        var live = lookup.InMemory(id);
        if (live is null && row.OwnerUrl is { } owner && await peers.PassOnAsync(context, owner)) return;
        var item = await ItemAsync(row, context.RequestAborted);
        var picture = live is null ? await lookup.PictureAsync(row, context.RequestAborted) : lookup.Picture(live.Snapshot());
        await JsonReply.WriteAsync(context, StatusCodes.Status200OK, writer =>
        {
            writer.WriteBoolean("success"u8, true);
            writer.WriteString("executionId"u8, id);
            ExecutionFields.WriteOwn(writer, lists.Merged(item), services.Clock.Now);
            foreach (var _ in new StatusWriter(writer, picture, StatusFields.All).WriteFields())
            {
                // Sent as a whole.
            }

            writer.WriteRaw("inputs"u8, row.Inputs);
            writer.WriteRaw("definition"u8, row.Definition);
        });
    }

    public async Task StepsAsync(HttpContext context)
    {
        var id = RouteId.Of(context);
        var query = new QueryReader(context.Request, "run", "cursor", "limit");
        var asked = (int?)query.Number("run", 1, int.MaxValue);
        var skip = (int)(query.Number("cursor", 0, int.MaxValue / 2) ?? 0);
        var limit = (int)(query.Number("limit", 1, MaxSteps) ?? DefaultSteps);
        var row = await lookup.RowAsync(id, context.RequestAborted) ?? throw RequestException.NotFound(id);
        var run = asked ?? row.Run;
        var page = await lookup.BoundedAsync(
            token => services.Browse.StepsAsync(row.Exec, run, withOutputs: true, skip, limit, token), context.RequestAborted);
        var live = page.Next is null && lookup.InMemory(id) is { } here && here.Header.Run == run ? here.Snapshot() : null;
        await JsonReply.WriteAsync(context, StatusCodes.Status200OK, writer => StepFields.Write(writer, page, run, live));
    }

    public async Task TimelineAsync(HttpContext context)
    {
        var id = RouteId.Of(context);
        var query = new QueryReader(context.Request, "cursor", "limit");
        var skip = (int)(query.Number("cursor", 0, int.MaxValue / 2) ?? 0);
        var limit = (int)(query.Number("limit", 1, MaxSteps) ?? MaxSteps);
        var row = await lookup.RowAsync(id, context.RequestAborted) ?? throw RequestException.NotFound(id);
        var item = await ItemAsync(row, context.RequestAborted);
        var page = await lookup.BoundedAsync(
            token => services.Browse.StepsAsync(row.Exec, null, withOutputs: false, skip, limit, token), context.RequestAborted);
        var runs = row.Run > 1 ? await lookup.BoundedAsync(token => services.Browse.RunsAsync(row.Exec, token), context.RequestAborted) : [];
        var live = page.Next is null ? lookup.InMemory(id)?.Snapshot() : null;
        var entries = Timeline.Of(row, lists.Merged(item), page, runs, live, isFirst: skip == 0);
        await JsonReply.WriteAsync(context, StatusCodes.Status200OK, writer =>
        {
            writer.WriteStartArray("entries"u8);
            foreach (var entry in entries) entry.Write(writer);
            writer.WriteEndArray();
            writer.WriteString("next"u8, page.Next?.ToString(CultureInfo.InvariantCulture));
        });
    }

    private async Task<ExecutionListItem> ItemAsync(ExecutionRow row, CancellationToken cancellationToken) =>
        await lookup.BoundedAsync(token => services.Browse.ItemAsync(row.Exec, token), cancellationToken) ?? throw RequestException.NotFound(row.Id);
}
