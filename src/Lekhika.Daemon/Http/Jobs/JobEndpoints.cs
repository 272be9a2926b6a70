using System.Text.Json;
using Lekhika.Daemon.Live;
using Lekhika.Postgres;
using Lekhika.Postgres.Jobs;
using Lekhika.Workflows;
using Npgsql;

namespace Lekhika.Daemon.Http.Jobs;

/// <summary>
/// Generation jobs. A job is an execution of the same id, so what is live comes from there; its row is the rest. Everything answers at once: work is done
/// by whoever claims it from the queue, and nothing here begins it.
/// </summary>
internal sealed class JobEndpoints(HttpServerContext services, ExecutionLookup lookup, Peers peers, RequestDelegate events)
{
    private IJobStore Store => services.Jobs!;

    /// <summary><c>POST /jobs</c>.</summary>
    public async Task CreateAsync(HttpContext context)
    {
        var generation = services.Generation!();
        if (!generation.Enabled)
        {
            throw new RequestException(
                StatusCodes.Status503ServiceUnavailable, ErrorCodes.GenerationDisabled, "Generation is switched off here (generation.enabled = false).");
        }

        NewGenerationJob job;
        using (var body = await RequestBody.ReadAsync(context))
        {
            job = NewJobRequest.Read(body.Root, generation.MaxRetries, Guid.CreateVersion7(services.Time.GetUtcNow()));
        }

        if (!await InsertAsync(job, context.RequestAborted))
        {
            throw new RequestException(
                StatusCodes.Status409Conflict, HttpErrorCodes.Conflict, $"There is another job with the id {job.Id}; nothing was changed. Send a new id, or none.");
        }

        services.Intake.HintCommands();
        var row = await RowAsync(job.Id, context);
        context.Response.Headers.Location = $"/jobs/{job.Id:D}/status";
        await JsonReply.WriteAsync(context, StatusCodes.Status202Accepted, writer =>
        {
            writer.WriteBoolean("success"u8, true);
            writer.WriteString("id"u8, job.Id);
            writer.WriteString("job_id"u8, job.Id);
            writer.WriteString("status"u8, row.Status);
            writer.WriteString("message"u8, "The job is queued.");
            writer.WriteTime("created_at"u8, row.CreatedAt);
        });
    }

    /// <summary><c>GET /jobs/{id}/status</c>: exactly the fields of the earlier worker.</summary>
    public async Task StatusAsync(HttpContext context)
    {
        var (row, live) = await PictureAsync(context);
        if (row is null) return;
        await JsonReply.WriteAsync(context, StatusCodes.Status200OK, writer =>
        {
            writer.WriteString("id"u8, row.Id);
            WriteCommon(writer, row, live);
            writer.WriteRaw("workflow_result"u8, row.Result);
            writer.WriteString("error_message"u8, row.Error);
            WriteTimes(writer, row, live);
        });
    }

    /// <summary><c>GET /workflow-status/{id}</c>: what the editors poll.</summary>
    public async Task WorkflowStatusAsync(HttpContext context)
    {
        var (row, live) = await PictureAsync(context);
        if (row is null) return;
        await JsonReply.WriteAsync(context, StatusCodes.Status200OK, writer =>
        {
            writer.WriteString("job_id"u8, row.Id);
            WriteCommon(writer, row, live);
            WriteTimes(writer, row, live);
            if (row.Status == "completed") writer.WriteRaw("workflow"u8, row.Result);
            if (row.Status is "failed" or "cancelled")
            {
                writer.WriteString("error"u8, row.Error);
                writer.WriteRaw("error_details"u8, row.ErrorDetails);
            }

            if (row.Logs is { ValueKind: JsonValueKind.Array } logs && logs.GetArrayLength() > 0) writer.WriteRaw("progress_logs"u8, logs);
            if (row.Observability is { ValueKind: JsonValueKind.Object } figures && figures.EnumerateObject().Any()) writer.WriteRaw("observability"u8, figures);
        });
    }

    /// <summary><c>POST /jobs/{id}/process</c>: sees to it that the job is in the queue, and says that it is on its way.</summary>
    public async Task ProcessAsync(HttpContext context)
    {
        var row = await RowAsync(JobId(context), context);
        if (row.Status is not ("pending" or "processing")) throw Over(row, "processed");
        if (row.Status == "pending") await Store.AdoptAsync(context.RequestAborted);
        await JsonReply.WriteAsync(context, StatusCodes.Status202Accepted, writer =>
        {
            writer.WriteString("status"u8, "processing");
            writer.WriteString("job_id"u8, row.Id);
            writer.WriteString("worker_id"u8, row.WorkerId ?? services.WorkerId);
        });
    }

    /// <summary><c>POST /jobs/poll</c>: the same for all pending jobs.</summary>
    public async Task PollAsync(HttpContext context)
    {
        await Store.AdoptAsync(context.RequestAborted);
        var oldest = await Store.OldestPendingAsync(context.RequestAborted);
        await JsonReply.WriteAsync(context, oldest is null ? StatusCodes.Status200OK : StatusCodes.Status202Accepted, writer =>
        {
            writer.WriteString("status"u8, oldest is null ? "no_jobs" : "processing");
            if (oldest is { } found) writer.WriteString("job_id"u8, found.Id);
            writer.WriteNumber("count"u8, oldest?.Count ?? 0);
        });
    }

    /// <summary><c>POST /jobs/{id}/cancel</c> and <c>DELETE /jobs/{id}</c>: as a backend would by SQL.</summary>
    public async Task CancelAsync(HttpContext context)
    {
        var id = JobId(context);
        var before = await RowAsync(id, context);
        if (before.Status is "completed" or "failed") throw Over(before, "cancelled");
        var status = await Store.CancelAsync(id, context.RequestAborted) ?? throw NotFound(id);
        if (status != "cancelled") throw Over(before with { Status = status }, "cancelled");

        // Whoever holds it hears of it by a notification; a daemon without those looks within a second.
        services.Intake.HintCommands();
        await JsonReply.WriteAsync(context, StatusCodes.Status200OK, writer =>
        {
            writer.WriteBoolean("success"u8, true);
            writer.WriteString("job_id"u8, id);
            writer.WriteString("status"u8, status);
        });
    }

    /// <summary><c>GET /jobs/{id}/events</c>: the events of its execution, the text of the models as it comes among them.</summary>
    public async Task EventsAsync(HttpContext context)
    {
        _ = await RowAsync(JobId(context), context);
        await events(context);
    }

    /// <summary>The row, and what is live of it here; a null row means that another daemon has answered.</summary>
    private async Task<(GenerationJobRow? Row, LiveSnapshot? Live)> PictureAsync(HttpContext context)
    {
        var id = JobId(context);
        var live = lookup.InMemory(id)?.Snapshot();
        var row = await RowAsync(id, context);
        if (row.Status is not ("pending" or "processing")) return (row, null);
        if (live is null && row.OwnerUrl is { } owner && await peers.PassOnAsync(context, owner)) return (null, null);
        return (row, live is { FinishedAt: null, Phase: not null } ? live : null);
    }

    private async Task<GenerationJobRow> RowAsync(Guid id, HttpContext context)
    {
        using var patience = new CancellationTokenSource(services.ReadPatience, services.Time);
        using var either = CancellationTokenSource.CreateLinkedTokenSource(context.RequestAborted, patience.Token);
        try
        {
            return await Store.FindAsync(id, either.Token) ?? throw NotFound(id);
        }
        catch (OperationCanceledException exception) when (!context.RequestAborted.IsCancellationRequested)
        {
            throw new DatabaseSilentException(services.ReadPatience, exception);
        }
    }

    private async Task<bool> InsertAsync(NewGenerationJob job, CancellationToken cancellationToken)
    {
        try
        {
            return await Store.InsertAsync(job, cancellationToken);
        }
        catch (PostgresException exception) when (!Database.IsTransient(exception)
            && (exception.SqlState.StartsWith("22", StringComparison.Ordinal) || exception.SqlState.StartsWith("23", StringComparison.Ordinal)))
        {
            throw new RequestException(
                StatusCodes.Status400BadRequest, ErrorCodes.BadData, $"The database refuses this job: {exception.MessageText}");
        }
    }

    private static void WriteCommon(Utf8JsonWriter writer, GenerationJobRow row, LiveSnapshot? live)
    {
        writer.WriteString("status"u8, live is null ? row.Status : "processing");
        writer.WriteNumber("progress_percentage"u8, Math.Max(row.Progress ?? 0, (int)(live?.Progress ?? 0)));
        writer.WriteString("current_phase"u8, live?.Phase ?? row.Phase);
    }

    private static void WriteTimes(Utf8JsonWriter writer, GenerationJobRow row, LiveSnapshot? live)
    {
        writer.WriteTime("created_at"u8, row.CreatedAt);
        writer.WriteTime("started_at"u8, row.StartedAt ?? live?.StartedAt);
        writer.WriteTime("finished_at"u8, row.FinishedAt);
        if (row.DurationMs is { } duration) writer.WriteNumber("duration_ms"u8, duration);
        else writer.WriteNull("duration_ms"u8);
    }

    private static Guid JobId(HttpContext context) => RouteId.Of(context);

    private static RequestException NotFound(Guid id) =>
        new(StatusCodes.Status404NotFound, HttpErrorCodes.JobNotFound, $"There is no generation job {id}.");

    private static RequestException Over(GenerationJobRow row, string verb) =>
        new(StatusCodes.Status409Conflict, HttpErrorCodes.AlreadyFinished, $"Generation job {row.Id} is {row.Status} already and cannot be {verb}.")
        {
            ExecutionStatus = row.Status,
        };
}
