using System.Diagnostics.CodeAnalysis;

namespace Lekhika.Daemon.Http.Browse;

/// <summary>
/// A value that is not looked up all the time, whoever asks: one look at a time, and its answer stands for twenty times as long as it took. What is quickly
/// found is as good as fresh; what is not keeps the database busy for a twentieth of the time at most.
/// </summary>
/// <param name="time">The clock.</param>
/// <param name="most">An answer never stands for longer.</param>
[SuppressMessage("Design", "CA1001", Justification = "A semaphore whose wait handle is never asked for holds nothing to dispose.")]
internal sealed class Remembered<T>(TimeProvider time, TimeSpan most)
    where T : class
{
    private const int Share = 20;
    private readonly SemaphoreSlim _one = new(1, 1);
    private (T Value, long At, TimeSpan Freshness)? _last;

    public async Task<T> GetAsync(Func<CancellationToken, Task<T>> look, CancellationToken cancellationToken)
    {
        await _one.WaitAsync(cancellationToken);
        try
        {
            if (_last is { } last && time.GetElapsedTime(last.At) < last.Freshness) return last.Value;
            var begun = time.GetTimestamp();
            var value = await look(cancellationToken);
            var now = time.GetTimestamp();
            var freshness = time.GetElapsedTime(begun, now) * Share;
            _last = (value, now, freshness < most ? freshness : most);
            return value;
        }
        finally
        {
            _one.Release();
        }
    }
}
