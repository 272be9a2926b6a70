using Lekhika.Daemon.Dashboard;
using Lekhika.Daemon.Http.Adopt;
using Lekhika.Daemon.Http.Browse;
using Lekhika.Daemon.Http.Events;
using Lekhika.Daemon.Http.Execute;
using Lekhika.Daemon.Http.Jobs;
using Lekhika.Daemon.Http.OpenApi;
using Lekhika.Daemon.Http.Resume;
using Lekhika.Daemon.Http.Schedules;
using Lekhika.Daemon.Http.Signals;
using Lekhika.Daemon.Http.Status;

namespace Lekhika.Daemon.Http;

// A request goes through
//
//   Kestrel (TCP, Unix socket) ─► ErrorBoundary ─► AccessControl ─► route ─► memory (LiveExecutions), else database (IExecutionStore),
//                                                                           else the daemon that holds it (Peers)
//
// Handlers throw RequestException for what the client did wrong and let everything else rise: the boundary alone turns failures into replies, so
// that every one of them is JSON of the same form. Replies are written with Utf8JsonWriter; JSON that came from the database or a client is copied
// as it is.

/// <summary>Builds the HTTP server; the caller starts and stops it.</summary>
internal static class HttpServer
{
    /// <summary>A server that is ready to be started. It reads no configuration of its own, handles no signals and logs to the given factory.</summary>
    public static WebApplication Build(HttpServerContext context)
    {
        // The empty builder: the slim one would read appsettings.json and ASPNETCORE_* and watch the content root with inotify.
        var builder = WebApplication.CreateEmptyBuilder(new WebApplicationOptions
        {
            ApplicationName = "lekhika-daemon",
            ContentRootPath = AppContext.BaseDirectory,
            EnvironmentName = Environments.Production,
        });
        builder.Services.AddSingleton(context.Loggers);
        builder.Services.AddSingleton<IHostLifetime, SilentLifetime>();
        builder.Services.AddRoutingCore();
        Listeners.Add(builder.WebHost, context);

        var app = builder.Build();
        var boundary = new ErrorBoundary(context.Loggers.CreateLogger<ErrorBoundary>());
        var sessions = new Sessions(context.Time);
        var access = new AccessControl(context.Auth, sessions, context is { EngineKeys: not null, AllowsKeyControl: true });
        var metrics = new MetricsEndpoint(context);
        app.Lifetime.ApplicationStopped.Register(metrics.Dispose);
        app.Use(metrics.Count);
        app.Use(WorkerHeader.Guard(context.WorkerId));
        app.Use(boundary.Guard);
        app.Use(access.Guard);
        app.UseRouting();
        Map(app, context);
        MapDashboard(app, context, sessions);
        Read(app, "/metrics", metrics.HandleAsync);
        Read(app, "/openapi.json", new OpenApiEndpoint(context, app).HandleAsync);
        return app;
    }

    private static void Map(WebApplication app, HttpServerContext context)
    {
        var peers = new Peers(context);
        app.Lifetime.ApplicationStopped.Register(peers.Dispose);
        var lookup = new ExecutionLookup(context);
        var health = new HealthEndpoints(context);
        var worker = new WorkerEndpoint(context);
        var keys = new EngineKeyCheck(context, lookup);
        var execute = new ExecuteEndpoint(context, keys);
        var status = new StatusEndpoint(context, lookup, peers);
        var events = new EventsEndpoint(context, lookup, peers, app.Lifetime.ApplicationStopping);
        var control = new ControlEndpoints(context, lookup, peers, keys);
        var resume = new ResumeEndpoint(context, lookup, control, keys);
        var validate = new ValidateEndpoint(context);
        var signals = new SignalEndpoints(context, lookup);

        if (context.Schedules is { } schedules) new ScheduleEndpoints(schedules).Map(app);

        Read(app, "/health", health.LiveAsync);
        Read(app, "/health/ready", health.ReadyAsync);
        Read(app, "/status", worker.HandleAsync);
        Read(app, "/status/{id}", status.HandleAsync);
        app.MapGet("/status/{id}/events", (RequestDelegate)events.HandleAsync);
        app.MapPost("/execute", (RequestDelegate)execute.HandleAsync);
        app.MapPost("/stop/{id}", (RequestDelegate)control.StopAsync);
        app.MapPost("/pause/{id}", (RequestDelegate)control.PauseAsync);
        app.MapPost("/executions/{id}/signals", (RequestDelegate)signals.SendAsync);
        app.MapPost("/approve/{id}", (RequestDelegate)signals.ApproveAsync);
        app.MapPost("/reject/{id}", (RequestDelegate)signals.RejectAsync);
        app.MapPost("/resume", (RequestDelegate)resume.FromBodyAsync);
        app.MapPost("/resume/{id}", (RequestDelegate)resume.FromPathAsync);
        app.MapPost("/retry/{id}", (RequestDelegate)resume.FromPathAsync);
        if (context.Jobs is not null) MapJobs(app, new JobEndpoints(context, lookup, peers, events.HandleAsync));
        app.MapPost("/workflows/validate", (RequestDelegate)validate.HandleAsync);
        BrowseRoutes.Map(app, context, lookup, peers, execute);
    }

    private static void MapJobs(WebApplication app, JobEndpoints jobs)
    {
        app.MapPost("/jobs", (RequestDelegate)jobs.CreateAsync);
        app.MapPost("/jobs/poll", (RequestDelegate)jobs.PollAsync);
        Read(app, "/jobs/{id}/status", jobs.StatusAsync);
        app.MapGet("/jobs/{id}/events", (RequestDelegate)jobs.EventsAsync);
        app.MapPost("/jobs/{id}/process", (RequestDelegate)jobs.ProcessAsync);
        app.MapPost("/jobs/{id}/cancel", (RequestDelegate)jobs.CancelAsync);
        app.MapDelete("/jobs/{id}", (RequestDelegate)jobs.CancelAsync);
        Read(app, "/workflow-status/{id}", jobs.WorkflowStatusAsync);
    }

    private static void MapDashboard(WebApplication app, HttpServerContext context, Sessions sessions)
    {
        var page = new PageEndpoint();
        var session = new SessionEndpoint(context.Auth, sessions, context.Time, context.Loggers.CreateLogger<SessionEndpoint>());
        Read(app, "/", page.IndexAsync);
        Read(app, "/ui/{name}", page.FileAsync);
        Read(app, "/session", session.ReadAsync);
        app.MapPost("/session", (RequestDelegate)session.BeginAsync);
        app.MapDelete("/session", (RequestDelegate)session.EndAsync);
    }

    private static readonly string[] ReadMethods = ["GET", "HEAD"];

    private static void Read(WebApplication app, string pattern, RequestDelegate handler) => app.MapMethods(pattern, ReadMethods, handler);

    /// <summary>Signals and console messages are the daemon's own business.</summary>
    private sealed class SilentLifetime : IHostLifetime
    {
        public Task WaitForStartAsync(CancellationToken cancellationToken) => Task.CompletedTask;

        public Task StopAsync(CancellationToken cancellationToken) => Task.CompletedTask;
    }
}
