using Lekhika.Daemon.Http;

namespace Lekhika.Daemon.Dashboard;

/// <summary>
/// Whether a request that a browser sends by itself with its cookie comes from the dashboard's page. SameSite=Strict keeps the cookie from other sites; these
/// checks also hold where another port or a neighbouring host name counts as the same site.
/// </summary>
internal static class OwnPage
{
    /// <summary>A header that no form can send, and no other site's script without being asked about first (which is answered by no).</summary>
    public const string Header = "X-Lekhika-Request";

    public static void RequireHeader(HttpRequest request)
    {
        if (request.Headers.ContainsKey(Header)) return;
        throw Refused($"A request with the session's cookie needs the header {Header}: 1 to change something.");
    }

    /// <summary>Refuses what a browser says comes from a page of another origin.</summary>
    public static void RequireOrigin(HttpRequest request)
    {
        var site = request.Headers["Sec-Fetch-Site"].ToString();
        if (site.Length > 0 && site is not ("same-origin" or "none")) throw Foreign();
        var origin = request.Headers.Origin.ToString();
        if (origin.Length == 0) return;
        if (!Uri.TryCreate(origin, UriKind.Absolute, out var from)) throw Foreign();
        var host = request.Host;
        if (!from.IdnHost.Trim('[', ']').Equals(host.Host.Trim('[', ']'), StringComparison.OrdinalIgnoreCase)) throw Foreign();
        // A proxy may have dropped the port from Host; a browser that says "same-origin" has compared it.
        if (site.Length == 0 && host.Port is { } port && port != from.Port) throw Foreign();
    }

    private static RequestException Foreign() => Refused("The request comes from a page of another site.");

    private static RequestException Refused(string message) => new(StatusCodes.Status403Forbidden, HttpErrorCodes.Forbidden, message);
}
