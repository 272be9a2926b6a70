using System.Text;
using System.Text.Json;
using Lekhika.Workflows.Execution;

namespace Lekhika.Postgres.Executions;

/// <summary>How outcomes and errors of steps are written in the database.</summary>
internal static class StepOutcomes
{
    public static string Name(StepOutcome outcome) => outcome switch
    {
        StepOutcome.Succeeded => "succeeded",
        StepOutcome.Failed => "failed",
        StepOutcome.Retrying => "retrying",
        StepOutcome.Waiting => "waiting",
        StepOutcome.Opened => "opened",
        _ => throw new ArgumentOutOfRangeException(nameof(outcome)),
    };

    public static StepOutcome Parse(string name) => name switch
    {
        "succeeded" => StepOutcome.Succeeded,
        "failed" => StepOutcome.Failed,
        "retrying" => StepOutcome.Retrying,
        "waiting" => StepOutcome.Waiting,
        "opened" => StepOutcome.Opened,
        _ => throw new FormatException($"'{name}' is not an outcome of a step."),
    };

    public static string? ErrorText(StepError? error)
    {
        if (error is null) return null;
        using var buffer = new MemoryStream();
        using (var writer = new Utf8JsonWriter(buffer))
        {
            writer.WriteStartObject();
            writer.WriteString("code", error.Code);
            writer.WriteString("message", error.Message);
            if (error.Retryable) writer.WriteBoolean("retryable", true);
            if (error.Details is { } details)
            {
                writer.WritePropertyName("details");
                details.WriteTo(writer);
            }

            writer.WriteEndObject();
        }

        return Encoding.UTF8.GetString(buffer.GetBuffer(), 0, (int)buffer.Length);
    }

    public static StepError? ParseError(string? text)
    {
        if (text is null) return null;
        using var document = JsonDocument.Parse(text);
        var root = document.RootElement;
        return new StepError(
            root.GetProperty("code").GetString()!,
            root.GetProperty("message").GetString()!,
            root.TryGetProperty("retryable", out var retryable) && retryable.GetBoolean(),
            root.TryGetProperty("details", out var details) ? details.Clone() : null);
    }
}
