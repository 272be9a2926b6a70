namespace Lekhika.Doubles;

/// <summary>
/// Which models are in memory and who may use them, as the server's scheduler was seen to behave.
/// <code>
///   request ── loaded, same options ─────────────────────────────► runner ─ slots, first come first served
///      │                                                             ▲
///      └─ else: load queue (MaxQueue, full = 503) ─ one at a time ─ evict what is in the way ─ load
/// </code>
/// A request for a loaded model never waits in the queue, so it overtakes one that waits for a swap, and as long as such requests overlap
/// the victim never becomes idle. A client that leaves while a load runs cancels it; one that leaves while a victim is still busy does not
/// undo the eviction. Loads are serial. A runner whose process died stays listed until the next request for it reloads.
/// </summary>
internal sealed class ModelScheduler(OllamaDoubleOptions options, StatsRecorder stats) : IAsyncDisposable
{
    private readonly Lock _gate = new();
    private readonly Dictionary<string, Runner> _loaded = new(StringComparer.Ordinal);
    private readonly Queue<Pending> _queue = new();
    private readonly CancellationTokenSource _stopping = new();
    private Task _loading = Task.CompletedTask;
    private bool _busy;

    /// <summary>The loaded models, latest expiry first.</summary>
    public IReadOnlyList<(DoubleModel Model, int Context, DateTimeOffset ExpiresAt)> Loaded
    {
        get
        {
            lock (_gate)
                return [.. _loaded.Values.OrderByDescending(runner => runner.ExpiresAt).Select(runner => (runner.Model, runner.Context, runner.ExpiresAt))];
        }
    }

    /// <summary>Gives a runner for the model, loading it first where needed.</summary>
    /// <exception cref="ApiException">503: the load queue is full.</exception>
    /// <exception cref="OperationCanceledException">The client left.</exception>
    public async Task<RunnerLease> AcquireAsync(DoubleModel model, int context, TimeSpan? keepAlive, CancellationToken cancellationToken)
    {
        var pending = new Pending(model, context, keepAlive, cancellationToken);
        lock (_gate)
        {
            if (_loaded.TryGetValue(model.BlobKey, out var runner) && Fits(runner, context))
                return Use(runner, keepAlive);
            if (!_busy)
            {
                _busy = true;
                _loading = LoadAllAsync(pending);
            }
            else if (_queue.Count < options.MaxQueue)
            {
                _queue.Enqueue(pending);
            }
            else
            {
                stats.Rejected();
                throw ApiException.Busy();
            }
        }
        try
        {
            return await pending.Result.Task.WaitAsync(cancellationToken);
        }
        catch (OperationCanceledException)
        {
            // It stays in the queue and is skipped when its turn comes. If the runner was given at this very moment, it goes back.
            if (!pending.Result.TrySetCanceled(cancellationToken) && pending.Result.Task.IsCompletedSuccessfully)
                (await pending.Result.Task).Dispose();
            throw;
        }
    }

    /// <summary>Unloads the model as soon as it is idle. One that is not loaded is left alone.</summary>
    public void Unload(DoubleModel model)
    {
        lock (_gate)
        {
            if (!_loaded.TryGetValue(model.BlobKey, out var runner))
                return;
            runner.KeepAlive = TimeSpan.Zero;
            if (runner.Users == 0)
                Remove(runner);
        }
    }

    /// <summary>The loaded runner of a model, if any; for faults.</summary>
    public Runner? Find(DoubleModel model)
    {
        lock (_gate)
            return _loaded.GetValueOrDefault(model.BlobKey);
    }

    public void Release(Runner runner)
    {
        lock (_gate)
        {
            if (--runner.Users > 0)
                return;
            if (runner.KeepAlive <= TimeSpan.Zero)
                Remove(runner);
            else
                Expire(runner);
        }
    }

    /// <summary>Everything leaves memory; what runs runs on.</summary>
    public void Clear()
    {
        lock (_gate)
        {
            foreach (var runner in _loaded.Values.ToList())
                Remove(runner);
        }
    }

    public async ValueTask DisposeAsync()
    {
        await _stopping.CancelAsync();
        await _loading;
        lock (_gate)
        {
            foreach (var runner in _loaded.Values)
                runner.Expiry?.Dispose();
        }
        _stopping.Dispose();
    }

    private static bool Fits(Runner runner, int context) => runner.Context == context && !runner.Killed.IsCancellationRequested;

    private RunnerLease Use(Runner runner, TimeSpan? keepAlive)
    {
        runner.Users++;
        runner.Expiry?.Dispose();
        runner.Expiry = null;
        if (keepAlive is { } duration)
            runner.KeepAlive = duration;
        runner.ExpiresAt = At(runner.KeepAlive);
        return new RunnerLease(this, runner);
    }

    private DateTimeOffset At(TimeSpan keepAlive) => options.TimeProvider.GetUtcNow() + keepAlive;

    private void Expire(Runner runner)
    {
        runner.ExpiresAt = At(runner.KeepAlive);
        // A timer cannot wait for centuries, and need not.
        if (runner.KeepAlive > TimeSpan.FromDays(40))
            return;
        runner.Expiry = options.TimeProvider.CreateTimer(
            _ =>
            {
                lock (_gate)
                {
                    if (runner.Users == 0 && runner.Expiry is not null)
                        Remove(runner);
                }
            },
            null,
            runner.KeepAlive,
            Timeout.InfiniteTimeSpan);
    }

    private void Remove(Runner runner)
    {
        if (!_loaded.TryGetValue(runner.Model.BlobKey, out var current) || current != runner)
            return;
        _loaded.Remove(runner.Model.BlobKey);
        runner.Expiry?.Dispose();
        runner.Expiry = null;
        stats.Unloaded();
        runner.Unloaded.TrySetResult();
    }

    private async Task LoadAllAsync(Pending first)
    {
        var pending = first;
        // Off the caller's lock before anything is awaited or done.
        await Task.Yield();
        while (true)
        {
            try
            {
                await LoadAsync(pending);
            }
            catch (OperationCanceledException)
            {
                pending.Result.TrySetCanceled();
            }
            lock (_gate)
            {
                if (!_queue.TryDequeue(out var next))
                {
                    _busy = false;
                    return;
                }
                pending = next;
            }
        }
    }

    private async Task LoadAsync(Pending pending)
    {
        using var leaving = CancellationTokenSource.CreateLinkedTokenSource(pending.Left, _stopping.Token);
        leaving.Token.ThrowIfCancellationRequested();
        var swapped = false;
        while (true)
        {
            Task unloaded;
            lock (_gate)
            {
                if (_loaded.TryGetValue(pending.Model.BlobKey, out var runner) && Fits(runner, pending.Context))
                {
                    Give(pending, runner);
                    return;
                }
                var victim = runner ?? (_loaded.Count >= options.MaxLoadedModels ? Victim() : null);
                if (victim is null)
                    break;
                swapped = true;
                victim.KeepAlive = TimeSpan.Zero;
                stats.Evicted();
                if (victim.Users == 0)
                    Remove(victim);
                unloaded = victim.Unloaded.Task;
            }
            await unloaded.WaitAsync(leaving.Token);
        }
        var time = (pending.Model.LoadTime ?? options.LoadTime) + (swapped ? options.SwapTime : TimeSpan.Zero);
        if (time > TimeSpan.Zero)
            await Task.Delay(time, options.TimeProvider, leaving.Token);
        lock (_gate)
        {
            var runner = new Runner(pending.Model, pending.Context, options.Parallel) { KeepAlive = options.KeepAlive };
            _loaded[pending.Model.BlobKey] = runner;
            stats.Loaded(swapped);
            Give(pending, runner);
        }
    }

    private void Give(Pending pending, Runner runner)
    {
        var lease = Use(runner, pending.KeepAlive);
        if (pending.Left.IsCancellationRequested || !pending.Result.TrySetResult(lease))
            lease.Dispose();
    }

    private Runner Victim() =>
        _loaded.Values.OrderBy(runner => runner.Users == 0 ? 0 : 1).ThenBy(runner => runner.KeepAlive).First();

    private sealed record Pending(DoubleModel Model, int Context, TimeSpan? KeepAlive, CancellationToken Left)
    {
        public TaskCompletionSource<RunnerLease> Result { get; } = new(TaskCreationOptions.RunContinuationsAsynchronously);
    }
}
