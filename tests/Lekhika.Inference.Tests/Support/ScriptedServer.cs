using System.Net;
using System.Net.Sockets;
using System.Text;

namespace Lekhika.Inference.Tests.Support;

/// <summary>
/// A server on a raw socket that does exactly what the test says, byte by byte: no HTTP library stands between the script and the wire. Small
/// questions (/api/tags, /api/version, /api/ps, /v1/models) are answered from <see cref="Models"/> unless the script takes them.
/// </summary>
public sealed class ScriptedServer : IAsyncDisposable
{
    private readonly TcpListener _listener;
    private readonly Func<Exchange, Task> _script;
    private readonly CancellationTokenSource _stop = new();
    private readonly List<Task> _running = [];
    private readonly Task _accepting;
    private int _calls;

    public ScriptedServer(Func<Exchange, Task> script, int port = 0)
    {
        _script = script;
        _listener = new TcpListener(IPAddress.Loopback, port);
        _listener.Start();
        _accepting = AcceptAsync();
    }

    public IReadOnlyList<string> Models { get; set; } = ["m:latest"];

    public IReadOnlyList<string> Loaded { get; set; } = [];

    public Uri Url => new($"http://127.0.0.1:{Port}");

    public int Port => ((IPEndPoint)_listener.LocalEndpoint).Port;

    /// <summary>Calls of a model so far.</summary>
    public int Calls => Volatile.Read(ref _calls);

    public async ValueTask DisposeAsync()
    {
        await _stop.CancelAsync();
        _listener.Stop();
        await _accepting;
        Task[] running;
        lock (_running)
            running = [.. _running];
        await Task.WhenAll(running);
        _stop.Dispose();
        _listener.Dispose();
    }

    private async Task AcceptAsync()
    {
        try
        {
            while (true)
            {
                var client = await _listener.AcceptTcpClientAsync(_stop.Token);
                lock (_running)
                    _running.Add(ServeAsync(client));
            }
        }
        catch (Exception exception) when (exception is OperationCanceledException or SocketException or ObjectDisposedException)
        {
            // Stopped.
        }
    }

    private async Task ServeAsync(TcpClient client)
    {
        await Task.Yield();
        using (client)
        {
            client.NoDelay = true;
            try
            {
                if (await Exchange.ReceiveAsync(client, _stop.Token) is not { } exchange)
                    return;
                var body = exchange.Path switch
                {
                    "/api/tags" => Names(Models),
                    "/api/ps" => Names(Loaded),
                    "/api/version" => """{"version":"0.32.15","extra":1}""",
                    "/v1/models" => $$"""{"object":"list","data":[{{string.Join(',', Models.Select(m => $$"""{"id":"{{m}}","object":"model"}"""))}}]}""",
                    _ => null,
                };
                if (body is not null)
                {
                    await exchange.ReplyAsync(200, body);
                    return;
                }

                exchange.Number = Interlocked.Increment(ref _calls);
                await _script(exchange);
            }
            catch (Exception exception) when (exception is OperationCanceledException or IOException or SocketException or ObjectDisposedException)
            {
                // The client went away, or the test is over.
            }
        }
    }

    private static string Names(IReadOnlyList<string> models) =>
        $$"""{"models":[{{string.Join(',', models.Select(m => $$"""{"name":"{{m}}","model":"{{m}}","modified_at":"2026-11-22T02:43:01.241706787Z","size":7,"digest":"d","expires_at":"2319-03-04T02:30:23.699092891Z","details":{"families":null},"capabilities":["completion"]}"""))}}]}""";
}

/// <summary>One request and the means to answer it.</summary>
public sealed class Exchange(TcpClient client, string method, string path, string head, string body, CancellationToken stopped)
{
    private readonly NetworkStream _stream = client.GetStream();

    public string Method => method;

    public string Path => path;

    public string Head => head;

    public string Body => body;

    public CancellationToken Stopped => stopped;

    /// <summary>Counts the calls of a model, from 1.</summary>
    public int Number { get; set; }

    public static async Task<Exchange?> ReceiveAsync(TcpClient client, CancellationToken stopped)
    {
        var stream = client.GetStream();
        var received = new List<byte>();
        var buffer = new byte[16 * 1024];
        var headEnd = -1;
        while (headEnd < 0)
        {
            var read = await stream.ReadAsync(buffer, stopped);
            if (read == 0)
                return null;
            received.AddRange(buffer.AsSpan(0, read));
            headEnd = received.ToArray().AsSpan().IndexOf("\r\n\r\n"u8);
        }

        var head = Encoding.ASCII.GetString([.. received.Take(headEnd)]);
        var first = head.Split(' ', 3);
        var length = head.Split("\r\n").FirstOrDefault(line => line.StartsWith("Content-Length:", StringComparison.OrdinalIgnoreCase));
        var expected = headEnd + 4 + (length is null ? 0 : int.Parse(length["Content-Length:".Length..], System.Globalization.CultureInfo.InvariantCulture));
        while (received.Count < expected)
        {
            var read = await stream.ReadAsync(buffer, stopped);
            if (read == 0)
                return null;
            received.AddRange(buffer.AsSpan(0, read));
        }

        return new Exchange(client, first[0], first[1], head, Encoding.UTF8.GetString([.. received.Skip(headEnd + 4)]), stopped);
    }

    public Task ReplyAsync(int status, string text, string headers = "")
    {
        var bytes = Encoding.UTF8.GetBytes(text);
        return RawAsync(
            [.. Encoding.ASCII.GetBytes($"HTTP/1.1 {status} X\r\nContent-Length: {bytes.Length}\r\nConnection: close\r\n{headers}\r\n"), .. bytes]);
    }

    public Task BeginAsync(string type = "application/x-ndjson") => RawAsync(
        Encoding.ASCII.GetBytes($"HTTP/1.1 200 OK\r\nContent-Type: {type}\r\nTransfer-Encoding: chunked\r\nConnection: close\r\n\r\n"));

    public Task PieceAsync(string text) => PieceAsync(Encoding.UTF8.GetBytes(text));

    public Task PieceAsync(ReadOnlySpan<byte> bytes) => bytes.IsEmpty
        ? Task.CompletedTask
        : RawAsync([.. Encoding.ASCII.GetBytes($"{bytes.Length:x}\r\n"), .. bytes, .. "\r\n"u8]);

    public Task EndAsync() => RawAsync("0\r\n\r\n"u8.ToArray());

    /// <summary>A whole stream in one piece.</summary>
    public async Task StreamAsync(params string[] lines)
    {
        await BeginAsync();
        foreach (var line in lines)
            await PieceAsync(line + "\n");
        await EndAsync();
    }

    public Task RawAsync(byte[] bytes) => _stream.WriteAsync(bytes, stopped).AsTask();

    /// <summary>Cuts the connection with a reset.</summary>
    public void Reset()
    {
        client.Client.LingerState = new LingerOption(true, 0);
        client.Client.Close();
    }

    /// <summary>Waits until the client has closed its side.</summary>
    public async Task ClientLeavesAsync()
    {
        var buffer = new byte[16];
        try
        {
            while (await _stream.ReadAsync(buffer, stopped) > 0)
            {
            }
        }
        catch (IOException)
        {
            // Reset is leaving too.
        }
    }

    public Task StallAsync() => Task.Delay(Timeout.InfiniteTimeSpan, TimeProvider.System, stopped);
}
