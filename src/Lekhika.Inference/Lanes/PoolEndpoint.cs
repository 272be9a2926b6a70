using System.Collections.Immutable;
using Lekhika.Inference.Endpoints;
using Polly;
using Polly.CircuitBreaker;

namespace Lekhika.Inference.Lanes;

/// <summary>An endpoint as the pool knows it: its provider, its circuit, its lanes, the models it has. Owned by the loop but for what is read-only.</summary>
internal sealed class PoolEndpoint : IDisposable
{
    private static readonly TimeSpan LongestPause = TimeSpan.FromMinutes(1);
    private static readonly TimeSpan LoadedInterval = TimeSpan.FromSeconds(5);

    private bool _asksLoaded;
    private bool _toldLoaded;

    public PoolEndpoint(
        ModelEndpointOptions options, ModelPoolOptions pool, IModelProvider provider, TimeProvider time, Func<PoolEndpoint, TimeSpan, ValueTask> opened)
    {
        Options = options;
        Provider = provider;
        Lanes = new EndpointLanes(this, pool.Lanes);
        Guard = new ResiliencePipelineBuilder { TimeProvider = time }
            .AddCircuitBreaker(new CircuitBreakerStrategyOptions
            {
                // Two failures in a row, or most of several, and only those that are the endpoint's own fault.
                MinimumThroughput = 2,
                FailureRatio = 0.6,
                SamplingDuration = TimeSpan.FromSeconds(30),
                ShouldHandle = static arguments => ValueTask.FromResult(arguments.Outcome.Exception is ModelException { EndpointFault: true }),
                BreakDurationGenerator = arguments => ValueTask.FromResult(Pause(pool.SetAsideFor, arguments.HalfOpenAttempts)),
                OnOpened = arguments => opened(this, arguments.BreakDuration),
            })
            .Build();
    }

    public ModelEndpointOptions Options { get; set; }

    public IModelProvider Provider { get; }

    /// <summary>The circuit. Calls and the reading of its models go through it; while it is open only the latter does, as the probe.</summary>
    public ResiliencePipeline Guard { get; }

    public EndpointLanes Lanes { get; }

    /// <summary>What it has, in the one spelling; null if not yet known. Kept when a later reading fails.</summary>
    public ImmutableHashSet<string>? Models { get; private set; }

    /// <summary>It does not tell what it has.</summary>
    public bool HasAny { get; private set; }

    /// <summary>When its models were last asked for, with or without success.</summary>
    public TimeSpan? AskedAt { get; private set; }

    /// <summary>When to ask next.</summary>
    public TimeSpan AskDue { get; set; } = TimeSpan.Zero;

    /// <summary>When to ask next what it has in memory, if there is work by then; never while it is being asked.</summary>
    public TimeSpan LoadedDue { get; set; } = TimeSpan.MaxValue;

    /// <summary>Whether to ask now what it has in memory: once at the start, later while requests wait, for only they are decided by it.</summary>
    public bool IsLoadedDue(TimeSpan now) => LoadedDue <= now && (Lanes.Depth > 0 || !_toldLoaded);

    /// <summary>It is being asked.</summary>
    public bool Asking { get; set; }

    /// <summary>Its circuit is open.</summary>
    public bool SetAside { get; set; }

    /// <summary>What is wrong with it; null if all is well.</summary>
    public string? Problem { get; set; }

    /// <summary>Not in the options any more: what is in flight ends.</summary>
    public bool Retired { get; set; }

    /// <summary>Time a request takes once started, as a moving average.</summary>
    public TimeSpan ServiceTime { get; private set; } = TimeSpan.FromSeconds(5);

    public bool Has(ModelRequest request) => HasAny || (Models?.Contains(ModelNames.Normalize(Options.Kind, request.Model)) ?? false);

    /// <summary>Its list of models has been read; null means it has none to show.</summary>
    public void Listed(ImmutableArray<ModelInfo>? models, TimeSpan now, TimeSpan interval)
    {
        Models = models?.Select(model => ModelNames.Normalize(Options.Kind, model.Name)).ToImmutableHashSet(StringComparer.Ordinal);
        HasAny = models is null;
        SetAside = false;
        Problem = null;
        Asking = false;
        AskedAt = now;
        AskDue = now + interval;
        if (_asksLoaded || Options.Kind != ModelEndpointKind.Ollama)
            return;
        _asksLoaded = true;
        LoadedDue = now;
    }

    /// <summary>It has told what is in memory; null if it could not be asked.</summary>
    public void HeardLoaded(ImmutableArray<ModelInfo>? models, TimeSpan now)
    {
        _toldLoaded = true;
        if (models is { } loaded)
            Lanes.Loaded(loaded.Select(model => ModelNames.Normalize(Options.Kind, model.Name)).ToHashSet(StringComparer.Ordinal));
        LoadedDue = now + LoadedInterval;
    }

    /// <summary>Its list of models could not be read.</summary>
    public void Unlisted(string problem, TimeSpan now, TimeSpan again)
    {
        Problem = problem;
        Asking = false;
        AskedAt = now;
        if (!SetAside || AskDue <= now)
            AskDue = now + again;
    }

    public void Took(TimeSpan time) => ServiceTime = (ServiceTime * 0.8) + (time * 0.2);

    public void Dispose() => Provider.Dispose();

    private static TimeSpan Pause(TimeSpan first, int failedProbes)
    {
        var pause = first * Math.Pow(2, Math.Min(failedProbes, 10));
        return pause < LongestPause ? pause : LongestPause;
    }
}
