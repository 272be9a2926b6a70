using System.Net;
using System.Net.Sockets;
using Lekhika.Inference.Tests.Support;
using Xunit;
using static Lekhika.Inference.Tests.Ollama.OllamaCalls;

namespace Lekhika.Inference.Tests.Ollama;

public sealed class TimeLimitTests
{
    private readonly ManualTime _time = new();
    private readonly RecordingSink _sink = new();

    [Fact]
    public async Task The_first_byte_has_a_limit_of_its_own_because_loading_is_silent()
    {
        var asked = new TaskCompletionSource();
        await using var server = new ScriptedServer(exchange =>
        {
            asked.SetResult();
            return exchange.StallAsync();
        });
        using var provider = Provider(server.Url, time: _time);
        var call = provider.CallAsync(Requests.For(), TimeSpan.FromHours(1), _sink, TestContext.Current.CancellationToken);
        await asked.Task;

        _time.Advance(TimeSpan.FromMinutes(9.9));
        Assert.False(call.IsCompleted);
        _time.Advance(TimeSpan.FromMinutes(0.2));

        var failure = await Assert.ThrowsAsync<ModelException>(() => call);
        Assert.Equal(ModelFailure.TimedOut, failure.Failure);
        Assert.Contains("600 s (limit for the first byte", failure.Message, StringComparison.Ordinal);
        Assert.False(failure.Repeatable);
        Assert.True(failure.Retryable);
    }

    [Fact]
    public async Task Silence_between_pieces_is_limited_and_every_piece_starts_it_anew()
    {
        var next = new SemaphoreSlim(0);
        await using var server = new ScriptedServer(async exchange =>
        {
            await exchange.BeginAsync();
            for (var i = 0; ; i++)
            {
                await exchange.PieceAsync(Line($"p{i}") + "\n");
                await next.WaitAsync(exchange.Stopped);
            }
        });
        using var provider = Provider(server.Url, time: _time);
        var call = provider.CallAsync(Requests.For(), TimeSpan.FromHours(1), _sink, TestContext.Current.CancellationToken);

        for (var i = 0; i < 4; i++)
        {
            await _sink.WaitForAsync($"text p{i}", TestContext.Current.CancellationToken);
            _time.Advance(TimeSpan.FromSeconds(50));
            next.Release();
        }

        await _sink.WaitForAsync("text p4", TestContext.Current.CancellationToken);
        Assert.False(call.IsCompleted);
        _time.Advance(TimeSpan.FromSeconds(61));

        var failure = await Assert.ThrowsAsync<ModelException>(() => call);
        Assert.Equal(ModelFailure.TimedOut, failure.Failure);
        Assert.Contains("60 s in the middle of the reply", failure.Message, StringComparison.Ordinal);
    }

    [Fact]
    public async Task The_whole_call_is_limited_however_lively_it_is()
    {
        var next = new SemaphoreSlim(0);
        await using var server = new ScriptedServer(async exchange =>
        {
            await exchange.BeginAsync();
            for (var i = 0; ; i++)
            {
                await exchange.PieceAsync(Line($"p{i}") + "\n");
                await next.WaitAsync(exchange.Stopped);
            }
        });
        using var provider = Provider(server.Url, time: _time);
        var call = provider.CallAsync(Requests.For(), TimeSpan.FromSeconds(90), _sink, TestContext.Current.CancellationToken);

        await _sink.WaitForAsync("text p0", TestContext.Current.CancellationToken);
        _time.Advance(TimeSpan.FromSeconds(50));
        next.Release();
        await _sink.WaitForAsync("text p1", TestContext.Current.CancellationToken);
        _time.Advance(TimeSpan.FromSeconds(41));

        var failure = await Assert.ThrowsAsync<ModelException>(() => call);
        Assert.Contains("90 s (limit for the whole call)", failure.Message, StringComparison.Ordinal);
    }

    [Fact]
    public async Task Connecting_has_a_limit_and_missing_it_means_unavailable()
    {
        // A listener whose queue is full leaves further connections unanswered.
        using var full = new Socket(SocketType.Stream, ProtocolType.Tcp);
        full.Bind(new IPEndPoint(IPAddress.Loopback, 0));
        full.Listen(0);
        var port = ((IPEndPoint)full.LocalEndPoint!).Port;
        var fill = new List<Socket>();
        try
        {
            for (var i = 0; i < 4; i++)
            {
                var socket = new Socket(SocketType.Stream, ProtocolType.Tcp);
                fill.Add(socket);
                _ = socket.ConnectAsync(IPAddress.Loopback, port, TestContext.Current.CancellationToken).AsTask().ContinueWith(
                    task => task.Exception, TestContext.Current.CancellationToken, TaskContinuationOptions.None, TaskScheduler.Default);
            }

            using var provider = Provider(new Uri($"http://127.0.0.1:{port}"), time: _time);
            var call = provider.CallAsync(Requests.For(), TimeSpan.FromHours(1), _sink, TestContext.Current.CancellationToken);
            await _time.AdvanceUntilAsync(() => call.IsCompleted, TimeSpan.FromSeconds(1), TestContext.Current.CancellationToken);

            var failure = await Assert.ThrowsAsync<ModelException>(() => call);
            Assert.Equal(ModelFailure.Unavailable, failure.Failure);
            Assert.Contains("no connection within 5 s", failure.Message, StringComparison.Ordinal);
            Assert.True(failure.Repeatable);
        }
        finally
        {
            fill.ForEach(socket => socket.Dispose());
        }
    }
}
