using System.Text.Json;

namespace Lekhika.Workflows.Execution;

/// <summary>The iterations of one map or loop step.</summary>
internal sealed class ScopeState(StepState step)
{
    public StepState Step { get; } = step;

    /// <summary>Those that were started, and those that only keep records so far.</summary>
    public Dictionary<int, GraphState> Iterations { get; } = [];

    /// <summary>Recorded decisions of a while-loop, by pass.</summary>
    public Dictionary<int, StepRecord> Decisions { get; } = [];

    public bool Opened { get; set; }

    /// <summary>Whether no iteration may be started or go on.</summary>
    public bool Stopped { get; set; }

    /// <summary>The items of a map.</summary>
    public JsonElement[]? Items { get; set; }

    /// <summary>How many iterations there will be; null while only a condition knows.</summary>
    public int? Count { get; set; }

    public bool IsWhile { get; set; }

    /// <summary>The most iterations.</summary>
    public int Limit { get; set; }

    public int Concurrency { get; set; } = 1;

    /// <summary>Number of the iteration that is started next.</summary>
    public int Next { get; set; }

    /// <summary>Iterations started and not over.</summary>
    public int Active { get; set; }

    /// <summary>Highest number of an iteration that anything is recorded of; -1 if none.</summary>
    public int Highest { get; set; } = -1;

    /// <summary>Why it fails apart from an iteration's failure.</summary>
    public StepError? Error { get; set; }

    /// <summary>The iteration that fails it; the earliest to fail if several did.</summary>
    public GraphState? FailedIteration { get; set; }

    /// <summary>Sum of the iterations' fractions.</summary>
    public double DoneFraction { get; set; }

    public bool IsFailing => Error is not null || FailedIteration is not null;
}
