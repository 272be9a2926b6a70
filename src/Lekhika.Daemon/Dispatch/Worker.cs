using System.Collections.Concurrent;
using Lekhika.Daemon.Diagnostics.Metrics;
using Lekhika.Daemon.Dispatch.Spooling;
using Lekhika.Daemon.Live;
using Lekhika.Postgres;
using Lekhika.Postgres.Executions;
using Lekhika.Postgres.Queue;
using Lekhika.Postgres.Signals;
using Lekhika.Postgres.Upkeep;
using Lekhika.Postgres.Wakeup;
using Npgsql;

namespace Lekhika.Daemon.Dispatch;

/// <summary>
/// The worker: incarnation after incarnation, each with its journal, claim loop and housekeeping, until it is told to stop.
///
///   wait for the database ─► begin an incarnation (taking the one before over) ─► work ─┬─► revoked: abort, begin anew
///                                                                                       └─► stop: drain, release, end
///
/// Two tokens: claimStopping ends claiming and begins the drain, abortWorking ends what is in flight.
/// </summary>
internal sealed partial class Worker : IIntake
{
    private readonly Database _database;
    private readonly DatabaseMonitor _monitor;
    private readonly DatabaseClock _clock;
    private readonly DefinitionCache _definitions;
    private readonly LiveExecutions _live;
    private readonly DaemonState _state;
    private readonly StateDirectory _directory;
    private readonly Spool _spool;
    private readonly TimeProvider _time;
    private readonly ILoggerFactory _loggers;
    private readonly ILogger _logger;
    private readonly Submitter _submitter;
    private volatile WorkerSettings _settings;
    private volatile Shift? _shift;
    private volatile TaskCompletionSource<Shift> _begun = new(TaskCreationOptions.RunContinuationsAsynchronously);

    public Worker(
        Database database, WorkerSettings settings, DatabaseMonitor monitor, DatabaseClock clock, DefinitionCache definitions, LiveExecutions live,
        DaemonState state, StateDirectory directory, Spool spool, ExecutionSlots slots, TimeProvider time, ILoggerFactory loggers)
    {
        (_database, _settings, _monitor, _clock, _definitions) = (database, settings, monitor, clock, definitions);
        (_live, _state, _directory, _spool, Slots, _time, _loggers) = (live, state, directory, spool, slots, time, loggers);
        _logger = loggers.CreateLogger<Worker>();
        _submitter = new Submitter(database);
    }

    public ExecutionSlots Slots { get; }

    /// <summary>The longest time since the claim loop or the journal last went round; what a watchdog needs to know.</summary>
    public TimeSpan SinceProgress => _shift is not { } shift ? TimeSpan.Zero
        : shift.Claims.SinceProgress > shift.Journal.SinceProgress ? shift.Claims.SinceProgress
        : shift.Journal.SinceProgress;

    /// <summary>How long a stop waits for what is in flight.</summary>
    public TimeSpan DrainTimeout => _settings.DrainTimeout;

    /// <summary>Takes over what can change under way: the time to drain, and limits and defaults of executions, also of those that run.</summary>
    public void Reload(WorkerSettings fresh) => _settings = _settings with { DrainTimeout = fresh.DrainTimeout, Owners = fresh.Owners };

    /// <summary>Works until told to stop, and drains.</summary>
    public async Task RunAsync(CancellationToken claimStopping, CancellationToken abortWorking)
    {
        while (!claimStopping.IsCancellationRequested)
        {
            try
            {
                await _monitor.UsableAsync(claimStopping);
                await WorkAsync(claimStopping, abortWorking);
            }
            catch (OperationCanceledException) when (claimStopping.IsCancellationRequested)
            {
                break;
            }
            catch (Exception exception) when (Database.IsTransient(exception))
            {
                var reason = (exception as PostgresException)?.MessageText ?? exception.Message;
                if (reason != _state.WorkerProblem) LogNotBegun(_logger, reason);
                _state.WorkerProblem = reason;
                await Task.Delay(TimeSpan.FromSeconds(1), _time, CancellationToken.None);
            }
        }

        _submitter.Complete();
    }

    private async Task WorkAsync(CancellationToken claimStopping, CancellationToken abortWorking)
    {
        // A platform that debits by the hook must not miss an execution: without it no work is begun.
        if (await new CompletionHook(_database).SetAsync(_settings.CompletionHook, claimStopping)) LogHook(_logger, _settings.CompletionHook ?? "none");
        if (_directory.Previous() is { } previous)
        {
            var taken = await new QueueReader(_database).TakeOverAsync(previous, _settings.Identity.Host, claimStopping);
            if (taken > 0) LogTakenOver(_logger, taken, previous);
        }

        // In this order: its claims are taken back by now, and nothing is claimed yet.
        if (_directory.IsOurs)
            await new SpoolReplay(_spool, new LateResults(_database), _state, _time, _loggers.CreateLogger<SpoolReplay>()).RunAsync(claimStopping);

        await using var incarnation = await Incarnation.BeginAsync(
            _database, _settings.Identity, _settings.Lease, _settings.Heartbeat, _time, _loggers.CreateLogger<Incarnation>(), claimStopping);
        _directory.Remember(incarnation.Number);
        _state.Incarnation = incarnation.Number;
        _state.WorkerProblem = null;
        using var abort = CancellationTokenSource.CreateLinkedTokenSource(abortWorking, incarnation.Revoked);
        using var stop = CancellationTokenSource.CreateLinkedTokenSource(claimStopping, incarnation.Revoked);
        await using var claiming = new KeptConnection(_database);
        var shift = Assemble(incarnation, claiming, abort.Token);
        await using var listener = await MayListenAsync(claimStopping)
            ? new Listener(_database, reason => Hear(shift, reason), _time, _loggers.CreateLogger<Listener>())
            : null;

        using var house = new CancellationTokenSource();
        var keeping = shift.Housekeeping.RunAsync(house.Token);
        Slots.Freed = shift.Claims.RoomFreed;
        _shift = shift;
        _begun.TrySetResult(shift);
        _state.CountHeld = () => shift.Owners.Count;
        _state.CountSlots = () => shift.Owners.Count(static entry => entry.Value.Owner.HasSlot);
        try
        {
            await RunClaimsAsync(shift, listener, stop.Token);
        }
        finally
        {
            _begun = new TaskCompletionSource<Shift>(TaskCreationOptions.RunContinuationsAsynchronously);
            _shift = null;
            Slots.Freed = null;
            if (claimStopping.IsCancellationRequested) await DrainAsync(shift, abort);
            await EndAsync(shift);
            await house.CancelAsync();
            await keeping;
            await incarnation.FallSilentAsync();
            if (!incarnation.Revoked.IsCancellationRequested) await SignOffAsync(incarnation);
            _state.Incarnation = null;
        }
    }

    private async Task<bool> MayListenAsync(CancellationToken cancellationToken)
    {
        // The listener keeps a connection to itself.
        if (!_settings.Listen || _database.MostConnections < 2) return false;
        if (_settings.ListenThroughPooler) return true;
        if (!await _database.IsTransactionPooledAsync(cancellationToken)) return true;
        LogPooler(_logger, _settings.PollInterval.TotalSeconds);
        return false;
    }

    private Shift Assemble(Incarnation incarnation, KeptConnection claiming, CancellationToken abortWorking)
    {
        var queue = new QueueReader(_database);
        var journal = new JournalLanes(_database, incarnation.Number, _settings.Identity.WorkerId, _time, _loggers.CreateLogger<Journal>());
        Shift shift = null!;
        var events = new EventReader(_database);
        var delivery = new EventDelivery(
            events, () => [.. shift.Owners.Select(static entry => entry.Value.Owner)], () => shift.Claims.Wake(), _time);
        var housekeeping = new Housekeeping(queue, incarnation, _time, _loggers.CreateLogger<Housekeeping>())
        {
            Beside = delivery.Duties,
            Held = () => [.. shift.Owners.Select(static entry => entry.Value.Owner)],
            Adopt = claim =>
            {
                Slots.TakeBeyond();
                Start(shift, claim, hasSlot: true);
            },
            Woken = () => shift.Claims.Wake(),
            Facts = new QueueFacts(_database),
            Depth = queue => (_state.Queued, _state.HeldByAll, _state.Parked, _state.OldestAge) = (queue.Ready, queue.Held, queue.Parked, queue.OldestAge),
        };
        var claims = new ClaimLoop(
            new QueueReader(_database, claiming), new LimitedClaims(_database, _settings.Limits, claiming), incarnation, Slots,
            () => shift.Owners.Count, _settings.MaxClaimed, (claim, slot) => Start(shift, claim, slot), _settings.PollInterval,
            _settings.PriorityAgeing, _time, _loggers.CreateLogger<ClaimLoop>());
        var owners = new OwnerServices
        {
            Journal = journal,
            Store = new RunStore(new ExecutionReader(_database), events, new RunReader(_database), _time),
            Definitions = _definitions,
            Slots = Slots,
            Live = _live,
            State = _state,
            Options = () => _settings.Owners,
            Now = () => _clock.Now,
            Time = _time,
            Random = Random.Shared,
            Logger = _loggers.CreateLogger<ExecutionOwner>(),
            AbortWorking = abortWorking,
            MayBegin = incarnation.LeasedAsync,
            Parked = housekeeping.HintTimers,
            ParkedAwaiting = delivery.LookAgain,
            Spool = (fence, steps) =>
            {
                var entry = new JournalEntry { Fence = fence, Kind = JournalKind.Append, Steps = steps };
                if (_spool.Save(incarnation.Number, _settings.Identity.WorkerId, entry)) _state.Spool.CountSaved();
            },
        };
        shift = new Shift(incarnation, journal, claims, housekeeping, delivery, owners);
        return shift;
    }

    private async Task RunClaimsAsync(Shift shift, Listener? listener, CancellationToken stop)
    {
        try
        {
            var claiming = shift.Claims.RunAsync(stop);
            while (!claiming.IsCompleted)
            {
                _state.Listening = listener?.IsListening ?? false;
                await Task.WhenAny(claiming, Task.Delay(TimeSpan.FromSeconds(1), _time, CancellationToken.None));
                if (shift.Journal.Completion.IsFaulted) await shift.Journal.Completion;
            }

            await claiming;
        }
        catch (RevokedException)
        {
            LogRevoked(_logger, shift.Incarnation.Number);
            Instruments.LeaseLost();
        }
    }

    /// <summary>
    /// Starts the owner of a claim, for which a slot is taken or which is claimed ahead. A claim that is owned already is left alone. An earlier claim
    /// of the same execution that has been given up, but whose owner is still on its way out, is waited for.
    /// </summary>
    private void Start(Shift shift, ClaimedExecution claim, bool hasSlot)
    {
        var live = new LiveExecution(
            new LiveHeader
            {
                Id = claim.Id,
                Exec = claim.Fence.Exec,
                Epoch = claim.Fence.Epoch,
                Run = claim.Fence.Run,
                WorkflowId = claim.WorkflowId,
                UserId = claim.UserId,
                Priority = claim.Priority,
                WorkerId = _settings.Identity.WorkerId,
                CreatedAt = claim.CreatedAt,
                InputsText = claim.Inputs,
                // A later run of an inline definition may run an edited one, which is known by its hash.
                DefinitionText = claim.DefinitionHash is null ? claim.Definition : null,
            },
            claim.Status,
            claim.StartedAt);
        var owner = new ExecutionOwner(shift.Services, claim, live, hasSlot);
        var entry = new Owned(owner);
        var present = shift.Owners.GetOrAdd(claim.Fence.Exec, entry);
        var isOwned = present != entry
            && (present.Owner.Fence == claim.Fence
                || (!shift.Owners.TryUpdate(claim.Fence.Exec, entry, present) && !shift.Owners.TryAdd(claim.Fence.Exec, entry)));
        if (isOwned)
        {
            if (hasSlot) Slots.Release();
            return;
        }

        var before = present == entry ? Task.CompletedTask : present.Task;
        entry.Task = Task.Run(async () =>
        {
            await before;
            _live.Add(live);
            await owner.RunAsync();
            shift.Owners.TryRemove(KeyValuePair.Create(claim.Fence.Exec, entry));
            shift.Claims.Ended();
        });
    }

    private static void Hear(Shift shift, WakeReason reason)
    {
        if (reason.HasFlag(WakeReason.Ready)) shift.Claims.Wake();
        if (reason.HasFlag(WakeReason.Commands)) shift.Housekeeping.HintCommands();
        if (reason.HasFlag(WakeReason.Events)) shift.Events.Hint();
    }

    private async Task DrainAsync(Shift shift, CancellationTokenSource abort)
    {
        LogDraining(_logger, shift.Owners.Count);
        foreach (var entry in shift.Owners.Values) entry.Owner.Tell(Drain.Instance);
        try
        {
            await Task.WhenAll(shift.Owners.Values.Select(static entry => entry.Task)).WaitAsync(_settings.DrainTimeout, _time, abort.Token);
        }
        catch (Exception exception) when (exception is TimeoutException or OperationCanceledException)
        {
            LogDrainOver(_logger, shift.Owners.Count);
            await abort.CancelAsync();
        }
    }

    /// <summary>Waits for the owners, but not for a database that is away: then the journal gives up, and with it whoever waits for it.</summary>
    private async Task EndAsync(Shift shift)
    {
        var owners = Task.WhenAll(shift.Owners.Values.Select(static entry => entry.Task));
        await Task.WhenAny(owners, Task.Delay(TimeSpan.FromSeconds(5), _time, CancellationToken.None));
        await shift.Journal.StopAsync(TimeSpan.FromSeconds(5));
        await owners;
    }

    private async Task SignOffAsync(Incarnation incarnation)
    {
        try
        {
            using var patience = new CancellationTokenSource(TimeSpan.FromSeconds(5), _time);
            await new QueueReader(_database).EvictAsync(incarnation.Number, patience.Token);
        }
        catch (Exception exception) when (exception is NpgsqlException or OperationCanceledException or TimeoutException)
        {
            LogNotSignedOff(_logger, exception.Message);
        }
    }

    [LoggerMessage(3501, LogLevel.Information, "Took back {Count} executions of this worker's life before (incarnation {Incarnation})")]
    private static partial void LogTakenOver(ILogger logger, int count, long incarnation);

    [LoggerMessage(3502, LogLevel.Error, "Incarnation {Incarnation} was revoked; what was in flight is aborted and a new incarnation begins")]
    private static partial void LogRevoked(ILogger logger, long incarnation);

    [LoggerMessage(3503, LogLevel.Information, "Stopping: {Count} executions are held; what is in flight may end, nothing new starts")]
    private static partial void LogDraining(ILogger logger, int count);

    [LoggerMessage(3504, LogLevel.Warning, "The time to drain is over; {Count} executions are given back as they are")]
    private static partial void LogDrainOver(ILogger logger, int count);

    [LoggerMessage(3505, LogLevel.Warning, "Could not sign off ({Reason}); others take over when the lease lapses")]
    private static partial void LogNotSignedOff(ILogger logger, string reason);

    [LoggerMessage(3508, LogLevel.Information, "A transaction pooler stands before the database: no LISTEN, nothing prepared, a poll every {Seconds} s")]
    private static partial void LogPooler(ILogger logger, double seconds);

    [LoggerMessage(3507, LogLevel.Information, "Completion hook of the database: {Function}")]
    private static partial void LogHook(ILogger logger, string function);

    [LoggerMessage(3506, LogLevel.Warning, "The worker could not begin: {Reason}. Trying again.")]
    private static partial void LogNotBegun(ILogger logger, string reason);
}
