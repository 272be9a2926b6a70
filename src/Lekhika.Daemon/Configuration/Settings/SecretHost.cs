using System.Buffers;
using System.Globalization;

namespace Lekhika.Daemon.Configuration;

/// <summary>Where a secret may be sent.</summary>
/// <param name="Scheme">https, or http where the operator says so.</param>
/// <param name="Host">Lower-case host name or IP address; of a pattern what follows <c>*.</c></param>
/// <param name="IsPattern">Whether the names below <paramref name="Host"/> are meant, and not itself.</param>
/// <param name="Port">The only port; null for any.</param>
internal sealed record SecretHost(string Scheme, string Host, bool IsPattern, int? Port)
{
    private static readonly SearchValues<char> NotOfHosts = SearchValues.Create("/?#@*\\");

    public bool Allows(Uri url)
    {
        var host = url.IdnHost.Trim('[', ']');
        return url.Scheme == Scheme && (Port is null || Port == url.Port)
            && (IsPattern ? host.EndsWith("." + Host, StringComparison.OrdinalIgnoreCase) : string.Equals(host, Host, StringComparison.OrdinalIgnoreCase));
    }

    public override string ToString()
    {
        var host = $"{(Scheme == Uri.UriSchemeHttp ? "http://" : "")}{(IsPattern ? "*." : "")}{(Host.Contains(':', StringComparison.Ordinal) ? $"[{Host}]" : Host)}";
        return Port is { } port ? string.Create(CultureInfo.InvariantCulture, $"{host}:{port}") : host;
    }

    public static Reading<SecretHost> Read(string text)
    {
        const string form = "expected a host such as api.example.com, *.example.com, api.example.com:8443 or http://127.0.0.1:9000, without a path";
        var (scheme, rest) = text.StartsWith("http://", StringComparison.OrdinalIgnoreCase) ? (Uri.UriSchemeHttp, text[7..])
            : text.StartsWith("https://", StringComparison.OrdinalIgnoreCase) ? (Uri.UriSchemeHttps, text[8..])
            : (Uri.UriSchemeHttps, text);
        rest = rest.TrimEnd('/');
        var isPattern = rest.StartsWith("*.", StringComparison.Ordinal);
        if (isPattern) rest = rest[2..];
        if (rest == SecretSettings.Any) return Reading<SecretHost>.Failed("a secret may not be sent everywhere; " + form);
        if (rest.Length == 0 || rest.AsSpan().IndexOfAny(NotOfHosts) >= 0) return Reading<SecretHost>.Failed(form);

        // A bare IPv6 address has colons and no port.
        var bare = System.Net.IPAddress.TryParse(rest, out var address) && address.AddressFamily == System.Net.Sockets.AddressFamily.InterNetworkV6 && !rest.StartsWith('[');
        var colon = bare ? -1 : rest.IndexOf(':', Math.Max(rest.IndexOf(']', StringComparison.Ordinal), 0));
        int? port = null;
        if (colon >= 0)
        {
            if (!int.TryParse(rest.AsSpan(colon + 1), NumberStyles.None, CultureInfo.InvariantCulture, out var number) || number is 0 or > 65535)
            {
                return Reading<SecretHost>.Failed("the port is not a number from 1 to 65535");
            }

            (port, rest) = (number, rest[..colon]);
        }

        if (bare) rest = $"[{rest}]";
        return Uri.TryCreate($"{scheme}://{rest}/", UriKind.Absolute, out var url) && url.IdnHost.Length > 0
            ? new SecretHost(scheme, url.IdnHost.Trim('[', ']').ToLowerInvariant(), isPattern, port)
            : Reading<SecretHost>.Failed(form);
    }
}
