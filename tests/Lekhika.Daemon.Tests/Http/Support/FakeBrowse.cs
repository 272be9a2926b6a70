using System.Collections.Concurrent;
using Lekhika.Daemon.Http.Browse;
using Lekhika.Postgres.Definitions;
using Lekhika.Postgres.Executions;
using Lekhika.Postgres.Jobs;
using Lekhika.Postgres.Queue;
using Lekhika.Workflows.Execution;

namespace Lekhika.Daemon.Tests.Http.Support;

/// <summary>Lists and workflows in memory.</summary>
internal sealed class FakeBrowse : IBrowseStore
{
    private int _counted;

    public List<ExecutionListItem> Items { get; } = [];

    public List<StepRecord> Steps { get; } = [];

    public List<OpenedRun> Runs { get; } = [];

    public List<JobListItem> Jobs { get; } = [];

    public List<WorkerFact> Workers { get; } = [];

    public ConcurrentDictionary<Guid, StoredWorkflow> Workflows { get; } = new();

    /// <summary>What was asked for last.</summary>
    public ExecutionFilter? Filter { get; private set; }

    public int Counted => Volatile.Read(ref _counted);

    public Task<ExecutionPage> PageAsync(ExecutionFilter filter, long? below, int limit, CancellationToken cancellationToken)
    {
        Filter = filter;
        var items = Items.Where(item => item.Exec < (below ?? long.MaxValue)).OrderByDescending(static item => item.Exec).ToList();
        return Task.FromResult(new ExecutionPage([.. items.Take(limit)], items.Count > limit ? items[limit - 1].Exec : null));
    }

    public Task<ExecutionListItem?> ItemAsync(long exec, CancellationToken cancellationToken) =>
        Task.FromResult(Items.FirstOrDefault(item => item.Exec == exec));

    public async Task<ExecutionCounts> CountAsync(CancellationToken cancellationToken)
    {
        Interlocked.Increment(ref _counted);
        // What takes no time is asked for every time.
        await Task.Delay(TimeSpan.FromMilliseconds(50), TimeProvider.System, cancellationToken);
        return new ExecutionCounts(1, 2, 3, 4, 5, 6, 7, Exact: true);
    }

    public Task<StepPage> StepsAsync(long exec, int? run, bool withOutputs, int skip, int limit, CancellationToken cancellationToken)
    {
        var records = Steps.Where(record => run is null || record.Run == run).Skip(skip).ToList();
        return Task.FromResult(new StepPage([.. records.Take(limit)], records.Count > limit ? skip + limit : null));
    }

    public Task<List<OpenedRun>> RunsAsync(long exec, CancellationToken cancellationToken) => Task.FromResult(Runs);

    public Task<List<StoredWorkflow>> WorkflowsAsync(Guid? after, string? query, int limit, CancellationToken cancellationToken) => Task.FromResult(
        Workflows.Values.Where(workflow => after is null || workflow.Id.CompareTo(after.Value) > 0)
            .Where(workflow => query is null || workflow.Name.Contains(query, StringComparison.OrdinalIgnoreCase))
            .OrderBy(static workflow => workflow.Id).Take(limit).ToList());

    public Task<StoredWorkflow?> WorkflowAsync(Guid id, CancellationToken cancellationToken) => Task.FromResult(Workflows.GetValueOrDefault(id));

    public Task<StoredWorkflow?> AddWorkflowAsync(StoredWorkflow workflow, string definition, CancellationToken cancellationToken)
    {
        var stored = workflow with { Definition = TestServer.Json(definition) };
        return Task.FromResult(Workflows.TryAdd(workflow.Id, stored) ? stored : null);
    }

    public Task<StoredWorkflow?> ChangeWorkflowAsync(Guid id, WorkflowChange change, CancellationToken cancellationToken)
    {
        if (!Workflows.TryGetValue(id, out var workflow) || (change.FromVersion ?? workflow.Version) != workflow.Version)
            return Task.FromResult<StoredWorkflow?>(null);
        var changed = workflow with
        {
            Name = change.Name ?? workflow.Name,
            Definition = change.Definition is null ? workflow.Definition : TestServer.Json(change.Definition),
            Version = workflow.Version + (change.Definition is null ? 0 : 1),
            IsActive = change.IsActive ?? workflow.IsActive,
        };
        Workflows[id] = changed;
        return Task.FromResult<StoredWorkflow?>(changed);
    }

    public Task<List<WorkerFact>> WorkersAsync(int limit, CancellationToken cancellationToken) => Task.FromResult(Workers);

    public Task<QueuePicture> QueueAsync(CancellationToken cancellationToken) =>
        Task.FromResult(new QueuePicture(3, 2, 1, TimeSpan.FromSeconds(1.5)));

    public Task<List<JobListItem>> JobsAsync(IReadOnlyList<string> statuses, DateTimeOffset? before, int limit, CancellationToken cancellationToken) =>
        Task.FromResult(Jobs.Where(job => before is null || job.CreatedAt < before).OrderByDescending(static job => job.CreatedAt).Take(limit).ToList());
}
