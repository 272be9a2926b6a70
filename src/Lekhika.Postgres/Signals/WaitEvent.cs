using System.Text.Json;

namespace Lekhika.Postgres.Signals;

/// <summary>Something that a waiting execution is told and has not taken yet.</summary>
public sealed record WaitEvent
{
    /// <summary>Its number; not an order of commits.</summary>
    public required long Id { get; init; }

    /// <summary>See <see cref="EventTopic"/>.</summary>
    public required string Topic { get; init; }

    /// <summary>Name of the signal; of the end of a child <c>child</c>.</summary>
    public required string Name { get; init; }

    /// <summary>What came with it.</summary>
    public JsonElement? Payload { get; init; }

    /// <summary>When it was sent, by the database's clock.</summary>
    public DateTimeOffset At { get; init; }

    /// <summary>For the end of a child: how it ended.</summary>
    public ChildEnd? Child { get; init; }
}

/// <summary>How a child ended.</summary>
/// <param name="Status">completed, failed, cancelled; deleted if there is no row of it any more.</param>
/// <param name="Result">What came out.</param>
/// <param name="Error">Why it failed.</param>
/// <param name="ErrorDetails">The same with its code.</param>
public sealed record ChildEnd(string Status, JsonElement? Result, string? Error, JsonElement? ErrorDetails);
