namespace Lekhika.Daemon.Dispatch;

/// <summary>
/// The execution slots of this daemon: how many executions may advance at a time. An execution that waits (for a model's turn, a timer, a signal)
/// gives its slot back and asks for one again when it goes on; those who ask again come before new claims.
/// </summary>
internal sealed class ExecutionSlots(int total)
{
    private readonly Lock _lock = new();
    private readonly Queue<TaskCompletionSource> _waiting = new();
    private int _used;

    /// <summary>How many there are.</summary>
    public int Total { get; } = total;

    /// <summary>How many are taken.</summary>
    public int Used
    {
        get
        {
            lock (_lock) return _used;
        }
    }

    /// <summary>How many a claim may fill.</summary>
    public int Free
    {
        get
        {
            lock (_lock) return Math.Max(0, Total - _used - _waiting.Count);
        }
    }

    /// <summary>Called when a slot becomes free; must be quick.</summary>
    public Action? Freed { get; set; }

    /// <summary>Takes up to <paramref name="wanted"/> slots without waiting.</summary>
    /// <returns>How many were taken.</returns>
    public int Take(int wanted)
    {
        lock (_lock)
        {
            var taken = Math.Clamp(Total - _used - _waiting.Count, 0, wanted);
            _used += taken;
            return taken;
        }
    }

    /// <summary>Takes one even if none is free: for claims that exist already and must not be lost.</summary>
    public void TakeBeyond()
    {
        lock (_lock) _used++;
    }

    /// <summary>Takes one, waiting for it in turn.</summary>
    public Task TakeAsync(CancellationToken cancellationToken)
    {
        TaskCompletionSource turn;
        lock (_lock)
        {
            if (_used < Total && _waiting.Count == 0)
            {
                _used++;
                return Task.CompletedTask;
            }

            turn = new TaskCompletionSource(TaskCreationOptions.RunContinuationsAsynchronously);
            _waiting.Enqueue(turn);
        }

        return WaitAsync(turn, cancellationToken);
    }

    /// <summary>Gives one back, and says so.</summary>
    public void Release()
    {
        lock (_lock)
        {
            _used--;
            while (_used < Total && _waiting.TryDequeue(out var next))
            {
                if (next.TrySetResult()) _used++;
            }
        }

        Freed?.Invoke();
    }

    private static async Task WaitAsync(TaskCompletionSource turn, CancellationToken cancellationToken)
    {
        // A cancelled waiter stays in the queue and is passed over: TrySetResult fails for it.
        await using var registration = cancellationToken.Register(() => turn.TrySetCanceled(cancellationToken));
        await turn.Task;
    }
}
