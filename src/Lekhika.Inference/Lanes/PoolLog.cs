using Microsoft.Extensions.Logging;

namespace Lekhika.Inference.Lanes;

/// <summary>What the pool logs. Highest id: 9.</summary>
internal static partial class PoolLog
{
    [LoggerMessage(1, LogLevel.Warning, "Endpoint {Endpoint} is set aside for {Seconds:0.#} s: {Problem}")]
    public static partial void SetAside(ILogger logger, string endpoint, double seconds, string problem);

    [LoggerMessage(2, LogLevel.Information, "Endpoint {Endpoint} is back")]
    public static partial void Back(ILogger logger, string endpoint);

    [LoggerMessage(3, LogLevel.Warning, "Model call {Model}, attempt {Attempt}: {Problem} Trying again in {Milliseconds:0} ms")]
    public static partial void Retry(ILogger logger, string model, int attempt, string problem, double milliseconds);

    [LoggerMessage(4, LogLevel.Warning, "The models of endpoint {Endpoint} could not be read: {Problem}")]
    public static partial void Unlisted(ILogger logger, string endpoint, string problem);

    [LoggerMessage(5, LogLevel.Error, "The lane scheduler could not handle {Event}; it goes on")]
    public static partial void EventFailed(ILogger logger, Exception exception, string @event);

    [LoggerMessage(6, LogLevel.Error, "A listener of a model call threw, which it must not")]
    public static partial void SinkFailed(ILogger logger, Exception exception);

    [LoggerMessage(7, LogLevel.Warning, "The shared turn of {Endpoint} for {Model} could not be had or given back; going on without it")]
    public static partial void TurnFailed(ILogger logger, Exception exception, string endpoint, string model);

    [LoggerMessage(9, LogLevel.Debug, "Endpoint {Endpoint} was not made to load {Model} ahead of its turn: {Problem}")]
    public static partial void NotPreloaded(ILogger logger, string endpoint, string model, string problem);

    [LoggerMessage(8, LogLevel.Information, "Model endpoints are now: {Endpoints}")]
    public static partial void Replaced(ILogger logger, string endpoints);
}
