using System.Diagnostics.CodeAnalysis;

namespace Lekhika.Daemon.Http.Browse;

/// <summary>A value that is looked up at most once in a while, whoever asks.</summary>
[SuppressMessage("Design", "CA1001", Justification = "A semaphore whose wait handle is never asked for holds nothing to dispose.")]
internal sealed class Remembered<T>(TimeProvider time, TimeSpan freshness)
    where T : class
{
    private readonly SemaphoreSlim _one = new(1, 1);
    private (T Value, long At)? _last;

    public async Task<T> GetAsync(Func<CancellationToken, Task<T>> look, CancellationToken cancellationToken)
    {
        await _one.WaitAsync(cancellationToken);
        try
        {
            if (_last is { } last && time.GetElapsedTime(last.At) < freshness) return last.Value;
            var value = await look(cancellationToken);
            _last = (value, time.GetTimestamp());
            return value;
        }
        finally
        {
            _one.Release();
        }
    }
}
