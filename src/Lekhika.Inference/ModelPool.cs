using Lekhika.Inference.Endpoints;
using Lekhika.Inference.Lanes;
using Lekhika.Inference.Ollama;
using Lekhika.Inference.OpenAi;
using Microsoft.Extensions.Logging;
using Microsoft.Extensions.Logging.Abstractions;
using Polly;
using Polly.CircuitBreaker;
using Polly.Retry;

namespace Lekhika.Inference;

// The way of a call:
//
//   RunAsync -> ticket -> loop (route, lane, turn) -> provider, read in the caller's own task -> reply
//                 ^                                       |
//                 +---- pause, sink.Restarted <--- connect error, 503, broken stream
//
// Every attempt takes a turn of its own, so that a pause holds no slot and the next attempt may go to another endpoint; it keeps the number of its
// call, and with it its place in the lane. Refusals and time limits are not repeated here: the first would fail again, the second have taken
// their time, and the node's own retry policy decides about them.

/// <summary>All model endpoints together.</summary>
public sealed class ModelPool : IModelCaller, IAsyncDisposable
{
    private static readonly ResiliencePropertyKey<PoolCall> CallKey = new("call");

    private readonly TimeProvider _time;
    private readonly Random _random;
    private readonly ILogger _logger;
    private readonly PoolLoop _loop;
    private ModelPoolOptions _options;
    private ResiliencePipeline<ModelReply> _retry;
    private long _sequence;

    /// <summary>Makes a pool; it connects when it is needed.</summary>
    /// <param name="options">What it is told.</param>
    /// <param name="time">Its clock.</param>
    /// <param name="random">Jitter of pauses.</param>
    /// <param name="logging">Where it logs; null for nowhere.</param>
    /// <param name="turn">The turn shared with other daemons; null if it has the endpoints to itself.</param>
    /// <exception cref="ArgumentException">The options have problems; all are named.</exception>
    public ModelPool(ModelPoolOptions options, TimeProvider time, Random random, ILoggerFactory? logging = null, ILaneTurn? turn = null)
        : this(options, time, random, logging, turn, (endpoint, pool) => Connect(endpoint, pool, time))
    {
    }

    internal ModelPool(
        ModelPoolOptions options,
        TimeProvider time,
        Random random,
        ILoggerFactory? logging,
        ILaneTurn? turn,
        Func<ModelEndpointOptions, ModelPoolOptions, IModelProvider> connect)
    {
        Check(options);
        _options = options;
        _time = time;
        _random = random;
        _logger = (logging ?? NullLoggerFactory.Instance).CreateLogger("Lekhika.Inference.Pool");
        _retry = Retry(options.Retries);
        _loop = new PoolLoop(options, time, _logger, turn, connect);
    }

    /// <inheritdoc />
    public async Task<ModelReply> RunAsync(ModelRequest request, IModelSink sink, CancellationToken cancellationToken)
    {
        ArgumentNullException.ThrowIfNull(request);
        ArgumentNullException.ThrowIfNull(sink);
        if (string.IsNullOrWhiteSpace(request.Model))
            throw new ModelException(ModelFailure.Refused, "The request names no model.");
        if (request.Messages.IsDefaultOrEmpty)
            throw new ModelException(ModelFailure.Refused, $"The request to model '{request.Model}' has no messages; at least one is needed.");

        var options = Volatile.Read(ref _options);
        var call = new PoolCall(request, sink, Interlocked.Increment(ref _sequence), _loop.Now, request.Timeout ?? options.Timeouts.Whole);
        var context = ResilienceContextPool.Shared.Get(cancellationToken);
        context.Properties.Set(CallKey, call);
        try
        {
            return await Volatile.Read(ref _retry).ExecuteAsync(
                static async (context, state) => await state.Pool.AttemptAsync(state.Call, context.CancellationToken), context, (Pool: this, Call: call));
        }
        finally
        {
            ResilienceContextPool.Shared.Return(context);
        }
    }

    /// <summary>The lanes at this moment; cheap enough for every status request.</summary>
    public PoolSnapshot Snapshot() => _loop.Snapshot();

    /// <summary>Asks every endpoint for version and models, side by side, each within the limit for control questions.</summary>
    public Task<EndpointHealth[]> CheckAsync(CancellationToken cancellationToken) =>
        Task.WhenAll(_loop.Endpoints.Select(endpoint => PoolCheck.AskAsync(endpoint, cancellationToken)));

    /// <summary>
    /// Takes new options. Endpoints whose connection settings are the same keep lanes and counters; at others what is in flight ends and what waits
    /// is routed anew.
    /// </summary>
    /// <exception cref="ArgumentException">The options have problems; the old ones stay.</exception>
    public async Task ReplaceOptionsAsync(ModelPoolOptions options)
    {
        Check(options);
        var done = new TaskCompletionSource(TaskCreationOptions.RunContinuationsAsynchronously);
        if (!await _loop.PostAsync(new PoolEvent.Replaced(options, done)))
            return;
        Volatile.Write(ref _options, options);
        Volatile.Write(ref _retry, Retry(options.Retries));
        await done.Task;
    }

    /// <summary>Refuses what waits, aborts what is in flight, closes the connections.</summary>
    public ValueTask DisposeAsync() => _loop.DisposeAsync();

    private static IModelProvider Connect(ModelEndpointOptions endpoint, ModelPoolOptions pool, TimeProvider time) => endpoint.Kind switch
    {
        ModelEndpointKind.OpenAi => new OpenAiProvider(endpoint, pool, time),
        _ => new OllamaProvider(endpoint, pool, time),
    };

    private static void Check(ModelPoolOptions options)
    {
        ArgumentNullException.ThrowIfNull(options);
        var problems = options.Problems();
        if (problems.Count > 0)
            throw new ArgumentException("The model options have problems: " + string.Join("; ", problems), nameof(options));
    }

    private async Task<ModelReply> AttemptAsync(PoolCall call, CancellationToken cancellationToken)
    {
        var asked = _loop.Now;
        var ticket = new Ticket(call.Request, call.Sink, call.Sequence, call.Since, call.LastEndpoint) { Admitted = call.Attempts > 0 };
        var endpoint = await _loop.AcquireAsync(ticket, cancellationToken);
        call.QueueTime += _loop.Now - asked;
        call.Attempts++;
        call.LastEndpoint = endpoint;
        ModelReply? reply = null;
        ModelException? failure = null;
        var started = _loop.Now;
        try
        {
            using var either = CancellationTokenSource.CreateLinkedTokenSource(cancellationToken, _loop.Stopping);
            await call.Sink.MayBeginAsync(either.Token);
            started = _loop.Now;
            call.Sink.Started(endpoint.Options.Name, call.Attempts);
            reply = await endpoint.Guard.ExecuteAsync(
                static async (state, token) => await state.Provider.CallAsync(state.Call.Request, state.Call.TimeLeft(), state.Call.Sink, token),
                (endpoint.Provider, Call: call),
                either.Token);
            reply = reply with { Attempts = call.Attempts, QueueTime = call.QueueTime };
            return reply;
        }
        catch (ModelException exception)
        {
            failure = exception;
            throw;
        }
        catch (BrokenCircuitException exception)
        {
            throw new ModelException(ModelFailure.Unavailable, $"Endpoint {endpoint.Options.Name} was set aside just now.", exception);
        }
        catch (OperationCanceledException) when (_loop.Stopping.IsCancellationRequested && !cancellationToken.IsCancellationRequested)
        {
            throw PoolLoop.Stopped();
        }
        catch (OperationCanceledException) when (cancellationToken.IsCancellationRequested)
        {
            throw new OperationCanceledException(cancellationToken);
        }
        finally
        {
            call.Spent += _loop.Now - started;
            await _loop.PostAsync(new PoolEvent.Ended(ticket, endpoint, reply, failure), CancellationToken.None);
        }
    }

    private ResiliencePipeline<ModelReply> Retry(ModelRetries retries)
    {
        var builder = new ResiliencePipelineBuilder<ModelReply> { TimeProvider = _time };
        if (retries.Attempts > 1)
        {
            builder.AddRetry(new RetryStrategyOptions<ModelReply>
            {
                MaxRetryAttempts = retries.Attempts - 1,
                BackoffType = DelayBackoffType.Exponential,
                UseJitter = true,
                Delay = retries.FirstDelay,
                MaxDelay = retries.MaxDelay,
                Randomizer = NextRandom,
                ShouldHandle = static arguments => ValueTask.FromResult(arguments.Outcome.Exception is ModelException { Repeatable: true }),
                DelayGenerator = arguments => ValueTask.FromResult(Asked(arguments.Outcome.Exception, retries.MaxDelay)),
                OnRetry = OnRetry,
            });
        }

        return builder.Build();
    }

    // A server that says how long to leave it alone is obeyed, within reason.
    private static TimeSpan? Asked(Exception? exception, TimeSpan most) =>
        exception is ModelException { RetryAfter: { } asked } && asked > TimeSpan.Zero ? (asked < most ? asked : most) : null;

    private ValueTask OnRetry(OnRetryArguments<ModelReply> arguments)
    {
        if (arguments.Context.Properties.TryGetValue(CallKey, out var call))
        {
            var problem = arguments.Outcome.Exception?.Message ?? "";
            PoolLog.Retry(_logger, call.Request.Model, call.Attempts, problem, arguments.RetryDelay.TotalMilliseconds);
            call.Sink.Restarted(problem);
        }

        return default;
    }

    private double NextRandom()
    {
        // Not the loop: calls that pause meet here, and Random is not made for several at once.
        lock (_random)
            return _random.NextDouble();
    }
}
