using System.Collections.Immutable;
using System.Diagnostics.CodeAnalysis;
using System.Globalization;
using System.Net;
using System.Net.Sockets;
using System.Security.Authentication;
using System.Text;
using Lekhika.Daemon.Configuration;
using Lekhika.Workflows;

namespace Lekhika.Daemon.Nodes.Calls;

// Calls that nodes make over HTTP.
//
//   OutboundRequest ─► OutboundHttp ─► SocketsHttpHandler ─► GuardedConnector (address rules)      one connection at a time is judged
//                          │ redirects by hand: few, credentials stay with their host
//                          └► OutboundReply, read within size and time
//
// The body is unpacked by the handler and counted after that, so a small archive that unpacks into a large one ends at the limit.

/// <summary>Sends calls and reads their answers, within limits.</summary>
[SuppressMessage("Design", "CA1001", Justification = "Serves the process as long as it lives; idle connections close by themselves.")]
internal sealed class OutboundHttp
{
    private const int MaxRedirects = 5;
    private readonly HttpClient _client;
    private readonly long _maxResponse;
    private readonly TimeProvider _time;

    private OutboundHttp(SocketsHttpHandler handler, long maxResponse, TimeProvider time)
    {
        (_maxResponse, _time) = (maxResponse, time);
        _client = new HttpClient(handler) { Timeout = Timeout.InfiniteTimeSpan };
    }

    /// <summary>Where workflows choose the address: only public ones, and what the configuration allows.</summary>
    public static OutboundHttp Guarded(ImmutableArray<AllowedDestination> allowed, long maxResponse, TimeProvider time)
    {
        var handler = Handler();
        handler.ConnectCallback = new GuardedConnector(allowed, time).ConnectAsync;
        return new OutboundHttp(handler, maxResponse, time);
    }

    /// <summary>Where the operator chose the address.</summary>
    public static OutboundHttp Trusted(long maxResponse, TimeProvider time) => new(Handler(), maxResponse, time);

    /// <summary>Sends a call.</summary>
    /// <param name="request">The call.</param>
    /// <param name="limit">Longest time from now to the end of the answer.</param>
    /// <param name="isFinal">Whether a status is an answer even though it is a redirect.</param>
    /// <param name="cancellationToken">Aborts it.</param>
    /// <exception cref="OutboundException">There was no answer, or none within the limits.</exception>
    public async Task<OutboundReply> SendAsync(OutboundRequest request, TimeSpan limit, Func<int, bool> isFinal, CancellationToken cancellationToken)
    {
        using var overdue = new CancellationTokenSource(limit, _time);
        using var either = CancellationTokenSource.CreateLinkedTokenSource(overdue.Token, cancellationToken);
        try
        {
            return await FollowAsync(request, isFinal, either.Token);
        }
        catch (OperationCanceledException exception) when (overdue.IsCancellationRequested && !cancellationToken.IsCancellationRequested)
        {
            throw new OutboundException(
                ErrorCodes.HttpFailed,
                string.Create(CultureInfo.InvariantCulture, $"{request.Display}: no answer within {limit.TotalSeconds:0.###} s, the time limit of the call."),
                retryable: true,
                exception);
        }
        catch (Exception exception) when (exception is HttpRequestException or IOException or SocketException)
        {
            throw Failed(request, exception);
        }
    }

    private async Task<OutboundReply> FollowAsync(OutboundRequest request, Func<int, bool> isFinal, CancellationToken cancellationToken)
    {
        for (var redirects = 0; ; redirects++)
        {
            using var message = Message(request);
            using var response = await _client.SendAsync(message, HttpCompletionOption.ResponseHeadersRead, cancellationToken);
            var status = (int)response.StatusCode;
            if (status is not (301 or 302 or 303 or 307 or 308) || isFinal(status) || response.Headers.Location is not { } location)
            {
                return new OutboundReply(status, Headers(response), await ReadAsync(request, response, cancellationToken));
            }

            if (redirects == MaxRedirects)
                throw new OutboundException(ErrorCodes.HttpFailed, $"{request.Display}: redirected more than {MaxRedirects} times.", retryable: false);
            request = Redirected(request, status, new Uri(request.Url, location));
        }
    }

    private static OutboundRequest Redirected(OutboundRequest request, int status, Uri target)
    {
        if (target.Scheme is not ("http" or "https"))
        {
            throw new OutboundException(
                ErrorCodes.HttpForbidden, $"{request.Display}: redirected to {target.Scheme}:, but only http and https may be called.", retryable: false);
        }

        if (request.Objection?.Invoke(target) is { } objection)
            throw new OutboundException(ErrorCodes.SecretNotAllowed, $"{request.Display}: redirected, but {objection}.", retryable: false);
        var sameOrigin = target.Scheme == request.Url.Scheme && target.Port == request.Url.Port
            && string.Equals(target.Host, request.Url.Host, StringComparison.OrdinalIgnoreCase);
        var headers = sameOrigin ? request.Headers : request.Headers.RemoveAll(static header => SensitiveNames.IsSensitive(header.Key));
        if (request.ShownUrl is not null) request = request with { ShownUrl = Origin(target) };
        var bare = new UriBuilder(target) { UserName = "", Password = "" }.Uri;
        var becomesGet = (status == 303 && request.Method != HttpMethod.Head) || (status is 301 or 302 && request.Method == HttpMethod.Post);
        return becomesGet
            ? request with { Method = HttpMethod.Get, Url = bare, Headers = headers.RemoveAll(static header => IsOfContent(header.Key)), Body = null }
            : request with { Url = bare, Headers = headers };
    }

    private static string Origin(Uri url) => url.GetComponents(UriComponents.SchemeAndServer, UriFormat.UriEscaped) + "/…";

    private static HttpRequestMessage Message(OutboundRequest request)
    {
        var message = new HttpRequestMessage(request.Method, request.Url);
        if (request.Body is { } body) message.Content = new ReadOnlyMemoryContent(body);
        foreach (var (name, value) in request.Headers)
        {
            if (!IsOfContent(name)) message.Headers.TryAddWithoutValidation(name, value);
            else message.Content?.Headers.TryAddWithoutValidation(name, value);
        }

        return message;
    }

    private static bool IsOfContent(string header) => header.StartsWith("Content-", StringComparison.OrdinalIgnoreCase);

    private async Task<byte[]> ReadAsync(OutboundRequest request, HttpResponseMessage response, CancellationToken cancellationToken)
    {
        await using var stream = await response.Content.ReadAsStreamAsync(cancellationToken);
        using var body = new MemoryStream();
        var buffer = new byte[16 * 1024];
        while (await ReadAsync(request, stream, buffer, cancellationToken) is > 0 and var read)
        {
            if (body.Length + read > _maxResponse)
            {
                throw new OutboundException(
                    ErrorCodes.HttpFailed, $"{request.Display}: the answer is larger than {_maxResponse} bytes ([http] max_response).", retryable: false);
            }

            body.Write(buffer, 0, read);
        }

        return body.ToArray();
    }

    private static async ValueTask<int> ReadAsync(OutboundRequest request, Stream stream, byte[] buffer, CancellationToken cancellationToken)
    {
        try
        {
            return await stream.ReadAsync(buffer, cancellationToken);
        }
        catch (InvalidDataException exception)
        {
            throw new OutboundException(ErrorCodes.HttpFailed, $"{request.Display}: the answer cannot be unpacked: {exception.Message}", retryable: false, exception);
        }
    }

    private static ImmutableSortedDictionary<string, string> Headers(HttpResponseMessage response)
    {
        var headers = ImmutableSortedDictionary.CreateBuilder<string, string>(StringComparer.Ordinal);
        foreach (var (name, values) in response.Headers.NonValidated.Concat(response.Content.Headers.NonValidated))
        {
            var lower = name.ToLowerInvariant();
            headers[lower] = SensitiveNames.IsSensitive(lower) ? SensitiveNames.Mask : string.Join(", ", values);
        }

        return headers.ToImmutable();
    }

    private static OutboundException Failed(OutboundRequest request, Exception exception)
    {
        for (var cause = exception; cause is not null; cause = cause.InnerException)
        {
            switch (cause)
            {
                case ForbiddenDestinationException forbidden:
                    return new OutboundException(ErrorCodes.HttpForbidden, $"{request.Display}: {forbidden.Message}", retryable: false, exception);
                case AuthenticationException insecure:
                    return new OutboundException(ErrorCodes.HttpFailed, $"{request.Display}: no secure connection: {insecure.Message}", retryable: false, exception);
                default:
                    break;
            }
        }

        return new OutboundException(
            ErrorCodes.HttpFailed, $"{request.Display}: {(exception.GetBaseException() is SocketException socket ? socket.Message : exception.Message)}", retryable: true, exception);
    }

    private static SocketsHttpHandler Handler() => new()
    {
        AllowAutoRedirect = false,
        UseCookies = false,
        UseProxy = false,
        AutomaticDecompression = DecompressionMethods.All,
        PooledConnectionLifetime = TimeSpan.FromMinutes(2),
        PooledConnectionIdleTimeout = TimeSpan.FromSeconds(30),
        RequestHeaderEncodingSelector = static (_, _) => Encoding.UTF8,
        ResponseHeaderEncodingSelector = static (_, _) => Encoding.UTF8,
    };
}
