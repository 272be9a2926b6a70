using System.Net;
using System.Net.Sockets;
using Lekhika.Daemon.Configuration;
using Lekhika.Daemon.Tests.Http.Support;
using Xunit;

namespace Lekhika.Daemon.Tests.Http;

[System.Runtime.Versioning.SupportedOSPlatform("linux")]
public sealed class ListenerTests : IDisposable
{
    private readonly string _directory = Directory.CreateTempSubdirectory("lekhika-http-").FullName;

    private string SocketPath => Path.Combine(_directory, "daemon.sock");

    public void Dispose() => Directory.Delete(_directory, recursive: true);

    [Fact]
    public async Task Several_addresses_and_a_socket_are_served_at_the_same_time()
    {
        await using var server = await TestServer.StartAsync(context => context with
        {
            Server = context.Server with { Urls = [new ListenUrl("127.0.0.1", 0), new ListenUrl("localhost", 0)], Socket = SocketPath },
        });
        var ports = server.Urls.Where(static url => url.StartsWith("http://1", StringComparison.Ordinal)).ToList();
        Assert.Equal(2, ports.Count);
        foreach (var url in ports)
        {
            using var response = await server.Client.GetAsync(new Uri(url + "/health"), TestContext.Current.CancellationToken);
            Assert.Equal(HttpStatusCode.OK, response.StatusCode);
        }

        Assert.Equal(HttpStatusCode.OK, await AskAsync(SocketPath));
        Assert.Equal(
            UnixFileMode.UserRead | UnixFileMode.UserWrite | UnixFileMode.GroupRead | UnixFileMode.GroupWrite, File.GetUnixFileMode(SocketPath));
    }

    [Fact]
    public async Task A_socket_that_a_dead_process_left_is_replaced()
    {
        using (var dead = new Socket(AddressFamily.Unix, SocketType.Stream, ProtocolType.Unspecified))
        {
            dead.Bind(new UnixDomainSocketEndPoint(SocketPath + "-old"));
            File.Move(SocketPath + "-old", SocketPath); // so that closing it does not take the file away
        }

        Assert.True(File.Exists(SocketPath));
        await using var server = await StartOnSocketAsync();
        Assert.Equal(HttpStatusCode.OK, await AskAsync(SocketPath));
    }

    [Fact]
    public async Task A_socket_in_use_is_left_alone()
    {
        await using var first = await StartOnSocketAsync();
        var refused = await Assert.ThrowsAsync<IOException>(StartOnSocketAsync);
        Assert.Contains("another process is listening", refused.Message, StringComparison.Ordinal);
        Assert.Equal(HttpStatusCode.OK, await AskAsync(SocketPath));
    }

    [Fact]
    public async Task A_file_that_is_no_socket_is_left_alone()
    {
        await File.WriteAllTextAsync(SocketPath, "precious", TestContext.Current.CancellationToken);
        var refused = await Assert.ThrowsAsync<IOException>(StartOnSocketAsync);
        Assert.Contains("not a socket", refused.Message, StringComparison.Ordinal);
        Assert.Equal("precious", await File.ReadAllTextAsync(SocketPath, TestContext.Current.CancellationToken));
    }

    [Fact]
    public async Task A_socket_in_a_directory_that_is_not_there_is_told_so()
    {
        var refused = await Assert.ThrowsAsync<IOException>(() => TestServer.StartAsync(context => context with
        {
            Server = context.Server with { Urls = [], Socket = Path.Combine(_directory, "missing", "daemon.sock") },
        }));
        Assert.Contains("missing/daemon.sock", refused.Message, StringComparison.Ordinal);
    }

    private Task<TestServer> StartOnSocketAsync() =>
        TestServer.StartAsync(context => context with { Server = context.Server with { Urls = [], Socket = SocketPath } });

    private static async Task<HttpStatusCode> AskAsync(string path)
    {
        using var handler = new SocketsHttpHandler
        {
            ConnectCallback = async (_, cancellation) =>
            {
                var socket = new Socket(AddressFamily.Unix, SocketType.Stream, ProtocolType.Unspecified);
                await socket.ConnectAsync(new UnixDomainSocketEndPoint(path), cancellation);
                return new NetworkStream(socket, ownsSocket: true);
            },
        };
        using var client = new HttpClient(handler);
        client.DefaultRequestHeaders.Add("X-Internal-Auth", TestServer.Secret);
        using var response = await client.GetAsync(new Uri("http://localhost/status"), TestContext.Current.CancellationToken);
        return response.StatusCode;
    }
}
