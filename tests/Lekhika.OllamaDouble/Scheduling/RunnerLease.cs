namespace Lekhika.Doubles;

/// <summary>The right to use a loaded model; giving it back may unload it.</summary>
internal sealed class RunnerLease(ModelScheduler scheduler, Runner runner) : IDisposable
{
    private int _returned;

    public Runner Runner { get; } = runner;

    public void Dispose()
    {
        if (Interlocked.Exchange(ref _returned, 1) == 0)
            scheduler.Release(Runner);
    }
}
