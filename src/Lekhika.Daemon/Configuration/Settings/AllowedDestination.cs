using System.Globalization;
using System.Net;

namespace Lekhika.Daemon.Configuration;

/// <summary>A destination that http nodes may reach although its address is private: a host, a host with a port, or a network.</summary>
/// <param name="Host">Lower-case host name or IP address; null for a network.</param>
/// <param name="Port">The only port allowed; null for any.</param>
/// <param name="Network">The network; null for a host.</param>
internal sealed record AllowedDestination(string? Host, int? Port, IPNetwork? Network)
{
    /// <summary>Whether a request to <paramref name="host"/> (as written in its URL), resolved to <paramref name="address"/>, is allowed by this entry.</summary>
    public bool Allows(string host, int port, IPAddress address)
    {
        if (Network is { } network)
        {
            return network.Contains(address.IsIPv4MappedToIPv6 ? address.MapToIPv4() : address);
        }

        return (Port is null || Port == port) && string.Equals(Host, host.Trim('[', ']'), StringComparison.OrdinalIgnoreCase);
    }

    public override string ToString() => Network?.ToString()
        ?? (Port is { } port ? string.Create(CultureInfo.InvariantCulture, $"{Bracketed}:{port}") : Bracketed);

    private string Bracketed => Host!.Contains(':', StringComparison.Ordinal) ? $"[{Host}]" : Host;

    public static Reading<AllowedDestination> Read(string text)
    {
        if (text.Contains("://", StringComparison.Ordinal))
        {
            return Reading<AllowedDestination>.Failed("expected a host, host:port or network, without http://");
        }

        if (text.Contains('/', StringComparison.Ordinal))
        {
            // .NET 9 refuses bits after the prefix and .NET 10 drops them; a typing slip should not widen what is allowed.
            var address = text[..text.IndexOf('/', StringComparison.Ordinal)];
            return IPNetwork.TryParse(text, out var network) && network.BaseAddress.Equals(IPAddress.Parse(address))
                ? new AllowedDestination(null, null, network)
                : Reading<AllowedDestination>.Failed("expected a network such as 10.0.0.0/8, with the bits after the prefix zero");
        }

        if (IPAddress.TryParse(text, out var bare) && !text.StartsWith('['))
        {
            return new AllowedDestination(bare.ToString(), null, null);
        }

        var colon = text.IndexOf(':', Math.Max(text.IndexOf(']', StringComparison.Ordinal), 0));
        var host = (colon < 0 ? text : text[..colon]).Trim('[', ']');
        int? port = null;
        if (colon >= 0)
        {
            if (!int.TryParse(text.AsSpan(colon + 1), NumberStyles.None, CultureInfo.InvariantCulture, out var number) || number is 0 or > 65535)
            {
                return Reading<AllowedDestination>.Failed("the port is not a number from 1 to 65535");
            }

            port = number;
        }

        return Uri.CheckHostName(host) == UriHostNameType.Unknown
            ? Reading<AllowedDestination>.Failed("expected a host name, host:port or a network such as 10.0.0.0/8")
            : new AllowedDestination(host.ToLowerInvariant(), port, null);
    }
}
