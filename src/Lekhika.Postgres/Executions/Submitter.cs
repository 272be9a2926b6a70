using Npgsql;

namespace Lekhika.Postgres.Executions;

/// <summary>
/// Inserts executions: durable once it returns. What comes while an insert is under way gathers and goes out with the next one, so that a single request
/// is inserted at once and a hundred at the same time cost a few commits.
///
/// Failure rules:
///   * the server refuses a batch (data it cannot store, a workflow that is not there, somebody else inserting one of the ids): it has undone all of it,
///     and each is sent by itself, beside the others, so that nobody suffers from a neighbour;
///   * the connection breaks: nobody knows whether it is there, and each is told so.
/// </summary>
public sealed class Submitter(Database database)
{
    private const int MaxBatch = 100;

    // Characters of JSON.
    private const int MaxWeight = 4 * 1024 * 1024;

    private readonly Lock _lock = new();
    private readonly Queue<Waiting> _gathering = new();
    private bool _running;

    /// <summary>Inserts one, claimed by <paramref name="incarnation"/> at once if <paramref name="claim"/>.</summary>
    /// <exception cref="NpgsqlException">It could not be made durable; it may or may not be there, so asking again is right.</exception>
    public Task<SubmissionResult> SubmitAsync(long incarnation, bool claim, Submission submission)
    {
        ArgumentNullException.ThrowIfNull(submission);
        var waiting = new Waiting(new SubmitItem(incarnation, claim, submission));
        lock (_lock)
        {
            _gathering.Enqueue(waiting);
            if (!_running)
            {
                _running = true;
                _ = Task.Run(RunAsync, CancellationToken.None);
            }
        }

        return waiting.Result.Task;
    }

    /// <summary>Sends batch after batch until nothing is left. Never throws.</summary>
    private async Task RunAsync()
    {
        while (true)
        {
            var batch = new List<Waiting>();
            lock (_lock)
            {
                var weight = 0L;
                while (batch.Count < MaxBatch && weight < MaxWeight && _gathering.TryDequeue(out var waiting))
                {
                    batch.Add(waiting);
                    weight += waiting.Weight;
                }

                if (batch.Count == 0)
                {
                    _running = false;
                    return;
                }
            }

            await WriteAsync(batch);
        }
    }

    private async Task WriteAsync(List<Waiting> batch)
    {
        batch.Sort(static (left, right) => left.Item.Submission.Id.CompareTo(right.Item.Submission.Id));
        try
        {
            var results = await SubmitCommand.ManyAsync(database, batch.ConvertAll(static waiting => waiting.Item), CancellationToken.None);
            for (var i = 0; i < batch.Count; i++) batch[i].Result.SetResult(results[i]);
        }
        catch (Exception exception) when (exception is not PostgresException && Database.IsTransient(exception))
        {
            foreach (var waiting in batch) waiting.Result.SetException(exception);
        }
        catch (Exception)
        {
            // Undone as a whole, so each may be tried again; whoever is to blame learns it there.
            foreach (var waiting in batch) _ = OneAsync(waiting);
        }
    }

    private async Task OneAsync(Waiting waiting)
    {
        try
        {
            waiting.Result.SetResult(await SubmitCommand.OneAsync(database, waiting.Item, CancellationToken.None));
        }
        catch (Exception exception)
        {
            waiting.Result.SetException(exception);
        }
    }

    private sealed class Waiting(SubmitItem item)
    {
        public SubmitItem Item => item;

        public long Weight { get; } =
            (item.Submission.Definition?.Length ?? 0) + (item.Submission.Inputs?.Length ?? 0) + (item.Submission.Request?.Length ?? 0);

        public TaskCompletionSource<SubmissionResult> Result { get; } = new(TaskCreationOptions.RunContinuationsAsynchronously);
    }
}
