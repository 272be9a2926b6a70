using Lekhika.Inference.Tests.Ollama;
using Lekhika.Inference.Tests.Support;
using Xunit;

namespace Lekhika.Inference.Tests.Lanes;

/// <summary>The whole way, from the pool to a socket and back.</summary>
public sealed class PoolWireTests
{
    private static readonly ModelRetries Quick = new() { FirstDelay = TimeSpan.FromMilliseconds(10), MaxDelay = TimeSpan.FromMilliseconds(50) };

    [Fact]
    public async Task Overload_and_a_runner_that_dies_are_ridden_out()
    {
        await using var server = new ScriptedServer(exchange => exchange.Number switch
        {
            1 => exchange.ReplyAsync(503, """{"error":"server busy, please try again.  maximum pending requests exceeded"}"""),
            2 => exchange.StreamAsync(OllamaCalls.Line("void"), """{"error":"an error was encountered while running the model: unexpected EOF"}"""),
            _ => exchange.StreamAsync(OllamaCalls.Line("whole"), OllamaCalls.Last),
        });
        await using var pool = Pool(server.Url);
        var sink = new RecordingSink();

        var reply = await pool.RunAsync(Requests.For(), sink, TestContext.Current.CancellationToken);

        Assert.Equal(("whole", 3), (reply.Text, reply.Attempts));
        Assert.DoesNotContain("void", reply.Text, StringComparison.Ordinal);
        Assert.Equal(2, sink.Told.Count(line => line.StartsWith("restarted", StringComparison.Ordinal)));
        Assert.Contains("local (http://127.0.0.1:", reply.Endpoint, StringComparison.Ordinal);
    }

    [Fact]
    public async Task A_server_that_restarts_under_load_loses_nothing()
    {
        static Task Script(Exchange exchange) => exchange.StreamAsync(OllamaCalls.Line("ok"), OllamaCalls.Last);

        var server = new ScriptedServer(Script);
        var port = server.Port;
        await using var pool = Pool(server.Url);
        await pool.RunAsync(Requests.For(), new RecordingSink(), TestContext.Current.CancellationToken);
        await server.DisposeAsync();

        var calls = Enumerable.Range(0, 8)
            .Select(_ => pool.RunAsync(Requests.For(), new RecordingSink(), TestContext.Current.CancellationToken)).ToList();
        while (!pool.Snapshot().Endpoints[0].SetAside)
            await Task.Delay(TimeSpan.FromMilliseconds(5), TimeProvider.System, TestContext.Current.CancellationToken);
        await using var again = new ScriptedServer(Script, port);

        foreach (var reply in await Task.WhenAll(calls))
            Assert.Equal("ok", reply.Text);
    }

    [Fact]
    public async Task Never_more_requests_reach_the_server_than_it_has_slots()
    {
        var (now, most) = (0, 0);
        await using var server = new ScriptedServer(async exchange =>
        {
            var running = Interlocked.Increment(ref now);
            InterlockedMax(ref most, running);
            await exchange.BeginAsync();
            await exchange.PieceAsync(OllamaCalls.Line("x") + "\n");
            await Task.Yield();
            Interlocked.Decrement(ref now);
            await exchange.PieceAsync(OllamaCalls.Last + "\n");
            await exchange.EndAsync();
        });
        await using var pool = Pool(server.Url, parallelism: 3);

        await Task.WhenAll(Enumerable.Range(0, 60)
            .Select(_ => pool.RunAsync(Requests.For(), new RecordingSink(), TestContext.Current.CancellationToken)));

        Assert.InRange(most, 1, 3);
        Assert.Equal(60, server.Calls);

        static void InterlockedMax(ref int target, int value)
        {
            for (var seen = Volatile.Read(ref target); value > seen; seen = Volatile.Read(ref target))
                Interlocked.CompareExchange(ref target, value, seen);
        }
    }

    [Fact]
    public async Task Health_comes_from_the_wire()
    {
        await using var server = new ScriptedServer(_ => Task.CompletedTask) { Models = ["m:latest"], Loaded = ["m:latest"] };
        await using var pool = Pool(server.Url);

        var health = Assert.Single(await pool.CheckAsync(TestContext.Current.CancellationToken));

        Assert.True(health.Reachable);
        Assert.Equal(("0.32.15", "m:latest", "m:latest"), (health.Version, health.Models[0].Name, health.Loaded[0].Name));
    }

    private static ModelPool Pool(Uri url, int parallelism = 1) => new(
        new ModelPoolOptions
        {
            Endpoints = [new ModelEndpointOptions { Name = "local", BaseUrl = url, Parallelism = parallelism }],
            Retries = Quick,
            SetAsideFor = TimeSpan.FromMilliseconds(500),
        },
        TimeProvider.System,
        new Random(1));
}
