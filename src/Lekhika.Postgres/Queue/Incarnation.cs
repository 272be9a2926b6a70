using Microsoft.Extensions.Logging;
using Npgsql;
using NpgsqlTypes;

namespace Lekhika.Postgres.Queue;

/// <summary>What a daemon tells of itself when it begins.</summary>
public sealed record WorkerIdentity
{
    /// <summary>A name for people; two processes may share one.</summary>
    public required string WorkerId { get; init; }

    /// <summary>The machine.</summary>
    public required string Host { get; init; }

    /// <summary>Where other daemons reach it; null if nowhere.</summary>
    public string? Url { get; init; }

    /// <summary>Version of the program.</summary>
    public required string Version { get; init; }

    /// <summary>Its execution slots.</summary>
    public required int Slots { get; init; }
}

/// <summary>
/// One life of one process, as the database knows it: a number that owns claims, and a lease that a heartbeat renews.
///
/// The lease's validity is reckoned locally from the monotonic time at which the last answered heartbeat was <em>sent</em>, so neither a slow
/// answer nor a wrong wall clock can make this process believe in a lease that the database has let lapse. A heartbeat that is answered
/// "revoked" ends the incarnation for good: <see cref="Revoked"/> is cancelled.
/// </summary>
public sealed partial class Incarnation : IAsyncDisposable
{
    private readonly Database _database;
    private readonly TimeProvider _time;
    private readonly TimeSpan _lease;
    private readonly TimeSpan _interval;
    private readonly ILogger _logger;
    private readonly CancellationTokenSource _stop = new();
    private readonly CancellationTokenSource _revoked = new();
    private readonly Task _loop;
    private long _renewed;
    private long _unbrokenSince;
    private volatile bool _idle;

    private Incarnation(
        Database database, long number, WorkerIdentity identity, TimeSpan lease, TimeSpan interval, long sent, TimeProvider time, ILogger logger)
    {
        (_database, Number, Identity, _lease, _interval, _time, _logger) = (database, number, identity, lease, interval, time, logger);
        (_renewed, _unbrokenSince) = (sent, sent);
        Revoked = _revoked.Token;
        _loop = Task.Run(BeatLoopAsync);
    }

    /// <summary>Its number.</summary>
    public long Number { get; }

    /// <summary>Who it is.</summary>
    public WorkerIdentity Identity { get; }

    /// <summary>Cancelled when the database says that everything it held belongs to others.</summary>
    public CancellationToken Revoked { get; }

    /// <summary>Ends only by <see cref="DisposeAsync"/>; anything else is a fault.</summary>
    public Task Completion => _loop;

    /// <summary>Whether nobody can have taken over yet.</summary>
    public bool LeaseIsValid => !_revoked.IsCancellationRequested && _time.GetElapsedTime(Interlocked.Read(ref _renewed)) < _lease;

    /// <summary>
    /// Waits until nobody can have taken over: at once, as long as the heartbeat gets through. What would be begun beyond that may have been done and
    /// recorded by another meanwhile. Asked by the clock of the machine, which goes on while a process stands still.
    /// </summary>
    public async ValueTask LeasedAsync(CancellationToken cancellationToken)
    {
        while (!LeaseIsValid) await Task.Delay(_interval / 4, _time, cancellationToken);
    }

    /// <summary>Whether the heartbeat has been unbroken for a whole lease: the condition for rescuing others.</summary>
    public bool MayRescue => LeaseIsValid && _time.GetElapsedTime(Interlocked.Read(ref _unbrokenSince)) >= _lease;

    /// <summary>Registers a new incarnation and starts its heartbeat.</summary>
    /// <exception cref="NpgsqlException">The database could not be reached.</exception>
    public static async Task<Incarnation> BeginAsync(
        Database database, WorkerIdentity identity, TimeSpan lease, TimeSpan interval, TimeProvider time, ILogger<Incarnation> logger,
        CancellationToken cancellationToken)
    {
        var sent = time.GetTimestamp();
        await using var connection = await database.OpenAsync(cancellationToken);
        await using var command = new NpgsqlCommand(database.Statements.Enlist, connection);
        command.Parameters.AddValue(identity.WorkerId, NpgsqlDbType.Text);
        command.Parameters.AddValue(identity.Host, NpgsqlDbType.Text);
        command.Parameters.AddValue(identity.Url, NpgsqlDbType.Text);
        command.Parameters.AddValue(identity.Version, NpgsqlDbType.Text);
        command.Parameters.AddValue(identity.Slots, NpgsqlDbType.Integer);
        command.Parameters.AddValue(lease, NpgsqlDbType.Interval);
        var number = (long)(await command.ExecuteScalarAsync(cancellationToken))!;
        LogBegun(logger, number, identity.WorkerId);
        return new Incarnation(database, number, identity, lease, interval, sent, time, logger);
    }

    /// <summary>Tells producers whether they are to notify. Marked idle before the last look at the queue, or a row could be missed.</summary>
    public async Task MarkIdleAsync(bool idle, CancellationToken cancellationToken)
    {
        if (_idle == idle) return;
        _idle = idle;
        await BeatAsync(cancellationToken);
    }

    /// <summary>Stops the heartbeat, so that none of its own beats finds the row signed off and takes that for a revocation.</summary>
    public async Task FallSilentAsync()
    {
        await _stop.CancelAsync();
        await _loop;
    }

    /// <summary>Stops the heartbeat. Claims are to be released before.</summary>
    public async ValueTask DisposeAsync()
    {
        await FallSilentAsync();
        _stop.Dispose();
        _revoked.Dispose();
    }

    private async Task BeatLoopAsync()
    {
        using var timer = new PeriodicTimer(_interval, _time);
        try
        {
            while (await timer.WaitForNextTickAsync(_stop.Token) && !_revoked.IsCancellationRequested)
            {
                try
                {
                    // An answer that comes after the lease has lapsed is worth no more than none.
                    using var patience = CancellationTokenSource.CreateLinkedTokenSource(_stop.Token);
                    patience.CancelAfter(_lease);
                    await BeatAsync(patience.Token);
                }
                catch (Exception exception) when (!_stop.IsCancellationRequested)
                {
                    LogMissed(_logger, Number, exception.Message);
                }
            }
        }
        catch (OperationCanceledException) when (_stop.IsCancellationRequested)
        {
        }
    }

    private async Task BeatAsync(CancellationToken cancellationToken)
    {
        var sent = _time.GetTimestamp();
        await using var connection = await _database.OpenAsync(cancellationToken);
        await using var command = new NpgsqlCommand(_database.Statements.Beat, connection);
        command.Parameters.Add(new NpgsqlParameter<long> { TypedValue = Number });
        command.Parameters.AddValue(_lease, NpgsqlDbType.Interval);
        command.Parameters.Add(new NpgsqlParameter<bool> { TypedValue = _idle });
        await _database.PrepareAsync(command, cancellationToken);
        if (await command.ExecuteScalarAsync(cancellationToken) is true)
        {
            // A gap in which the heartbeat of another, sent up to an interval before this one's, may have lapsed too: whatever held this one
            // up may have held up theirs, so they get a whole lease to be heard again.
            var answered = _time.GetTimestamp();
            if (_time.GetElapsedTime(Interlocked.Read(ref _renewed), answered) >= _lease - _interval) Interlocked.Exchange(ref _unbrokenSince, answered);
            Interlocked.Exchange(ref _renewed, sent);
        }
        else if (!_revoked.IsCancellationRequested)
        {
            LogRevoked(_logger, Number);
            await _revoked.CancelAsync();
        }
    }

    [LoggerMessage(2101, LogLevel.Information, "Incarnation {Incarnation} of worker {WorkerId} begins")]
    private static partial void LogBegun(ILogger logger, long incarnation, string workerId);

    [LoggerMessage(2102, LogLevel.Warning, "Incarnation {Incarnation}: heartbeat not answered: {Reason}")]
    private static partial void LogMissed(ILogger logger, long incarnation, string reason);

    [LoggerMessage(2103, LogLevel.Error, "Incarnation {Incarnation} is revoked: its lease lapsed and what it held belongs to others now")]
    private static partial void LogRevoked(ILogger logger, long incarnation);
}
