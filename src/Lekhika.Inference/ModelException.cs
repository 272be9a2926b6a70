namespace Lekhika.Inference;

/// <summary>A model call that failed for good.</summary>
public sealed class ModelException : Exception
{
    /// <summary>Makes one.</summary>
    /// <param name="failure">What kind of failure it is.</param>
    /// <param name="message">For people: endpoint, model, what happened, what helps.</param>
    /// <param name="innerException">What caused it, if anything did.</param>
    public ModelException(ModelFailure failure, string message, Exception? innerException = null)
        : base(message, innerException) => Failure = failure;

    /// <summary>What kind of failure it is.</summary>
    public ModelFailure Failure { get; }

    /// <summary>HTTP status of the reply, if there was one.</summary>
    public int? Status { get; init; }

    /// <summary>Whether a later attempt of the node may succeed.</summary>
    public bool Retryable => Failure is ModelFailure.Unavailable or ModelFailure.Broken or ModelFailure.TimedOut;

    /// <summary>The endpoint itself is to blame (unreachable, overloaded, cut off), so it counts towards setting the endpoint aside.</summary>
    internal bool EndpointFault { get; init; }

    /// <summary>Repeating it within the same call is of no use, even if the kind of failure is one that is repeated.</summary>
    internal bool Final { get; init; }

    /// <summary>How long the endpoint asked to be left alone (Retry-After).</summary>
    internal TimeSpan? RetryAfter { get; init; }

    /// <summary>Whether the pool itself may try again: connect errors, overload and broken streams, but never a refusal or a time limit.</summary>
    internal bool Repeatable => !Final && (Failure is ModelFailure.Unavailable or ModelFailure.Broken);
}

/// <summary>Kinds of failure of a model call.</summary>
public enum ModelFailure
{
    /// <summary>No endpoint has the model.</summary>
    NotFound,

    /// <summary>The endpoint cannot be reached, or is overloaded.</summary>
    Unavailable,

    /// <summary>The endpoint refused the request (a 4xx, a bad option).</summary>
    Refused,

    /// <summary>The stream broke off, ended without its last line, or carried an error.</summary>
    Broken,

    /// <summary>A time limit passed.</summary>
    TimedOut,

    /// <summary>The reply is not what was asked for (cut by length where JSON was needed, invalid JSON).</summary>
    InvalidOutput,

    /// <summary>The model asked for a tool call.</summary>
    ToolCall,
}
