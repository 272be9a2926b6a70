using System.Text.Json;
using Lekhika.Daemon.Http.Adopt;
using Lekhika.Daemon.Http.Status;

namespace Lekhika.Daemon.Http;

/// <summary>Stop, pause and resume: changes of status as SQL would make them, answered after their commit.</summary>
internal sealed class ControlEndpoints(HttpServerContext services, ExecutionLookup lookup, Peers peers, EngineKeyCheck keys)
{
    public Task StopAsync(HttpContext context) => RunAsync(context, RouteId.Of(context), "cancelled", "stopped", static status => status != "cancelled");

    public Task PauseAsync(HttpContext context) =>
        RunAsync(context, RouteId.Of(context), "paused", "paused; calls in flight end first", static status => status != "paused");

    // "running" over a finished one would begin a new run, so only what is paused is touched.
    public Task ResumeAsync(HttpContext context, Guid id) => RunAsync(context, id, "running", "resumed", static status => status == "paused");

    private async Task RunAsync(HttpContext context, Guid id, string wanted, string done, Func<string, bool> changes)
    {
        var found = await lookup.RowAsync(id, context.RequestAborted);
        await keys.RequireOwnAsync(context, found, context.RequestAborted);
        var row = found ?? throw RequestException.NotFound(id);
        if (Terminal.Is(row.Status)) throw Finished(id, row.Status, wanted);
        if (!changes(row.Status))
        {
            var nothing = wanted == "running" ? $"it is {row.Status}, not paused; nothing to do" : $"it is {row.Status} already";
            await JsonReply.WriteAsync(context, StatusCodes.Status200OK, writer => Write(writer, id, row.Status, nothing));
            return;
        }

        // Its owner hears it at once when it makes the change itself.
        if (row.OwnerUrl is { } owner && services.Live.Find(id) is null && await peers.PassOnAsync(context, owner)) return;
        if (await services.Store.SetStatusAsync(id, wanted, context.RequestAborted) is not { } standing)
        {
            // Deleted, or no longer paused: somebody else was faster.
            var after = await lookup.RowAsync(id, context.RequestAborted) ?? throw RequestException.NotFound(id);
            if (Terminal.Is(after.Status)) throw Finished(id, after.Status, wanted);
            await JsonReply.WriteAsync(context, StatusCodes.Status200OK, writer => Write(writer, id, after.Status, $"is {after.Status} already"));
            return;
        }

        var now = standing.Status ?? throw RequestException.NotFound(id);
        services.Intake.HintCommands();
        if (now != wanted && Terminal.Is(now)) throw Finished(id, now, wanted);
        if (wanted != "running" && now != wanted)
        {
            throw new RequestException(
                StatusCodes.Status409Conflict, HttpErrorCodes.Conflict, $"Execution {id} is {now} and cannot become {wanted} now.")
            {
                ExecutionId = id,
                ExecutionStatus = now,
            };
        }

        await JsonReply.WriteAsync(context, StatusCodes.Status200OK, writer => Write(writer, id, now, done));
    }

    private static RequestException Finished(Guid id, string status, string wanted)
    {
        var verb = wanted switch
        {
            "cancelled" => "stopped",
            "paused" => "paused",
            _ => "resumed; only a paused execution can be. To run it again, submit it under a new executionId",
        };
        return new RequestException(
            StatusCodes.Status409Conflict, HttpErrorCodes.AlreadyFinished, $"Execution {id} is {status} already and cannot be {verb}.")
        {
            ExecutionId = id,
            ExecutionStatus = status,
        };
    }

    private static void Write(Utf8JsonWriter writer, Guid id, string status, string message)
    {
        writer.WriteBoolean("success"u8, true);
        writer.WriteString("message"u8, $"Execution {message}.");
        writer.WriteString("executionId"u8, id);
        writer.WriteString("status"u8, status);
    }
}
