using Lekhika.Inference.Lanes;
using Lekhika.Inference.Tests.Support;
using Xunit;

namespace Lekhika.Inference.Tests.Lanes;

/// <summary>A pool over endpoints without a wire, on a clock the test moves.</summary>
internal sealed class PoolBench : IAsyncDisposable
{
    private readonly Dictionary<string, FakeProvider> _providers;

    public PoolBench(ModelPoolOptions options, ILaneTurn? turn = null, params FakeProvider[] providers)
    {
        _providers = providers.ToDictionary(provider => provider.Address["http://".Length..], StringComparer.Ordinal);
        Pool = new ModelPool(options, Time, new Random(1), logging: null, turn, Connect);
    }

    public ManualTime Time { get; } = new();

    public ModelPool Pool { get; }

    public static CancellationToken Token => TestContext.Current.CancellationToken;

    public static ModelPoolOptions Options(params string[] names) => new()
    {
        Endpoints = [.. names.Select(name => new ModelEndpointOptions { Name = name, BaseUrl = new Uri($"http://{name}") })],
    };

    public static PoolBench Single(FakeProvider provider, Func<ModelPoolOptions, ModelPoolOptions>? change = null)
    {
        var options = Options(provider.Address["http://".Length..]);
        return new PoolBench(change?.Invoke(options) ?? options, null, provider);
    }

    public static ModelException Fault(ModelFailure failure = ModelFailure.Unavailable) => new(failure, "it is down") { EndpointFault = true };

    public void Add(FakeProvider provider) => _providers.Add(provider.Address["http://".Length..], provider);

    public Task<ModelReply> RunAsync(string model = "m", RecordingSink? sink = null, CancellationToken? token = null, int priority = 0) =>
        Pool.RunAsync(Requests.For(model) with { Priority = priority }, sink ?? new RecordingSink(), token ?? Token);

    /// <summary>Waits, in real time, until the pool looks as wanted.</summary>
    public async Task UntilAsync(Func<PoolSnapshot, bool> wanted)
    {
        var began = TimeProvider.System.GetTimestamp();
        while (!wanted(Pool.Snapshot()))
        {
            if (TimeProvider.System.GetElapsedTime(began) > TimeSpan.FromSeconds(20))
                throw new TimeoutException($"the pool never looked as wanted, but so: {Pool.Snapshot().Endpoints[0]}");
            await Task.Delay(TimeSpan.FromMilliseconds(1), TimeProvider.System, Token);
        }
    }

    public ValueTask DisposeAsync() => Pool.DisposeAsync();

    private FakeProvider Connect(ModelEndpointOptions endpoint, ModelPoolOptions options) => _providers[endpoint.Name];
}
