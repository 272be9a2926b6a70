using System.Text.Json;

namespace Lekhika.Workflows.Execution;

/// <summary>
/// All records of one step, a set: what it says does not depend on the order in which they came. Records that cannot both be true
/// are refused.
/// </summary>
internal sealed class StepFacts
{
    private readonly List<StepRecord> _all = [];

    public StepRecord? Final { get; private set; }

    public StepRecord? Opened { get; private set; }

    /// <summary>The retry or wait that holds while there is no final record.</summary>
    public StepRecord? Latest { get; private set; }

    /// <summary>Attempts that failed and were followed by another.</summary>
    public int Retries { get; private set; }

    public string? FiredBy { get; private set; }

    public int Attempt { get; private set; }

    /// <summary>Number of the attempt to make next, given that there is no final record.</summary>
    public int NextAttempt => Latest is null ? 1 : Latest.Outcome == StepOutcome.Retrying ? Latest.Attempt + 1 : Latest.Attempt;

    /// <summary>Adds a record; false when it says nothing new.</summary>
    /// <exception cref="InvalidOperationException">It contradicts what is there.</exception>
    public bool Add(StepRecord record)
    {
        for (var i = 0; i < _all.Count; i++)
        {
            var known = _all[i];
            if (known.Attempt == record.Attempt && known.Outcome == record.Outcome && IsSame(known, record))
            {
                // Replay may load keys and decisions first and outputs when they are asked for.
                if (known.Output is not null || record.Output is null) return false;
                _all[i] = record;
                if (ReferenceEquals(Final, known)) Final = record;
                return false;
            }

            if (Contradicts(known, record) is { } reason) throw Contradiction(record, reason);
        }

        _all.Add(record);
        FiredBy ??= record.FiredBy;
        Attempt = Math.Max(Attempt, record.Attempt);
        if (record.IsFinal) Final = record;
        else if (record.Outcome == StepOutcome.Opened) Opened = record;
        else
        {
            if (record.Outcome == StepOutcome.Retrying) Retries++;
            if (Latest is null || Follows(record, Latest)) Latest = record;
        }

        return true;
    }

    /// <summary>Whether two records of the same attempt and outcome say the same; clocks and costs do not matter.</summary>
    public static bool IsSame(StepRecord one, StepRecord other) =>
        string.Equals(one.Branch, other.Branch, StringComparison.Ordinal)
        && string.Equals(one.FiredBy, other.FiredBy, StringComparison.Ordinal)
        && string.Equals(one.Error?.Code, other.Error?.Code, StringComparison.Ordinal)
        && IsSameTime(one.DueAt, other.DueAt)
        && IsSameJson(one.Decision, other.Decision)
        && (one.Output is null || other.Output is null || IsSameJson(one.Output, other.Output));

    public static InvalidOperationException Contradiction(StepRecord record, string reason) => new(FormattableString.Invariant(
        $"The record of step '{record.Key}' (run {record.Run}, attempt {record.Attempt}, {record.Outcome}) contradicts what is known: {reason}"));

    private static string? Contradicts(StepRecord known, StepRecord added)
    {
        if (known.FiredBy is not null && added.FiredBy is not null && known.FiredBy != added.FiredBy)
            return $"another record says that '{known.FiredBy}' fired it, this one says '{added.FiredBy}'.";
        if (known.IsFinal && added.IsFinal) return "the step already has another final record.";
        var (first, second) = Precedes(known, added) ? (known, added) : (added, known);
        if (first.Outcome == second.Outcome && first.Attempt == second.Attempt)
        {
            // A wait may be put off within its attempt; the later due time holds.
            return first.Outcome == StepOutcome.Waiting && first.DueAt is not null && second.DueAt is not null
                && !IsSameTime(first.DueAt, second.DueAt)
                    ? null
                    : "the same attempt is recorded with another content.";
        }

        if (first.Outcome == StepOutcome.Opened && second.Outcome == StepOutcome.Opened) return "the scope was opened twice.";
        if (first.IsFinal) return "a final record was made before this attempt.";
        if (second.IsFinal && first.Outcome == StepOutcome.Retrying && first.Attempt == second.Attempt)
            return "the same attempt is recorded both as final and as followed by another.";
        if (first.Outcome == StepOutcome.Opened && !second.IsFinal) return "a scope that was opened is not tried again.";
        return second.Outcome == StepOutcome.Opened && first.Attempt == second.Attempt
            ? "the attempt that opened the scope did not fail."
            : null;
    }

    private static bool Precedes(StepRecord one, StepRecord other) =>
        one.Attempt != other.Attempt ? one.Attempt < other.Attempt : Rank(one) <= Rank(other);

    private static bool Follows(StepRecord one, StepRecord other) =>
        one.Attempt != other.Attempt ? one.Attempt > other.Attempt
        : Rank(one) != Rank(other) ? Rank(one) > Rank(other)
        : Nullable.Compare(one.DueAt, other.DueAt) > 0;

    /// <summary>Order of the outcomes that one attempt may have, one after the other.</summary>
    private static int Rank(StepRecord record) => record.Outcome switch
    {
        StepOutcome.Waiting => 0,
        StepOutcome.Retrying => 1,
        StepOutcome.Opened => 2,
        _ => 3,
    };

    /// <summary>Databases keep microseconds, so a stored time may differ a little from the one that was recorded.</summary>
    private static bool IsSameTime(DateTimeOffset? one, DateTimeOffset? other) =>
        one is null || other is null ? one is null && other is null : (one.Value - other.Value).Duration() < TimeSpan.FromMilliseconds(1);

    private static bool IsSameJson(JsonElement? one, JsonElement? other) =>
        one is null || other is null ? one is null && other is null : JsonElement.DeepEquals(one.Value, other.Value);
}
