namespace Lekhika.Daemon.Dispatch;

/// <summary>
/// How many executions may be claimed ahead of the free slots. Executions that only compute are over in microseconds: with claims no larger than the
/// free slots each ten of them would cost a statement of their own. So the claimer may be ahead by what this worker has lately got through in a
/// tenth of a second: hundreds while the executions are that short, none as soon as they are not. Whoever was claimed ahead and needs a slot
/// waits for one, and is given back if that takes long.
///
/// A worker that is slowed down (by the database, by others on the machine) measures a lower pace and claims less: it settles where a claimed
/// execution ends within that tenth of a second. <see cref="Ended"/> may be called from anywhere; the rest is the claim loop's own.
/// </summary>
internal sealed class ClaimPace(TimeProvider time)
{
    /// <summary>The most that is ever claimed ahead.</summary>
    public const int MaxAhead = 2000;

    private static readonly TimeSpan Horizon = TimeSpan.FromMilliseconds(100);
    private static readonly TimeSpan Memory = TimeSpan.FromMilliseconds(100);

    private long _measured = time.GetTimestamp();
    private int _ended;
    private double _perSecond;
    private int _wanted = 1;

    /// <summary>Whether so much gets done that claims come in batches.</summary>
    public bool IsFast => _wanted > 1;

    /// <summary>An execution ended. True: so many did that a claim is worth its statement.</summary>
    public bool Ended() => Interlocked.Increment(ref _ended) >= Volatile.Read(ref _wanted);

    /// <summary>How many may be claimed ahead now.</summary>
    /// <param name="waiting">Executions that are claimed and hold no slot.</param>
    public int Ahead(int waiting)
    {
        var elapsed = time.GetElapsedTime(_measured);
        if (elapsed > TimeSpan.FromMilliseconds(1))
        {
            var rate = Interlocked.Exchange(ref _ended, 0) / elapsed.TotalSeconds;
            _perSecond += (rate - _perSecond) * (1 - Math.Exp(-elapsed / Memory));
            _measured = time.GetTimestamp();
        }

        var window = Math.Min(MaxAhead, (int)(_perSecond * Horizon.TotalSeconds));
        // Half a window at a time, or every end would be answered with a claim of one.
        var batch = Math.Max(1, window / 2);
        Volatile.Write(ref _wanted, batch);
        var free = window - waiting;
        return free >= batch ? free : 0;
    }
}
