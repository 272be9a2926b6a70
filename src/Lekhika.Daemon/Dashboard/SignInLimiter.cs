namespace Lekhika.Daemon.Dashboard;

/// <summary>
/// Bounds how often secrets can be tried: so many failures within a minute from one address, and so many from all, which guesses from many
/// addresses at a time run into. The rest is the secret's own length. Thread-safe and bounded.
/// </summary>
internal sealed class SignInLimiter(TimeProvider time)
{
    /// <summary>Failures within <see cref="Window"/> that one address may have.</summary>
    public const int PerAddress = 10;

    /// <summary>Failures within <see cref="Window"/> that all addresses may have together.</summary>
    public const int Together = 100;

    public static readonly TimeSpan Window = TimeSpan.FromMinutes(1);

    private readonly Lock _lock = new();
    private readonly Queue<(long At, string Address)> _failures = new();

    /// <summary>How long an address has to wait before it may try; zero if it may now.</summary>
    public TimeSpan Wait(string address)
    {
        lock (_lock)
        {
            Forget();
            if (_failures.Count >= Together) return Remaining(_failures.Peek().At);
            var own = _failures.Where(failure => failure.Address == address).ToList();
            return own.Count >= PerAddress ? Remaining(own[0].At) : TimeSpan.Zero;
        }
    }

    public void Failed(string address)
    {
        lock (_lock)
        {
            Forget();
            if (_failures.Count < Together) _failures.Enqueue((time.GetTimestamp(), address));
        }
    }

    private TimeSpan Remaining(long at)
    {
        var left = Window - time.GetElapsedTime(at);
        return left > TimeSpan.Zero ? left : TimeSpan.FromMilliseconds(1);
    }

    private void Forget()
    {
        while (_failures.TryPeek(out var oldest) && time.GetElapsedTime(oldest.At) >= Window) _failures.Dequeue();
    }
}
