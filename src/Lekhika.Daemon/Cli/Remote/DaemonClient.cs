using System.Net;
using System.Net.Http.Headers;
using System.Net.Sockets;
using System.Text;
using System.Text.Json;
using Lekhika.Daemon.Http;

namespace Lekhika.Daemon.Cli.Remote;

/// <summary>A daemon refused what it was asked, or could not be asked.</summary>
/// <param name="exitCode">What the command ends with.</param>
/// <param name="message">For people.</param>
internal sealed class RemoteException(int exitCode, string message) : Exception(message)
{
    public int ExitCode { get; } = exitCode;

    /// <summary>What it answered; null if it did not.</summary>
    public JsonElement? Reply { get; init; }

    /// <summary>The HTTP status; null if there was none.</summary>
    public HttpStatusCode? Status { get; init; }
}

/// <summary>Asks one running daemon over HTTP.</summary>
internal sealed class DaemonClient : IDisposable
{
    private const int MaxDepth = 512;
    private static readonly TimeSpan Patience = TimeSpan.FromSeconds(30);
    private readonly HttpClient _http;
    private readonly string _shown;

    /// <param name="address">Where it listens.</param>
    /// <param name="socket">A Unix socket to go through instead; null for TCP.</param>
    /// <param name="secret">What it wants in X-Internal-Auth; null if nothing.</param>
    public DaemonClient(Uri address, string? socket, string? secret)
    {
        var handler = new SocketsHttpHandler { AllowAutoRedirect = false, UseProxy = false, ConnectTimeout = TimeSpan.FromSeconds(5) };
        if (socket is not null)
        {
            handler.ConnectCallback = async (_, cancellationToken) =>
            {
                var unix = new Socket(AddressFamily.Unix, SocketType.Stream, ProtocolType.Unspecified);
                await unix.ConnectAsync(new UnixDomainSocketEndPoint(socket), cancellationToken);
                return new NetworkStream(unix, ownsSocket: true);
            };
        }

        // A base ends with a slash, or its last part would be replaced by the path.
        var @base = address.ToString();
        _http = new HttpClient(handler) { BaseAddress = new Uri(@base.EndsWith('/') ? @base : @base + "/"), Timeout = Timeout.InfiniteTimeSpan };
        _http.DefaultRequestHeaders.Accept.Add(new MediaTypeWithQualityHeaderValue("application/json"));
        if (secret is not null) _http.DefaultRequestHeaders.TryAddWithoutValidation(AccessControl.Header, secret);
        _shown = socket ?? address.GetComponents(UriComponents.SchemeAndServer | UriComponents.Path, UriFormat.UriEscaped).TrimEnd('/');
    }

    public Task<JsonElement> GetAsync(string path, CancellationToken cancellationToken) => SendAsync(HttpMethod.Get, path, body: null, cancellationToken);

    public async Task<JsonElement> PostAsync(string path, Action<Utf8JsonWriter> properties, CancellationToken cancellationToken)
    {
        using var buffer = new MemoryStream();
        using (var writer = new Utf8JsonWriter(buffer))
        {
            writer.WriteStartObject();
            properties(writer);
            writer.WriteEndObject();
        }

        return await SendAsync(HttpMethod.Post, path, buffer.ToArray(), cancellationToken);
    }

    public void Dispose() => _http.Dispose();

    private async Task<JsonElement> SendAsync(HttpMethod method, string path, byte[]? body, CancellationToken cancellationToken)
    {
        using var patience = CancellationTokenSource.CreateLinkedTokenSource(cancellationToken);
        patience.CancelAfter(Patience);
        using var request = new HttpRequestMessage(method, new Uri(path.TrimStart('/'), UriKind.Relative));
        if (body is not null) request.Content = new ByteArrayContent(body) { Headers = { ContentType = new MediaTypeHeaderValue("application/json") } };
        try
        {
            using var response = await _http.SendAsync(request, HttpCompletionOption.ResponseHeadersRead, patience.Token);
            var text = await response.Content.ReadAsStringAsync(patience.Token);
            return Read(response, text);
        }
        catch (OperationCanceledException) when (!cancellationToken.IsCancellationRequested)
        {
            throw Unreachable($"did not answer within {Patience.TotalSeconds:0} s");
        }
        catch (HttpRequestException exception)
        {
            throw Unreachable($"cannot be reached: {exception.Message}");
        }
        catch (SocketException exception)
        {
            throw Unreachable($"cannot be reached: {exception.Message}");
        }
    }

    private JsonElement Read(HttpResponseMessage response, string text)
    {
        JsonElement reply;
        try
        {
            using var document = JsonDocument.Parse(text, new JsonDocumentOptions { MaxDepth = MaxDepth });
            reply = document.RootElement.Clone();
        }
        catch (JsonException)
        {
            throw Unreachable($"answered {(int)response.StatusCode} with something that is no JSON; is another program at that address?");
        }

        if (response.IsSuccessStatusCode) return reply;
        var message = reply.Text("error") is { } error ? new StringBuilder(error) : new StringBuilder($"the daemon answered {(int)response.StatusCode}");
        if (reply.ValueKind == JsonValueKind.Object && reply.TryGetProperty("problems"u8, out var problems) && problems.ValueKind == JsonValueKind.Array)
        {
            foreach (var problem in problems.EnumerateArray()) message.Append("\n  ").Append(problem.Text("path")).Append(": ").Append(problem.Text("message"));
        }

        if (response.StatusCode is HttpStatusCode.Unauthorized or HttpStatusCode.Forbidden)
            message.Append(" (it is read from the configuration, or from --secret-file)");
        var code = response.StatusCode == HttpStatusCode.ServiceUnavailable ? Hosting.ExitCodes.Unavailable : Hosting.ExitCodes.Failure;
        throw new RemoteException(code, message.ToString()) { Reply = reply, Status = response.StatusCode };
    }

    private RemoteException Unreachable(string what) => new(
        Hosting.ExitCodes.Unavailable, $"the daemon at {_shown} {what}. Is it running (systemctl status lekhika-daemon)? --url names another address.");
}
