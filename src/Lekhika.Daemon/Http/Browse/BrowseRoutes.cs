using Lekhika.Daemon.Http.Execute;

namespace Lekhika.Daemon.Http.Browse;

// For people who look around, and for what shows it to them (dashboard, command line): lists with cursors, histories, stored workflows, workers.
// Everything is read from the database; of what this daemon holds itself the live picture is shown instead of the row.

/// <summary>Maps these routes.</summary>
internal static class BrowseRoutes
{
    private static readonly string[] ReadMethods = ["GET", "HEAD"];

    public static void Map(WebApplication app, HttpServerContext context, ExecutionLookup lookup, Peers peers, ExecuteEndpoint execute)
    {
        var lists = new ExecutionListEndpoints(context, lookup);
        var details = new ExecutionDetailEndpoints(context, lookup, peers, lists);
        var workflows = new WorkflowEndpoints(context, lookup);
        var jobs = new JobListEndpoint(context, lookup);
        var fleet = new FleetEndpoints(context, lookup);

        Read(app, "/executions", lists.ListAsync);
        Read(app, "/executions/counts", lists.CountAsync);
        Read(app, "/executions/{id}", details.OneAsync);
        Read(app, "/executions/{id}/steps", details.StepsAsync);
        Read(app, "/executions/{id}/timeline", details.TimelineAsync);
        Read(app, "/workflows", workflows.ListAsync);
        Read(app, "/workflows/{id}", workflows.OneAsync);
        app.MapPost("/workflows", (RequestDelegate)workflows.AddAsync);
        app.MapPut("/workflows/{id}", (RequestDelegate)workflows.ChangeAsync);
        app.MapPost("/workflows/{id}/execute", (RequestDelegate)execute.HandleStoredAsync);
        Read(app, "/jobs", jobs.HandleAsync);
        Read(app, "/workers", fleet.WorkersAsync);
        Read(app, "/queue", fleet.QueueAsync);
    }

    private static void Read(WebApplication app, string pattern, RequestDelegate handler) => app.MapMethods(pattern, ReadMethods, handler);
}
