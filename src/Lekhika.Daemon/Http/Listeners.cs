using System.Net;
using System.Net.Sockets;
using Lekhika.Daemon.Configuration;
using Microsoft.AspNetCore.Server.Kestrel.Core;
using Microsoft.AspNetCore.Server.Kestrel.Transport.Sockets;

namespace Lekhika.Daemon.Http;

/// <summary>Where Kestrel listens, and its bounds.</summary>
internal static class Listeners
{
    private const UnixFileMode SocketMode = UnixFileMode.UserRead | UnixFileMode.UserWrite | UnixFileMode.GroupRead | UnixFileMode.GroupWrite;

    public static void Add(IWebHostBuilder host, HttpServerContext context)
    {
        var inherited = context.Inherited;
        if (context.Auth.InternalSecret is null && inherited.Open is { } open)
            throw new IOException($"The socket unit listens on {open}, which others reach, and no secret is configured: set auth.internal_secret.");
        host.UseKestrelCore();
        host.UseSockets(options => options.CreateBoundListenSocket = endpoint => inherited.Take(endpoint) ?? Bind(endpoint));
        host.ConfigureKestrel(options =>
        {
            options.AddServerHeader = false;
            options.Limits.MaxRequestBodySize = context.Server.BodyLimit;
            options.Limits.MaxConcurrentConnections = 10_000;
            foreach (var url in context.Server.Urls) Listen(options, url);
            if (context.Server.Socket is { } path) options.ListenUnixSocket(path, static listen => listen.Protocols = HttpProtocols.Http1);
            foreach (var descriptor in inherited.Others(context.Server)) options.ListenHandle((ulong)descriptor, static listen => listen.Protocols = HttpProtocols.Http1);
        });
    }

    private static void Listen(KestrelServerOptions options, ListenUrl url)
    {
        switch (url.Host)
        {
            case "*":
                options.ListenAnyIP(url.Port, Http1);
                break;
            case "localhost" when url.Port != 0:
                options.ListenLocalhost(url.Port, Http1);
                break;
            case "localhost":
                options.Listen(IPAddress.Loopback, 0, Http1); // two families cannot share a port that the system chooses
                break;
            default:
                options.Listen(IPAddress.Parse(url.Host), url.Port, Http1);
                break;
        }

        static void Http1(ListenOptions listen) => listen.Protocols = HttpProtocols.Http1;
    }

    private static Socket Bind(EndPoint endpoint)
    {
        if (endpoint is not UnixDomainSocketEndPoint unix) return SocketTransportOptions.CreateDefaultBoundListenSocket(endpoint);
        var path = unix.ToString()!;
        RemoveStale(path);
        var socket = new Socket(AddressFamily.Unix, SocketType.Stream, ProtocolType.Unspecified);
        try
        {
            socket.Bind(unix);
            // Between bind and listen nobody can connect, so nobody gets in under a mode that is too wide.
            if (!OperatingSystem.IsWindows()) File.SetUnixFileMode(path, SocketMode);
            return socket;
        }
        catch (SocketException exception)
        {
            socket.Dispose();
            throw new IOException($"Cannot listen on the socket {path}: {exception.Message}. Its directory must exist and be writable.", exception);
        }
        catch
        {
            socket.Dispose();
            throw;
        }
    }

    /// <summary>A socket file that nobody listens on was left by a process that died. One that is in use, and any other file, is not touched.</summary>
    private static void RemoveStale(string path)
    {
        if (!File.Exists(path)) return;
        using var probe = new Socket(AddressFamily.Unix, SocketType.Stream, ProtocolType.Unspecified);
        try
        {
            probe.Connect(new UnixDomainSocketEndPoint(path));
        }
        catch (SocketException exception) when (exception.SocketErrorCode == SocketError.ConnectionRefused)
        {
            if (!IsSocket(path))
                throw new IOException($"Cannot listen on {path}: a file that is not a socket is there. Move it, or set server.socket.", exception);
            File.Delete(path);
            return;
        }
        catch (SocketException exception)
        {
            throw new IOException($"Cannot listen on {path}: {exception.Message}.", exception);
        }

        throw new IOException($"Cannot listen on {path}: another process is listening there.");
    }

    // Connecting to a regular file is refused as well; what tells them apart is that a socket cannot be opened.
    private static bool IsSocket(string path)
    {
        try
        {
            using var file = new FileStream(path, FileMode.Open, FileAccess.Read, FileShare.ReadWrite);
            return false;
        }
        catch (IOException)
        {
            return true;
        }
    }
}
