using System.Diagnostics;
using System.Globalization;
using System.Runtime.InteropServices;
using System.Text;
using System.Text.Json;
using Lekhika.Daemon.Diagnostics.Tracing;
using Lekhika.Daemon.Http.Adopt;
using Lekhika.Daemon.Nodes;
using Lekhika.Postgres.Executions;
using Lekhika.Workflows;
using Npgsql;

namespace Lekhika.Daemon.Http.Execute;

/// <summary><c>POST /execute</c>: a request becomes a durable execution. The reply goes out after the commit (law 7).</summary>
internal sealed partial class ExecuteEndpoint(HttpServerContext services, EngineKeyCheck keys)
{
    private readonly ILogger _logger = services.Loggers.CreateLogger<ExecuteEndpoint>();

    public Task HandleAsync(HttpContext context) => HandleAsync(context, stored: null);

    /// <summary><c>POST /workflows/{id}/execute</c>: the same for the workflow that the path names.</summary>
    public Task HandleStoredAsync(HttpContext context) => HandleAsync(context, RouteId.Of(context));

    private async Task HandleAsync(HttpContext context, Guid? stored)
    {
        Submission submission;
        IReadOnlyList<FieldProblem> warnings;
        EngineClaim claim;
        using (var body = await RequestBody.ReadAsync(context))
        {
            (submission, warnings, claim) = Check(body.Root, stored, context.Request.Headers.TraceParent.ToString());
        }

        await keys.RequireEngineAsync(claim, context.RequestAborted);
        var result = await SubmitAsync(submission, context.RequestAborted);
        if (!result.Created && result.RequestHash != submission.RequestHash) throw Conflict(submission, result);
        context.Response.Headers.Location = $"/status/{result.Id:D}";
        await JsonReply.WriteAsync(context, StatusCodes.Status202Accepted, writer => Write(writer, result, warnings));
    }

    private (Submission Submission, IReadOnlyList<FieldProblem> Warnings, EngineClaim Claim) Check(JsonElement root, Guid? stored, string traceParent)
    {
        var problems = new List<FieldProblem>();
        var missing = new List<string>();
        var warnings = new List<FieldProblem>();
        var request = ExecuteRequest.Read(root, problems, missing, stored);
        if (request.Inputs is { } inputs && JsonMarshal.GetRawUtf8Value(inputs).Length is var size && size > services.MostInputBytes())
            problems.Add(new FieldProblem("inputs", $"is {size} bytes of JSON; the limit is {services.MostInputBytes()} (limits.inputs_size)", ErrorCodes.InputsTooLarge));
        var isInvalidWorkflow = false;
        if (request.Workflow is { } workflow)
        {
            var compiled = services.Compiler.Compile(workflow);
            foreach (var problem in compiled.Problems)
            {
                var isError = problem.Severity == Workflows.Validation.Severity.Error;
                isInvalidWorkflow |= isError;
                (isError ? problems : warnings).Add(WorkflowProblems.In("workflow", problem));
            }
        }

        if (problems.Count > 0) throw Refusal(problems, missing, isInvalidWorkflow);
        return (Submission(request, traceParent), warnings, new EngineClaim(request.UserEngineId, request.MasterEngineId, request.UserId, request.ApiKey));
    }

    private static RequestException Refusal(List<FieldProblem> problems, List<string> missing, bool isInvalidWorkflow)
    {
        var first = problems[0];
        var more = problems.Count > 1 ? string.Create(CultureInfo.InvariantCulture, $" (and {problems.Count - 1} more, see problems)") : "";
        var code = isInvalidWorkflow && problems.All(static problem => problem.Path.StartsWith("workflow", StringComparison.Ordinal))
            ? ErrorCodes.InvalidWorkflow
            : HttpErrorCodes.InvalidRequest;
        // A compiler's message is a sentence of its own; those of fields go on after the field's name.
        var text = first.Code is "missing" or "invalid" or "ambiguous" ? $"{first.Path} {first.Message}" : $"{first.Path}: {first.Message}";
        return new RequestException(StatusCodes.Status400BadRequest, code, $"The request cannot be executed: {text}{more}")
        {
            Required = missing,
            Problems = problems,
        };
    }

    private Submission Submission(ExecuteRequest request, string traceParent)
    {
        var now = services.Clock.Now;
        var begin = request.RunAt is { } at && at > now ? at : now;
        return new Submission
        {
            Id = request.ExecutionId ?? Guid.CreateVersion7(services.Time.GetUtcNow()),
            WorkflowId = request.WorkflowId,
            Definition = request.Workflow?.GetRawText(),
            Inputs = request.Inputs?.GetRawText() ?? "{}",
            UserId = request.UserId,
            Priority = request.Priority,
            RunAt = request.RunAt,
            TimeoutAt = request.Timeout is { } timeout ? begin + timeout : null,
            IdempotencyKey = request.IdempotencyKey,
            Request = RequestColumn(request, traceParent),
            RequestHash = Hash(request),
        };
    }

    private async Task<SubmissionResult> SubmitAsync(Submission submission, CancellationToken cancellationToken)
    {
        try
        {
            return await services.Intake.SubmitAsync(submission, cancellationToken);
        }
        catch (PostgresException exception) when (exception.SqlState == PostgresErrorCodes.ForeignKeyViolation)
        {
            throw new RequestException(
                StatusCodes.Status404NotFound,
                ErrorCodes.WorkflowNotFound,
                $"There is no workflow {submission.WorkflowId}; workflowId must name a stored one.");
        }
        catch (PostgresException exception) when (exception.SqlState.StartsWith("22", StringComparison.Ordinal))
        {
            LogRefused(_logger, submission.Id, exception.SqlState, exception.MessageText);
            throw new RequestException(
                StatusCodes.Status400BadRequest, ErrorCodes.BadData, $"The database cannot store this request: {exception.MessageText}");
        }
    }

    private static RequestException Conflict(Submission submission, SubmissionResult result)
    {
        var what = result.Id == submission.Id ? $"executionId {result.Id}" : $"idempotencyKey \"{submission.IdempotencyKey}\"";
        return new RequestException(
            StatusCodes.Status409Conflict,
            HttpErrorCodes.Conflict,
            $"The {what} belongs to an execution with another body; nothing was changed. Send a new one to run this body.")
        {
            ExecutionId = result.Id,
            ExecutionStatus = result.Status,
        };
    }

    private static void Write(Utf8JsonWriter writer, SubmissionResult result, IReadOnlyList<FieldProblem> warnings)
    {
        writer.WriteBoolean("success"u8, true);
        writer.WriteBoolean("queued"u8, true);
        writer.WriteString("executionId"u8, result.Id);
        writer.WriteString("status"u8, result.Status);
        writer.WriteBoolean("created"u8, result.Created);
        writer.WriteString("statusUrl"u8, $"/status/{result.Id:D}");
        writer.WriteString("eventsUrl"u8, $"/status/{result.Id:D}/events");
        if (warnings.Count == 0) return;
        writer.WriteStartArray("warnings"u8);
        foreach (var warning in warnings)
        {
            writer.WriteStartObject();
            writer.WriteString("path"u8, warning.Path);
            writer.WriteString("message"u8, warning.Message);
            writer.WriteEndObject();
        }

        writer.WriteEndArray();
    }

    /// <summary>Everything that makes the request what it is; not the id it is sent under, nor the caller's key.</summary>
    private static Guid Hash(ExecuteRequest request)
    {
        var fields = JsonConstants.Object(writer =>
        {
            if (request.WorkflowId is { } workflowId) writer.WriteString("workflowId"u8, workflowId);
            writer.WriteString("userId"u8, request.UserId);
            writer.WriteString("userEngineId"u8, request.UserEngineId);
            writer.WriteString("masterEngineId"u8, request.MasterEngineId);
            writer.WriteNumber("priority"u8, request.Priority);
            writer.WriteTime("runAt"u8, request.RunAt);
            writer.WriteNumber("timeout"u8, request.Timeout?.TotalSeconds ?? 0);
            writer.WriteString("idempotencyKey"u8, request.IdempotencyKey);
        });
        return CanonicalHash.Of(fields, request.Workflow, request.Inputs ?? JsonConstants.EmptyObject, request.Options ?? JsonConstants.EmptyObject);
    }

    private static string RequestColumn(ExecuteRequest request, string traceParent)
    {
        using var buffer = new MemoryStream();
        using (var writer = new Utf8JsonWriter(buffer, JsonReply.WriterOptions))
        {
            writer.WriteStartObject();
            if (request.UserEngineId is { } userEngine) writer.WriteString("userEngineId"u8, userEngine);
            if (request.MasterEngineId is { } masterEngine) writer.WriteString("masterEngineId"u8, masterEngine);
            if (ActivityContext.TryParse(traceParent, null, out _)) writer.WriteString(ExecutionTrace.RequestMember, traceParent);
            if (request.Options is { } options) WriteOptions(writer, options);
            if (request.Workflow is { } workflow && workflow.TryGetProperty("models"u8, out var models)) writer.WriteRaw("models"u8, models);
            writer.WriteEndObject();
        }

        return Encoding.UTF8.GetString(buffer.GetBuffer(), 0, (int)buffer.Length);
    }

    private static void WriteOptions(Utf8JsonWriter writer, JsonElement options)
    {
        writer.WriteStartObject("options"u8);
        foreach (var property in options.EnumerateObject())
        {
            if (IsKey(property.Name)) continue;
            writer.WritePropertyName(property.Name);
            writer.WriteRaw(property.Value);
        }

        writer.WriteEndObject();
    }

    /// <summary>Some callers put the account's key among the options as well.</summary>
    private static bool IsKey(string name) =>
        name.Replace("_", "", StringComparison.Ordinal).EndsWith("apikey", StringComparison.OrdinalIgnoreCase);

    [LoggerMessage(4201, LogLevel.Warning, "Execution {ExecutionId} was refused by the database: {Reason} (SQLSTATE {SqlState})")]
    private static partial void LogRefused(ILogger logger, Guid executionId, string sqlState, string reason);
}
