namespace Lekhika.Daemon.Hosting;

/// <summary>
/// Gives memory back in quiet times. The collector runs when there is need of room, so what a burst has left would lie about for as long as nothing comes
/// after it, and a daemon that does nothing would grow by tens of megabytes before its first collection.
///
///   every half minute: much was allocated since the last collection, little of it just now ─► collect everything, and give back what is free
///
/// It costs some ten milliseconds, in a time in which nobody is likely to wait for them.
/// </summary>
internal sealed class QuietCollector
{
    private static readonly TimeSpan Interval = TimeSpan.FromSeconds(30);

    private readonly TimeProvider _time;
    private readonly Func<long> _allocated;
    private readonly Action _collect;
    private long _before;
    private long _collected;

    /// <param name="time">The clock.</param>
    public QuietCollector(TimeProvider time)
        : this(time, static () => GC.GetTotalAllocatedBytes(), Collect)
    {
    }

    /// <param name="time">The clock.</param>
    /// <param name="allocated">Bytes that were allocated since the process began.</param>
    /// <param name="collect">Collects everything.</param>
    internal QuietCollector(TimeProvider time, Func<long> allocated, Action collect) => (_time, _allocated, _collect) = (time, allocated, collect);

    /// <value>What may be allocated in an interval that still counts as quiet, in bytes: several times what an idle daemon needs.</value>
    internal static long Quiet => 8 * 1024 * 1024;

    /// <value>From how much on it is worth a collection, in bytes.</value>
    internal static long Worth => 16 * 1024 * 1024;

    /// <summary>Watches until it is told to stop.</summary>
    public async Task RunAsync(CancellationToken stop)
    {
        using var timer = new PeriodicTimer(Interval, _time);
        try
        {
            while (await timer.WaitForNextTickAsync(stop)) Look();
        }
        catch (OperationCanceledException)
        {
            // The daemon ends.
        }
    }

    /// <summary>Looks what was allocated since the last look, and collects if it is quiet and worth it.</summary>
    internal void Look()
    {
        var now = _allocated();
        if (now - _before < Quiet && now - _collected > Worth)
        {
            _collect();
            _collected = now;
        }

        _before = now;
    }

    private static void Collect() => GC.Collect(GC.MaxGeneration, GCCollectionMode.Aggressive, blocking: true, compacting: true);
}
