using System.Collections.Concurrent;
using System.Net;
using System.Net.Sockets;

namespace Lekhika.Chaos.World;

/// <summary>
/// Stands between one daemon and PostgreSQL. It can refuse, delay, stall (both ends stay connected and nothing moves), drop and reset; and it counts the
/// statements the daemon sends, so that the daemon can be killed at the n-th of them, before it is passed on or after.
/// </summary>
internal sealed class Proxy : IAsyncDisposable
{
    private readonly TcpListener _listener = new(IPAddress.Loopback, 0);
    private readonly ConcurrentDictionary<Connection, bool> _open = new();
    private readonly CancellationTokenSource _end = new();
    private readonly int _server;
    private readonly Task _accepting;
    private volatile TaskCompletionSource? _stalled;
    private Action? _trap;
    private int _trapAt;
    private bool _trapBefore;

    public Proxy(int server)
    {
        _server = server;
        _listener.Start();
        Port = ((IPEndPoint)_listener.LocalEndpoint).Port;
        _accepting = AcceptAsync();
    }

    public int Port { get; }

    /// <summary>Whether new connections are turned away.</summary>
    public bool Refuses { get; set; }

    /// <summary>Added to each piece of either direction.</summary>
    public TimeSpan Delay { get; set; }

    /// <summary>Statements passed on since the start.</summary>
    public int Statements { get; private set; }

    /// <summary>Keeps connections open and moves nothing.</summary>
    public void Stall() => _stalled ??= new TaskCompletionSource(TaskCreationOptions.RunContinuationsAsynchronously);

    public void Resume()
    {
        _stalled?.TrySetResult();
        _stalled = null;
    }

    /// <summary>Ends all connections, in order (FIN) or by a reset.</summary>
    public void Drop(bool reset)
    {
        foreach (var connection in _open.Keys) connection.Close(reset);
    }

    /// <summary>Calls <paramref name="strike"/> at the n-th statement from now, before that is passed on or right after.</summary>
    public void TrapAt(int n, bool before, Action strike)
    {
        _trapBefore = before;
        _trapAt = Statements + n;
        _trap = strike;
    }

    public async ValueTask DisposeAsync()
    {
        await _end.CancelAsync();
        _listener.Stop();
        Drop(reset: true);
        Resume();
        await _accepting;
        _end.Dispose();
    }

    private async Task AcceptAsync()
    {
        while (!_end.IsCancellationRequested)
        {
            try
            {
                var client = await _listener.AcceptTcpClientAsync(_end.Token);
                if (Refuses)
                {
                    client.Dispose();
                    continue;
                }

                var server = new TcpClient();
                var connection = new Connection(client, server);
                _open[connection] = true;
                _ = ServeAsync(connection);
            }
            catch (Exception exception) when (exception is OperationCanceledException or SocketException or ObjectDisposedException)
            {
                if (_end.IsCancellationRequested) return;
            }
        }
    }

    private async Task ServeAsync(Connection connection)
    {
        try
        {
            await connection.Server.ConnectAsync(IPAddress.Loopback, _server, _end.Token);
            connection.Client.NoDelay = connection.Server.NoDelay = true;
            var there = PumpAsync(connection.Client.GetStream(), connection.Server.GetStream(), new StatementCounter());
            var back = PumpAsync(connection.Server.GetStream(), connection.Client.GetStream(), counter: null);
            await Task.WhenAny(there, back);
        }
        catch (Exception exception) when (exception is IOException or SocketException or OperationCanceledException or ObjectDisposedException or InvalidOperationException)
        {
            // One end went away: so does the other.
        }
        finally
        {
            connection.Close(reset: false);
            _open.TryRemove(connection, out _);
        }
    }

    private async Task PumpAsync(NetworkStream from, NetworkStream to, StatementCounter? counter)
    {
        var buffer = new byte[64 * 1024];
        try
        {
            while (true)
            {
                var read = await from.ReadAsync(buffer, _end.Token);
                if (read == 0) return;
                if (Delay > TimeSpan.Zero) await Task.Delay(Delay, TimeProvider.System, _end.Token);
                if (_stalled is { } stalled) await stalled.Task.WaitAsync(_end.Token);
                Action? strike = null;
                if (counter is not null)
                {
                    Statements += counter.Count(buffer.AsSpan(0, read));
                    if (_trap is not null && Statements >= _trapAt) (strike, _trap) = (_trap, null);
                }

                if (strike is not null && _trapBefore)
                {
                    strike();
                    return;
                }

                await to.WriteAsync(buffer.AsMemory(0, read), _end.Token);
                strike?.Invoke();
            }
        }
        catch (Exception exception) when (exception is IOException or SocketException or OperationCanceledException or ObjectDisposedException)
        {
            // Closed.
        }
    }

    private sealed class Connection(TcpClient client, TcpClient server)
    {
        public TcpClient Client { get; } = client;

        public TcpClient Server { get; } = server;

        public void Close(bool reset)
        {
            foreach (var end in (TcpClient[])[Client, Server])
            {
                try
                {
                    if (reset) end.LingerState = new LingerOption(enable: true, seconds: 0);
                }
                catch (Exception exception) when (exception is SocketException or ObjectDisposedException or NullReferenceException)
                {
                    // Closed already.
                }

                end.Dispose();
            }
        }
    }
}
