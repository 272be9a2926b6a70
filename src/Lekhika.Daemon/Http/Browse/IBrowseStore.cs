using Lekhika.Postgres;
using Lekhika.Postgres.Definitions;
using Lekhika.Postgres.Executions;
using Lekhika.Postgres.Jobs;
using Lekhika.Postgres.Queue;

namespace Lekhika.Daemon.Http.Browse;

/// <summary>What HTTP asks of the database for people who look around: lists, counts, histories, workflows, workers.</summary>
internal interface IBrowseStore
{
    Task<ExecutionPage> PageAsync(ExecutionFilter filter, long? below, int limit, CancellationToken cancellationToken);

    /// <summary>One execution as lists show it, by its inner number.</summary>
    Task<ExecutionListItem?> ItemAsync(long exec, CancellationToken cancellationToken);

    Task<ExecutionCounts> CountAsync(CancellationToken cancellationToken);

    Task<StepPage> StepsAsync(long exec, int? run, bool withOutputs, int skip, int limit, CancellationToken cancellationToken);

    Task<List<OpenedRun>> RunsAsync(long exec, CancellationToken cancellationToken);

    Task<List<StoredWorkflow>> WorkflowsAsync(Guid? after, string? query, int limit, CancellationToken cancellationToken);

    Task<StoredWorkflow?> WorkflowAsync(Guid id, CancellationToken cancellationToken);

    /// <returns>It as it is stored; null if its id is taken.</returns>
    Task<StoredWorkflow?> AddWorkflowAsync(StoredWorkflow workflow, string definition, CancellationToken cancellationToken);

    /// <returns>It after the change; null if there is none, or it has another version.</returns>
    Task<StoredWorkflow?> ChangeWorkflowAsync(Guid id, WorkflowChange change, CancellationToken cancellationToken);

    Task<List<WorkerFact>> WorkersAsync(int limit, CancellationToken cancellationToken);

    Task<QueuePicture> QueueAsync(CancellationToken cancellationToken);

    Task<List<JobListItem>> JobsAsync(IReadOnlyList<string> statuses, DateTimeOffset? before, int limit, CancellationToken cancellationToken);
}

/// <summary>The same, from PostgreSQL.</summary>
internal sealed class BrowseStore(Database database) : IBrowseStore
{
    private readonly ExecutionLists _lists = new(database);
    private readonly ExecutionCounter _counter = new(database);
    private readonly StepHistory _history = new(database);
    private readonly WorkflowStore _workflows = new(database);
    private readonly QueueFacts _queue = new(database);
    private readonly JobList _jobs = new(database);

    public Task<ExecutionPage> PageAsync(ExecutionFilter filter, long? below, int limit, CancellationToken cancellationToken) =>
        _lists.PageAsync(filter, below, limit, cancellationToken);

    public Task<ExecutionListItem?> ItemAsync(long exec, CancellationToken cancellationToken) => _lists.FindAsync(exec, cancellationToken);

    public Task<ExecutionCounts> CountAsync(CancellationToken cancellationToken) => _counter.CountAsync(cancellationToken);

    public Task<StepPage> StepsAsync(long exec, int? run, bool withOutputs, int skip, int limit, CancellationToken cancellationToken) =>
        _history.PageAsync(exec, run, withOutputs, skip, limit, cancellationToken);

    public Task<List<OpenedRun>> RunsAsync(long exec, CancellationToken cancellationToken) => _history.RunsAsync(exec, cancellationToken);

    public Task<List<StoredWorkflow>> WorkflowsAsync(Guid? after, string? query, int limit, CancellationToken cancellationToken) =>
        _workflows.ListAsync(after, query, limit, cancellationToken);

    public Task<StoredWorkflow?> WorkflowAsync(Guid id, CancellationToken cancellationToken) => _workflows.FindAsync(id, cancellationToken);

    public Task<StoredWorkflow?> AddWorkflowAsync(StoredWorkflow workflow, string definition, CancellationToken cancellationToken) =>
        _workflows.AddAsync(workflow, definition, cancellationToken);

    public Task<StoredWorkflow?> ChangeWorkflowAsync(Guid id, WorkflowChange change, CancellationToken cancellationToken) =>
        _workflows.ChangeAsync(id, change, cancellationToken);

    public Task<List<WorkerFact>> WorkersAsync(int limit, CancellationToken cancellationToken) => _queue.WorkersAsync(limit, cancellationToken);

    public Task<QueuePicture> QueueAsync(CancellationToken cancellationToken) => _queue.QueueAsync(cancellationToken);

    public Task<List<JobListItem>> JobsAsync(
        IReadOnlyList<string> statuses, DateTimeOffset? before, int limit, CancellationToken cancellationToken) =>
        _jobs.ListAsync(statuses, before, limit, cancellationToken);
}
