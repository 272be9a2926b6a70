using System.Collections.Concurrent;
using System.Collections.Immutable;
using Lekhika.Inference.Endpoints;

namespace Lekhika.Inference.Tests.Support;

/// <summary>An endpoint without a wire: the test answers each call by hand, or with a function.</summary>
internal sealed class FakeProvider(string name, params string[] models) : IModelProvider
{
    private readonly ConcurrentQueue<FakeCall> _calls = new();
    private readonly SemaphoreSlim _arrived = new(0);

    public Func<ModelRequest, IModelSink, CancellationToken, Task<ModelReply>>? Answer { get; set; }

    public Func<ImmutableArray<ModelInfo>?> List { get; set; } = () => [.. models.Select(model => new ModelInfo(model))];

    public string Address => $"http://{name}";

    public int Listings { get; private set; }

    public bool Disposed { get; private set; }

    /// <summary>Calls so far, in order.</summary>
    public IReadOnlyList<FakeCall> Calls => [.. _calls];

    public static ModelReply Reply(string text = "ok", TimeSpan load = default) =>
        new() { Text = text, Model = "m", DoneReason = "stop", Endpoint = "fake", LoadTime = load };

    /// <summary>Waits for the next call.</summary>
    public async Task<FakeCall> NextAsync(CancellationToken cancellationToken)
    {
        if (!await _arrived.WaitAsync(TimeSpan.FromSeconds(20), cancellationToken))
            throw new TimeoutException("no call came");
        return _calls.Last();
    }

    public async Task<ModelReply> CallAsync(ModelRequest request, TimeSpan limit, IModelSink sink, CancellationToken cancellationToken)
    {
        var call = new FakeCall(request, sink, limit);
        _calls.Enqueue(call);
        _arrived.Release();
        if (Answer is { } answer)
            return await answer(request, sink, cancellationToken);
        return await call.Reply.Task.WaitAsync(cancellationToken);
    }

    public Task<ImmutableArray<ModelInfo>?> ListModelsAsync(CancellationToken cancellationToken)
    {
        Listings++;
        return Task.FromResult(List());
    }

    /// <summary>What it says it has in memory.</summary>
    public string[] Loaded { get; set; } = [];

    /// <summary>Models it was asked to load.</summary>
    public ConcurrentQueue<string> Preloads { get; } = new();

    public Task<ImmutableArray<ModelInfo>> ListLoadedAsync(CancellationToken cancellationToken) =>
        Task.FromResult<ImmutableArray<ModelInfo>>([.. Loaded.Select(model => new ModelInfo(model))]);

    public Task PreloadAsync(ModelRequest request, CancellationToken cancellationToken)
    {
        Preloads.Enqueue(request.Model);
        return Task.CompletedTask;
    }

    public Task<string> VersionAsync(CancellationToken cancellationToken)
    {
        _ = List();
        return Task.FromResult("1.2.3");
    }

    public void Dispose()
    {
        Disposed = true;
        _arrived.Dispose();
    }
}

/// <summary>A call that waits for its answer.</summary>
internal sealed record FakeCall(ModelRequest Request, IModelSink Sink, TimeSpan Limit)
{
    public TaskCompletionSource<ModelReply> Reply { get; } = new(TaskCreationOptions.RunContinuationsAsynchronously);
}
