using System.Net;
using Lekhika.Daemon.Configuration;

namespace Lekhika.Daemon.Http;

/// <summary>
/// Who may call: everything but the two health routes needs the secret in <c>X-Internal-Auth</c>. Without a configured secret (loopback only) a
/// browser's pages are still kept out: a page from elsewhere must not reach the daemon through the browser of who runs it.
/// </summary>
internal sealed class AccessControl(AuthOptions options)
{
    public const string Header = "X-Internal-Auth";

    public RequestDelegate Guard(RequestDelegate next) => context =>
    {
        if (IsPublic(context.Request)) return next(context);
        if (options.InternalSecret is { } secret) RequireSecret(context, secret);
        else RefuseForeign(context);
        return next(context);
    };

    private static bool IsPublic(HttpRequest request) =>
        (HttpMethods.IsGet(request.Method) || HttpMethods.IsHead(request.Method)) && request.Path.Value is "/health" or "/health/ready";

    private static void RequireSecret(HttpContext context, Secret secret)
    {
        var offered = context.Request.Headers[Header];
        if (offered.Count == 0)
        {
            throw new RequestException(
                StatusCodes.Status401Unauthorized, HttpErrorCodes.Unauthorized, $"The header {Header} is missing; send the internal secret in it.");
        }

        if (offered.Count != 1 || !secret.Matches(offered[0]))
        {
            throw new RequestException(
                StatusCodes.Status401Unauthorized, HttpErrorCodes.Unauthorized, $"The secret in the header {Header} is not the one configured here.");
        }
    }

    private static void RefuseForeign(HttpContext context)
    {
        if (context.Connection.LocalIpAddress is null) return; // a Unix socket: no browser speaks to it
        var host = context.Request.Host.Host;
        var origin = context.Request.Headers.Origin.ToString();
        var isOwnPage = origin.Length == 0 || (Uri.TryCreate(origin, UriKind.Absolute, out var from) && IsLocal(from.Host));
        if (IsLocal(host) && isOwnPage) return;
        throw new RequestException(
            StatusCodes.Status403Forbidden,
            HttpErrorCodes.Forbidden,
            "Without an internal secret only requests to a loopback address are served, and none from pages of other sites. "
            + "Configure auth.internal_secret.");
    }

    private static bool IsLocal(string host) =>
        host.Length == 0 || host.Equals("localhost", StringComparison.OrdinalIgnoreCase)
        || (IPAddress.TryParse(host.Trim('[', ']'), out var address) && IPAddress.IsLoopback(address));
}
