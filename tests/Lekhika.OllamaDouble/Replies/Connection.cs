using System.Net.Sockets;
using Microsoft.AspNetCore.Connections.Features;

namespace Lekhika.Doubles;

/// <summary>Breaks the connection under a request.</summary>
internal static class Connection
{
    /// <summary>A reset: what was not read yet is lost.</summary>
    public static void Reset(HttpContext http)
    {
        if (http.Features.Get<IConnectionSocketFeature>()?.Socket is { } socket)
            socket.LingerState = new LingerOption(enable: true, seconds: 0);
        http.Abort();
    }

    /// <summary>An end of stream without the last chunk, as when the server process ends.</summary>
    public static void Cut(HttpContext http)
    {
        if (http.Features.Get<IConnectionSocketFeature>()?.Socket is { } socket)
            socket.Shutdown(SocketShutdown.Send);
        http.Abort();
    }
}
