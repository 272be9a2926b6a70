using System.Net;
using System.Net.Http.Headers;
using System.Net.Sockets;
using System.Security.Authentication;
using System.Text.Json;
using Lekhika.Daemon.Http;

namespace Lekhika.Daemon.Doctor;

/// <summary>Why a request had no reply.</summary>
internal enum ProbeFailure
{
    None,
    UnknownHost,
    Refused,
    Silent,
    Tls,
    NotHttp,
}

/// <summary>What a request came to: a reply of whatever kind, or the reason why there was none.</summary>
/// <param name="Failure">Why there was no reply; <see cref="ProbeFailure.None"/> if there was.</param>
/// <param name="Detail">The same for people.</param>
/// <param name="Status">Of the reply.</param>
/// <param name="Server">Its <c>Server</c> header.</param>
/// <param name="WorkerId">Its <c>X-Worker-Id</c> header.</param>
/// <param name="Location">Where it redirects to.</param>
/// <param name="Body">Its beginning.</param>
/// <param name="Json">The body, if it is a JSON object.</param>
internal sealed record ProbeReply(
    ProbeFailure Failure, string Detail, int Status = 0, string? Server = null, string? WorkerId = null, string? Location = null, string Body = "",
    JsonElement? Json = null)
{
    /// <summary>Whether it has the form of the daemon's own errors.</summary>
    public bool IsOwnError => Json is { } json && json.TryGetProperty("success"u8, out var success) && success.ValueKind == JsonValueKind.False
        && json.TryGetProperty("code"u8, out var code) && code.ValueKind == JsonValueKind.String;

    /// <summary>A property of the body that is text.</summary>
    public string? Text(string name) =>
        Json is { } json && json.TryGetProperty(name, out var value) && value.ValueKind == JsonValueKind.String ? value.GetString() : null;

    /// <summary>A property of the body that is a number.</summary>
    public long? Number(string name) =>
        Json is { } json && json.TryGetProperty(name, out var value) && value.ValueKind == JsonValueKind.Number && value.TryGetInt64(out var number) ? number : null;

    /// <summary>Status and the server's own name, for people.</summary>
    public string Said => $"HTTP {Status}{(Server is null ? "" : $" from {Server}")}{(Gist() is { Length: > 0 } gist ? $": {gist}" : "")}";

    /// <summary>The beginning of the body; of a page its title, or nothing.</summary>
    private string Gist()
    {
        if (!Body.AsSpan().TrimStart().StartsWith("<")) return Body[..Math.Min(Body.Length, 120)].Trim();
        var start = Body.IndexOf("<title>", StringComparison.OrdinalIgnoreCase) + 7;
        var end = Body.IndexOf("</title>", StringComparison.OrdinalIgnoreCase);
        return start < 7 || end <= start ? "" : Body[start..Math.Min(end, start + 120)].Trim();
    }
}

/// <summary>Asks one server and turns whatever happens into a <see cref="ProbeReply"/>. Follows no redirects and uses no proxy of the environment.</summary>
internal sealed class HttpProbe : IDisposable
{
    private const int LargestBody = 1 << 20;
    private readonly HttpClient _client;
    private readonly Uri _base;
    private readonly string? _secret;

    /// <param name="target">Base URL; paths are put after its own.</param>
    /// <param name="secret">Sent in <c>X-Internal-Auth</c>; null sends none.</param>
    /// <param name="socket">Path of a Unix socket to connect to instead; null for TCP.</param>
    public HttpProbe(Uri target, string? secret, string? socket = null)
    {
        (_base, _secret) = (target, secret);
        var handler = new SocketsHttpHandler
        {
            AllowAutoRedirect = false,
            UseProxy = false,
            UseCookies = false,
            ConnectTimeout = TimeSpan.FromSeconds(5),
            // Each request takes a connection of its own: a balancer behind the address shows all it has.
            PooledConnectionLifetime = TimeSpan.Zero,
        };
        if (socket is not null)
        {
            handler.ConnectCallback = async (_, cancellation) =>
            {
                var connection = new Socket(AddressFamily.Unix, SocketType.Stream, ProtocolType.Unspecified);
                try
                {
                    await connection.ConnectAsync(new UnixDomainSocketEndPoint(socket), cancellation);
                    return new NetworkStream(connection, ownsSocket: true);
                }
                catch
                {
                    connection.Dispose();
                    throw;
                }
            };
        }

        _client = new HttpClient(handler) { Timeout = TimeSpan.FromSeconds(15), MaxResponseContentBufferSize = LargestBody };
    }

    public Task<ProbeReply> GetAsync(string path, CancellationToken cancellationToken) => SendAsync(HttpMethod.Get, path, null, cancellationToken);

    public Task<ProbeReply> PostAsync(string path, string json, CancellationToken cancellationToken) => SendAsync(HttpMethod.Post, path, json, cancellationToken);

    public void Dispose() => _client.Dispose();

    private async Task<ProbeReply> SendAsync(HttpMethod method, string path, string? json, CancellationToken cancellationToken)
    {
        using var request = new HttpRequestMessage(method, new Uri(_base.ToString().TrimEnd('/') + path));
        if (_secret is not null) request.Headers.TryAddWithoutValidation(AccessControl.Header, _secret);
        if (json is not null) request.Content = new StringContent(json, System.Text.Encoding.UTF8, new MediaTypeHeaderValue("application/json"));
        try
        {
            using var response = await _client.SendAsync(request, cancellationToken);
            var body = await response.Content.ReadAsStringAsync(cancellationToken);
            return new ProbeReply(
                ProbeFailure.None, "", (int)response.StatusCode, response.Headers.Server.ToString() is { Length: > 0 } server ? server : null,
                response.Headers.TryGetValues(WorkerHeader.Name, out var ids) ? ids.First() : null, response.Headers.Location?.ToString(), body, Parse(body));
        }
        catch (HttpRequestException exception)
        {
            return Failed(exception);
        }
        catch (OperationCanceledException) when (!cancellationToken.IsCancellationRequested)
        {
            return new ProbeReply(ProbeFailure.Silent, "no answer in time");
        }
    }

    private static JsonElement? Parse(string body)
    {
        try
        {
            using var document = JsonDocument.Parse(body);
            return document.RootElement.ValueKind == JsonValueKind.Object ? document.RootElement.Clone() : null;
        }
        catch (JsonException)
        {
            return null;
        }
    }

    private static ProbeReply Failed(HttpRequestException exception)
    {
        for (Exception? cause = exception; cause is not null; cause = cause.InnerException)
        {
            switch (cause)
            {
                case AuthenticationException or IOException when cause.Message.Contains("frame", StringComparison.Ordinal):
                    return new ProbeReply(ProbeFailure.NotHttp, "that port speaks no TLS");
                case AuthenticationException: return new ProbeReply(ProbeFailure.Tls, cause.InnerException?.Message ?? cause.Message);
                case SocketException { SocketErrorCode: SocketError.HostNotFound or SocketError.NoData or SocketError.TryAgain }:
                    return new ProbeReply(ProbeFailure.UnknownHost, cause.Message);
                case SocketException { SocketErrorCode: SocketError.ConnectionRefused or SocketError.AddressNotAvailable }:
                    return new ProbeReply(ProbeFailure.Refused, cause.Message);
                case SocketException: return new ProbeReply(ProbeFailure.Silent, cause.Message);
                case OperationCanceledException or TimeoutException: return new ProbeReply(ProbeFailure.Silent, "no connection in time");
            }
        }

        return new ProbeReply(ProbeFailure.NotHttp, exception.InnerException?.Message ?? exception.Message);
    }
}
