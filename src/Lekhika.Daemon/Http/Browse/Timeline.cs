using System.Globalization;
using System.Text.Json;
using Lekhika.Daemon.Live;
using Lekhika.Postgres.Executions;
using Lekhika.Workflows.Execution;

namespace Lekhika.Daemon.Http.Browse;

/// <summary>One line of an execution's story.</summary>
/// <param name="At">When; null where it was not recorded.</param>
/// <param name="Kind">created, run, started, node_started, node_succeeded, node_failed, node_retrying, node_waiting, node_opened, completed, failed, cancelled.</param>
/// <param name="NodeId">The node it is about.</param>
/// <param name="Key">The step it is about.</param>
/// <param name="Text">The line for people.</param>
/// <param name="DurationMs">How long it took.</param>
internal sealed record TimelineEntry(DateTimeOffset? At, string Kind, string? NodeId, string? Key, string Text, long? DurationMs)
{
    public void Write(Utf8JsonWriter writer)
    {
        writer.WriteStartObject();
        writer.WriteTime("at"u8, At);
        writer.WriteString("kind"u8, Kind);
        writer.WriteString("nodeId"u8, NodeId);
        writer.WriteString("key"u8, Key);
        writer.WriteString("text"u8, Text);
        if (DurationMs is { } duration) writer.WriteNumber("durationMs"u8, duration);
        else writer.WriteNull("durationMs"u8);
        writer.WriteEndObject();
    }
}

/// <summary>Tells what an execution did, in the order it happened: from its row, its runs, its records, and what is under way here.</summary>
internal static class Timeline
{
    public static IEnumerable<TimelineEntry> Of(
        ExecutionRow row, ExecutionListItem item, StepPage page, IReadOnlyList<OpenedRun> runs, LiveSnapshot? live, bool isFirst)
    {
        var entries = new List<TimelineEntry>();
        if (isFirst)
        {
            entries.Add(new TimelineEntry(row.CreatedAt, "created", null, null, "submitted" + (row.UserId is { } user ? $" by {user}" : ""), null));
            if (item.StartedAt is { } started) entries.Add(new TimelineEntry(started, "started", null, null, Started(item), null));
            foreach (var run in runs)
            {
                entries.Add(new TimelineEntry(
                    run.OpenedAt, "run", null, null, string.Create(CultureInfo.InvariantCulture, $"run {run.Run} opened: {run.Reason ?? "no reason recorded"}"), null));
            }
        }

        foreach (var record in page.Records) Add(entries, record);
        if (live is not null)
        {
            foreach (var step in live.Steps.Where(static step => step.Status == "running" && step.FinishedAt is null))
                entries.Add(new TimelineEntry(step.StartedAt, "node_started", step.Node.Id, step.Key, Label(step.Key, step.Attempt) + " is running", null));
        }

        if (page.Next is null && item.FinishedAt is { } finished)
        {
            var text = item.Status == "failed" && item.Error is { } error ? $"failed: {error}" : item.Status;
            entries.Add(new TimelineEntry(finished, item.Status, null, null, text, Duration(item.StartedAt, finished)));
        }

        // A stable order: what has the same time stays as it was added.
        return entries.OrderBy(static entry => entry.At ?? DateTimeOffset.MinValue);
    }

    private static void Add(List<TimelineEntry> entries, StepRecord record)
    {
        var node = StepFields.NodeOf(record.Key);
        var label = Label(record.Key, record.Attempt);
        var took = Duration(record.StartedAt, record.FinishedAt);
        if (record.StartedAt is { } started && took is > 0)
            entries.Add(new TimelineEntry(started, "node_started", node, record.Key, label + " started", null));
        var text = record.Outcome switch
        {
            StepOutcome.Succeeded => record.Branch is { } branch ? $"{label} took the branch {branch}" : $"{label} succeeded",
            StepOutcome.Failed => $"{label} failed: {record.Error?.Message}",
            StepOutcome.Retrying => $"{label} failed and is tried again{Due(record)}: {record.Error?.Message}",
            StepOutcome.Waiting => $"{label} waits{Due(record)}",
            _ => $"{label} was opened",
        };
        entries.Add(new TimelineEntry(
            record.FinishedAt ?? record.StartedAt, "node_" + StepFields.Word(record.Outcome), node, record.Key, text, took));
    }

    private static string Label(string key, int attempt) =>
        attempt > 1 ? string.Create(CultureInfo.InvariantCulture, $"{key} (attempt {attempt})") : key;

    private static string Due(StepRecord record) =>
        record.DueAt is { } at ? string.Create(CultureInfo.InvariantCulture, $" until {at.UtcDateTime:yyyy-MM-dd HH:mm:ss} UTC") : "";

    private static string Started(ExecutionListItem item) => item.WorkerId is { } worker ? $"started on {worker}" : "started";

    private static long? Duration(DateTimeOffset? from, DateTimeOffset? to) =>
        from is { } start && to is { } end ? Math.Max(0, (long)(end - start).TotalMilliseconds) : null;
}
