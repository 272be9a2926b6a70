using System.Text.Json;
using Lekhika.Daemon.Http.Status;

namespace Lekhika.Daemon.Http.Events;

/// <summary><c>GET /status/{id}/events</c>: server-sent events of one execution, wherever it is.</summary>
internal sealed class EventsEndpoint(HttpServerContext services, ExecutionLookup lookup, Peers peers, CancellationToken stopping)
{
    public async Task HandleAsync(HttpContext context)
    {
        var id = RouteId.Of(context);
        var fields = StatusFields.Of(context.Request);
        if (services.State.StreamOpened() > services.MaxStreams)
        {
            services.State.StreamClosed();
            throw new RequestException(
                StatusCodes.Status503ServiceUnavailable, HttpErrorCodes.TooManyStreams,
                $"{services.MaxStreams} event streams are open, which is all there may be. Try again, or poll /status/{id}.");
        }

        try
        {
            // What is not there is a 404, which it cannot be any more once the stream has begun.
            var row = lookup.InMemory(id) is null
                ? await lookup.RowAsync(id, context.RequestAborted) ?? throw RequestException.NotFound(id)
                : null;
            using var either = CancellationTokenSource.CreateLinkedTokenSource(context.RequestAborted, stopping);
            await using var stream = new EventStream(services, lookup, peers, context, id, fields, either.Token);
            await stream.RunAsync(row);
        }
        catch (OperationCanceledException) when (stopping.IsCancellationRequested)
        {
            // The daemon goes; the client comes back to it or to another, with its Last-Event-ID.
        }
        finally
        {
            services.State.StreamClosed();
        }
    }
}
