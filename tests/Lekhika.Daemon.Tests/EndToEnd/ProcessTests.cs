using System.Net;
using System.Net.Sockets;
using System.Text;
using Lekhika.Daemon.Tests.EndToEnd.Support;
using Lekhika.Doubles;
using Npgsql;
using Xunit;

namespace Lekhika.Daemon.Tests.EndToEnd;

/// <summary>The process as systemd, a shell and a sysadmin see it.</summary>
public sealed class ProcessTests(Servers servers)
{
    private static CancellationToken Cancellation => TestContext.Current.CancellationToken;

    [Fact]
    public async Task A_hangup_takes_over_the_log_level_and_the_model_aliases()
    {
        await using var scene = await Scene.BeginAsync(servers);
        var daemon = await scene.DaemonAsync();
        Assert.Equal("failed", (await scene.EndAsync(await scene.InsertAsync(Flows.OneModel(Flows.Say("hi"), "house-model")))).Status);
        var mark = daemon.Mark;
        daemon.Reload(("server.log_level", "warning"), ("models.house-model", "llama3.2"));
        await daemon.LogFromAsync(mark, Cancellation, "Reloaded");
        mark = daemon.Mark;
        Assert.Equal("completed", (await scene.EndAsync(await scene.InsertAsync(Flows.OneModel(Flows.Say("hi"), "house-model")))).Status);
        // A bad file changes nothing, and says so.
        daemon.Reload(("server.log_level", "chatty"));
        await daemon.LogFromAsync(mark, Cancellation, "log_level", "stays in force");
        Assert.DoesNotContain(daemon.Child.Lines.Skip(mark), static line => line.Contains("completed in", StringComparison.Ordinal));
        Assert.Equal("completed", (await scene.EndAsync(await scene.InsertAsync(Flows.OneModel(Flows.Say("hi"), "house-model")))).Status);
        Assert.Equal(0, await daemon.StopAsync(Cancellation));
    }

    [Fact]
    public async Task A_hangup_takes_over_limits_and_names_what_waits_for_a_restart()
    {
        await using var scene = await Scene.BeginAsync(servers);
        var daemon = await scene.DaemonAsync();
        var large = $$"""{"text":"{{new string('é', 700)}}"}""";
        Assert.Equal("completed", (await scene.EndAsync(await scene.InsertAsync(Flows.Trivial, inputs: large))).Status);
        var mark = daemon.Mark;
        daemon.Reload(("limits.inputs_size", "1KB"), ("worker.concurrency", "3"));
        await daemon.LogFromAsync(mark, Cancellation, "Reloaded", "limits.inputs_size");
        await daemon.LogFromAsync(mark, Cancellation, "only a restart", "worker.concurrency");

        var row = await scene.EndAsync(await scene.InsertAsync(Flows.Trivial, inputs: large));
        Assert.Equal("failed", row.Status);
        Assert.Contains("inputs_too_large", row.Details, StringComparison.Ordinal);
        Assert.Contains("limits.inputs_size", row.Error, StringComparison.Ordinal);
        var (status, body) = await daemon.PostAsync("execute", $$"""{"workflow":{{Flows.Trivial}},"inputs":{{large}}}""", Cancellation);
        Assert.Equal(400, status);
        Assert.Equal("inputs", body.GetProperty("problems")[0].GetProperty("path").GetString());
        Assert.Equal("completed", (await scene.EndAsync(await scene.InsertAsync(Flows.Trivial))).Status);
    }

    [Fact]
    public async Task Systemd_is_told_of_the_start_the_state_and_the_stop()
    {
        await using var scene = await Scene.BeginAsync(servers);
        var path = Path.Combine(scene.Folder("notify"), "socket");
        using var socket = new Socket(AddressFamily.Unix, SocketType.Dgram, ProtocolType.Unspecified);
        socket.Bind(new UnixDomainSocketEndPoint(path));
        var daemon = await scene.DaemonAsync(setup =>
        {
            setup.Environment["NOTIFY_SOCKET"] = path;
            setup.Environment["WATCHDOG_USEC"] = "2000000";
        });
        await ReceiveAsync(socket, "READY=1");
        await ReceiveAsync(socket, "WATCHDOG=1");
        await ReceiveAsync(socket, "STATUS=running 0");
        daemon.Child.Signal(Signals.Hangup);
        await ReceiveAsync(socket, "RELOADING=1");
        await ReceiveAsync(socket, "READY=1");
        daemon.Child.Signal(Signals.Terminate);
        await ReceiveAsync(socket, "STOPPING=1");
        Assert.Equal(0, await daemon.Child.EndAsync(Cancellation));
    }

    [Fact]
    public async Task Told_to_stop_before_it_has_begun_it_ends_well_and_speaks_of_no_fault()
    {
        // A database that takes connections and never answers holds it up at its start.
        using var mute = new TcpListener(IPAddress.Loopback, 0);
        mute.Start();
        var port = Ports.Take();
        using var folder = new ScratchFolder();
        var child = ChildProcess.Start(
        [
            "run", "--database.url", $"postgres://postgres@127.0.0.1:{((IPEndPoint)mute.LocalEndpoint).Port}/x", "--server.url", $"http://127.0.0.1:{port}",
            "--auth.allow_insecure_loopback", "true", "--worker.state_directory", folder.Path,
        ]);
        await using var ends = child;
        using var connection = await mute.AcceptTcpClientAsync(Cancellation);
        child.Signal(Signals.Terminate);
        Assert.Equal(0, await child.EndAsync(Cancellation));
        Assert.DoesNotContain("fault", child.Tail(), StringComparison.Ordinal);
    }

    [Fact]
    public async Task Invalid_configuration_ends_with_78_and_names_every_mistake()
    {
        var file = Path.GetTempFileName();
        await File.WriteAllTextAsync(file, "[worker]\nconcurency = 3\n[server]\nurl = nonsense\n", Cancellation);
        var run = await ChildProcess.RunAsync(null, Cancellation, "run", "--config", file);
        File.Delete(file);
        Assert.Equal(78, run.ExitCode);
        Assert.Contains("concurency", run.Error, StringComparison.Ordinal);
        Assert.Contains("concurrency", run.Error, StringComparison.Ordinal);
        Assert.Contains("server.url", run.Error, StringComparison.Ordinal);
    }

    [Fact]
    public async Task Without_a_secret_it_refuses_to_start_unless_told_so_for_loopback()
    {
        await using var scene = await Scene.BeginAsync(servers);
        var port = Ports.Take();
        var refused = await ChildProcess.RunAsync(
            null, Cancellation, "run", "--config", "/dev/null", "--database.url", scene.DatabaseUrl, "--server.url", $"http://127.0.0.1:{port}");
        Assert.Equal(78, refused.ExitCode);
        Assert.Contains("internal_secret", refused.Error, StringComparison.Ordinal);

        var daemon = await scene.DaemonAsync(static setup =>
        {
            setup.Settings["auth.internal_secret"] = "";
            setup.Settings["auth.allow_insecure_loopback"] = "true";
        });
        using var stranger = new HttpClient { BaseAddress = daemon.Http.BaseAddress };
        using var response = await stranger.GetAsync(new Uri("status", UriKind.Relative), Cancellation);
        Assert.Equal(HttpStatusCode.OK, response.StatusCode);
    }

    [Fact]
    public async Task The_older_workers_variables_configure_it_and_those_without_meaning_are_named()
    {
        await using var scene = await Scene.BeginAsync(servers);
        var daemon = await scene.DaemonAsync(setup =>
        {
            foreach (var key in new[] { "database.url", "ollama.url", "server.url", "auth.internal_secret" }) setup.Settings[key] = "";
            setup.Port = Ports.Take();
            setup.Environment["SUPABASE_DB_URL"] = scene.DatabaseUrl;
            setup.Environment["OLLAMA_LOCAL_URL"] = scene.Ollama.BaseAddress.ToString();
            setup.Environment["PORT"] = setup.Port.Value.ToString(System.Globalization.CultureInfo.InvariantCulture);
            setup.Environment["INTERNAL_API_SECRET"] = DaemonSetup.Secret;
            setup.Environment["WORKER_ID"] = "older";
            setup.Environment["REDIS_URL"] = "redis://localhost";
        });
        Assert.Contains(daemon.Child.Lines, static line => line.Contains("REDIS_URL", StringComparison.Ordinal));
        var health = await daemon.GetAsync("health", Cancellation);
        Assert.Equal("older", health.Body.GetProperty("worker_id").GetString());
        Assert.Equal("completed", (await scene.EndAsync(await scene.InsertAsync(Flows.OneModel(Flows.Say("hi"))))).Status);
    }

    [Fact]
    public async Task It_serves_on_a_unix_socket_too()
    {
        await using var scene = await Scene.BeginAsync(servers);
        var path = Path.Combine(scene.Folder("http"), "http.sock");
        var daemon = await scene.DaemonAsync(setup => setup.Settings["server.socket"] = path);
        using var handler = new SocketsHttpHandler
        {
            ConnectCallback = async (_, cancellation) =>
            {
                var socket = new Socket(AddressFamily.Unix, SocketType.Stream, ProtocolType.Unspecified);
                await socket.ConnectAsync(new UnixDomainSocketEndPoint(path), cancellation);
                return new NetworkStream(socket, ownsSocket: true);
            },
        };
        using var client = new HttpClient(handler) { BaseAddress = new Uri("http://daemon/") };
        client.DefaultRequestHeaders.Add("X-Internal-Auth", DaemonSetup.Secret);
        using var content = new StringContent($$$"""{"workflow":{{{Flows.OneModel(Flows.Say("by socket"))}}}}""", Encoding.UTF8, "application/json");
        using var response = await client.PostAsync(new Uri("execute", UriKind.Relative), content, Cancellation);
        Assert.Equal(HttpStatusCode.Accepted, response.StatusCode);
        await scene.UntilSqlAsync<long>("SELECT count(*) FROM lekhika.workflow_executions WHERE status = 'completed'", static done => done == 1);
        Assert.Equal(0, await daemon.StopAsync(Cancellation));
        Assert.False(File.Exists(path));
    }

    [Fact]
    public async Task Two_of_them_with_one_state_directory_both_work()
    {
        await using var scene = await Scene.BeginAsync(servers);
        var first = await scene.DaemonAsync();
        var second = await scene.DaemonAsync(setup => setup.StateDirectory = first.StateDirectory);
        var ids = new List<Guid>();
        for (var i = 0; i < 10; i++) ids.Add(await scene.InsertAsync(Flows.OneModel(Flows.Say("ok"))));
        foreach (var id in ids) Assert.Equal("completed", (await scene.EndAsync(id)).Status);
        Assert.Equal(2, await scene.Database.ScalarAsync<long>("SELECT count(*) FROM lekhika.workers WHERE NOT revoked", Cancellation));
        Assert.Equal(0, await second.StopAsync(Cancellation));
    }

    [Fact]
    public async Task A_port_that_is_taken_is_said_and_ends_it()
    {
        await using var scene = await Scene.BeginAsync(servers);
        var first = await scene.DaemonAsync();
        await using var second = DaemonProcess.Start(scene.Setup(setup => setup.Port = first.Port));
        Assert.Equal(1, await second.Child.EndAsync(Cancellation));
        Assert.Contains(second.Child.Lines, line => line.Contains(first.Port.ToString(System.Globalization.CultureInfo.InvariantCulture), StringComparison.Ordinal));
    }

    private static async Task ReceiveAsync(Socket socket, string wanted)
    {
        var buffer = new byte[4096];
        using var limit = CancellationTokenSource.CreateLinkedTokenSource(Cancellation);
        limit.CancelAfter(TimeSpan.FromSeconds(20));
        while (true)
        {
            var length = await socket.ReceiveAsync(buffer, SocketFlags.None, limit.Token);
            if (Encoding.UTF8.GetString(buffer, 0, length).Contains(wanted, StringComparison.Ordinal)) return;
        }
    }
}
