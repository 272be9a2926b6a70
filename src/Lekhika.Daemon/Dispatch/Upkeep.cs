using Lekhika.Postgres.Adopt;
using Lekhika.Postgres.Upkeep;

namespace Lekhika.Daemon.Dispatch;

/// <summary>
/// What is done for the database and not for one execution: completion hooks that raised are called again, what
/// could not be written to an earlier platform's table is written again, old executions are removed. Every daemon
/// does it; the statements see to it that they do not do the same thing twice. Failing costs nothing but the delay, and is said once.
/// </summary>
internal sealed partial class Upkeep(
    CompletionHook hook, Mirrors mirrors, Retention retention, DatabaseMonitor monitor, DaemonState state, TimeProvider time, ILogger<Upkeep> logger)
{
    private const int Walk = 500;
    private const int Rows = 2000;
    private const int Hooks = 50;
    private static readonly TimeSpan Longest = TimeSpan.FromMinutes(10);

    /// <summary>How long finished executions are kept; may be replaced while it runs.</summary>
    public required RetentionAges Ages { get; set; }

    public Task RunAsync(CancellationToken cancellationToken) => Task.WhenAll(
        LoopAsync("call completion hooks again", RetryHooksAsync, cancellationToken),
        LoopAsync("write the earlier platforms' rows again", RetryMirrorsAsync, cancellationToken),
        LoopAsync("remove finished executions", RetainAsync, cancellationToken),
        LoopAsync("delete what removed executions left", ClearAsync, cancellationToken));

    private async Task<TimeSpan> RetryHooksAsync(CancellationToken cancellationToken)
    {
        var waiting = await hook.BacklogAsync(cancellationToken);
        state.HooksWaiting = waiting;
        if (waiting == 0) return TimeSpan.FromSeconds(5);
        foreach (var failed in await hook.RetryAsync(Hooks, cancellationToken)) LogHook(logger, failed.ExecutionId, failed.Attempts, failed.Error);
        return TimeSpan.FromSeconds(1);
    }

    private async Task<TimeSpan> RetryMirrorsAsync(CancellationToken cancellationToken)
    {
        if (await mirrors.BacklogAsync(cancellationToken) == 0) return TimeSpan.FromSeconds(5);
        foreach (var failed in await mirrors.RetryAsync(Hooks, cancellationToken)) LogMirror(logger, failed.ExecutionId, failed.Attempts, failed.Error);
        return TimeSpan.FromSeconds(1);
    }

    private async Task<TimeSpan> RetainAsync(CancellationToken cancellationToken)
    {
        var (removed, nextIn) = await retention.RetainAsync(Ages, Walk, cancellationToken);
        if (removed > 0) LogRemoved(logger, removed);
        if (nextIn >= TimeSpan.FromSeconds(1)) await retention.SweepDefinitionsAsync(cancellationToken);
        return nextIn < Longest ? nextIn : Longest;
    }

    private async Task<TimeSpan> ClearAsync(CancellationToken cancellationToken) =>
        await retention.ClearAsync(Rows, cancellationToken) >= Rows ? TimeSpan.FromMilliseconds(200) : TimeSpan.FromSeconds(5);

    private async Task LoopAsync(string duty, Func<CancellationToken, Task<TimeSpan>> round, CancellationToken cancellationToken)
    {
        var failing = false;
        while (!cancellationToken.IsCancellationRequested)
        {
            try
            {
                await monitor.UsableAsync(cancellationToken);
                var wait = await round(cancellationToken);
                failing = false;
                await Task.Delay(wait, time, cancellationToken);
            }
            catch (OperationCanceledException) when (cancellationToken.IsCancellationRequested)
            {
                return;
            }
            catch (Exception exception)
            {
                if (!failing) LogFailing(logger, duty, exception.Message);
                failing = true;
                await Task.Delay(TimeSpan.FromSeconds(5), time, cancellationToken).ContinueWith(static _ => { }, TaskScheduler.Default);
            }
        }
    }

    [LoggerMessage(3701, LogLevel.Warning, "Execution {ExecutionId}: call {Attempts} of the completion hook raised: {Reason}. It will be called again.")]
    private static partial void LogHook(ILogger logger, Guid executionId, int attempts, string reason);

    [LoggerMessage(3704, LogLevel.Warning, "Execution {ExecutionId}: its row in the earlier platform's table could not be written, try {Attempts}: {Reason}. It will be tried again.")]
    private static partial void LogMirror(ILogger logger, Guid executionId, int attempts, string reason);

    [LoggerMessage(3702, LogLevel.Information, "Removed {Count} finished executions that were old enough")]
    private static partial void LogRemoved(ILogger logger, int count);

    [LoggerMessage(3703, LogLevel.Warning, "Could not {Duty}: {Reason}. Trying every few seconds.")]
    private static partial void LogFailing(ILogger logger, string duty, string reason);
}
