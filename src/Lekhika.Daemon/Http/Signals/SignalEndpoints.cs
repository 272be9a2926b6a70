using System.Text.Json;
using Lekhika.Daemon.Http.Status;
using Lekhika.Daemon.Nodes;
using Lekhika.Postgres.Signals;

namespace Lekhika.Daemon.Http.Signals;

/// <summary>
/// Signals to executions, and answers to approvals, which are signals too. Answered after the commit; who waits is told then. Signals may come before
/// anybody waits for them, and with an id of the sender's any number of times.
/// </summary>
internal sealed class SignalEndpoints(HttpServerContext services, ExecutionLookup lookup)
{
    private const string Approve = "approve";
    private const string Reject = "reject";
    private readonly GateFinder _gates = new(services);

    /// <summary><c>POST /executions/{id}/signals</c>.</summary>
    public async Task SendAsync(HttpContext context)
    {
        var id = RouteId.Of(context);
        var request = await SignalRequest.ReadAsync(context, needsName: true);
        var row = await lookup.RowAsync(id, context.RequestAborted) ?? throw RequestException.NotFound(id);
        var step = request.StepKey;
        if (step is null && !Terminal.Is(row.Status)) await _gates.RefuseAmbiguousAsync(row, request.Name!, context.RequestAborted);
        await SendAsync(context, id, request, request.Name!, step, request.Payload);
    }

    /// <summary><c>POST /approve/{id}</c>.</summary>
    public Task ApproveAsync(HttpContext context) => AnswerAsync(context, Approve);

    /// <summary><c>POST /reject/{id}</c>.</summary>
    public Task RejectAsync(HttpContext context) => AnswerAsync(context, Reject);

    private async Task AnswerAsync(HttpContext context, string usual)
    {
        var id = RouteId.Of(context);
        var request = await SignalRequest.ReadAsync(context, needsName: false);
        var answer = request.Answer ?? usual;
        var row = await lookup.RowAsync(id, context.RequestAborted) ?? throw RequestException.NotFound(id);
        // A repetition under an id of the sender's is answered as the first was, even if the question is answered by now.
        var isKnown = request.SignalId is not null && await services.Signals.IsKnownAsync(request.IdFor(id, services.Time), context.RequestAborted);
        if (Terminal.Is(row.Status) && !isKnown) throw Finished(id, row.Status);
        var step = isKnown ? request.StepKey : await _gates.FindAsync(row, request, answer, context.RequestAborted);
        var payload = JsonConstants.Object(writer =>
        {
            writer.WriteString("by", request.By);
            writer.WriteString("comment", request.Comment);
            writer.WritePropertyName("payload");
            if (request.Payload is { } given) given.WriteTo(writer);
            else writer.WriteNullValue();
        });
        await SendAsync(context, id, request, answer, step, payload);
    }

    private async Task SendAsync(HttpContext context, Guid id, SignalRequest request, string name, string? step, JsonElement? payload)
    {
        var signal = new SignalToSend(request.IdFor(id, services.Time), id, name, step, payload?.GetRawText());
        var (verdict, status) = await services.Signals.SendAsync(signal, context.RequestAborted);
        switch (verdict)
        {
            case SignalVerdict.Missing:
                throw RequestException.NotFound(id);
            case SignalVerdict.Finished:
                throw Finished(id, status ?? "finished");
            case SignalVerdict.Taken:
                throw new RequestException(
                    StatusCodes.Status409Conflict, HttpErrorCodes.Conflict, $"The signal_id {signal.Id} belongs to a signal to another execution.")
                {
                    ExecutionId = id,
                    ExecutionStatus = status,
                };
        }

        services.Intake.HintEvents();
        await JsonReply.WriteAsync(context, StatusCodes.Status202Accepted, writer =>
        {
            writer.WriteBoolean("success"u8, true);
            writer.WriteString("message"u8, verdict == SignalVerdict.Accepted ? "Signal accepted." : "This signal was accepted before; nothing was done.");
            writer.WriteString("executionId"u8, id);
            writer.WriteString("signalId"u8, signal.Id);
            writer.WriteString("name"u8, name);
            writer.WriteString("step_key"u8, step);
            writer.WriteBoolean("created"u8, verdict == SignalVerdict.Accepted);
            writer.WriteString("status"u8, status);
        });
    }

    private static RequestException Finished(Guid id, string status) => new(
        StatusCodes.Status409Conflict, HttpErrorCodes.AlreadyFinished, $"Execution {id} is {status} already and takes no signals.")
    {
        ExecutionId = id,
        ExecutionStatus = status,
    };
}
