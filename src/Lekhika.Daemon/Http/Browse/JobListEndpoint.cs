using System.Globalization;
using Lekhika.Postgres.Jobs;

namespace Lekhika.Daemon.Http.Browse;

/// <summary><c>GET /jobs</c>: generation jobs, newest first.</summary>
internal sealed class JobListEndpoint(HttpServerContext services, ExecutionLookup lookup)
{
    private const int DefaultLimit = 50;
    private const int MaxLimit = 200;

    public async Task HandleAsync(HttpContext context)
    {
        var query = new QueryReader(context.Request, "status", "cursor", "limit");
        var statuses = query.Words("status", JobList.Statuses);
        var limit = (int)(query.Number("limit", 1, MaxLimit) ?? DefaultLimit);
        DateTimeOffset? before = query.Number("cursor", 1, DateTimeOffset.MaxValue.Ticks) is { } ticks ? new DateTimeOffset(ticks, TimeSpan.Zero) : null;
        var jobs = await lookup.BoundedAsync(token => services.Browse.JobsAsync(statuses, before, limit + 1, token), context.RequestAborted);
        await JsonReply.WriteAsync(context, StatusCodes.Status200OK, writer =>
        {
            writer.WriteStartArray("jobs"u8);
            foreach (var job in jobs.Take(limit))
            {
                writer.WriteStartObject();
                writer.WriteString("jobId"u8, job.Id);
                writer.WriteString("status"u8, job.Status);
                writer.WriteString("phase"u8, job.Phase);
                writer.WriteNumber("progress"u8, job.Progress);
                writer.WriteString("prompt"u8, job.Prompt);
                writer.WriteString("userId"u8, job.UserId);
                writer.WriteString("error"u8, job.Error);
                writer.WriteTime("createdAt"u8, job.CreatedAt);
                writer.WriteTime("startedAt"u8, job.StartedAt);
                writer.WriteTime("finishedAt"u8, job.FinishedAt);
                if (job.StartedAt is { } started)
                    writer.WriteNumber("durationMs"u8, Math.Max(0, (long)((job.FinishedAt ?? services.Clock.Now) - started).TotalMilliseconds));
                else
                    writer.WriteNull("durationMs"u8);
                writer.WriteString("workerId"u8, job.WorkerId);
                writer.WriteEndObject();
            }

            writer.WriteEndArray();
            writer.WriteString("next"u8, jobs.Count > limit ? jobs[limit - 1].CreatedAt.UtcTicks.ToString(CultureInfo.InvariantCulture) : null);
        });
    }
}
