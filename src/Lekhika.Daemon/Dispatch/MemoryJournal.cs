using Lekhika.Postgres.Executions;
using Lekhika.Postgres.Signals;
using Lekhika.Workflows.Execution;

namespace Lekhika.Daemon.Dispatch;

/// <summary>The journal of an execution that has no database: it keeps what it is told, and what was the last word.</summary>
internal sealed class MemoryJournal : IJournal, IRunStore
{
    private readonly List<StepRecord> _steps = [];

    /// <summary>The entry that ended, parked or released the execution; null while it runs.</summary>
    public JournalEntry? Last { get; private set; }

    /// <summary>Events that were sent and are not consumed.</summary>
    public List<WaitEvent> Events { get; } = [];

    /// <summary>Children that were started.</summary>
    public List<ChildStart> Children { get; } = [];

    public ValueTask<JournalReply> WriteAsync(JournalEntry entry, CancellationToken cancellationToken)
    {
        _steps.AddRange(entry.Steps);
        if (entry.Aside is { } aside)
        {
            Events.RemoveAll(sent => aside.Consumed.Contains(sent.Id));
            Children.AddRange(aside.Children);
        }

        if (entry.Kind is not (JournalKind.Append or JournalKind.Running)) Last = entry;
        return ValueTask.FromResult(new JournalReply(JournalVerdict.Committed, "running", entry.Fence.Run));
    }

    public Task<List<StepRecord>> StepsAsync(long exec, int run, CancellationToken cancellationToken) => Task.FromResult(_steps.ToList());

    public Task<List<WaitEvent>> EventsAsync(long exec, int run, IReadOnlyList<string> topics, CancellationToken cancellationToken) =>
        Task.FromResult(Events.Where(sent => topics.Contains(sent.Topic, StringComparer.Ordinal)).ToList());
}
