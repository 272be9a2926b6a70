using System.Collections.Concurrent;
using System.Net;

namespace Lekhika.Daemon.Http;

/// <summary>
/// The other daemons. A request for an execution that one of them holds is passed on to it, once: a header keeps two daemons that are mistaken about
/// each other from sending it back and forth. Connecting and answering is bounded; whoever does not answer is passed over.
/// </summary>
internal sealed partial class Peers(HttpServerContext services) : IDisposable
{
    /// <summary>Names the daemon that passed a request on.</summary>
    public const string PassedOnBy = "X-Lekhika-Passed-On-By";

    private static readonly TimeSpan WholeReply = TimeSpan.FromSeconds(30);

    /// <summary>How long one that did not answer is left alone: its lease runs out in about that time.</summary>
    private static readonly TimeSpan Aside = TimeSpan.FromSeconds(5);

    private readonly ConcurrentDictionary<string, long> _failedAt = new(StringComparer.OrdinalIgnoreCase);

    private readonly ILogger _logger = services.Loggers.CreateLogger<Peers>();

    private readonly HttpClient _client = new(new SocketsHttpHandler
    {
        ConnectTimeout = services.PeerPatience,
        PooledConnectionIdleTimeout = TimeSpan.FromSeconds(30),
        AllowAutoRedirect = false,
        UseCookies = false,
        UseProxy = false,
    })
    {
        Timeout = Timeout.InfiniteTimeSpan,
    };

    /// <summary>Whether a request may be passed on to that URL.</summary>
    public bool Reaches(HttpContext context, string owner) =>
        !context.Request.Headers.ContainsKey(PassedOnBy)
        && !IsSelf(owner)
        && !(_failedAt.TryGetValue(owner, out var failed) && services.Time.GetElapsedTime(failed) < Aside)
        && Uri.TryCreate(owner, UriKind.Absolute, out var url) && url.Scheme is "http" or "https";

    /// <summary>Asks the other daemon; null if it cannot be asked, does not answer in time, or does not know.</summary>
    public async Task<HttpResponseMessage?> AskAsync(
        HttpContext context, string owner, CancellationToken cancellationToken, string? lastEventId = null)
    {
        if (!Reaches(context, owner)) return null;
        using var request = new HttpRequestMessage(
            new HttpMethod(context.Request.Method), $"{owner.TrimEnd('/')}{context.Request.Path.ToUriComponent()}{context.Request.QueryString}");
        request.Headers.TryAddWithoutValidation(PassedOnBy, services.WorkerId);
        if (lastEventId is not null) request.Headers.TryAddWithoutValidation("Last-Event-ID", lastEventId);
        if (services.Auth.InternalSecret is { } secret) request.Headers.TryAddWithoutValidation(AccessControl.Header, secret.Reveal());
        using var patience = new CancellationTokenSource(services.PeerPatience, services.Time);
        using var either = CancellationTokenSource.CreateLinkedTokenSource(cancellationToken, patience.Token);
        try
        {
            var response = await _client.SendAsync(request, HttpCompletionOption.ResponseHeadersRead, either.Token);
            if (response.StatusCode is HttpStatusCode.OK or HttpStatusCode.Conflict) return response;
            LogUseless(_logger, owner, (int)response.StatusCode);
            response.Dispose();
            return null;
        }
        catch (HttpRequestException exception)
        {
            SetAside(owner, exception.Message);
            return null;
        }
        catch (OperationCanceledException) when (!cancellationToken.IsCancellationRequested)
        {
            SetAside(owner, "no answer in time");
            return null;
        }
    }

    /// <summary>Lets the other daemon answer; false if it did not.</summary>
    public async Task<bool> PassOnAsync(HttpContext context, string owner)
    {
        using var response = await AskAsync(context, owner, context.RequestAborted);
        if (response is null) return false;
        using var patience = new CancellationTokenSource(WholeReply, services.Time);
        using var either = CancellationTokenSource.CreateLinkedTokenSource(context.RequestAborted, patience.Token);
        JsonReply.Begin(context.Response, (int)response.StatusCode);
        context.Response.ContentLength = response.Content.Headers.ContentLength;
        await response.Content.CopyToAsync(context.Response.Body, either.Token);
        return true;
    }

    public void Dispose() => _client.Dispose();

    private void SetAside(string owner, string reason)
    {
        _failedAt[owner] = services.Time.GetTimestamp();
        LogUnreachable(_logger, owner, reason);
    }

    private bool IsSelf(string owner) =>
        services.AdvertisedUrl is { } own && string.Equals(own.TrimEnd('/'), owner.TrimEnd('/'), StringComparison.OrdinalIgnoreCase);

    [LoggerMessage(4301, LogLevel.Warning, "The daemon at {Url} holds an execution that was asked for here and cannot be reached: {Reason}")]
    private static partial void LogUnreachable(ILogger logger, string url, string reason);

    [LoggerMessage(4302, LogLevel.Information, "The daemon at {Url} answered {Status} to a request passed on; the database answers instead")]
    private static partial void LogUseless(ILogger logger, string url, int status);
}
