namespace Lekhika.Daemon.Dispatch;

/// <summary>Something that is done again and again, in a loop of its own.</summary>
/// <param name="Name">What it is, after "could not".</param>
/// <param name="Interval">How often it is done unhinted.</param>
/// <param name="Hint">Makes the next round come sooner; null for none.</param>
/// <param name="Round">One round; gives how long until the next, or null for the usual interval.</param>
internal sealed record Duty(string Name, TimeSpan Interval, WakeSignal? Hint, Func<CancellationToken, Task<TimeSpan?>> Round);
