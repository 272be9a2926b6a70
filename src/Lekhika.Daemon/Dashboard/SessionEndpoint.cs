using System.Globalization;
using System.Net;
using System.Text.Json;
using Lekhika.Daemon.Configuration;
using Lekhika.Daemon.Http;
using Microsoft.AspNetCore.Http.Features;

namespace Lekhika.Daemon.Dashboard;

/// <summary>
/// <c>/session</c>: POST begins one with the secret, GET tells who one is, DELETE signs out. It is served without a secret, so it checks for itself that
/// no other site's page speaks through the browser.
/// </summary>
internal sealed partial class SessionEndpoint(AuthOptions auth, Sessions sessions, TimeProvider time, ILogger<SessionEndpoint> logger)
{
    /// <summary>Name of the cookie.</summary>
    public const string Cookie = "lekhika_session";

    private const int LongestSecret = 4096;
    private readonly SignInLimiter _limiter = new(time);

    public async Task BeginAsync(HttpContext context)
    {
        OwnPage.RequireOrigin(context.Request);
        if (auth.InternalSecret is not { } secret)
        {
            await TellAsync(context, Role.Operator);
            return;
        }

        var address = AddressOf(context);
        if (_limiter.Wait(address) is var wait && wait > TimeSpan.Zero)
        {
            var seconds = Math.Ceiling(wait.TotalSeconds).ToString(CultureInfo.InvariantCulture);
            context.Response.Headers.RetryAfter = seconds;
            throw new RequestException(
                StatusCodes.Status429TooManyRequests, HttpErrorCodes.TooManyAttempts, $"Too many wrong secrets were tried. Try again in {seconds} s.");
        }

        var offered = await OfferedAsync(context);
        Role role;
        if (secret.Matches(offered)) role = Role.Operator;
        else if (auth.ViewerSecret?.Matches(offered) == true) role = Role.Viewer;
        else
        {
            _limiter.Failed(address);
            LogRefused(logger, address);
            throw new RequestException(StatusCodes.Status401Unauthorized, HttpErrorCodes.Unauthorized, "The secret is not the one configured here.");
        }

        // The one that this browser had ends: a token is never used for two people.
        if (context.Request.Cookies[Cookie] is { } earlier) sessions.End(earlier);
        context.Response.Cookies.Append(Cookie, sessions.Begin(role), Options(context.Request));
        LogSignedIn(logger, role.Name(), address);
        await TellAsync(context, role);
    }

    public Task ReadAsync(HttpContext context)
    {
        if (auth.InternalSecret is null) return TellAsync(context, Role.Operator);
        return TellAsync(context, context.Request.Cookies[Cookie] is { } token ? sessions.Use(token) : null);
    }

    public Task EndAsync(HttpContext context)
    {
        OwnPage.RequireOrigin(context.Request);
        if (context.Request.Cookies[Cookie] is { } token)
        {
            OwnPage.RequireHeader(context.Request);
            sessions.End(token);
            context.Response.Cookies.Delete(Cookie, Options(context.Request));
        }

        return TellAsync(context, auth.InternalSecret is null ? Role.Operator : null);
    }

    private Task TellAsync(HttpContext context, Role? role) => JsonReply.WriteAsync(context, StatusCodes.Status200OK, writer => Write(writer, role));

    private void Write(Utf8JsonWriter writer, Role? role)
    {
        writer.WriteBoolean("success"u8, true);
        writer.WriteBoolean("required"u8, auth.InternalSecret is not null);
        writer.WriteBoolean("signedIn"u8, role is not null);
        writer.WriteString("role"u8, role?.Name());
    }

    /// <summary>The secret in the body, or in the header that everybody else sends it in.</summary>
    private static async Task<string> OfferedAsync(HttpContext context)
    {
        if (context.Request.Headers[AccessControl.Header] is { Count: 1 } header) return header.ToString();
        // Nobody has shown who they are yet.
        if (context.Features.Get<IHttpMaxRequestBodySizeFeature>() is { IsReadOnly: false } limit) limit.MaxRequestBodySize = 2 * LongestSecret;
        using var body = await RequestBody.ReadAsync(context);
        if (!body.Root.TryGetProperty("secret"u8, out var secret) || secret.ValueKind != JsonValueKind.String) throw Expected();
        var text = secret.GetString()!;
        return text.Length <= LongestSecret ? text : throw Expected();
    }

    /// <summary>Who asks: behind a proxy on this machine the address that it adds last, which nobody else can set.</summary>
    private static string AddressOf(HttpContext context)
    {
        var peer = context.Connection.RemoteIpAddress;
        if (peer is not null && !IPAddress.IsLoopback(peer)) return peer.ToString();
        var forwarded = context.Request.Headers["X-Forwarded-For"] is [.., { } last] ? last[(last.LastIndexOf(',') + 1)..].Trim() : "";
        return IPAddress.TryParse(forwarded, out var client) ? client.ToString() : peer?.ToString() ?? "socket";
    }

    private static RequestException Expected() => new(
        StatusCodes.Status400BadRequest, HttpErrorCodes.InvalidRequest, "Expected {\"secret\": \"…\"} with the secret of auth.internal_secret or auth.viewer_secret.")
    {
        Required = ["secret"],
    };

    private static CookieOptions Options(HttpRequest request) => new()
    {
        HttpOnly = true,
        SameSite = SameSiteMode.Strict,
        Path = "/",
        MaxAge = Sessions.Longest,
        // A proxy in front speaks https with the browser and http with us.
        Secure = request.IsHttps || request.Headers["X-Forwarded-Proto"].ToString().StartsWith("https", StringComparison.OrdinalIgnoreCase),
    };

    [LoggerMessage(4401, LogLevel.Information, "Signed in to the dashboard as {Role} from {Address}")]
    private static partial void LogSignedIn(ILogger logger, string role, string address);

    [LoggerMessage(4402, LogLevel.Warning, "A wrong secret was tried at the dashboard from {Address}")]
    private static partial void LogRefused(ILogger logger, string address);
}
