using System.Net;
using Microsoft.AspNetCore.Hosting.Server;
using Microsoft.AspNetCore.Hosting.Server.Features;

namespace Lekhika.Doubles;

// The double of an Ollama server.
//
//   request ─ Router (host, origin, path, method) ─ CompletionEndpoint ─ RequestReader ─ Planner ─ ModelScheduler ─ ReplyRun ─ ReplyWriter
//                                                        │                  │                                          │
//                                                  server's checks   script, format, prose,                    speed, faults, counters
//                                                                    tools, stop, length
//
// It is held to recordings of a real server (tests/Lekhika.Inference.Tests/Double). What is said is decided before anything is said, from
// the prompt and the seed alone, so a test can repeat it; only time is real. Faults change the plan or the way it is sent, never the rest.

/// <summary>A server that speaks Ollama's wire protocol, faults included, without a model behind it.</summary>
public sealed class OllamaDouble : IAsyncDisposable
{
    private readonly WebApplication _app;
    private readonly ModelStore _store;
    private readonly ModelScheduler _scheduler;
    private readonly ScriptBook _script = new();
    private readonly FaultBook _faults = new();
    private readonly StatsRecorder _stats = new();

    private OllamaDouble(OllamaDoubleOptions options)
    {
        _store = new ModelStore(options);
        _scheduler = new ModelScheduler(options, _stats);
        _app = Build(options);
    }

    /// <summary>Where it listens, such as <c>http://127.0.0.1:40123/</c>.</summary>
    public Uri BaseAddress { get; private set; } = new("http://127.0.0.1/");

    /// <summary>What it has seen until now.</summary>
    public DoubleStats Stats => _stats.Snapshot();

    /// <summary>Starts one and returns when it listens.</summary>
    /// <exception cref="IOException">The port is taken.</exception>
    public static async Task<OllamaDouble> StartAsync(OllamaDoubleOptions? options = null, CancellationToken cancellationToken = default)
    {
        var ollama = new OllamaDouble(options ?? new OllamaDoubleOptions());
        await ollama._app.StartAsync(cancellationToken);
        var addresses = ollama._app.Services.GetRequiredService<IServer>().Features.Get<IServerAddressesFeature>()!.Addresses;
        ollama.BaseAddress = new Uri(addresses.First());
        return ollama;
    }

    /// <summary>Adds a rule for replies to come.</summary>
    /// <returns>Tells how often it was used.</returns>
    public ScriptUse Script(ScriptRule rule) => _script.Add(rule);

    /// <summary>Forgets scripts, counts of faults and statistics.</summary>
    public void Reset()
    {
        _script.Clear();
        _faults.Clear();
        _stats.Reset();
    }

    /// <summary>The process under a loaded model dies. It stays listed; the next request for it loads again.</summary>
    /// <returns>Whether the model was loaded.</returns>
    public bool KillRunner(string model) => OnRunner(model, static runner => runner.Kill());

    /// <summary>The process under a loaded model stops to answer until thawed.</summary>
    /// <returns>Whether the model was loaded.</returns>
    public bool FreezeRunner(string model) => OnRunner(model, static runner => runner.Freeze());

    /// <summary>The process goes on.</summary>
    /// <returns>Whether the model was loaded.</returns>
    public bool ThawRunner(string model) => OnRunner(model, static runner => runner.Thaw());

    /// <summary>Completes when the process is asked to end.</summary>
    public Task WaitForShutdownAsync(CancellationToken cancellationToken = default) => _app.WaitForShutdownAsync(cancellationToken);

    /// <inheritdoc/>
    public async ValueTask DisposeAsync()
    {
        // Requests under way are cut, as when the server process ends.
        using var now = new CancellationTokenSource();
        await now.CancelAsync();
        try
        {
            await _app.StopAsync(now.Token);
        }
        catch (OperationCanceledException)
        {
            // Asked for above.
        }
        await _app.DisposeAsync();
        await _scheduler.DisposeAsync();
    }

    private bool OnRunner(string name, Action<Runner> act)
    {
        if (_store.Find(name) is not { } model || _scheduler.Find(model) is not { } runner)
            return false;
        act(runner);
        return true;
    }

    private WebApplication Build(OllamaDoubleOptions options)
    {
        var builder = WebApplication.CreateSlimBuilder(new WebApplicationOptions { ContentRootPath = AppContext.BaseDirectory });
        builder.Configuration.Sources.Clear();
        builder.Logging.ClearProviders();
        // Asked to end, it cuts what streams, as the original does.
        builder.Services.Configure<HostOptions>(host => host.ShutdownTimeout = TimeSpan.FromMilliseconds(50));
        builder.WebHost.ConfigureKestrel(kestrel =>
        {
            kestrel.AddServerHeader = false;
            kestrel.Limits.MaxRequestBodySize = null;
            kestrel.Limits.MinRequestBodyDataRate = null;
            kestrel.Limits.MinResponseDataRate = null;
            kestrel.Listen(options.Host == "localhost" ? IPAddress.Loopback : IPAddress.Parse(options.Host), options.Port);
        });
        var app = builder.Build();
        app.Run(Routes(options).HandleAsync);
        return app;
    }

    private Router Routes(OllamaDoubleOptions options)
    {
        var completion = new CompletionEndpoint(options, _store, _scheduler, new Planner(options, _script, _faults), _stats);
        var catalogue = new CatalogueEndpoints(options, _store, _scheduler);
        var stores = new StoreEndpoints(_store, _stats);
        var embed = new EmbedEndpoints(options, _store, _scheduler);
        var admin = new AdminEndpoints(_store, _scheduler, _script, _faults, _stats);
        return new Router(new HostGuard(options), _stats)
            .Map("/", "HEAD GET", CatalogueEndpoints.RootAsync)
            .Map("/api/version", "HEAD GET", catalogue.VersionAsync)
            .Map("/api/tags", "HEAD GET", catalogue.TagsAsync)
            .Map("/api/ps", "GET", catalogue.RunningAsync)
            .Map("/api/status", "GET", CatalogueEndpoints.StatusAsync)
            .Map("/api/show", "POST", catalogue.ShowAsync)
            .Map("/api/generate", "POST", completion.GenerateAsync)
            .Map("/api/chat", "POST", completion.ChatAsync)
            .Map("/api/embed", "POST", embed.EmbedAsync)
            .Map("/api/embeddings", "POST", embed.EmbeddingsAsync)
            .Map("/api/pull", "POST", stores.PullAsync)
            .Map("/api/create", "POST", stores.CreateAsync)
            .Map("/api/copy", "POST", stores.CopyAsync)
            .Map("/api/delete", "DELETE", stores.DeleteAsync)
            .MapBelow("/api/blobs/", "HEAD POST", stores.BlobAsync)
            .Map("/v1/chat/completions", "POST", completion.OpenAiAsync)
            .Map("/v1/models", "GET", catalogue.OpenAiModelsAsync)
            .Map("/double/stats", "GET", admin.StatsAsync)
            .Map("/double/reset", "POST", admin.ResetAsync)
            .Map("/double/script", "POST", admin.ScriptAsync)
            .Map("/double/kill-runner", "POST", admin.KillAsync)
            .Map("/double/freeze-runner", "POST", admin.FreezeAsync)
            .Map("/double/thaw-runner", "POST", admin.ThawAsync);
    }
}
