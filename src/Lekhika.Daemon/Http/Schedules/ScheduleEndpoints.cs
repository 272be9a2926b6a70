using System.Globalization;
using System.Text.Json;
using Lekhika.Daemon.Http.Execute;
using Lekhika.Daemon.Schedules;
using Lekhika.Postgres.Schedules;
using Lekhika.Workflows;

namespace Lekhika.Daemon.Http.Schedules;

/// <summary><c>/schedules</c>: making, listing, pausing and removing them.</summary>
internal sealed class ScheduleEndpoints(ScheduleBook book)
{
    private const int DefaultPage = 100;
    private const int MaxPage = 1000;

    /// <summary>Maps the routes.</summary>
    public void Map(WebApplication app)
    {
        app.MapGet("/schedules", (RequestDelegate)ListAsync);
        app.MapPost("/schedules", (RequestDelegate)AddAsync);
        app.MapGet("/schedules/{id}", (RequestDelegate)FindAsync);
        app.MapDelete("/schedules/{id}", (RequestDelegate)RemoveAsync);
        app.MapPost("/schedules/{id}/pause", (RequestDelegate)(context => SetActiveAsync(context, isActive: false)));
        app.MapPost("/schedules/{id}/resume", (RequestDelegate)(context => SetActiveAsync(context, isActive: true)));
    }

    private async Task ListAsync(HttpContext context)
    {
        var limit = DefaultPage;
        if (Query(context, "limit") is { } text && (!int.TryParse(text, NumberStyles.None, CultureInfo.InvariantCulture, out limit) || limit is < 1 or > MaxPage))
        {
            throw Invalid([new FieldProblem("limit", $"is \"{text}\"; expected a whole number from 1 to 1000", "invalid")]);
        }

        var rows = await book.Store.ListAsync(Id(context, "workflow") ?? Id(context, "workflow_id"), Id(context, "cursor"), limit + 1, context.RequestAborted);
        await JsonReply.WriteAsync(context, StatusCodes.Status200OK, writer =>
        {
            writer.WriteBoolean("success"u8, true);
            writer.WriteStartArray("schedules"u8);
            foreach (var row in rows.Take(limit))
            {
                writer.WriteStartObject();
                ScheduleJson.Write(writer, row);
                writer.WriteEndObject();
            }

            writer.WriteEndArray();
            if (rows.Count > limit) writer.WriteString("next"u8, rows[limit - 1].Id);
            else writer.WriteNull("next"u8);
        });
    }

    private async Task AddAsync(HttpContext context)
    {
        ScheduleDraft draft;
        using (var body = await RequestBody.ReadAsync(context))
        {
            draft = ScheduleRequest.Read(body.Root);
        }

        var row = await book.AddAsync(draft, context.RequestAborted) ?? throw new RequestException(
            StatusCodes.Status404NotFound, ErrorCodes.WorkflowNotFound, $"There is no workflow {draft.WorkflowId}; workflow_id must name a stored one.");
        context.Response.Headers.Location = $"/schedules/{row.Id:D}";
        await WriteAsync(context, StatusCodes.Status201Created, row);
    }

    private async Task FindAsync(HttpContext context)
    {
        var id = RouteId.Of(context);
        await WriteAsync(context, StatusCodes.Status200OK, await book.Store.FindAsync(id, context.RequestAborted) ?? throw NotFound(id));
    }

    private async Task RemoveAsync(HttpContext context)
    {
        var id = RouteId.Of(context);
        if (!await book.Store.RemoveAsync(id, context.RequestAborted)) throw NotFound(id);
        await JsonReply.WriteAsync(context, StatusCodes.Status200OK, writer =>
        {
            writer.WriteBoolean("success"u8, true);
            writer.WriteString("id"u8, id);
            writer.WriteString("message"u8, "Schedule removed; its executions stay.");
        });
    }

    private async Task SetActiveAsync(HttpContext context, bool isActive)
    {
        var id = RouteId.Of(context);
        try
        {
            await WriteAsync(context, StatusCodes.Status200OK, await book.SetActiveAsync(id, isActive, context.RequestAborted) ?? throw NotFound(id));
        }
        catch (UnreadableScheduleException exception)
        {
            throw new RequestException(
                StatusCodes.Status409Conflict, HttpErrorCodes.InvalidSchedule, $"Schedule {id} cannot be resumed: {exception.Message}. Correct it first.");
        }
    }

    private static Task WriteAsync(HttpContext context, int status, ScheduleRow row) => JsonReply.WriteAsync(context, status, writer =>
    {
        writer.WriteBoolean("success"u8, true);
        ScheduleJson.Write(writer, row);
    });

    private static Guid? Id(HttpContext context, string name)
    {
        if (Query(context, name) is not { } text) return null;
        return RouteId.TryParse(text, out var id) ? id : throw Invalid([new FieldProblem(name, "is not a UUID", "invalid")]);
    }

    private static string? Query(HttpContext context, string name) => context.Request.Query[name].ToString() is { Length: > 0 } text ? text : null;

    private static RequestException Invalid(FieldProblem[] problems) =>
        new(StatusCodes.Status400BadRequest, HttpErrorCodes.InvalidRequest, $"The request cannot be answered: {problems[0].Path} {problems[0].Message}.")
        {
            Problems = problems,
        };

    private static RequestException NotFound(Guid id) =>
        new(StatusCodes.Status404NotFound, HttpErrorCodes.ScheduleNotFound, $"There is no schedule {id}.");
}
