using System.Diagnostics.CodeAnalysis;
using System.Threading.Channels;
using Npgsql;

namespace Lekhika.Postgres.Executions;

/// <summary>
/// Inserts executions: durable once it returns. What comes while an insert is under way gathers and goes out with the next one, so that a single request
/// is inserted at once and a hundred at the same time cost a few commits.
///
/// Failure rules:
///   * the server refuses a batch (data it cannot store, a workflow that is not there, somebody else inserting one of the ids): it has undone all of it,
///     and each is sent by itself, beside the batches that follow, so that nobody suffers from a neighbour;
///   * somebody else is inserting the same id and has not committed: that one waits for them, on one of the few connections that may wait;
///   * the connection breaks: nobody knows whether it is there, and each is told so.
///
/// However many are refused, no more than <see cref="MostApart"/> and <see cref="MostWaiting"/> connections are taken besides the one of the batches: the
/// pool is everybody's.
/// </summary>
[SuppressMessage("Design", "CA1001", Justification = "A semaphore that nobody waits for by its handle holds nothing.")]
public sealed class Submitter
{
    private const int MaxBatch = 100;
    private const int MostApart = 2;
    private const int MostWaiting = 2;

    // Characters of JSON.
    private const int MaxWeight = 4 * 1024 * 1024;

    private readonly Database _database;
    private readonly SemaphoreSlim _apart = new(MostApart);
    private readonly SemaphoreSlim _waiting = new(MostWaiting);

    // Written by requests, read by the loop below. Who finds it full waits for a place, and may leave until there is one.
    private readonly Channel<Waiting> _gathering = Channel.CreateBounded<Waiting>(new BoundedChannelOptions(2 * MaxBatch) { SingleReader = true });

    /// <summary>Begins at once, and ends with <see cref="Complete"/>.</summary>
    public Submitter(Database database)
    {
        _database = database;
        _ = Task.Run(RunAsync, CancellationToken.None);
    }

    /// <summary>Takes nothing more; what was taken is still inserted.</summary>
    public void Complete() => _gathering.Writer.TryComplete();

    /// <summary>Inserts one, claimed by <paramref name="incarnation"/> at once if <paramref name="claim"/>.</summary>
    /// <param name="incarnation">Who holds it, if it is claimed.</param>
    /// <param name="claim">Whether it is to be claimed.</param>
    /// <param name="submission">What is inserted.</param>
    /// <param name="cancellationToken">Leaves while it waits to be taken. What has been taken is waited for: whoever claims it has to start it.</param>
    /// <exception cref="NpgsqlException">It could not be made durable; it may or may not be there, so asking again is right.</exception>
    /// <exception cref="ChannelClosedException">After <see cref="Complete"/>.</exception>
    public async Task<SubmissionResult> SubmitAsync(long incarnation, bool claim, Submission submission, CancellationToken cancellationToken)
    {
        ArgumentNullException.ThrowIfNull(submission);
        var waiting = new Waiting(new SubmitItem(incarnation, claim, submission));
        await _gathering.Writer.WriteAsync(waiting, cancellationToken);
        return await waiting.Result.Task;
    }

    /// <summary>Sends batch after batch. Never throws.</summary>
    private async Task RunAsync()
    {
        var reader = _gathering.Reader;
        while (await reader.WaitToReadAsync(CancellationToken.None))
        {
            var batch = new List<Waiting>();
            for (var weight = 0L; batch.Count < MaxBatch && weight < MaxWeight && reader.TryRead(out var waiting); weight += waiting.Weight) batch.Add(waiting);
            await WriteAsync(batch);
        }
    }

    private async Task WriteAsync(List<Waiting> batch)
    {
        batch.Sort(static (left, right) => left.Item.Submission.Id.CompareTo(right.Item.Submission.Id));
        try
        {
            var results = await SubmitCommand.ManyAsync(_database, batch.ConvertAll(static waiting => waiting.Item), CancellationToken.None);
            for (var i = 0; i < batch.Count; i++) batch[i].Result.SetResult(results[i]);
        }
        catch (Exception exception) when (exception is not PostgresException && Database.IsTransient(exception))
        {
            foreach (var waiting in batch) waiting.Result.SetException(exception);
        }
        catch (Exception)
        {
            // Undone as a whole, so each may be tried again; whoever is to blame learns it there.
            foreach (var waiting in batch) _ = ApartAsync(waiting);
        }
    }

    private async Task ApartAsync(Waiting waiting)
    {
        try
        {
            waiting.Result.SetResult(
                await WithinAsync(_apart, TakeAsync) ?? (await WithinAsync(_waiting, () => SubmitCommand.OneAsync(_database, waiting.Item, CancellationToken.None)))!);
        }
        catch (Exception exception)
        {
            waiting.Result.SetException(exception);
        }

        // Null: somebody else's transaction is in its way.
        async Task<SubmissionResult?> TakeAsync()
        {
            try
            {
                return (await SubmitCommand.ManyAsync(_database, [waiting.Item], CancellationToken.None))[0];
            }
            catch (PostgresException exception) when (exception.SqlState == PostgresErrorCodes.LockNotAvailable)
            {
                return null;
            }
        }
    }

    private static async Task<T> WithinAsync<T>(SemaphoreSlim places, Func<Task<T>> work)
    {
        await places.WaitAsync();
        try
        {
            return await work();
        }
        finally
        {
            places.Release();
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
