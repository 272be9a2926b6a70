using Lekhika.Postgres.Executions;

namespace Lekhika.Daemon.Dispatch.Spooling;

/// <summary>
/// Offers what the life before left in the spool: after its claims were taken back and before anything is claimed, so that no step runs again whose
/// result is there. A database that goes away meanwhile ends the replay; the next start of the worker goes on with what is left.
/// </summary>
internal sealed partial class SpoolReplay(Spool spool, LateResults results, DaemonState state, TimeProvider time, ILogger<SpoolReplay> logger)
{
    public async Task RunAsync(CancellationToken cancellationToken)
    {
        foreach (var path in spool.Files)
        {
            SpooledEntry? entry;
            try
            {
                entry = spool.Read(path);
            }
            catch (Exception exception) when (exception is FormatException or IOException or UnauthorizedAccessException)
            {
                SetAside(path, exception.Message);
                continue;
            }

            if (entry is null)
            {
                LogForeign(logger, path);
                continue;
            }

            var reply = await results.OfferAsync(entry, time, cancellationToken);
            if (reply.Verdict is JournalVerdict.Committed or JournalVerdict.Late)
            {
                state.Spool.CountReplayed();
                LogReplayed(logger, entry.Entry.Fence.Exec, entry.Entry.Steps.Count);
                Try(path, spool.Remove);
            }
            else
            {
                state.Spool.CountRejected();
                LogRejected(logger, entry.Entry.Fence.Exec, reply.Verdict, path);
                Try(path, file => spool.Reject(file));
            }
        }
    }

    private void SetAside(string path, string reason)
    {
        state.Spool.CountCorrupt();
        LogCorrupt(logger, path, reason);
        Try(path, file => spool.SetAside(file));
    }

    private void Try(string path, Action<string> change)
    {
        try
        {
            change(path);
        }
        catch (Exception exception) when (exception is IOException or UnauthorizedAccessException)
        {
            LogStays(logger, path, exception.Message);
        }
    }

    [LoggerMessage(3611, LogLevel.Information, "Execution {Exec}: {Count} results of this worker's life before are in the database now")]
    private static partial void LogReplayed(ILogger logger, long exec, int count);

    [LoggerMessage(3612, LogLevel.Warning, "Execution {Exec}: the database refused results of this worker's life before ({Verdict}); {Path} goes to spool/rejected")]
    private static partial void LogRejected(ILogger logger, long exec, JournalVerdict verdict, string path);

    [LoggerMessage(3613, LogLevel.Error, "{Path} cannot be read ({Reason}) and goes to spool/corrupt")]
    private static partial void LogCorrupt(ILogger logger, string path, string reason);

    [LoggerMessage(3614, LogLevel.Warning, "{Path} belongs to another database and is left where it is")]
    private static partial void LogForeign(ILogger logger, string path);

    [LoggerMessage(3615, LogLevel.Warning, "{Path} could not be moved or deleted ({Reason}); it will be offered again")]
    private static partial void LogStays(ILogger logger, string path, string reason);
}

/// <summary>Counters of the spool since the start.</summary>
internal sealed class SpoolCounts
{
    private long _saved;
    private long _replayed;
    private long _rejected;
    private long _corrupt;

    /// <summary>Executions whose results were kept in the state directory.</summary>
    public long Saved => Interlocked.Read(ref _saved);

    /// <summary>Executions whose kept results the database took.</summary>
    public long Replayed => Interlocked.Read(ref _replayed);

    /// <summary>Executions whose kept results the database refused.</summary>
    public long Rejected => Interlocked.Read(ref _rejected);

    /// <summary>Files that could not be read.</summary>
    public long Corrupt => Interlocked.Read(ref _corrupt);

    public void CountSaved() => Interlocked.Increment(ref _saved);

    public void CountReplayed() => Interlocked.Increment(ref _replayed);

    public void CountRejected() => Interlocked.Increment(ref _rejected);

    public void CountCorrupt() => Interlocked.Increment(ref _corrupt);
}
