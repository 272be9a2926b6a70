using System.Text.Json;
using Lekhika.Daemon.Http.Adopt;
using Lekhika.Daemon.Http.Status;
using Lekhika.Daemon.Nodes;
using Lekhika.Postgres.Executions;
using Lekhika.Postgres.Queue;
using Lekhika.Workflows.Execution;

namespace Lekhika.Daemon.Http.Resume;

// POST /resume, /resume/{id}, /retry/{id}
//
//   paused   goes on where it is, in the same run
//   failed   the next run: it takes over every finished step, the definition, the inputs and the user, and begins at the steps that failed (or at
//            "from"); any daemon may claim it
//   others   409
//
// Answered after the commit. Two requests at once open one run: the second finds the first one's.

/// <summary>Resume and retry.</summary>
internal sealed class ResumeEndpoint(HttpServerContext services, ExecutionLookup lookup, ControlEndpoints control, EngineKeyCheck keys)
{
    /// <summary><c>POST /resume</c>, the execution being named in the body.</summary>
    public async Task FromBodyAsync(HttpContext context)
    {
        var request = await ReadAsync(context);
        var id = request.ExecutionId ?? throw new RequestException(
            StatusCodes.Status400BadRequest, HttpErrorCodes.InvalidRequest, "executionId is missing; name the execution to resume.")
        {
            Required = ["executionId"],
        };
        await ResumeAsync(context, id, request);
    }

    /// <summary><c>POST /resume/{id}</c> and <c>POST /retry/{id}</c>.</summary>
    public async Task FromPathAsync(HttpContext context)
    {
        var id = RouteId.Of(context);
        var request = await ReadAsync(context);
        if (request.ExecutionId is { } named && named != id)
            throw ResumeRequest.Invalid($"executionId in the body is {named}, the path names {id}; leave it out of the body.");
        await ResumeAsync(context, id, request);
    }

    private static async Task<ResumeRequest> ReadAsync(HttpContext context)
    {
        using var body = await RequestBody.ReadOptionalAsync(context);
        return ResumeRequest.Read(body?.Root);
    }

    private async Task ResumeAsync(HttpContext context, Guid id, ResumeRequest request)
    {
        var found = await lookup.RowAsync(id, context.RequestAborted);
        await keys.RequireOwnAsync(context, found, context.RequestAborted);
        var row = found ?? throw RequestException.NotFound(id);
        switch (row.Status)
        {
            case "failed":
                break;
            case "paused" when !request.ChangesSomething:
                await control.ResumeAsync(context, id);
                return;
            default:
                throw Refused(id, row.Status, row.Run);
        }

        if (request.Inputs is { } inputs && !JsonElement.DeepEquals(inputs, row.Inputs ?? JsonConstants.EmptyObject))
        {
            throw ResumeRequest.Invalid(
                "inputs differ from those of the execution, which are kept by a resume. Leave them out, or submit a new execution with POST /execute.",
                [new FieldProblem("inputs", "differ from those it has", "invalid")]);
        }

        var (next, point) = await PlanAsync(row, request, context.RequestAborted);
        var (opened, standing) = await services.Store.OpenRunAsync(next, context.RequestAborted) ?? throw RequestException.NotFound(id);
        if (!opened) throw Refused(id, standing.Status ?? "failed", standing.Run ?? row.Run);
        if (services.Live.Find(id) is { IsOver: true } ended) services.Live.Forget(ended);
        services.Intake.HintCommands();
        await JsonReply.WriteAsync(context, StatusCodes.Status200OK, writer => Write(writer, id, standing, point));
    }

    private async Task<(NextRun Next, RestartPoint Point)> PlanAsync(ExecutionRow row, ResumeRequest request, CancellationToken cancellationToken)
    {
        var point = RestartPoint.Failed(row);
        string? edited = null;
        if (request.From is not null || request.Nodes is not null || request.Edges is not null)
        {
            var document = row.Definition ?? throw ResumeRequest.Invalid($"The definition of execution {row.Id} is not there or cannot be read.");
            var steps = await services.Store.StepsAsync(row.Exec, row.Run, cancellationToken);
            WorkflowPlan? after = null;
            if (request.Nodes is not null || request.Edges is not null)
            {
                var merged = EditedDefinition.Merge(document, request);
                after = EditedDefinition.Compile(services.Compiler, merged, request.NodesPath);
                edited = merged.GetRawText();
            }

            var before = services.Compiler.Compile(document).Workflow?.Plan;
            if (request.From is { } from)
                point = RestartPoint.From(from, after ?? before ?? EditedDefinition.Compile(services.Compiler, document, "nodes"), row, steps);
            if (after is not null && before is not null)
            {
                RefuseEditsOfKept(row, request, point, before, after, steps);
                if (EditedDefinition.IsSame(before, after)) edited = null;
                else point = point.AskAnew(steps);
            }
        }

        if (request.Instruction is not null && point.At.Count == 0)
        {
            throw ResumeRequest.Invalid(
                $"There is no node that the instruction is for: execution {row.Id} did not fail at a node. Name one with from.");
        }

        return (new NextRun
        {
            Id = row.Id,
            Run = row.Run,
            Again = point.Again,
            Definition = edited,
            Instruction = request.Instruction,
            InstructionAt = request.Instruction is null ? [] : point.At,
        }, point);
    }

    private static void RefuseEditsOfKept(
        ExecutionRow row, ResumeRequest request, RestartPoint point, WorkflowPlan before, WorkflowPlan after, List<StepRecord> steps)
    {
        var kept = EditedDefinition.Changed(before, after).Where(id => point.Keeps(id, steps)).ToList();
        if (kept.Count == 0) return;
        throw new RequestException(
            StatusCodes.Status409Conflict, HttpErrorCodes.Conflict,
            $"Node '{kept[0]}' has run and its result is kept, so it cannot be edited{(kept.Count > 1 ? $" (nor {string.Join(", ", kept.Skip(1).Select(static id => $"'{id}'"))})" : "")}. "
            + $"Send \"from\": \"{kept[0]}\" to run it and everything after it again.")
        {
            ExecutionId = row.Id,
            ExecutionStatus = row.Status,
            Problems = [.. kept.Select(id => new FieldProblem(request.NodesPath, $"node '{id}' has run and is kept", "node_has_run"))],
        };
    }

    private static RequestException Refused(Guid id, string status, int run)
    {
        var isOver = Terminal.Is(status);
        var why = status switch
        {
            "completed" => "has completed; there is nothing to resume. To run it again, submit it under a new executionId",
            "cancelled" => "was cancelled and stays so; submit it under a new executionId, or set its status to pending by SQL to begin anew",
            "paused" => "is paused: resume it without from, nodes or instruction, which are for failed ones",
            "pending" when run > 1 => $"has been resumed already: run {run} is about to start",
            "pending" => "has not failed: it is about to start",
            _ => $"is {status}; only one that failed or is paused can be resumed",
        };
        return new RequestException(
            StatusCodes.Status409Conflict, isOver ? HttpErrorCodes.AlreadyFinished : HttpErrorCodes.Conflict, $"Execution {id} {why}.")
        {
            ExecutionId = id,
            ExecutionStatus = status,
        };
    }

    private static void Write(Utf8JsonWriter writer, Guid id, Standing standing, RestartPoint point)
    {
        writer.WriteBoolean("success"u8, true);
        writer.WriteString("message"u8, point.At.Count == 0
            ? "Execution resumed; every finished step is kept."
            : $"Execution resumed at {string.Join(", ", point.At)}; every other finished step is kept.");
        writer.WriteString("executionId"u8, id);
        writer.WriteString("status"u8, standing.Status);
        if (standing.Run is { } run) writer.WriteNumber("run"u8, run);
        writer.WriteStartArray("resumedAt"u8);
        foreach (var key in point.At) writer.WriteStringValue(key);
        writer.WriteEndArray();

        // Where the earlier worker's reply had the result of the whole run, for which it let the caller wait.
        writer.WriteStartObject("result"u8);
        writer.WriteBoolean("success"u8, true);
        writer.WriteString("status"u8, standing.Status);
        writer.WriteEndObject();
    }
}
