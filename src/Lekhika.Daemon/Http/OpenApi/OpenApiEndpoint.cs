using Lekhika.Workflows.Catalogue;

namespace Lekhika.Daemon.Http.OpenApi;

/// <summary><c>GET /openapi.json</c>: written once, when it is first asked for.</summary>
internal sealed class OpenApiEndpoint(HttpServerContext services, IEndpointRouteBuilder routes)
{
    private readonly Lazy<byte[]> _document = new(() => OpenApiDocument.Write(
        routes.DataSources.SelectMany(static source => source.Endpoints).OfType<RouteEndpoint>(), NodeCatalogue.BuiltIn, services.Version));

    public async Task HandleAsync(HttpContext context)
    {
        var document = _document.Value;
        context.Response.ContentType = JsonReply.ContentType;
        context.Response.Headers.CacheControl = "no-cache";
        context.Response.ContentLength = document.Length;
        if (!HttpMethods.IsHead(context.Request.Method)) await context.Response.Body.WriteAsync(document, context.RequestAborted);
    }
}
