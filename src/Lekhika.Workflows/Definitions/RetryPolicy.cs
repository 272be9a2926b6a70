namespace Lekhika.Workflows.Definitions;

/// <summary>How the failed attempts of one node are repeated.</summary>
public sealed record RetryPolicy
{
    /// <summary>Attempts in all, the first included; 1 to 100. Default 3.</summary>
    public int MaxAttempts { get; init; } = 3;

    /// <summary>Wait before the second attempt. Default 1 s.</summary>
    public TimeSpan InitialDelay { get; init; } = TimeSpan.FromSeconds(1);

    /// <summary>Factor by which the wait grows; at least 1. Default 2.</summary>
    public double Backoff { get; init; } = 2;

    /// <summary>The longest wait. Default 1 h.</summary>
    public TimeSpan MaxDelay { get; init; } = TimeSpan.FromHours(1);

    /// <summary>Share of the wait that is drawn at random, 0 to 1. Default 0.2.</summary>
    public double Jitter { get; init; } = 0.2;

    /// <summary>No repetition.</summary>
    public static RetryPolicy None { get; } = new() { MaxAttempts = 1 };

    /// <summary>The wait after the given failed attempt.</summary>
    /// <param name="failedAttempt">Number of the attempt that failed, from 1.</param>
    /// <param name="sample">A random number from 0 to 1, injected so that the result can be repeated.</param>
    public TimeSpan DelayAfter(int failedAttempt, double sample)
    {
        var grown = InitialDelay.TotalMilliseconds * Math.Pow(Math.Max(1, Backoff), Math.Max(0, failedAttempt - 1));
        var capped = Math.Min(grown, MaxDelay.TotalMilliseconds);
        var spread = capped * Math.Clamp(Jitter, 0, 1);
        return TimeSpan.FromMilliseconds(capped - spread + (spread * Math.Clamp(sample, 0, 1)));
    }
}
