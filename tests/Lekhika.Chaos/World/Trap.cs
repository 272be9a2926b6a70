namespace Lekhika.Chaos.World;

/// <summary>Strikes once at one message of all that a daemon sends, before it is passed on or after it was and before the daemon has the answer.</summary>
/// <param name="at">Number of the message, as <see cref="Proxy.Messages"/> counts.</param>
/// <param name="before">Whether it is never passed on.</param>
/// <param name="strike">What is done; it is told the type of the message.</param>
internal sealed class Trap(long at, bool before, Action<byte> strike)
{
    private int _sprung;

    public long At { get; } = at;

    public bool Before { get; } = before;

    public void Spring(byte type)
    {
        if (Interlocked.Exchange(ref _sprung, 1) == 0) strike(type);
    }
}
