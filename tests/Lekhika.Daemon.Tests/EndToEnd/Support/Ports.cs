using System.Net;
using System.Net.Sockets;

namespace Lekhika.Daemon.Tests.EndToEnd.Support;

/// <summary>Ports for servers that the tests start, each given out once and none from the range that outgoing connections are given theirs from.</summary>
internal static class Ports
{
    private static readonly HashSet<int> Given = [];

    public static int Take()
    {
        lock (Given)
        {
            while (true)
            {
                var port = Random.Shared.Next(15_000, 30_000);
                if (Given.Add(port) && IsFree(port)) return port;
            }
        }
    }

    private static bool IsFree(int port)
    {
        using var probe = new TcpListener(IPAddress.Loopback, port);
        try
        {
            probe.Start();
            return true;
        }
        catch (SocketException)
        {
            return false;
        }
    }
}
