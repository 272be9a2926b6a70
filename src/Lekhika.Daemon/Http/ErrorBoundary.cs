using Lekhika.Daemon.Dispatch;
using Lekhika.Postgres;
using Lekhika.Workflows;

namespace Lekhika.Daemon.Http;

/// <summary>Turns whatever goes wrong below it into one JSON form: <c>{success:false, error, code}</c>.</summary>
internal sealed partial class ErrorBoundary(ILogger<ErrorBoundary> logger)
{
    private const int RetryAfterSeconds = 2;

    public RequestDelegate Guard(RequestDelegate next) => context => RunAsync(context, next);

    private async Task RunAsync(HttpContext context, RequestDelegate next)
    {
        try
        {
            await next(context);
            if (!context.Response.HasStarted && context.Response.StatusCode >= 400 && context.Response.ContentLength is null)
            {
                await WriteBareAsync(context);
            }
        }
        catch (Exception) when (context.RequestAborted.IsCancellationRequested)
        {
            // Nobody is there to be told.
        }
        catch (Exception exception) when (context.Response.HasStarted)
        {
            LogBroken(logger, exception, context.Request.Method, Where(context));
            context.Abort();
        }
        catch (Exception exception)
        {
            await WriteAsync(context, exception);
        }
    }

    private async Task WriteAsync(HttpContext context, Exception exception)
    {
        switch (exception)
        {
            case RequestException refused:
                if (refused.Status == StatusCodes.Status503ServiceUnavailable) context.Response.Headers.RetryAfter = "5";
                await JsonReply.WriteErrorAsync(context, refused);
                break;
            case BadHttpRequestException bad:
                var tooLarge = bad.StatusCode == StatusCodes.Status413PayloadTooLarge;
                if (tooLarge) context.Response.Headers.Connection = "close";
                await JsonReply.WriteErrorAsync(context, new RequestException(
                    bad.StatusCode, HttpErrorCodes.Of(bad.StatusCode), tooLarge ? $"{bad.Message} The setting is server.body_limit." : bad.Message));
                break;
            case IntakeClosedException closed:
                LogUnavailable(logger, context.Request.Method, Where(context), closed.InnerException?.Message ?? closed.Message);
                await WriteUnavailableAsync(context, HttpErrorCodes.Unavailable, $"Work cannot be taken just now: {closed.Message}. Try again.");
                break;
            case Exception when exception is DatabaseSilentException || Database.IsTransient(exception):
                LogUnavailable(logger, context.Request.Method, Where(context), exception.Message);
                await WriteUnavailableAsync(context, HttpErrorCodes.DatabaseUnavailable, "The database cannot be reached just now. Try again.");
                break;
            default:
                LogFault(logger, exception, context.Request.Method, Where(context));
                await JsonReply.WriteErrorAsync(context, new RequestException(
                    StatusCodes.Status500InternalServerError, ErrorCodes.InternalError, "The daemon failed to serve this request; its log says why."));
                break;
        }
    }

    private static Task WriteUnavailableAsync(HttpContext context, string code, string message)
    {
        context.Response.Headers.RetryAfter = RetryAfterSeconds.ToString(System.Globalization.CultureInfo.InvariantCulture);
        return JsonReply.WriteErrorAsync(context, new RequestException(StatusCodes.Status503ServiceUnavailable, code, message));
    }

    /// <summary>Routing sets a status and nothing else.</summary>
    private static Task WriteBareAsync(HttpContext context)
    {
        var status = context.Response.StatusCode;
        var message = status switch
        {
            StatusCodes.Status404NotFound => $"There is no route {context.Request.Method} {context.Request.Path}.",
            StatusCodes.Status405MethodNotAllowed =>
                $"{context.Request.Method} is not served at {context.Request.Path}; allowed: {context.Response.Headers.Allow}.",
            _ => $"The request was answered with status {status}.",
        };
        return JsonReply.WriteErrorAsync(context, new RequestException(status, HttpErrorCodes.Of(status), message));
    }

    // The route rather than the path where there is one: it says as much and cannot hold what a client made up.
    private static string Where(HttpContext context) =>
        (context.GetEndpoint() as RouteEndpoint)?.RoutePattern.RawText ?? context.Request.Path.Value ?? "";

    [LoggerMessage(4101, LogLevel.Error, "{Method} {Route} failed")]
    private static partial void LogFault(ILogger logger, Exception exception, string method, string route);

    [LoggerMessage(4102, LogLevel.Warning, "{Method} {Route} failed in the middle of its reply; the connection is closed")]
    private static partial void LogBroken(ILogger logger, Exception exception, string method, string route);

    [LoggerMessage(4103, LogLevel.Warning, "{Method} {Route} answered 503: {Reason}")]
    private static partial void LogUnavailable(ILogger logger, string method, string route, string reason);
}

/// <summary>The database did not answer within the time a request may take.</summary>
internal sealed class DatabaseSilentException(TimeSpan patience, Exception inner)
    : Exception(FormattableString.Invariant($"no answer from the database within {patience.TotalSeconds:0.#} s"), inner);
