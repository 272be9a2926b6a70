using System.Collections.Immutable;

namespace Lekhika.Inference.Lanes;

/// <summary>What the loop is told.</summary>
internal abstract record PoolEvent
{
    /// <summary>Time to look again.</summary>
    public sealed record Tick : PoolEvent
    {
        public static readonly Tick Instance = new();
    }

    /// <summary>A request wants a turn.</summary>
    public sealed record Arrived(Ticket Ticket) : PoolEvent;

    /// <summary>A caller has left before his turn.</summary>
    public sealed record LeftQueue(Ticket Ticket) : PoolEvent;

    /// <summary>A request that had its turn has ended: well with a reply, else with a failure, or neither if it was cancelled.</summary>
    public sealed record Ended(Ticket Ticket, PoolEndpoint Endpoint, ModelReply? Reply, ModelException? Failure) : PoolEvent;

    /// <summary>An endpoint told its models.</summary>
    public sealed record Listed(PoolEndpoint Endpoint, ImmutableArray<ModelInfo>? Models) : PoolEvent;

    /// <summary>An endpoint told which models it has in memory; null if it could not be asked.</summary>
    public sealed record Loaded(PoolEndpoint Endpoint, ImmutableArray<ModelInfo>? Models) : PoolEvent;

    /// <summary>An endpoint did not tell its models.</summary>
    public sealed record Unlisted(PoolEndpoint Endpoint, string Problem, TimeSpan Again) : PoolEvent;

    /// <summary>The circuit of an endpoint has opened.</summary>
    public sealed record Opened(PoolEndpoint Endpoint, TimeSpan Pause) : PoolEvent;

    /// <summary>The shared turn for a lane has come; null if it could not be asked for.</summary>
    public sealed record Entered(Lane Lane, ILaneLease? Lease) : PoolEvent;

    /// <summary>The options have changed.</summary>
    public sealed record Replaced(ModelPoolOptions Options, TaskCompletionSource Done) : PoolEvent;
}
