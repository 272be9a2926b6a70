using System.Threading.Channels;

namespace Lekhika.Daemon.Dispatch;

/// <summary>Wakes one loop: set by anybody at any time, however often, and taken once; or by the clock, whichever is first.</summary>
internal sealed class WakeSignal(TimeProvider time)
{
    // Writers: anybody. Reader: the loop. One wake-up waits at most; more would say the same.
    private readonly Channel<bool> _signal = Channel.CreateBounded<bool>(new BoundedChannelOptions(1) { FullMode = BoundedChannelFullMode.DropWrite });

    public void Set() => _signal.Writer.TryWrite(true);

    /// <summary>Waits until set, or for <paramref name="longest"/>.</summary>
    public async ValueTask WaitAsync(TimeSpan longest, CancellationToken cancellationToken)
    {
        if (_signal.Reader.TryRead(out _)) return;
        await using var timer = time.CreateTimer(static signal => ((WakeSignal)signal!).Set(), this, longest, Timeout.InfiniteTimeSpan);
        await _signal.Reader.ReadAsync(cancellationToken);
    }
}
