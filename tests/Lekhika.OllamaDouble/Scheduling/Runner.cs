namespace Lekhika.Doubles;

/// <summary>A loaded model. Fields that change are guarded by the scheduler's lock.</summary>
internal sealed class Runner(DoubleModel model, int context, int parallel) : IDisposable
{
    private readonly CancellationTokenSource _killed = new();
    private volatile TaskCompletionSource? _frozen;

    public DoubleModel Model { get; } = model;

    /// <summary>Tokens of context a slot has.</summary>
    public int Context { get; } = context;

    /// <summary>First come, first served.</summary>
    public SemaphoreSlim Slots { get; } = new(parallel, parallel);

    /// <summary>Cancelled when the process under it dies.</summary>
    public CancellationToken Killed => _killed.Token;

    /// <summary>Completed when the model has left memory.</summary>
    public TaskCompletionSource Unloaded { get; } = new(TaskCreationOptions.RunContinuationsAsynchronously);

    public int Users { get; set; }

    /// <summary>How long it stays once idle; zero unloads it.</summary>
    public TimeSpan KeepAlive { get; set; }

    public DateTimeOffset ExpiresAt { get; set; }

    public ITimer? Expiry { get; set; }

    public void Kill() => _killed.Cancel();

    public void Freeze() => _frozen ??= new TaskCompletionSource(TaskCreationOptions.RunContinuationsAsynchronously);

    public void Thaw()
    {
        _frozen?.TrySetResult();
        _frozen = null;
    }

    /// <summary>Completes at once unless the runner is frozen.</summary>
    public Task RunningAsync(CancellationToken cancellationToken) => _frozen is { } frozen ? frozen.Task.WaitAsync(cancellationToken) : Task.CompletedTask;

    public void Dispose()
    {
        Expiry?.Dispose();
        _killed.Dispose();
        Slots.Dispose();
    }
}
