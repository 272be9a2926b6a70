using Lekhika.Daemon.Dispatch;
using Lekhika.Postgres.Schedules;

namespace Lekhika.Daemon.Schedules;

/// <summary>
/// Fires schedules. Each daemon looks every second, and at the moment the next slot is due, by the database's clock. Which of several daemons fires
/// is decided in the database (0012_schedules.sql); this loop only works out slots. A schedule that cannot be read is quarantined and said so once;
/// an error with one never holds up the others.
/// </summary>
internal sealed partial class Scheduler(ScheduleStore store, DatabaseMonitor monitor, TimeProvider time, ILogger logger)
{
    private const int Batch = 100;
    private static readonly TimeSpan Interval = TimeSpan.FromSeconds(1);
    private bool _saidNoZones;

    /// <summary>Runs until cancelled.</summary>
    public async Task RunAsync(CancellationToken cancellationToken)
    {
        var failing = false;
        while (!cancellationToken.IsCancellationRequested)
        {
            try
            {
                await monitor.UsableAsync(cancellationToken);
                var wait = await RoundAsync(cancellationToken);
                failing = false;
                await Task.Delay(wait, time, cancellationToken);
            }
            catch (Exception) when (cancellationToken.IsCancellationRequested)
            {
                return;
            }
            catch (Exception exception)
            {
                if (!failing) LogFailing(logger, exception.Message);
                failing = true;
                await Task.Delay(Interval, time, CancellationToken.None);
            }
        }
    }

    /// <summary>Fires what is due. Returns how long until the next look.</summary>
    internal async Task<TimeSpan> RoundAsync(CancellationToken cancellationToken)
    {
        // Without data of zones a daemon cannot judge the others' schedules: it leaves them to daemons that can.
        var zones = ScheduleZone.HasData ? null : ScheduleZone.Built;
        if (zones is not null && !_saidNoZones)
        {
            LogNoZones(logger);
            _saidNoZones = true;
        }

        var due = await store.DueAsync(Batch, zones, cancellationToken);
        Exception? trouble = null;
        var moved = 0;
        // In an order of its own: daemons that find the same thousand due at the full hour would follow each other from one to the next.
        ScheduleRow[] schedules = [.. due.Due];
        Random.Shared.Shuffle(schedules);
        foreach (var schedule in schedules)
        {
            try
            {
                if (await FireAsync(schedule, due.Now, cancellationToken)) moved++;
            }
            catch (Npgsql.PostgresException exception) when (exception.SqlState[..2] is "22" or "23")
            {
                // Its executions cannot be stored, now or ever: it would be tried each second, before all others.
                await QuarantineAsync(schedule, $"the database refuses its executions: {exception.MessageText} (SQLSTATE {exception.SqlState})", cancellationToken);
            }
            catch (Npgsql.PostgresException exception) when (!Postgres.Database.IsTransient(exception))
            {
                trouble ??= exception;
            }
        }

        if (trouble is not null) throw trouble;
        if (moved > 0) return TimeSpan.FromMilliseconds(1);
        if (schedules.Length >= Batch) return TimeSpan.FromMilliseconds(50);
        var wait = due.NextAt - due.Now;
        return wait is { } soon && soon < Interval && soon > TimeSpan.FromMilliseconds(1) ? soon : Interval;
    }

    private async Task<bool> FireAsync(ScheduleRow schedule, DateTimeOffset now, CancellationToken cancellationToken)
    {
        var (times, cronProblem, zoneProblem) = ScheduleTimes.Read(schedule.Cron, schedule.Timezone);
        if (times?.After(now) is not { } next)
        {
            var reason = cronProblem is not null ? $"cron: {cronProblem}" : zoneProblem is not null ? $"timezone: {zoneProblem}" : "cron: no slot in thirty years";
            await QuarantineAsync(schedule, reason, cancellationToken);
            return false;
        }

        var slots = schedule.NextRunAt is { } first ? MissedRuns.Slots(times, first, now, schedule.CatchUp, schedule.CatchUpLimit) : [];
        var fired = await store.FireAsync(schedule, next, [.. slots.Select(slot => (slot, SlotId.Of(schedule.Id, slot)))], cancellationToken);
        if (fired is { Outcome: FireOutcome.Fired }) LogFired(logger, schedule.Id, slots[^1], fired.Started);
        if (fired is { IsNews: true, Problem: { } problem }) LogSkipped(logger, schedule.Id, problem);
        return fired.Outcome != FireOutcome.Gone;
    }

    private async Task QuarantineAsync(ScheduleRow schedule, string reason, CancellationToken cancellationToken)
    {
        if (await store.QuarantineAsync(schedule, reason, cancellationToken)) LogQuarantined(logger, schedule.Id, reason);
    }

    [LoggerMessage(3701, LogLevel.Debug, "Schedule {ScheduleId}: slot {Slot} fired, {Count} executions")]
    private static partial void LogFired(ILogger logger, Guid scheduleId, DateTimeOffset slot, int count);

    [LoggerMessage(3702, LogLevel.Error, "Schedule {ScheduleId} is quarantined: {Reason}. Correct it and it goes on.")]
    private static partial void LogQuarantined(ILogger logger, Guid scheduleId, string reason);

    [LoggerMessage(3703, LogLevel.Warning, "Schedule {ScheduleId}: {Problem}")]
    private static partial void LogSkipped(ILogger logger, Guid scheduleId, string problem);

    [LoggerMessage(3704, LogLevel.Warning, "Schedules cannot be fired: {Reason}. Trying every second.")]
    private static partial void LogFailing(ILogger logger, string reason);

    [LoggerMessage(3705, LogLevel.Error, "This machine has no time zone data: schedules in other zones than UTC are left to other daemons. Install the package tzdata.")]
    private static partial void LogNoZones(ILogger logger);
}
