using System.Net.Http.Headers;
using System.Net.Sockets;
using System.Text;

namespace Lekhika.Inference.Endpoints;

/// <summary>The HTTP connections to one endpoint: address, credentials, connect limit, and what a failed exchange means.</summary>
internal sealed class EndpointHttp : IDisposable
{
    private readonly SocketsHttpHandler _handler;
    private readonly TimeProvider _time;
    private readonly TimeSpan _connectLimit;

    public EndpointHttp(ModelEndpointOptions endpoint, Uri root, ModelTimeouts limits, TimeProvider time)
    {
        _time = time;
        _connectLimit = limits.Connect;
        var shown = new UriBuilder(root) { UserName = "", Password = "" }.Uri;
        Root = new Uri(shown.AbsoluteUri.TrimEnd('/') + "/");
        Address = Root.AbsoluteUri.TrimEnd('/');
        Label = $"{endpoint.Name} ({Address})";
        _handler = new SocketsHttpHandler
        {
            ConnectCallback = ConnectAsync,
            PooledConnectionIdleTimeout = TimeSpan.FromMinutes(1),
            PooledConnectionLifetime = TimeSpan.FromMinutes(15),
            AllowAutoRedirect = false,
            UseCookies = false,
            // A proxy set for the way out must not swallow calls to the server next door.
            UseProxy = !root.IsLoopback,
        };
        Client = new HttpClient(_handler) { Timeout = Timeout.InfiniteTimeSpan };
        Client.DefaultRequestHeaders.UserAgent.Add(new ProductInfoHeaderValue("lekhika-daemon", null));
        if (endpoint.ApiKey is { Length: > 0 } key)
            Client.DefaultRequestHeaders.Authorization = new AuthenticationHeaderValue("Bearer", key);
        else if (root.UserInfo is { Length: > 0 } user)
        {
            var bytes = Encoding.UTF8.GetBytes(Uri.UnescapeDataString(user));
            Client.DefaultRequestHeaders.Authorization = new AuthenticationHeaderValue("Basic", Convert.ToBase64String(bytes));
        }
    }

    /// <summary>The connections; no time limit of its own.</summary>
    public HttpClient Client { get; }

    /// <summary>The address that paths are relative to.</summary>
    public Uri Root { get; }

    /// <summary>The address, without credentials.</summary>
    public string Address { get; }

    /// <summary>Name and address, for messages.</summary>
    public string Label { get; }

    /// <summary>A small question, limited in time: GET and the whole answer.</summary>
    /// <returns>Null if the endpoint has no such path.</returns>
    public async Task<byte[]?> GetAsync(string path, TimeSpan limit, Func<HttpResponseMessage, byte[], ModelException> refused, CancellationToken token)
    {
        using var clock = new CallClock(_time, new ModelTimeouts { FirstByte = limit, Silence = limit }, limit, token);
        try
        {
            using var response = await Client.GetAsync(new Uri(Root, path), HttpCompletionOption.ResponseHeadersRead, clock.Token);
            var body = await ReadBoundedAsync(response.Content, 16 * 1024 * 1024, clock.Token);
            if (response.IsSuccessStatusCode)
                return body;
            return (int)response.StatusCode is 404 or 405 or 501 ? null : throw refused(response, body);
        }
        catch (Exception exception) when (exception is not ModelException)
        {
            throw Translate(exception, clock, $"GET {path}", token, control: true);
        }
    }

    /// <summary>The body, cut off at a bound: an error text needs no more.</summary>
    public static async Task<byte[]> ReadBoundedAsync(HttpContent content, int limit, CancellationToken cancellationToken)
    {
        await using var stream = await content.ReadAsStreamAsync(cancellationToken);
        using var body = new MemoryStream();
        var buffer = new byte[16 * 1024];
        while (body.Length < limit)
        {
            var room = (int)Math.Min(buffer.Length, limit - body.Length);
            var read = await stream.ReadAsync(buffer.AsMemory(0, room), cancellationToken);
            if (read == 0)
                break;
            body.Write(buffer, 0, read);
        }

        return body.ToArray();
    }

    /// <summary>What an exception of the transport means. The caller's own cancellation stays what it is.</summary>
    public Exception Translate(Exception exception, CallClock clock, string what, CancellationToken cancellationToken, bool control = false)
    {
        cancellationToken.ThrowIfCancellationRequested();
        if (exception is OperationCanceledException && clock.Expired != CallLimit.None)
        {
            return new ModelException(ModelFailure.TimedOut, $"Endpoint {Label}, {what}: {clock.Describe()}.", exception)
            {
                EndpointFault = control,
            };
        }

        if (exception is LineTooLongException)
        {
            return new ModelException(ModelFailure.Broken, $"Endpoint {Label}, {what}: {exception.Message}; is it a model server?", exception)
            {
                Final = true,
            };
        }

        if (exception is HttpRequestException
            {
                HttpRequestError: HttpRequestError.ConnectionError or HttpRequestError.NameResolutionError
                or HttpRequestError.SecureConnectionError or HttpRequestError.ProxyTunnelError
            })
        {
            return new ModelException(
                ModelFailure.Unavailable,
                $"Endpoint {Label} cannot be reached: {exception.Message}. Is the server running, and is the address right?",
                exception)
            { EndpointFault = true };
        }

        if (exception is HttpRequestException or IOException)
        {
            return new ModelException(
                ModelFailure.Broken, $"Endpoint {Label}, {what}: the connection broke off before the reply was complete: {exception.Message}", exception)
            { EndpointFault = true };
        }

        return exception is OperationCanceledException
            ? new ModelException(ModelFailure.Broken, $"Endpoint {Label}, {what}: the request was aborted: {exception.Message}", exception)
            : new ModelException(ModelFailure.Broken, $"Endpoint {Label}, {what}: {exception.Message}", exception) { Final = true };
    }

    public void Dispose()
    {
        Client.Dispose();
        _handler.Dispose();
    }

    private async ValueTask<Stream> ConnectAsync(SocketsHttpConnectionContext context, CancellationToken cancellationToken)
    {
        var socket = new Socket(SocketType.Stream, ProtocolType.Tcp) { NoDelay = true };
        using var limit = new CancellationTokenSource(_connectLimit, _time);
        using var either = CancellationTokenSource.CreateLinkedTokenSource(cancellationToken, limit.Token);
        try
        {
            await socket.ConnectAsync(context.DnsEndPoint, either.Token);
            return new NetworkStream(socket, ownsSocket: true);
        }
        catch (OperationCanceledException exception) when (limit.IsCancellationRequested && !cancellationToken.IsCancellationRequested)
        {
            socket.Dispose();
            throw new TimeoutException(FormattableString.Invariant($"no connection within {_connectLimit.TotalSeconds:0.###} s"), exception);
        }
        catch
        {
            socket.Dispose();
            throw;
        }
    }
}
