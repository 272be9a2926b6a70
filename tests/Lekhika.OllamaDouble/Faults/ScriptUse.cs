namespace Lekhika.Doubles;

/// <summary>How often a scripted rule was used.</summary>
public sealed class ScriptUse
{
    private int _times;

    /// <value>Requests that it was applied to.</value>
    public int Times => Volatile.Read(ref _times);

    /// <summary>Counts one more; the answer is how many there were before.</summary>
    internal int Count() => Interlocked.Increment(ref _times) - 1;
}
