using System.Globalization;
using System.Text.Json;
using Lekhika.Daemon.Http.Status;
using Lekhika.Daemon.Live;
using Lekhika.Postgres.Executions;
using Lekhika.Workflows.Execution;

namespace Lekhika.Daemon.Http.Browse;

/// <summary>The records of a run, and after them what is under way and has no record yet.</summary>
internal static class StepFields
{
    public static void Write(Utf8JsonWriter writer, StepPage page, int run, LiveSnapshot? live)
    {
        writer.WriteNumber("run"u8, run);
        writer.WriteStartArray("steps"u8);
        foreach (var record in page.Records) Write(writer, record);
        if (live is not null)
        {
            foreach (var step in live.Steps.Where(static step => step.Status == "running" && step.FinishedAt is null)) Write(writer, step, run);
        }

        writer.WriteEndArray();
        writer.WriteString("next"u8, page.Next?.ToString(CultureInfo.InvariantCulture));
    }

    /// <summary>What a record's outcome is called.</summary>
    public static string Word(StepOutcome outcome) => outcome switch
    {
        StepOutcome.Succeeded => "succeeded",
        StepOutcome.Failed => "failed",
        StepOutcome.Retrying => "retrying",
        StepOutcome.Waiting => "waiting",
        _ => "opened",
    };

    /// <summary>The node a step belongs to; for one pass of a loop, the loop.</summary>
    public static string NodeOf(string key) =>
        RowPictures.NodeOf(key) ?? (key.LastIndexOf('[') is > 0 and var at ? RowPictures.NodeOf(key[..at]) : null) ?? key;

    private static void Write(Utf8JsonWriter writer, StepRecord record)
    {
        writer.WriteStartObject();
        writer.WriteString("key"u8, record.Key);
        writer.WriteString("nodeId"u8, NodeOf(record.Key));
        writer.WriteNumber("run"u8, record.Run);
        writer.WriteNumber("attempt"u8, record.Attempt);
        writer.WriteString("outcome"u8, Word(record.Outcome));
        writer.WriteString("branch"u8, record.Branch);
        WriteTimes(writer, record.StartedAt, record.FinishedAt, record.DueAt);
        writer.WriteRaw("output"u8, record.Output);
        WriteError(writer, record.Error);
        writer.WriteRaw("metrics"u8, record.Metrics);
        writer.WriteEndObject();
    }

    private static void Write(Utf8JsonWriter writer, LiveStepView step, int run)
    {
        writer.WriteStartObject();
        writer.WriteString("key"u8, step.Key);
        writer.WriteString("nodeId"u8, step.Node.Id);
        writer.WriteNumber("run"u8, run);
        writer.WriteNumber("attempt"u8, step.Attempt);
        writer.WriteString("outcome"u8, "running"u8);
        writer.WriteNull("branch"u8);
        WriteTimes(writer, step.StartedAt, finished: null, step.DueAt);
        writer.WriteNull("output"u8);
        WriteError(writer, error: null);
        writer.WriteNull("metrics"u8);
        if (step.PartialText is { } text) writer.WriteString("partialText"u8, text);
        if (step.QueuePosition is { } position) writer.WriteNumber("queuePosition"u8, position);
        writer.WriteEndObject();
    }

    private static void WriteTimes(Utf8JsonWriter writer, DateTimeOffset? started, DateTimeOffset? finished, DateTimeOffset? due)
    {
        writer.WriteTime("startedAt"u8, started);
        writer.WriteTime("finishedAt"u8, finished);
        writer.WriteTime("dueAt"u8, due);
    }

    private static void WriteError(Utf8JsonWriter writer, StepError? error)
    {
        if (error is null)
        {
            writer.WriteNull("error"u8);
            return;
        }

        writer.WriteStartObject("error"u8);
        writer.WriteString("code"u8, error.Code);
        writer.WriteString("message"u8, error.Message);
        writer.WriteEndObject();
    }
}
