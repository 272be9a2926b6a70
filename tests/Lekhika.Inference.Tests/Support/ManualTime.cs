namespace Lekhika.Inference.Tests.Support;

/// <summary>A clock that moves only when the test moves it; timers due on the way fire in order.</summary>
public sealed class ManualTime : TimeProvider
{
    private static readonly DateTimeOffset Start = new(2026, 1, 1, 0, 0, 0, TimeSpan.Zero);

    private readonly Lock _gate = new();
    private readonly List<ManualTimer> _timers = [];
    private long _ticks;

    public override long TimestampFrequency => TimeSpan.TicksPerSecond;

    public TimeSpan Elapsed => TimeSpan.FromTicks(Volatile.Read(ref _ticks));

    public override long GetTimestamp() => Volatile.Read(ref _ticks) + 1;

    public override DateTimeOffset GetUtcNow() => Start + Elapsed;

    public override ITimer CreateTimer(TimerCallback callback, object? state, TimeSpan dueTime, TimeSpan period)
    {
        var timer = new ManualTimer(this, callback, state);
        timer.Change(dueTime, period);
        return timer;
    }

    /// <summary>The time to the next timer, if any is set.</summary>
    public TimeSpan? Next
    {
        get
        {
            lock (_gate)
                return _timers.Count == 0 ? null : TimeSpan.FromTicks(Math.Max(0, _timers.Min(timer => timer.Due) - _ticks));
        }
    }

    /// <summary>Moves the clock.</summary>
    public void Advance(TimeSpan time)
    {
        var target = _ticks + time.Ticks;
        while (true)
        {
            ManualTimer? due;
            lock (_gate)
            {
                due = _timers.Where(timer => timer.Due <= target).MinBy(timer => timer.Due);
                if (due is null)
                {
                    Volatile.Write(ref _ticks, target);
                    return;
                }

                Volatile.Write(ref _ticks, Math.Max(_ticks, due.Due));
                _timers.Remove(due);
                if (due.Period > TimeSpan.Zero)
                {
                    due.Due = _ticks + due.Period.Ticks;
                    _timers.Add(due);
                }
            }

            due.Fire();
        }
    }

    /// <summary>Moves the clock step by step until the condition holds; real time bounds the wait.</summary>
    public async Task AdvanceUntilAsync(Func<bool> condition, TimeSpan step, CancellationToken cancellationToken)
    {
        var began = System.GetTimestamp();
        while (!condition())
        {
            if (System.GetElapsedTime(began) > TimeSpan.FromSeconds(20))
                throw new TimeoutException("the condition never held");
            Advance(step);
            await Task.Delay(TimeSpan.FromMilliseconds(2), System, cancellationToken);
        }
    }

    private sealed class ManualTimer(ManualTime owner, TimerCallback callback, object? state) : ITimer
    {
        public long Due { get; set; }

        public TimeSpan Period { get; set; }

        public void Fire() => callback(state);

        public bool Change(TimeSpan dueTime, TimeSpan period)
        {
            lock (owner._gate)
            {
                owner._timers.Remove(this);
                Period = period;
                if (dueTime == Timeout.InfiniteTimeSpan)
                    return true;
                Due = owner._ticks + dueTime.Ticks;
                owner._timers.Add(this);
            }

            return true;
        }

        public void Dispose()
        {
            lock (owner._gate)
                owner._timers.Remove(this);
        }

        public ValueTask DisposeAsync()
        {
            Dispose();
            return ValueTask.CompletedTask;
        }
    }
}
