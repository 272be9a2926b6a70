using System.Globalization;
using System.Net;
using System.Net.Sockets;
using Lekhika.Daemon.Configuration;

namespace Lekhika.Daemon.Http;

/// <summary>
/// Listening sockets that systemd opened and keeps open (<c>lekhika-daemon.socket</c>), so that a restart refuses no connection: <c>LISTEN_PID</c>,
/// <c>LISTEN_FDS</c>, from descriptor 3 on. One that is bound to an address of <c>server.url</c> or to <c>server.socket</c> takes the place of that
/// listener; any other is listened on as well.
/// </summary>
internal sealed class InheritedSockets
{
    private const int First = 3;
    private const int Most = 64;
    private readonly List<(int Descriptor, EndPoint Address)> _sockets;

    private InheritedSockets(List<(int, EndPoint)> sockets) => _sockets = sockets;

    /// <summary>None.</summary>
    public static InheritedSockets None { get; } = new([]);

    /// <summary>Those of this process.</summary>
    /// <exception cref="IOException">A descriptor that was announced is not a listening stream socket.</exception>
    public static InheritedSockets OfProcess() => Read(Environment.GetEnvironmentVariable, Environment.ProcessId, First);

    /// <inheritdoc cref="OfProcess"/>
    internal static InheritedSockets Read(Func<string, string?> variable, int process, int first)
    {
        // The variables are inherited by children; LISTEN_PID says whom they are for.
        if (variable("LISTEN_PID") != process.ToString(CultureInfo.InvariantCulture)) return None;
        if (!int.TryParse(variable("LISTEN_FDS"), NumberStyles.None, CultureInfo.InvariantCulture, out var count) || count is < 1 or > Most) return None;
        return new([.. Enumerable.Range(first, count).Select(static descriptor => (descriptor, AddressOf(descriptor)))]);
    }

    /// <summary>The addresses, for the log.</summary>
    public IEnumerable<string> Addresses => _sockets.Select(static socket => socket.Address.ToString()!);

    /// <summary>An address that others than this machine reach; null if there is none.</summary>
    public string? Open => _sockets.Select(static socket => socket.Address).OfType<IPEndPoint>()
        .FirstOrDefault(static address => !IPAddress.IsLoopback(address.Address))?.ToString();

    /// <summary>The socket that is bound to this address, if there is one; the caller owns it.</summary>
    public Socket? Take(EndPoint address)
    {
        foreach (var (descriptor, bound) in _sockets)
        {
            if (IsSame(bound, address)) return Wrap(descriptor, owns: true);
        }

        return null;
    }

    /// <summary>Descriptors whose addresses are none of the configured ones.</summary>
    public IEnumerable<int> Others(ServerOptions server)
    {
        var configured = server.Urls.SelectMany(static url => Endpoints(url)).ToList();
        if (server.Socket is { } path) configured.Add(new UnixDomainSocketEndPoint(path));
        return _sockets.Where(socket => !configured.Any(address => IsSame(socket.Address, address))).Select(static socket => socket.Descriptor);
    }

    private static IEnumerable<EndPoint> Endpoints(ListenUrl url) => url.Host switch
    {
        "*" => [new IPEndPoint(IPAddress.IPv6Any, url.Port), new IPEndPoint(IPAddress.Any, url.Port)],
        "localhost" => [new IPEndPoint(IPAddress.Loopback, url.Port), new IPEndPoint(IPAddress.IPv6Loopback, url.Port)],
        _ => [new IPEndPoint(IPAddress.Parse(url.Host), url.Port)],
    };

    private static bool IsSame(EndPoint one, EndPoint other) => (one, other) switch
    {
        (UnixDomainSocketEndPoint a, UnixDomainSocketEndPoint b) => a.ToString() == b.ToString(),
        _ => one.Equals(other),
    };

    private static EndPoint AddressOf(int descriptor)
    {
        try
        {
            using var socket = Wrap(descriptor, owns: false);
            var isListening = socket.GetSocketOption(SocketOptionLevel.Socket, SocketOptionName.AcceptConnection) is int and not 0;
            if (socket.SocketType == SocketType.Stream && isListening && socket.LocalEndPoint is { } address) return address;
        }
        catch (SocketException exception)
        {
            throw new IOException($"Descriptor {descriptor}, which LISTEN_FDS announces, is not a socket: {exception.Message}.", exception);
        }

        throw new IOException($"Descriptor {descriptor}, which LISTEN_FDS announces, is not a listening stream socket; use ListenStream= in the socket unit.");
    }

    private static Socket Wrap(int descriptor, bool owns) => new(new SafeSocketHandle(descriptor, owns));
}
