using System.Text.Json;

namespace Lekhika.Postgres.Executions;

/// <summary>What is written with an entry beside its steps, in the same transaction and under the same fence.</summary>
public sealed record JournalAside
{
    /// <summary>Ids of the events that the entry's steps are the outcome of: they are consumed.</summary>
    public IReadOnlyList<long> Consumed { get; init; } = [];

    /// <summary>Executions to start.</summary>
    public IReadOnlyList<ChildStart> Children { get; init; } = [];

    /// <summary>Children whose wait is over before they are: they are cancelled.</summary>
    public IReadOnlyList<Guid> Abandoned { get; init; } = [];

    /// <summary>Whether the run is over, so that children it still waits for are cancelled.</summary>
    public bool EndsChildren { get; init; }

    /// <summary>Whether there is nothing to write.</summary>
    public bool IsEmpty => Consumed.Count == 0 && Children.Count == 0 && Abandoned.Count == 0 && !EndsChildren;

    /// <summary>About how many bytes it sends.</summary>
    internal long Weight() => (Consumed.Count * 12L) + (Abandoned.Count * 40L)
        + Children.Sum(static child => 200L + System.Runtime.InteropServices.JsonMarshal.GetRawUtf8Value(child.Inputs).Length);

    /// <summary>As <c>flush_aside</c> reads it.</summary>
    internal string ToJson()
    {
        using var buffer = new MemoryStream();
        using (var writer = new Utf8JsonWriter(buffer))
        {
            writer.WriteStartObject();
            if (Consumed.Count > 0)
            {
                writer.WriteStartArray("events"u8);
                foreach (var id in Consumed) writer.WriteNumberValue(id);
                writer.WriteEndArray();
            }

            if (Children.Count > 0)
            {
                writer.WriteStartArray("children"u8);
                foreach (var child in Children) Write(writer, child);
                writer.WriteEndArray();
            }

            if (Abandoned.Count > 0)
            {
                writer.WriteStartArray("abandon"u8);
                foreach (var id in Abandoned) writer.WriteStringValue(id);
                writer.WriteEndArray();
            }

            if (EndsChildren) writer.WriteBoolean("ends"u8, true);
            writer.WriteEndObject();
        }

        return System.Text.Encoding.UTF8.GetString(buffer.GetBuffer(), 0, (int)buffer.Length);
    }

    private static void Write(Utf8JsonWriter writer, ChildStart child)
    {
        writer.WriteStartObject();
        writer.WriteString("id"u8, child.Id);
        writer.WriteString("step"u8, child.StepKey);
        writer.WriteString("workflow_id"u8, child.WorkflowId);
        if (child.IsAwaited) writer.WriteNumber("attempt"u8, child.Attempt);
        writer.WritePropertyName("inputs"u8);
        child.Inputs.WriteTo(writer);
        writer.WriteEndObject();
    }
}

/// <summary>An execution that a step starts. User and priority are its parent's.</summary>
/// <param name="Id">Derived from parent, step, run and attempt, so that starting it again changes nothing.</param>
/// <param name="StepKey">The step that starts it.</param>
/// <param name="Attempt">The attempt of that step.</param>
/// <param name="WorkflowId">The stored workflow it runs.</param>
/// <param name="Inputs">A JSON object.</param>
/// <param name="IsAwaited">Whether the step waits for it; else it goes on whatever becomes of its parent, unless that is cancelled.</param>
public sealed record ChildStart(Guid Id, string StepKey, int Attempt, Guid WorkflowId, JsonElement Inputs, bool IsAwaited);
