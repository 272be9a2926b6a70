using System.Buffers;
using System.Collections.Concurrent;
using System.Net;
using System.Net.Sockets;

namespace Lekhika.Chaos.World;

/// <summary>
/// Stands between one daemon and PostgreSQL. It can refuse, delay, stall (both ends stay connected and nothing moves), drop and reset; and it counts the
/// messages the daemon sends, so that the daemon can be killed at the n-th of them, before it is passed on or before its answer is.
/// </summary>
internal sealed class Proxy : IAsyncDisposable
{
    private readonly TcpListener _listener = new(IPAddress.Loopback, 0);
    private readonly ConcurrentDictionary<Connection, bool> _open = new();
    private readonly CancellationTokenSource _end = new();
    private readonly int _server;
    private readonly Task _accepting;
    private volatile TaskCompletionSource? _stalled;
    private volatile Trap? _trap;
    private long _messages;
    private long _heldUp;

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

    /// <summary>Messages that the daemon has sent since the start, over all connections.</summary>
    public long Messages => Interlocked.Read(ref _messages);

    /// <summary>Pieces of either direction that a delay or a stall has held up.</summary>
    public long HeldUp => Interlocked.Read(ref _heldUp);

    /// <summary>Keeps connections open and moves nothing.</summary>
    public void Stall() => _stalled ??= new TaskCompletionSource(TaskCreationOptions.RunContinuationsAsynchronously);

    public void Resume()
    {
        _stalled?.TrySetResult();
        _stalled = null;
    }

    /// <summary>Ends all connections, in order (FIN) or by a reset; the answer is how many there were.</summary>
    public int Drop(bool reset)
    {
        var open = _open.Keys.ToList();
        foreach (var connection in open) connection.Close(reset);
        return open.Count;
    }

    /// <summary>
    /// Calls <paramref name="strike"/> at the n-th message from now: before it is passed on, what came before it having been; or after it was, with its
    /// answer kept from the daemon. What the server does not answer by itself (all but Query and Sync) strikes as soon as it is passed on.
    /// </summary>
    public void TrapAt(int n, bool before, Action<byte> strike) => _trap = new Trap(Messages + n, before, strike);

    /// <summary>Takes away a trap that nothing has walked into.</summary>
    public void Disarm() => _trap = null;

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
            var there = SendAsync(connection, new MessageCutter());
            var back = AnswerAsync(connection);
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

    /// <summary>From the daemon to the server, message by message.</summary>
    private async Task SendAsync(Connection connection, MessageCutter cutter)
    {
        var (from, to) = (connection.Client.GetStream(), connection.Server.GetStream());
        var buffer = new byte[64 * 1024];
        var outgoing = new ArrayBufferWriter<byte>(buffer.Length);
        Trap? reached = null;
        try
        {
            while (true)
            {
                var read = await from.ReadAsync(buffer, _end.Token);
                if (read == 0) return;
                await HoldUpAsync();
                foreach (var part in cutter.Cut(buffer.AsMemory(0, read)))
                {
                    if (part.Begins && Interlocked.Increment(ref _messages) == _trap?.At) (reached, _trap) = (_trap, null);
                    if (reached is { Before: true })
                    {
                        await PassOnAsync(to, outgoing);
                        reached.Spring(part.Type);
                        return;
                    }

                    outgoing.Write(part.Bytes.Span);
                    if (reached is null || !part.Ends) continue;
                    if (MessageCutter.IsAnswered(part.Type)) connection.Struck = Tuple.Create(reached, part.Type);
                    await PassOnAsync(to, outgoing);
                    if (!MessageCutter.IsAnswered(part.Type))
                    {
                        reached.Spring(part.Type);
                        return;
                    }

                    reached = null;
                }

                await PassOnAsync(to, outgoing);
            }
        }
        catch (Exception exception) when (exception is IOException or SocketException or OperationCanceledException or ObjectDisposedException)
        {
            // Closed.
        }
    }

    /// <summary>From the server to the daemon.</summary>
    private async Task AnswerAsync(Connection connection)
    {
        var (from, to) = (connection.Server.GetStream(), connection.Client.GetStream());
        var buffer = new byte[64 * 1024];
        try
        {
            while (true)
            {
                var read = await from.ReadAsync(buffer, _end.Token);
                if (read == 0) return;
                await HoldUpAsync();
                if (connection.Struck is ({ } trap, var type))
                {
                    trap.Spring(type);
                    return;
                }

                await to.WriteAsync(buffer.AsMemory(0, read), _end.Token);
            }
        }
        catch (Exception exception) when (exception is IOException or SocketException or OperationCanceledException or ObjectDisposedException)
        {
            // Closed.
        }
    }

    private async ValueTask HoldUpAsync()
    {
        if (Delay is var delay && delay > TimeSpan.Zero)
        {
            Interlocked.Increment(ref _heldUp);
            await Task.Delay(delay, TimeProvider.System, _end.Token);
        }

        if (_stalled is { } stalled)
        {
            Interlocked.Increment(ref _heldUp);
            await stalled.Task.WaitAsync(_end.Token);
        }
    }

    private async ValueTask PassOnAsync(NetworkStream to, ArrayBufferWriter<byte> outgoing)
    {
        if (outgoing.WrittenCount == 0) return;
        await to.WriteAsync(outgoing.WrittenMemory, _end.Token);
        outgoing.ResetWrittenCount();
    }

    private sealed class Connection(TcpClient client, TcpClient server)
    {
        public TcpClient Client { get; } = client;

        public TcpClient Server { get; } = server;

        /// <summary>Whose answer is kept from the daemon, which springs the trap.</summary>
        public Tuple<Trap, byte>? Struck { get; set; }

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
