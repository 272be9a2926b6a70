using System.Net;
using Lekhika.Daemon.Configuration;
using Lekhika.Daemon.Dashboard;
using Lekhika.Daemon.Http.Adopt;
using Microsoft.AspNetCore.Http.Features;

namespace Lekhika.Daemon.Http;

/// <summary>
/// Who may call: everything but the health routes, the dashboard's files and its sign-in needs the secret in <c>X-Internal-Auth</c>, or the cookie of a
/// session that was begun with it. The viewer's secret, and its sessions, read only. Without a configured secret (loopback only) a browser's pages
/// are still kept out: a page from elsewhere must not reach the daemon through the browser of who runs it. Where the configuration allows it, the
/// key of a Lekhika account opens stop and resume; what serves them checks it against the execution.
/// </summary>
internal sealed class AccessControl(AuthOptions options, Sessions sessions, bool allowsKeys = false)
{
    public const string Header = "X-Internal-Auth";

    /// <summary>Largest body from whom only a key is known; a definition fits well.</summary>
    private const long KeyBodyLimit = 8 << 20;

    public RequestDelegate Guard(RequestDelegate next) => context =>
    {
        context.Response.Headers.XContentTypeOptions = "nosniff";
        if (IsPublic(context.Request)) return next(context);
        if (OffersKey(context)) return next(context);
        if (options.InternalSecret is { } secret) RequireRight(context.Request, secret);
        else RefuseForeign(context);
        return next(context);
    };

    private static bool IsPublic(HttpRequest request)
    {
        var path = request.Path.Value ?? "";
        return path == "/session" || (IsRead(request) && (path is "/health" or "/health/ready" or "/" || path.StartsWith("/ui/", StringComparison.Ordinal)));
    }

    private bool OffersKey(HttpContext context)
    {
        if (!allowsKeys || options.InternalSecret is null || !HttpMethods.IsPost(context.Request.Method)) return false;
        var path = context.Request.Path.Value ?? "";
        if (path != "/resume" && !path.StartsWith("/stop/", StringComparison.Ordinal)) return false;
        if (context.Request.Headers.ContainsKey(Header) || context.Request.Headers[EngineKeyCheck.Header] is not [{ Length: > 0 and <= 512 } key]) return false;
        context.Features.Set(new OfferedKey(new Secret(key)));
        if (context.Features.Get<IHttpMaxRequestBodySizeFeature>() is { IsReadOnly: false } body)
            body.MaxRequestBodySize = Math.Min(KeyBodyLimit, body.MaxRequestBodySize ?? KeyBodyLimit);
        return true;
    }

    private static bool IsRead(HttpRequest request) => HttpMethods.IsGet(request.Method) || HttpMethods.IsHead(request.Method);

    private void RequireRight(HttpRequest request, Secret secret)
    {
        var role = RoleOf(request, secret);
        // Validating changes nothing; it is a POST because a definition does not fit into a URL.
        if (role == Role.Operator || IsRead(request) || request.Path.Value == "/workflows/validate") return;
        throw new RequestException(
            StatusCodes.Status403Forbidden, HttpErrorCodes.ReadOnly, "Signed in as a viewer, who may read but not act. Sign in with the internal secret.");
    }

    private Role RoleOf(HttpRequest request, Secret secret)
    {
        var offered = request.Headers[Header];
        if (offered.Count > 0)
        {
            if (offered.Count == 1 && secret.Matches(offered[0])) return Role.Operator;
            if (offered.Count == 1 && options.ViewerSecret?.Matches(offered[0]) == true) return Role.Viewer;
            throw new RequestException(
                StatusCodes.Status401Unauthorized, HttpErrorCodes.Unauthorized, $"The secret in the header {Header} is not the one configured here.");
        }

        if (request.Cookies[SessionEndpoint.Cookie] is not { Length: > 0 } token)
        {
            throw new RequestException(
                StatusCodes.Status401Unauthorized, HttpErrorCodes.Unauthorized, $"The header {Header} is missing; send the internal secret in it.");
        }

        if (sessions.Use(token) is not { } role)
            throw new RequestException(StatusCodes.Status401Unauthorized, HttpErrorCodes.Unauthorized, "The session has ended. Sign in again.");
        if (IsRead(request)) return role;
        OwnPage.RequireHeader(request);
        OwnPage.RequireOrigin(request);
        return role;
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
