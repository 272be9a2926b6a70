using System.Runtime.InteropServices;
using System.Text.Json;
using Lekhika.Workflows.Execution;

namespace Lekhika.Postgres.Executions;

/// <summary>The claim an entry proves: what the database calls the fence.</summary>
/// <param name="Exec">The execution's inner number.</param>
/// <param name="Epoch">Number of the claim.</param>
/// <param name="Run">Number of the run.</param>
public readonly record struct Fence(long Exec, int Epoch, int Run);

/// <summary>What an entry does besides storing its steps.</summary>
public enum JournalKind
{
    /// <summary>Nothing more.</summary>
    Append = 1,

    /// <summary>Shows the execution as running to those who poll by SQL.</summary>
    Running = 2,

    /// <summary>Gives up the claim until a time or an event.</summary>
    Park = 3,

    /// <summary>Ends the execution.</summary>
    Finish = 4,

    /// <summary>Gives the claim back, so that any daemon may go on.</summary>
    Release = 5,
}

/// <summary>One thing to write about one execution; it is written whole or not at all.</summary>
public sealed record JournalEntry
{
    /// <summary>The claim.</summary>
    public required Fence Fence { get; init; }

    /// <summary>What is done.</summary>
    public required JournalKind Kind { get; init; }

    /// <summary>Records to store with it.</summary>
    public IReadOnlyList<StepRecord> Steps { get; init; } = [];

    /// <summary>For <see cref="JournalKind.Finish"/>: completed, failed or cancelled.</summary>
    public string? Status { get; init; }

    /// <summary>The node people are shown as current.</summary>
    public string? NodeId { get; init; }

    /// <summary>The result of a completed execution.</summary>
    public JsonElement? Result { get; init; }

    /// <summary>Why a failed execution failed, in a sentence.</summary>
    public string? Error { get; init; }

    /// <summary>The same as an object with <c>code</c>, <c>node_id</c> and more.</summary>
    public JsonElement? ErrorDetails { get; init; }

    /// <summary>Prompt tokens of the whole execution.</summary>
    public long TokensIn { get; init; }

    /// <summary>Generated tokens of the whole execution.</summary>
    public long TokensOut { get; init; }

    /// <summary>Words generated.</summary>
    public long Words { get; init; }

    /// <summary>When the execution first began to run.</summary>
    public DateTimeOffset? StartedAt { get; init; }

    /// <summary>For <see cref="JournalKind.Park"/>: when it is due; null waits for an event.</summary>
    public DateTimeOffset? DueAt { get; init; }

    /// <summary>For <see cref="JournalKind.Park"/>: retry, wait or paused.</summary>
    public string? Why { get; init; }

    /// <summary>For <see cref="JournalKind.Park"/>: what people are told it waits for.</summary>
    public JsonElement? WaitingFor { get; init; }

    /// <summary>For <see cref="JournalKind.Park"/>: the topics of the events that wake it, see <see cref="Signals.EventTopic"/>.</summary>
    public IReadOnlyList<string> Awaits { get; init; } = [];

    /// <summary>What is written with it beside its steps; null for nothing.</summary>
    public JournalAside? Aside { get; init; }

    /// <summary>About how many bytes it sends.</summary>
    internal long Weight()
    {
        var weight = 256 + Length(Result) + Length(ErrorDetails) + Length(WaitingFor) + (Aside?.Weight() ?? 0);
        foreach (var step in Steps) weight += 256 + Length(step.Output) + Length(step.Decision) + Length(step.Metrics) + Length(step.Error?.Details);
        return weight;
    }

    private static long Length(JsonElement? element) =>
        element is { ValueKind: not JsonValueKind.Undefined } value ? JsonMarshal.GetRawUtf8Value(value).Length : 0;
}

/// <summary>What became of an entry.</summary>
/// <param name="Verdict">The verdict of the database.</param>
/// <param name="Status">The row's status as it was seen under the lock.</param>
/// <param name="Run">The row's run as it was seen under the lock.</param>
/// <param name="Message">For <see cref="JournalVerdict.BadData"/>: what the database could not store.</param>
public readonly record struct JournalReply(JournalVerdict Verdict, string? Status = null, int? Run = null, string? Message = null);

/// <summary>Verdicts of the journal; see <c>flush</c> in the migrations.</summary>
public enum JournalVerdict
{
    /// <summary>Written, all of it.</summary>
    Committed,

    /// <summary>Another outcome is stored; reload and replay.</summary>
    Conflict,

    /// <summary>The claim is lost; nothing was written.</summary>
    Fenced,

    /// <summary>The claim is lost, but the outcomes were stored.</summary>
    Late,

    /// <summary>The execution is over; the claim is gone.</summary>
    Finished,

    /// <summary>The execution is in another run; the claim was given back.</summary>
    OtherRun,

    /// <summary>It is not paused any more; nothing was written.</summary>
    Resumed,

    /// <summary>The execution was deleted; the claim is gone.</summary>
    Missing,

    /// <summary>The database cannot store what is in it (a NUL character, a number out of range); nothing was written.</summary>
    BadData,
}

/// <summary>The only writer of execution state.</summary>
public interface IJournal
{
    /// <summary>Writes one entry, grouped with others; returns once it is durable or refused. Waits as long as the database is away.</summary>
    /// <param name="entry">What to write. An execution has at most one entry under way.</param>
    /// <param name="cancellationToken">Stops the waiting; the entry may still be written.</param>
    ValueTask<JournalReply> WriteAsync(JournalEntry entry, CancellationToken cancellationToken);
}
