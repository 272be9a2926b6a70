using System.Text;
using Lekhika.Daemon.Diagnostics.Metrics;

namespace Lekhika.Daemon.Http;

/// <summary><c>GET /metrics</c>, and the count of the requests themselves.</summary>
internal sealed class MetricsEndpoint : IDisposable
{
    private static readonly string[] Methods = ["GET", "HEAD", "POST", "PUT", "DELETE", "PATCH", "OPTIONS"];

    private readonly HttpServerContext _services;
    private readonly DaemonGauges _gauges;
    private readonly MetricStore _store;

    public MetricsEndpoint(HttpServerContext services)
    {
        _services = services;
        _gauges = new DaemonGauges(
            services.State, services.Lanes, services.Version, services.WorkerId, () => services.Time.GetElapsedTime(services.StartedAt), services.Spooled);
        _store = new MetricStore(_gauges.Meter);
    }

    public async Task HandleAsync(HttpContext context)
    {
        var bytes = Encoding.UTF8.GetBytes(_store.Write());
        context.Response.ContentType = MetricStore.ContentType;
        context.Response.Headers.CacheControl = "no-store";
        context.Response.ContentLength = bytes.Length;
        if (!HttpMethods.IsHead(context.Request.Method)) await context.Response.Body.WriteAsync(bytes, context.RequestAborted);
    }

    /// <summary>Counts a request when it has been answered.</summary>
    public RequestDelegate Count(RequestDelegate next) => async context =>
    {
        var began = _services.Time.GetTimestamp();
        try
        {
            await next(context);
        }
        finally
        {
            // As the route is mapped, never as the client wrote it.
            var route = (context.GetEndpoint() as RouteEndpoint)?.RoutePattern.RawText;
            var method = Methods.Contains(context.Request.Method) ? context.Request.Method : "other";
            var isStream = context.Response.ContentType?.StartsWith("text/event-stream", StringComparison.Ordinal) == true;
            Instruments.Served(method, route, context.Response.StatusCode, isStream ? null : _services.Time.GetElapsedTime(began));
        }
    };

    public void Dispose()
    {
        _store.Dispose();
        _gauges.Dispose();
    }
}
