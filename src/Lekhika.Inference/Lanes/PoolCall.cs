namespace Lekhika.Inference.Lanes;

/// <summary>One call over all its attempts. Touched by its caller's task alone.</summary>
internal sealed class PoolCall(ModelRequest request, IModelSink sink, long sequence, TimeSpan since, TimeSpan limit)
{
    public ModelRequest Request => request;

    public IModelSink Sink => sink;

    public long Sequence => sequence;

    public TimeSpan Since => since;

    public int Attempts { get; set; }

    public PoolEndpoint? LastEndpoint { get; set; }

    /// <summary>Time spent waiting for turns.</summary>
    public TimeSpan QueueTime { get; set; }

    /// <summary>Time spent in attempts that ended.</summary>
    public TimeSpan Spent { get; set; }

    /// <summary>What is left of the limit for the whole call; waiting for turns and pauses do not count.</summary>
    public TimeSpan TimeLeft()
    {
        var left = limit - Spent;
        return left > TimeSpan.FromMilliseconds(1) ? left : TimeSpan.FromMilliseconds(1);
    }
}
