using System.Collections.Concurrent;
using System.Text.Json;
using Lekhika.Daemon.Dispatch;
using Lekhika.Daemon.Http;
using Lekhika.Daemon.Http.Signals;
using Lekhika.Daemon.Nodes;
using Lekhika.Postgres.Executions;
using Lekhika.Postgres.Queue;
using Lekhika.Postgres.Signals;
using Lekhika.Workflows.Execution;
using Lekhika.Workflows.Validation;

namespace Lekhika.Daemon.Tests.Http.Support;

/// <summary>Keeps what is submitted, as the database's submit function does.</summary>
internal sealed class FakeIntake : IIntake
{
    private readonly ConcurrentDictionary<Guid, (Submission Submission, SubmissionResult Result)> _kept = new();
    private int _hints;

    public Func<Submission, Exception?> Refuse { get; set; } = static _ => null;

    /// <summary>The commit; a test may hold it back.</summary>
    public Task Commit { get; set; } = Task.CompletedTask;

    public ICollection<Submission> Submissions => [.. _kept.Values.Select(static kept => kept.Submission)];

    public int Hints => Volatile.Read(ref _hints);

    public async Task<SubmissionResult> SubmitAsync(Submission submission, CancellationToken cancellationToken)
    {
        if (Refuse(submission) is { } refusal) throw refusal;
        await Commit.WaitAsync(cancellationToken);
        var there = _kept.Values.FirstOrDefault(kept =>
            kept.Submission.Id == submission.Id || (submission.IdempotencyKey is { } key && kept.Submission.IdempotencyKey == key));
        if (there.Submission is not null) return there.Result with { Created = false };
        var result = new SubmissionResult(
            true, true, submission.Id, _kept.Count + 1, "pending", 1, submission.RequestHash, TimeProvider.System.GetUtcNow());
        _kept[submission.Id] = (submission, result);
        return result;
    }

    public void HintCommands() => Interlocked.Increment(ref _hints);

    public void HintEvents() => Interlocked.Increment(ref _hints);
}

/// <summary>Takes each id once.</summary>
internal sealed class FakeSignals : ISignalStore
{
    private readonly ConcurrentDictionary<Guid, SignalToSend> _sent = new();

    public ICollection<SignalToSend> Sent => _sent.Values;

    public List<ApprovalGate> Gates { get; } = [];

    public Func<SignalToSend, SignalVerdict> Verdict { get; set; } = static _ => SignalVerdict.Accepted;

    public Task<(SignalVerdict Verdict, string? Status)> SendAsync(SignalToSend signal, CancellationToken cancellationToken)
    {
        var verdict = Verdict(signal);
        if (verdict == SignalVerdict.Accepted && !_sent.TryAdd(signal.Id, signal)) verdict = SignalVerdict.Repeated;
        return Task.FromResult((verdict, (string?)"waiting"));
    }

    public Task<bool> IsKnownAsync(Guid id, CancellationToken cancellationToken) => Task.FromResult(_sent.ContainsKey(id));

    public Task<List<ApprovalGate>> GatesAsync(long exec, int run, CancellationToken cancellationToken) => Task.FromResult(Gates);
}

/// <summary>Rows and steps in memory; changes of status are judged as the trigger judges them.</summary>
internal sealed class FakeStore : IExecutionStore
{
    private readonly ConcurrentDictionary<Guid, ExecutionRow> _rows = new();

    public ConcurrentDictionary<long, List<StepRecord>> Steps { get; } = new();

    public long? Position { get; set; }

    public Func<Exception?> Fails { get; set; } = static () => null;

    /// <summary>Whether it never answers.</summary>
    public bool IsSilent { get; set; }

    public void Put(ExecutionRow row) => _rows[row.Id] = row;

    public void Remove(Guid id) => _rows.TryRemove(id, out _);

    public async Task<ExecutionRow?> FindAsync(Guid id, CancellationToken cancellationToken)
    {
        if (IsSilent) await Task.Delay(Timeout.InfiniteTimeSpan, TimeProvider.System, cancellationToken);
        if (Fails() is { } failure) throw failure;
        return _rows.GetValueOrDefault(id);
    }

    public Task<List<StepRecord>> StepsAsync(long exec, int run, CancellationToken cancellationToken) =>
        Task.FromResult(Steps.GetValueOrDefault(exec) ?? []);

    public Task<long?> QueuePositionAsync(long exec, CancellationToken cancellationToken) => Task.FromResult(Position);

    public Task<Standing?> SetStatusAsync(Guid id, string status, CancellationToken cancellationToken)
    {
        if (!_rows.TryGetValue(id, out var row)) return Task.FromResult<Standing?>(null);
        var isOver = row.Status is "completed" or "failed" or "cancelled";
        if (!isOver) row = _rows[id] = row with { Status = status };
        return Task.FromResult<Standing?>(new Standing(row.Exec, row.Status, row.Run));
    }
}

/// <summary>Finds fault with a definition without nodes, and with nodes of type <c>sracping</c>.</summary>
internal sealed class FakeCompiler : IWorkflowCompiler
{
    public CompileResult Compile(JsonElement document)
    {
        var problems = new List<Problem>();
        if (!document.TryGetProperty("nodes", out var nodes) || nodes.ValueKind != JsonValueKind.Array || nodes.GetArrayLength() == 0)
        {
            problems.Add(new Problem(Severity.Error, "no_nodes", "nodes", "The workflow has no nodes."));
            return new CompileResult(null, "canonical", problems);
        }

        for (var i = 0; i < nodes.GetArrayLength(); i++)
        {
            var type = nodes[i].TryGetProperty("type", out var value) ? value.GetString() : null;
            if (type == "sracping")
                problems.Add(new Problem(Severity.Error, "unknown_node_type", $"nodes[{i}].type", "Unknown node type 'sracping'.", "scraping"));
            if (type == "old")
                problems.Add(new Problem(Severity.Warning, "deprecated", $"nodes[{i}].type", "This type is old."));
        }

        return new CompileResult(null, "canonical", problems);
    }
}
