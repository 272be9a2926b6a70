namespace Lekhika.Inference.Endpoints;

/// <summary>The time limits of one attempt: first byte, silence, whole. One timer serves all three.</summary>
/// <remarks>
/// A piece that arrives only notes the time; the timer, when it fires, sees how much silence is left and sleeps again. So a stream of tokens
/// costs a clock reading each and no timer traffic.
/// </remarks>
internal sealed class CallClock : IDisposable
{
    private static readonly TimeSpan LongestSleep = TimeSpan.FromDays(1);

    private readonly TimeProvider _time;
    private readonly TimeSpan _firstByte;
    private readonly TimeSpan _silence;
    private readonly TimeSpan _whole;
    private readonly long _started;
    private readonly ITimer _timer;
    private readonly CancellationTokenRegistration _registration;

    // Not disposed: it has no timer and no wait handle of its own, and the timer may still be in its callback.
    private readonly CancellationTokenSource _source = new();
    private long _heard;
    private volatile CallLimit _expired;

    public CallClock(TimeProvider time, ModelTimeouts limits, TimeSpan whole, CancellationToken cancellationToken)
    {
        _time = time;
        _firstByte = limits.FirstByte;
        _silence = limits.Silence;
        _whole = whole;
        _started = time.GetTimestamp();
        _registration = cancellationToken.UnsafeRegister(static state => ((CancellationTokenSource)state!).Cancel(), _source);
        _timer = time.CreateTimer(static state => ((CallClock)state!).Check(), this, Timeout.InfiniteTimeSpan, Timeout.InfiniteTimeSpan);
        Sleep(Remaining(_started, out _));
    }

    /// <summary>Cancelled by the caller's token and by any of the limits.</summary>
    public CancellationToken Token => _source.Token;

    /// <summary>The limit that passed, if one did.</summary>
    public CallLimit Expired => _expired;

    /// <summary>Time since the attempt began.</summary>
    public TimeSpan Elapsed => _time.GetElapsedTime(_started);

    /// <summary>Something has arrived.</summary>
    public void Heard()
    {
        var first = Volatile.Read(ref _heard) == 0;
        Volatile.Write(ref _heard, _time.GetTimestamp());
        if (first)
            Sleep(_silence < _whole ? _silence : _whole);
    }

    /// <summary>The limit that passed, in words.</summary>
    public string Describe() => _expired switch
    {
        CallLimit.FirstByte => $"nothing came within {Words(_firstByte)} (limit for the first byte; loading a model is silent)",
        CallLimit.Silence => $"nothing came for {Words(_silence)} in the middle of the reply (limit for silence)",
        _ => $"the call took longer than {Words(_whole)} (limit for the whole call)",
    };

    public void Dispose()
    {
        _timer.Dispose();
        _registration.Dispose();
    }

    private static string Words(TimeSpan time) => FormattableString.Invariant($"{time.TotalSeconds:0.###} s");

    private void Check()
    {
        var remaining = Remaining(_time.GetTimestamp(), out var limit);
        if (remaining > TimeSpan.Zero)
        {
            Sleep(remaining);
            return;
        }

        _expired = limit;
        _source.Cancel();
    }

    private TimeSpan Remaining(long now, out CallLimit limit)
    {
        var whole = _whole - _time.GetElapsedTime(_started, now);
        var heard = Volatile.Read(ref _heard);
        var phase = heard == 0 ? _firstByte - _time.GetElapsedTime(_started, now) : _silence - _time.GetElapsedTime(heard, now);
        limit = whole <= phase ? CallLimit.Whole : heard == 0 ? CallLimit.FirstByte : CallLimit.Silence;
        return whole <= phase ? whole : phase;
    }

    private void Sleep(TimeSpan time) =>
        _timer.Change(time <= TimeSpan.Zero ? TimeSpan.Zero : time < LongestSleep ? time : LongestSleep, Timeout.InfiniteTimeSpan);
}

/// <summary>Which time limit.</summary>
internal enum CallLimit
{
    None,
    FirstByte,
    Silence,
    Whole,
}
