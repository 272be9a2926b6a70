using System.Text.Json;
using Lekhika.Workflows.Execution;

namespace Lekhika.Postgres.Executions;

/// <summary>Results that could not be written, in a form that outlives the process: the steps of one execution under the fence they were made with.</summary>
/// <param name="Database">Which database and schema they belong to.</param>
/// <param name="Incarnation">The incarnation that made them.</param>
/// <param name="WorkerId">Its name for people.</param>
/// <param name="Entry">An append; everything else follows from its steps.</param>
public sealed record SpooledEntry(string Database, long Incarnation, string WorkerId, JournalEntry Entry)
{
    /// <summary>As JSON.</summary>
    public byte[] ToJson()
    {
        using var buffer = new MemoryStream();
        using (var writer = new Utf8JsonWriter(buffer))
        {
            writer.WriteStartObject();
            writer.WriteString("database", Database);
            writer.WriteNumber("incarnation", Incarnation);
            writer.WriteString("worker", WorkerId);
            writer.WriteNumber("exec", Entry.Fence.Exec);
            writer.WriteNumber("epoch", Entry.Fence.Epoch);
            writer.WriteNumber("run", Entry.Fence.Run);
            writer.WriteStartArray("steps");
            foreach (var step in Entry.Steps) Write(writer, step);
            writer.WriteEndArray();
            writer.WriteEndObject();
        }

        return buffer.ToArray();
    }

    /// <summary>From JSON.</summary>
    /// <exception cref="FormatException">It is not what <see cref="ToJson"/> makes.</exception>
    public static SpooledEntry Parse(ReadOnlyMemory<byte> json)
    {
        try
        {
            using var document = JsonDocument.Parse(json, new JsonDocumentOptions { MaxDepth = 512 });
            var root = document.RootElement;
            var fence = new Fence(root.GetProperty("exec").GetInt64(), root.GetProperty("epoch").GetInt32(), root.GetProperty("run").GetInt32());
            return new SpooledEntry(
                root.GetProperty("database").GetString() ?? "",
                root.GetProperty("incarnation").GetInt64(),
                root.GetProperty("worker").GetString() ?? "",
                new JournalEntry
                {
                    Fence = fence,
                    Kind = JournalKind.Append,
                    Steps = [.. root.GetProperty("steps").EnumerateArray().Select(step => Read(step, fence.Run))],
                });
        }
        catch (Exception exception) when (exception is JsonException or KeyNotFoundException or InvalidOperationException)
        {
            throw new FormatException($"not a spooled entry: {exception.Message}", exception);
        }
    }

    private static void Write(Utf8JsonWriter writer, StepRecord step)
    {
        writer.WriteStartObject();
        writer.WriteString("key", step.Key);
        writer.WriteNumber("attempt", step.Attempt);
        writer.WriteString("outcome", StepOutcomes.Name(step.Outcome));
        if (step.Branch is not null) writer.WriteString("branch", step.Branch);
        if (step.FiredBy is not null) writer.WriteString("fired_by", step.FiredBy);
        if (step.DueAt is { } due) writer.WriteString("due_at", due);
        if (step.StartedAt is { } started) writer.WriteString("started_at", started);
        if (step.FinishedAt is { } finished) writer.WriteString("finished_at", finished);
        Write(writer, "decision", step.Decision);
        Write(writer, "output", step.Output);
        Write(writer, "metrics", step.Metrics);
        if (StepOutcomes.ErrorText(step.Error) is { } error)
        {
            writer.WritePropertyName("error");
            writer.WriteRawValue(error);
        }

        writer.WriteEndObject();
    }

    private static void Write(Utf8JsonWriter writer, string name, JsonElement? value)
    {
        if (value is not { ValueKind: not JsonValueKind.Undefined } there) return;
        writer.WritePropertyName(name);
        there.WriteTo(writer);
    }

    private static StepRecord Read(JsonElement step, int run) => new()
    {
        Run = run,
        Key = step.GetProperty("key").GetString()!,
        Attempt = step.GetProperty("attempt").GetInt32(),
        Outcome = StepOutcomes.Parse(step.GetProperty("outcome").GetString()!),
        Branch = Get(step, "branch")?.GetString(),
        FiredBy = Get(step, "fired_by")?.GetString(),
        DueAt = Get(step, "due_at")?.GetDateTimeOffset(),
        StartedAt = Get(step, "started_at")?.GetDateTimeOffset(),
        FinishedAt = Get(step, "finished_at")?.GetDateTimeOffset(),
        Decision = Get(step, "decision")?.Clone(),
        Output = Get(step, "output")?.Clone(),
        Metrics = Get(step, "metrics")?.Clone(),
        Error = StepOutcomes.ParseError(Get(step, "error")?.GetRawText()),
    };

    private static JsonElement? Get(JsonElement owner, string name) => owner.TryGetProperty(name, out var value) ? value : null;
}
