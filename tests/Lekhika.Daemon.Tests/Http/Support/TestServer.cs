using System.Collections.Immutable;
using System.Net;
using System.Net.Http.Headers;
using System.Net.Sockets;
using System.Text;
using System.Text.Json;
using Lekhika.Daemon.Configuration;
using Lekhika.Daemon.Dispatch;
using Lekhika.Daemon.Http;
using Lekhika.Daemon.Live;
using Lekhika.Inference;
using Lekhika.Inference.Lanes;
using Lekhika.Postgres.Executions;
using Microsoft.AspNetCore.Builder;
using Microsoft.AspNetCore.Routing;
using Microsoft.Extensions.Logging;
using Microsoft.Extensions.Logging.Abstractions;
using Xunit;

namespace Lekhika.Daemon.Tests.Http.Support;

/// <summary>The real HTTP server on a port of its own, with fakes behind it.</summary>
internal sealed class TestServer : IAsyncDisposable
{
    public const string Secret = "a-secret-of-this-test";

    private WebApplication _app = null!;

    public FakeIntake Intake { get; } = new();

    public FakeStore Store { get; } = new();

    public FakeSignals Signals { get; } = new();

    public FakeBrowse Browse { get; } = new();

    public LiveExecutions Live { get; } = new();

    public DaemonState State { get; } = new() { DatabaseProblem = null, SchemaVersion = 7, Incarnation = 1, Slots = 8, Queued = 3, Parked = 1 };

    public HttpClient Client { get; private set; } = null!;

    public Uri Url { get; private set; } = null!;

    public static async Task<TestServer> StartAsync(Func<HttpServerContext, HttpServerContext>? change = null)
    {
        var server = new TestServer();
        var context = server.Context();
        server._app = HttpServer.Build(change?.Invoke(context) ?? context);
        await server._app.StartAsync(TestContext.Current.CancellationToken);
        if (server._app.Urls.FirstOrDefault(static url => url.StartsWith("http://1", StringComparison.Ordinal)) is not { } address) return server;
        server.Url = new Uri(address);
        server.Client = server.NewClient();
        return server;
    }

    public IEnumerable<string> Urls => _app.Urls;

    /// <summary>Every route that is mapped.</summary>
    public IEnumerable<RouteEndpoint> Routes => ((IEndpointRouteBuilder)_app).DataSources.SelectMany(static source => source.Endpoints).OfType<RouteEndpoint>();

    public HttpServerContext Context() => new()
    {
        Server = new ServerOptions([new ListenUrl("127.0.0.1", 0)], null, null, 1 << 20, LogLevel.Information),
        Auth = new AuthOptions(new Secret(Secret), false),
        WorkerId = "worker-1",
        Version = "0.1.0-test",
        Intake = Intake,
        Live = Live,
        State = State,
        Store = Store,
        Signals = Signals,
        Browse = Browse,
        Compiler = new FakeCompiler(),
        Clock = new DatabaseClock(TimeProvider.System),
        Time = TimeProvider.System,
        Loggers = NullLoggerFactory.Instance,
        StartedAt = TimeProvider.System.GetTimestamp(),
        Lanes = static () => new PoolSnapshot
        {
            Endpoints =
            [
                new EndpointSnapshot
                {
                    Name = "ollama",
                    Address = "http://127.0.0.1:11434",
                    Lanes = [new LaneSnapshot { Model = "qwen2.5:0.5b", State = "serving", Depth = 2 }],
                },
            ],
        },
        Concurrency = 8,
        OllamaUrl = static () => "http://127.0.0.1:11434",
        Heartbeat = TimeSpan.FromSeconds(30),
        RowInterval = TimeSpan.FromMilliseconds(20),
    };

    public HttpClient NewClient(bool withSecret = true)
    {
        var client = new HttpClient { BaseAddress = Url };
        if (withSecret) client.DefaultRequestHeaders.Add("X-Internal-Auth", Secret);
        return client;
    }

    public void Endpoints(params ImmutableArray<ModelInfo> models) => State.Endpoints =
        [new EndpointHealth { Name = "ollama", Address = "http://127.0.0.1:11434", Reachable = true, Models = models }];

    public async Task<(HttpResponseMessage Response, JsonElement Body)> GetAsync(string path) => await ReadAsync(
        await Client.GetAsync(new Uri(path, UriKind.Relative), TestContext.Current.CancellationToken));

    public async Task<(HttpResponseMessage Response, JsonElement Body)> PostAsync(string path, string body = "") =>
        await PostAsync(path, Encoding.UTF8.GetBytes(body), "application/json");

    public async Task<(HttpResponseMessage Response, JsonElement Body)> PostAsync(string path, byte[] body, string type)
    {
        using var content = new ByteArrayContent(body);
        content.Headers.ContentType = MediaTypeHeaderValue.Parse(type);
        return await ReadAsync(await Client.PostAsync(new Uri(path, UriKind.Relative), content, TestContext.Current.CancellationToken));
    }

    public static async Task<(HttpResponseMessage Response, JsonElement Body)> ReadAsync(HttpResponseMessage response)
    {
        Assert.Equal("application/json", response.Content.Headers.ContentType?.MediaType);
        return (response, Json(await response.Content.ReadAsStringAsync(TestContext.Current.CancellationToken)));
    }

    public static JsonElement Json(string text)
    {
        using var document = JsonDocument.Parse(text);
        return document.RootElement.Clone();
    }

    public static ExecutionRow Row(Guid id, string status) => new()
    {
        Id = id,
        Exec = 42,
        Status = status,
        Run = 1,
        CreatedAt = TimeProvider.System.GetUtcNow().AddMinutes(-1),
        Inputs = Json("""{"topic":"rivers"}"""),
        Definition = Json("""{"nodes":[{"id":"ask","type":"llm","name":"Ask"},{"id":"out","type":"output"}],"edges":[{"from":"ask","to":"out"}]}"""),
    };

    /// <summary>A connection on which bytes are written and read as they are.</summary>
    public async Task<NetworkStream> ConnectAsync()
    {
        var socket = new Socket(SocketType.Stream, ProtocolType.Tcp);
        await socket.ConnectAsync(new IPEndPoint(IPAddress.Loopback, Url.Port), TestContext.Current.CancellationToken);
        return new NetworkStream(socket, ownsSocket: true);
    }

    public Task StopAsync() => _app.StopAsync(TestContext.Current.CancellationToken);

    public async ValueTask DisposeAsync()
    {
        Client?.Dispose();
        await _app.DisposeAsync();
    }
}
