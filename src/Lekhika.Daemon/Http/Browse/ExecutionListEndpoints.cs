using System.Globalization;
using System.Text.Json;
using Lekhika.Postgres.Executions;

namespace Lekhika.Daemon.Http.Browse;

/// <summary><c>GET /executions</c> and <c>/executions/counts</c>: from the database, with what runs here shown as it is at this moment.</summary>
internal sealed class ExecutionListEndpoints(HttpServerContext services, ExecutionLookup lookup)
{
    private const int DefaultLimit = 50;
    private const int MaxLimit = 200;

    /// <summary>Many look at the same figures. A page of rows is followed by a count, which must not be from before them.</summary>
    private readonly Remembered<ExecutionCounts> _counts = new(services.Time, TimeSpan.FromSeconds(1));

    public async Task ListAsync(HttpContext context)
    {
        var query = new QueryReader(context.Request, "status", "workflow", "user", "model", "q", "cursor", "limit");
        var filter = new ExecutionFilter
        {
            Statuses = query.Words("status", ExecutionLists.Statuses),
            Workflow = query.Text("workflow"),
            User = query.Text("user"),
            Model = query.Text("model"),
            Query = query.Text("q"),
        };
        var limit = (int)(query.Number("limit", 1, MaxLimit) ?? DefaultLimit);
        var below = query.Number("cursor", 1, long.MaxValue);
        var page = await lookup.BoundedAsync(token => services.Browse.PageAsync(filter, below, limit, token), context.RequestAborted);
        await JsonReply.WriteAsync(context, StatusCodes.Status200OK, writer =>
        {
            writer.WriteStartArray("executions"u8);
            foreach (var item in page.Items)
            {
                writer.WriteStartObject();
                ExecutionFields.Write(writer, Merged(item), services.Clock.Now);
                writer.WriteEndObject();
            }

            writer.WriteEndArray();
            writer.WriteString("next"u8, page.Next?.ToString(CultureInfo.InvariantCulture));
        });
    }

    public async Task CountAsync(HttpContext context)
    {
        _ = new QueryReader(context.Request);
        var counts = await lookup.BoundedAsync(token => _counts.GetAsync(services.Browse.CountAsync, token), context.RequestAborted);
        await JsonReply.WriteAsync(context, StatusCodes.Status200OK, writer =>
        {
            writer.WriteNumber("pending"u8, counts.Pending);
            writer.WriteNumber("running"u8, counts.Running);
            writer.WriteNumber("waiting"u8, counts.Waiting);
            writer.WriteNumber("paused"u8, counts.Paused);
            writer.WriteNumber("completed"u8, counts.Completed);
            writer.WriteNumber("failed"u8, counts.Failed);
            writer.WriteNumber("cancelled"u8, counts.Cancelled);
            writer.WriteBoolean("exact"u8, counts.Exact);
        });
    }

    /// <summary>The item with what this daemon knows better.</summary>
    public ExecutionListItem Merged(ExecutionListItem item)
    {
        if (lookup.InMemory(item.Id) is not { } live || live.Header.Run < item.Run) return item;
        var glance = live.Glance();
        return item with
        {
            Status = glance.Status == "pending" ? item.Status : glance.Status,
            Progress = Math.Max(glance.Progress, item.Progress),
            CurrentNodeId = glance.CurrentNodeId ?? item.CurrentNodeId,
            WaitingFor = glance.WaitingFor ?? item.WaitingFor,
            StartedAt = glance.StartedAt ?? item.StartedAt,
            FinishedAt = glance.FinishedAt ?? item.FinishedAt,
            Error = glance.Error ?? item.Error,
            TokensIn = Math.Max(glance.Totals.TokensIn, item.TokensIn),
            TokensOut = Math.Max(glance.Totals.TokensOut, item.TokensOut),
            Words = Math.Max(glance.Totals.Words, item.Words),
            WorkerId = live.Header.WorkerId,
        };
    }
}
