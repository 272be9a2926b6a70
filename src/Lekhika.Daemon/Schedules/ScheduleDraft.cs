using System.Globalization;
using Lekhika.Postgres.Schedules;

namespace Lekhika.Daemon.Schedules;

/// <summary>A schedule as somebody asks for it, by HTTP or on the command line.</summary>
internal sealed record ScheduleDraft
{
    public const string DefaultCatchUp = "once";
    public const int DefaultCatchUpLimit = 10;
    public const int MaxCatchUpLimit = 1000;

    public required Guid WorkflowId { get; init; }

    public required string Cron { get; init; }

    public string Timezone { get; init; } = "UTC";

    public string CatchUp { get; init; } = DefaultCatchUp;

    public int CatchUpLimit { get; init; } = DefaultCatchUpLimit;

    /// <summary>A JSON object's text.</summary>
    public string? Inputs { get; init; }

    public string? UserId { get; init; }

    public int Priority { get; init; }

    public bool IsActive { get; init; } = true;

    /// <summary>Everything that is wrong with it, by field.</summary>
    public List<(string Field, string Problem)> Problems()
    {
        var problems = new List<(string, string)>();
        var (_, cron, zone) = ScheduleTimes.Read(Cron, Timezone);
        if (cron is not null) problems.Add(("cron", $"\"{(Cron.Length <= 100 ? Cron : Cron[..100] + "…")}\" cannot be read: {cron}"));
        if (zone is not null) problems.Add(("timezone", zone));
        if (CatchUp is not ("skip" or "once" or "all")) problems.Add(("catch_up", $"\"{CatchUp}\" is not known; expected skip, once or all"));
        if (CatchUpLimit is < 1 or > MaxCatchUpLimit)
        {
            problems.Add(("catch_up_limit", string.Create(CultureInfo.InvariantCulture, $"is {CatchUpLimit}; expected a whole number from 1 to {MaxCatchUpLimit}")));
        }

        return problems;
    }
}

/// <summary>Making and changing schedules, for HTTP and the command line alike.</summary>
internal sealed class ScheduleBook(ScheduleStore store)
{
    public ScheduleStore Store => store;

    /// <summary>Stores a draft without problems; null if its workflow does not exist.</summary>
    public async Task<ScheduleRow?> AddAsync(ScheduleDraft draft, CancellationToken cancellationToken)
    {
        var times = ScheduleTimes.Read(draft.Cron, draft.Timezone).Times!;
        var now = await store.NowAsync(cancellationToken);
        var row = new ScheduleRow
        {
            Id = Guid.CreateVersion7(now),
            WorkflowId = draft.WorkflowId,
            Cron = draft.Cron,
            Timezone = draft.Timezone,
            CatchUp = draft.CatchUp,
            CatchUpLimit = draft.CatchUpLimit,
            Inputs = draft.Inputs,
            UserId = draft.UserId,
            Priority = draft.Priority,
            IsActive = draft.IsActive,
            NextRunAt = draft.IsActive ? times.After(now) : null,
        };
        return await store.AddAsync(row, cancellationToken);
    }

    /// <summary>Pauses or resumes; a resumed schedule counts from now on. Null if there is none.</summary>
    /// <exception cref="UnreadableScheduleException">It is to be resumed, and its cron or zone cannot be read.</exception>
    public async Task<ScheduleRow?> SetActiveAsync(Guid id, bool isActive, CancellationToken cancellationToken)
    {
        if (await store.FindAsync(id, cancellationToken) is not { } row) return null;
        if (row.IsActive == isActive) return row;
        DateTimeOffset? next = null;
        if (isActive)
        {
            var (times, cron, zone) = ScheduleTimes.Read(row.Cron, row.Timezone);
            if (times is null) throw new UnreadableScheduleException(cron is not null ? $"cron: {cron}" : $"timezone: {zone}");
            next = times.After(await store.NowAsync(cancellationToken));
        }

        return await store.SetActiveAsync(id, isActive, next, cancellationToken);
    }

    /// <summary>The coming slots of an active schedule, by the database's clock.</summary>
    public static List<DateTimeOffset> Coming(ScheduleRow row, int count)
    {
        if (!row.IsActive || row.NextRunAt is not { } next || ScheduleTimes.Read(row.Cron, row.Timezone).Times is not { } times) return [];
        return [next, .. times.Next(next, count - 1)];
    }
}

/// <summary>A stored schedule has a cron expression or a zone that cannot be read.</summary>
internal sealed class UnreadableScheduleException(string message) : Exception(message);
