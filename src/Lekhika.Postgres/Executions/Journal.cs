using System.Diagnostics.CodeAnalysis;
using System.Threading.Channels;
using Microsoft.Extensions.Logging;
using Npgsql;

namespace Lekhika.Postgres.Executions;

/// <summary>
/// The journal of one incarnation: groups what executions have to say into few commits.
///
/// Written to by every running execution, read by one loop. While a batch is on its way to the database the next one gathers, so that a
/// single entry is written at once and a thousand at the same time cost a few commits; no entry waits for a timer.
///
/// Failure rules:
///   * the database away or a deadlock: the batch is kept and tried again until it is written (law 7);
///   * a row locked by somebody else's transaction: that entry alone is tried again a little later, the rest is committed;
///   * data that the database cannot store: the batch is halved until the entry is found, which alone is answered with BadData;
///   * a batch that takes longer than a statement may, or more memory than there is: halved too, and tried until it is written;
///   * two entries of one execution (a writer that gave up waiting and wrote again): one batch after the other, in order;
///   * the writer is told to stop: what is queued is still written, as long as the stop token allows.
/// </summary>
public sealed partial class Journal : IJournal, IAsyncDisposable
{
    private const int MaxBatch = 500;
    private const int Capacity = 4096;

    // Bytes of JSON. A message of a gigabyte is refused by breaking the connection, which would be tried again for ever.
    private const long MaxBatchWeight = 16 * 1024 * 1024;
    private static readonly TimeSpan LockedDelay = TimeSpan.FromMilliseconds(50);
    private static readonly TimeSpan MaxOutageDelay = TimeSpan.FromSeconds(2);

    private readonly Database _database;
    private readonly KeptConnection _connection;
    private readonly long _incarnation;
    private readonly string _workerId;
    private readonly TimeProvider _time;
    private readonly ILogger _logger;

    // Writers: every execution task. Reader: WriteLoopAsync. A full channel makes the executions wait, which is the back-pressure wanted.
    private readonly Channel<Pending> _channel = Channel.CreateBounded<Pending>(
        new BoundedChannelOptions(Capacity) { FullMode = BoundedChannelFullMode.Wait, SingleReader = true });

    private readonly CancellationTokenSource _abort = new();
    private readonly Task _loop;
    private long _lastProgress;
    private int _taken;

    /// <summary>Starts the writer.</summary>
    public Journal(Database database, long incarnation, string workerId, TimeProvider time, ILogger<Journal> logger)
    {
        (_database, _connection, _incarnation, _workerId, _time, _logger) = (database, new KeptConnection(database), incarnation, workerId, time, logger);
        _lastProgress = time.GetTimestamp();
        _loop = Task.Run(WriteLoopAsync);
    }

    /// <summary>The loop; it ends only by <see cref="DisposeAsync"/>, anything else is a fault that must end the process.</summary>
    public Task Completion => _loop;

    /// <summary>Whether the database has refused or not answered the last batch.</summary>
    public bool Stalled { get; private set; }

    /// <summary>Entries accepted and not yet answered.</summary>
    public int Backlog => _channel.Reader.Count + Volatile.Read(ref _taken);

    /// <summary>Time since the loop last went round; a watchdog feeds on it.</summary>
    public TimeSpan SinceProgress => _time.GetElapsedTime(Interlocked.Read(ref _lastProgress));

    /// <inheritdoc/>
    public async ValueTask<JournalReply> WriteAsync(JournalEntry entry, CancellationToken cancellationToken)
    {
        var pending = new Pending(entry);
        await _channel.Writer.WriteAsync(pending, cancellationToken);
        return await pending.Reply.Task.WaitAsync(cancellationToken);
    }

    /// <summary>Stops accepting entries, writes what is queued as long as <paramref name="patience"/> lasts, then gives up.</summary>
    public async Task StopAsync(TimeSpan patience)
    {
        _channel.Writer.TryComplete();
        try
        {
            await _loop.WaitAsync(patience, _time);
        }
        catch (TimeoutException)
        {
            await _abort.CancelAsync();
            await _loop;
        }
    }

    /// <inheritdoc/>
    public async ValueTask DisposeAsync()
    {
        await StopAsync(TimeSpan.FromSeconds(5));
        _abort.Dispose();
    }

    private async Task WriteLoopAsync()
    {
        var batch = new List<Pending>(MaxBatch);
        var later = new List<Pending>();
        try
        {
            while (await MoreAsync(later))
            {
                Interlocked.Exchange(ref _lastProgress, _time.GetTimestamp());
                Gather(batch, later);
                Volatile.Write(ref _taken, batch.Count + later.Count);
                if (batch.Count > 0) await WriteAsync(batch, later);
                batch.Clear();
                Volatile.Write(ref _taken, later.Count);
            }
        }
        catch (OperationCanceledException) when (_abort.IsCancellationRequested)
        {
            LogGivenUp(_logger, batch.Count + later.Count + Backlog);
        }
        finally
        {
            foreach (var pending in batch.Concat(later)) pending.Reply.TrySetCanceled();
            _channel.Writer.TryComplete();
            while (_channel.Reader.TryRead(out var pending)) pending.Reply.TrySetCanceled();
            await _connection.DisposeAsync();
        }
    }

    /// <summary>Fills a batch with what is due and what has come: at most one entry of an execution, and never a later one before an earlier one.</summary>
    private void Gather(List<Pending> batch, List<Pending> later)
    {
        batch.Clear();
        var now = _time.GetTimestamp();
        var taken = new HashSet<long>();
        var weight = 0L;
        later.RemoveAll(pending =>
        {
            if (!taken.Add(pending.Entry.Fence.Exec) || pending.NotBefore > now || batch.Count == MaxBatch || weight >= MaxBatchWeight) return false;
            batch.Add(pending);
            weight += pending.Weight;
            return true;
        });
        while (batch.Count < MaxBatch && weight < MaxBatchWeight && _channel.Reader.TryRead(out var pending))
        {
            if (taken.Add(pending.Entry.Fence.Exec))
            {
                batch.Add(pending);
                weight += pending.Weight;
            }
            else
            {
                Postpone(pending, later);
            }
        }
    }

    private void Postpone(Pending pending, List<Pending> later)
    {
        pending.NotBefore = _time.GetTimestamp() + (long)(LockedDelay.TotalSeconds * _time.TimestampFrequency);
        later.Add(pending);
    }

    /// <summary>Waits for the next entry, or for a locked one to be due; false once the channel is closed and empty.</summary>
    private async ValueTask<bool> MoreAsync(List<Pending> later)
    {
        if (later.Count == 0) return await _channel.Reader.WaitToReadAsync(_abort.Token);

        var wait = _time.GetElapsedTime(_time.GetTimestamp(), later.Min(pending => pending.NotBefore));
        if (wait <= TimeSpan.Zero) return true;
        using var due = CancellationTokenSource.CreateLinkedTokenSource(_abort.Token);
        var timer = Task.Delay(wait, _time, due.Token);
        var read = _channel.Reader.WaitToReadAsync(due.Token).AsTask();
        if (await Task.WhenAny(timer, read) == read && !await read) await timer;
        await due.CancelAsync();
        await read.ContinueWith(static _ => { }, TaskScheduler.Default);
        _abort.Token.ThrowIfCancellationRequested();
        return true;
    }

    private async Task WriteAsync(List<Pending> batch, List<Pending> later)
    {
        // One lock order everywhere: by execution.
        batch.Sort(static (left, right) => left.Entry.Fence.Exec.CompareTo(right.Entry.Fence.Exec));
        var delay = TimeSpan.FromMilliseconds(20);
        while (true)
        {
            try
            {
                await FlushAsync(batch, later);
                if (Stalled) LogRecovered(_logger, batch.Count);
                Stalled = false;
                return;
            }
            catch (PostgresException exception) when (IsDataFault(exception))
            {
                if (batch.Count == 1)
                {
                    LogBadData(_logger, batch[0].Entry.Fence.Exec, exception.MessageText);
                    batch[0].Reply.TrySetResult(new JournalReply(JournalVerdict.BadData, Message: exception.MessageText));
                    return;
                }

                await WriteHalvesAsync(batch, later);
                return;
            }
            catch (NpgsqlException exception) when (batch.Count > 1 && IsTooMuch(exception))
            {
                LogTooMuch(_logger, batch.Count, exception.Message);
                await WriteHalvesAsync(batch, later);
                return;
            }
            catch (Exception exception) when (exception is not OperationCanceledException)
            {
                if (!Stalled) LogStalled(_logger, batch.Count, exception.Message);
                Stalled = true;
                Interlocked.Exchange(ref _lastProgress, _time.GetTimestamp());
                await Task.Delay(delay, _time, _abort.Token);
                delay = delay * 2 < MaxOutageDelay ? delay * 2 : MaxOutageDelay;
            }
        }
    }

    private async Task WriteHalvesAsync(List<Pending> batch, List<Pending> later)
    {
        var half = batch.Count / 2;
        await WriteAsync(batch.GetRange(0, half), later);
        await WriteAsync(batch.GetRange(half, batch.Count - half), later);
    }

    private async Task FlushAsync(List<Pending> batch, List<Pending> later)
    {
        await using var loan = await _connection.OpenAsync(_abort.Token);
        var replies = await FlushCommand.ExecuteAsync(
            _database, loan.Connection, _incarnation, _workerId, batch.ConvertAll(static pending => pending.Entry), _abort.Token);
        for (var i = 0; i < batch.Count; i++)
        {
            if (replies[i] is { } reply)
            {
                batch[i].Reply.TrySetResult(reply);
            }
            else
            {
                Postpone(batch[i], later);
            }
        }
    }

    // Class 22 is data, 23 constraints, 54 limits; an index row that is too big says 54000.
    private static bool IsDataFault(PostgresException exception) =>
        exception.SqlState.StartsWith("22", StringComparison.Ordinal)
        || exception.SqlState.StartsWith("23", StringComparison.Ordinal)
        || exception.SqlState.StartsWith("54", StringComparison.Ordinal);

    // The statement's time was up, on the server or here, or the server had no memory for it.
    private static bool IsTooMuch(NpgsqlException exception) =>
        exception.SqlState is PostgresErrorCodes.QueryCanceled or PostgresErrorCodes.OutOfMemory || exception.InnerException is TimeoutException;

    [LoggerMessage(2001, LogLevel.Warning, "The database does not take the journal's writes ({Count} waiting): {Reason}. Trying until it does; nothing is lost.")]
    private static partial void LogStalled(ILogger logger, int count, string reason);

    [LoggerMessage(2002, LogLevel.Information, "The database takes the journal's writes again; {Count} written")]
    private static partial void LogRecovered(ILogger logger, int count);

    [LoggerMessage(2003, LogLevel.Error, "Execution {Exec}: the database cannot store its data: {Reason}")]
    private static partial void LogBadData(ILogger logger, long exec, string reason);

    [LoggerMessage(2004, LogLevel.Error, "Stopped with {Count} journal entries unwritten")]
    private static partial void LogGivenUp(ILogger logger, int count);

    [LoggerMessage(2005, LogLevel.Warning, "A batch of {Count} journal entries is too much at once ({Reason}); writing it in halves")]
    private static partial void LogTooMuch(ILogger logger, int count, string reason);

    [SuppressMessage("Design", "CA1001", Justification = "Holds nothing to dispose.")]
    private sealed class Pending(JournalEntry entry)
    {
        public JournalEntry Entry { get; } = entry;

        public long Weight { get; } = entry.Weight();

        public TaskCompletionSource<JournalReply> Reply { get; } = new(TaskCreationOptions.RunContinuationsAsynchronously);

        /// <summary>Timestamp before which a locked entry is not tried again.</summary>
        public long NotBefore { get; set; }
    }
}
