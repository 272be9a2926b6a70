using System.Globalization;

namespace Lekhika.Postgres.Signals;

/// <summary>What an event can be the answer to: the same texts that the triggers write into <c>events.topic</c>.</summary>
public static class EventTopic
{
    // Names of signals hold no control characters, so a name cannot be mistaken for a name and a step key.
    private const char Separator = '\u001f';

    /// <summary>A signal of that name, sent to one step, or with null to whichever waits for one.</summary>
    public static string Signal(string name, string? stepKey = null) =>
        stepKey is null ? string.Concat("signal:", name) : string.Concat("signal:", name, "\u001f", stepKey);

    /// <summary>The end of the child that an attempt of a step has started.</summary>
    public static string Child(string stepKey, int attempt) =>
        string.Create(CultureInfo.InvariantCulture, $"child:{stepKey}{Separator}{attempt}");

    /// <summary>Whether the topic names the step, so that only one wait can be meant.</summary>
    public static bool IsAddressed(string topic)
    {
        ArgumentNullException.ThrowIfNull(topic);
        return topic.Contains(Separator, StringComparison.Ordinal);
    }
}
