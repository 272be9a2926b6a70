using System.Net;

namespace Lekhika.Doubles;

/// <summary>Refuses foreign Origin headers, and foreign Host headers when bound to loopback: 403 with an empty body.</summary>
internal sealed class HostGuard(OllamaDoubleOptions options)
{
    private const string AllowedHeaders =
        "Authorization,Content-Type,User-Agent,Accept,X-Requested-With,Openai-Beta,X-Stainless-Arch,X-Stainless-Async,"
        + "X-Stainless-Custom-Poll-Interval,X-Stainless-Helper-Method,X-Stainless-Lang,X-Stainless-Os,X-Stainless-Package-Version,"
        + "X-Stainless-Poll-Helper,X-Stainless-Retry-Count,X-Stainless-Runtime,X-Stainless-Runtime-Version,X-Stainless-Timeout";

    private static readonly string[] Local = [".localhost", ".local", ".internal"];
    private static readonly string[] Schemes = ["app://", "file://", "tauri://", "vscode-webview://", "vscode-file://"];
    private readonly bool _onLoopback = options.Host == "localhost" || (IPAddress.TryParse(options.Host, out var address) && IPAddress.IsLoopback(address));

    /// <summary>Answers what must not pass, and preflights; else adds what a browser wants to see.</summary>
    public async Task<bool> RefusesAsync(HttpContext http)
    {
        var origin = http.Request.Headers.Origin.ToString();
        if (origin.Length > 0 && !string.Equals(origin, "http://" + http.Request.Host, StringComparison.Ordinal))
        {
            if (!OriginPasses(origin))
            {
                await HttpReply.EmptyAsync(http, 403);
                return true;
            }
            http.Response.Headers.AccessControlAllowOrigin = origin;
            if (HttpMethods.IsOptions(http.Request.Method))
            {
                http.Response.Headers.AccessControlAllowHeaders = AllowedHeaders;
                http.Response.Headers.AccessControlAllowMethods = "GET,POST,PUT,PATCH,DELETE,HEAD,OPTIONS";
                http.Response.Headers.AccessControlMaxAge = "43200";
                http.Response.Headers.Vary = "Access-Control-Request-Headers";
                http.Response.StatusCode = 204;
                return true;
            }
            http.Response.Headers.Vary = "Origin";
        }
        if (!_onLoopback || HostPasses(http.Request.Host.Host))
            return false;
        await HttpReply.EmptyAsync(http, 403);
        return true;
    }

    private static bool HostPasses(string host)
    {
        if (host.Length == 0 || host == "localhost" || Local.Any(end => host.EndsWith(end, StringComparison.Ordinal)))
            return true;
        if (string.Equals(host, Dns.GetHostName(), StringComparison.OrdinalIgnoreCase))
            return true;
        if (!IPAddress.TryParse(host.Trim('[', ']'), out var address))
            return false;
        if (IPAddress.IsLoopback(address) || address.Equals(IPAddress.Any) || address.Equals(IPAddress.IPv6Any) || address.IsIPv6UniqueLocal)
            return true;
        var bytes = address.GetAddressBytes();
        return bytes.Length == 4 && (bytes[0] == 10 || (bytes[0] == 172 && bytes[1] is >= 16 and < 32) || (bytes[0] == 192 && bytes[1] == 168));
    }

    private static bool OriginPasses(string origin)
    {
        if (Schemes.Any(scheme => origin.StartsWith(scheme, StringComparison.Ordinal)))
            return true;
        return Uri.TryCreate(origin, UriKind.Absolute, out var uri)
            && (uri.Scheme is "http" or "https")
            && (uri.Host is "localhost" or "127.0.0.1" or "0.0.0.0");
    }
}
