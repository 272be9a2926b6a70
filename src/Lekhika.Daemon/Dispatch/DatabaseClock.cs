namespace Lekhika.Daemon.Dispatch;

/// <summary>
/// The database's clock, carried on by this machine's monotonic one. Leases and due times mean the same to every daemon, however wrong its own wall
/// clock is.
/// </summary>
internal sealed class DatabaseClock(TimeProvider time)
{
    private sealed record Reading(DateTimeOffset At, long Timestamp);

    private volatile Reading _reading = new(time.GetUtcNow(), time.GetTimestamp());

    /// <summary>Now, by the database's clock as it was last read.</summary>
    public DateTimeOffset Now
    {
        get
        {
            var reading = _reading;
            return reading.At + time.GetElapsedTime(reading.Timestamp);
        }
    }

    /// <summary>How far the machine's wall clock is behind the database's.</summary>
    public TimeSpan Skew => Now - time.GetUtcNow();

    /// <param name="databaseNow">What the database said.</param>
    /// <param name="asked">Timestamp when it was asked.</param>
    /// <param name="answered">Timestamp when the answer came.</param>
    public void Observe(DateTimeOffset databaseNow, long asked, long answered) => _reading = new Reading(databaseNow, asked + ((answered - asked) / 2));
}
