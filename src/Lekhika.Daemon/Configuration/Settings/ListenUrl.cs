using System.Globalization;
using System.Net;

namespace Lekhika.Daemon.Configuration;

/// <summary>A TCP address to listen on.</summary>
/// <param name="Host"><c>localhost</c>, an IP address (IPv6 without brackets), or <c>*</c> for every address.</param>
/// <param name="Port">0 to 65535; 0 lets the system choose.</param>
internal sealed record ListenUrl(string Host, int Port)
{
    /// <summary>Whether only programs of this machine can reach it.</summary>
    public bool IsLoopback => Host == "localhost" || (IPAddress.TryParse(Host, out var address) && IPAddress.IsLoopback(address));

    public override string ToString() =>
        string.Create(CultureInfo.InvariantCulture, $"http://{(Host.Contains(':', StringComparison.Ordinal) ? $"[{Host}]" : Host)}:{Port}");

    public static Reading<ListenUrl> Read(string text)
    {
        const string scheme = "http://";
        const string form = "expected an address such as http://127.0.0.1:3001";
        if (text.StartsWith("https://", StringComparison.OrdinalIgnoreCase))
        {
            return Reading<ListenUrl>.Failed("the daemon speaks plain HTTP; put a reverse proxy in front of it for https, and write http:// here");
        }

        if (!text.StartsWith(scheme, StringComparison.OrdinalIgnoreCase))
        {
            return Reading<ListenUrl>.Failed(form);
        }

        var rest = text[scheme.Length..].TrimEnd('/');
        var bracket = rest.LastIndexOf(']');
        var colon = rest.IndexOf(':', Math.Max(bracket, 0));
        var host = colon < 0 ? rest : rest[..colon];
        var port = 80;
        if (colon >= 0 && !(int.TryParse(rest.AsSpan(colon + 1), NumberStyles.None, CultureInfo.InvariantCulture, out port) && port <= 65535))
        {
            return Reading<ListenUrl>.Failed($"the port is not a number from 0 to 65535; {form}");
        }

        host = host is "*" or "+" ? "*" : host.Trim('[', ']').ToLowerInvariant();
        return host is "*" or "localhost" || IPAddress.TryParse(host, out _)
            ? new ListenUrl(host, port)
            : Reading<ListenUrl>.Failed($"a listener's host must be an IP address, localhost or * ; {form}");
    }
}
