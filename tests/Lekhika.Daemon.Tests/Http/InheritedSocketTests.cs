using System.Globalization;
using System.Net;
using System.Net.Sockets;
using Lekhika.Daemon.Configuration;
using Lekhika.Daemon.Http;
using Lekhika.Daemon.Tests.Http.Support;
using Xunit;

namespace Lekhika.Daemon.Tests.Http;

/// <summary>Listening sockets that systemd opened.</summary>
public sealed class InheritedSocketTests
{
    [Fact]
    public async Task A_socket_at_a_configured_address_takes_the_place_of_that_listener()
    {
        using var systemd = Listen();
        var address = (IPEndPoint)systemd.LocalEndPoint!;
        await using var server = await TestServer.StartAsync(context => context with
        {
            Server = context.Server with { Urls = [new ListenUrl("127.0.0.1", address.Port)] },
            Inherited = Inherit(systemd),
        });
        Assert.Equal(HttpStatusCode.OK, await AskAsync(address.Port));
        Assert.Single(server.Urls);
    }

    [Fact]
    public async Task A_socket_at_another_address_is_listened_on_as_well()
    {
        using var systemd = Listen();
        await using var server = await TestServer.StartAsync(context => context with { Inherited = Inherit(systemd) });
        Assert.Equal(HttpStatusCode.OK, await AskAsync(((IPEndPoint)systemd.LocalEndPoint!).Port));
        Assert.Equal(HttpStatusCode.OK, await AskAsync(server.Url.Port));
    }

    [Fact]
    public void Sockets_for_another_process_are_none_of_ours()
    {
        using var systemd = Listen();
        Assert.Empty(InheritedSockets.Read(Variables(1, systemd), process: 2, first: (int)systemd.Handle).Addresses);
        Assert.Empty(InheritedSockets.Read(static _ => null, process: 2, first: 3).Addresses);
    }

    [Fact]
    public void What_does_not_listen_is_refused_with_what_was_expected()
    {
        using var idle = new Socket(AddressFamily.InterNetwork, SocketType.Stream, ProtocolType.Tcp);
        idle.Bind(new IPEndPoint(IPAddress.Loopback, 0));
        var refused = Assert.Throws<IOException>(() => Inherit(idle));
        Assert.Contains("ListenStream=", refused.Message, StringComparison.Ordinal);
    }

    [Fact]
    public async Task Without_a_secret_a_socket_that_others_reach_is_refused()
    {
        using var open = Listen(IPAddress.Any);
        var refused = await Assert.ThrowsAsync<IOException>(() => TestServer.StartAsync(context => context with
        {
            Auth = new AuthOptions(null, AllowInsecureLoopback: true),
            Inherited = Inherit(open),
        }));
        Assert.Contains("auth.internal_secret", refused.Message, StringComparison.Ordinal);
    }

    [Fact]
    public async Task Every_reply_names_the_worker_errors_too()
    {
        await using var server = await TestServer.StartAsync();
        foreach (var path in (string[])["/health", "/status", "/no-such-route"])
        {
            using var response = await server.Client.GetAsync(new Uri(path, UriKind.Relative), TestContext.Current.CancellationToken);
            Assert.Equal(["worker-1"], response.Headers.GetValues("X-Worker-Id"));
        }
    }

    // The descriptor is duplicated, as systemd's is another than the daemon's: the server closes its own.
    private static InheritedSockets Inherit(Socket socket) =>
        InheritedSockets.Read(Variables(7, socket), process: 7, first: Duplicate((int)socket.Handle));

    private static Func<string, string?> Variables(int process, Socket socket) => name => name switch
    {
        "LISTEN_PID" => process.ToString(CultureInfo.InvariantCulture),
        "LISTEN_FDS" => socket.Handle > 0 ? "1" : "0",
        _ => null,
    };

    private static Socket Listen(IPAddress? address = null)
    {
        var socket = new Socket(AddressFamily.InterNetwork, SocketType.Stream, ProtocolType.Tcp);
        socket.Bind(new IPEndPoint(address ?? IPAddress.Loopback, 0));
        socket.Listen();
        return socket;
    }

    private static async Task<HttpStatusCode> AskAsync(int port)
    {
        using var client = new HttpClient();
        using var response = await client.GetAsync(new Uri($"http://127.0.0.1:{port}/health"), TestContext.Current.CancellationToken);
        return response.StatusCode;
    }

    [System.Runtime.InteropServices.DllImport("libc", EntryPoint = "dup", SetLastError = true)]
    private static extern int Duplicate(int descriptor);
}
