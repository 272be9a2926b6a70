using Lekhika.Daemon.Nodes;
using Lekhika.Workflows.Execution;

namespace Lekhika.Daemon.Dispatch;

/// <summary>What the task that owns an execution is told.</summary>
internal abstract record OwnerMessage;

/// <summary>An attempt has ended.</summary>
internal sealed record AttemptEnded(RunningEffect Effect, NodeOutcome Outcome, DateTimeOffset FinishedAt) : OwnerMessage;

/// <summary>The execution's row says something else than "go on" (or says so again).</summary>
/// <param name="Status">Its status; null if the row is gone.</param>
/// <param name="Run">Its run.</param>
internal sealed record RowSays(string? Status, int? Run) : OwnerMessage;

/// <summary>A time has come: running is to be shown, a retry or the deadline is due.</summary>
internal sealed record Tick : OwnerMessage
{
    public static Tick Instance { get; } = new();
}

/// <summary>There are events that this execution waits for.</summary>
internal sealed record EventsThere : OwnerMessage
{
    public static EventsThere Instance { get; } = new();
}

/// <summary>The daemon is about to stop: start nothing new.</summary>
internal sealed record Drain : OwnerMessage
{
    public static Drain Instance { get; } = new();
}

/// <summary>An attempt under way.</summary>
internal sealed class RunningEffect(StepRef step, int attempt, NodeProgram program, DateTimeOffset startedAt, CancellationTokenSource cancellation)
{
    public StepRef Step { get; } = step;

    public int Attempt { get; } = attempt;

    public NodeProgram Program { get; } = program;

    public DateTimeOffset StartedAt { get; } = startedAt;

    public CancellationTokenSource Cancellation { get; } = cancellation;

    /// <summary>Why it was cancelled, where that was not its time limit.</summary>
    public bool Aborted { get; set; }

    public Task Task { get; set; } = Task.CompletedTask;
}
