using System.Diagnostics;
using System.Globalization;
using System.Net.Sockets;
using Lekhika.Tests.Support;
using Npgsql;
using Xunit;

namespace Lekhika.Daemon.Tests.EndToEnd.Support;

/// <summary>A PgBouncer of the test's own in front of a cluster, with few server connections, so that clients really share them.</summary>
internal sealed class PgBouncerProcess : IAsyncDisposable
{
    private readonly string _folder;
    private readonly Process _process;
    private bool _isOver;

    private PgBouncerProcess(string folder, Process process, int port) => (_folder, _process, Port) = (folder, process, port);

    public int Port { get; }

    /// <summary>What it has logged.</summary>
    public string Log => File.Exists(LogFile) ? File.ReadAllText(LogFile) : "";

    private string LogFile => Path.Combine(_folder, "log");

    /// <summary>The program, or null where it is not installed.</summary>
    public static string? Program => ((string[])["/usr/sbin/pgbouncer", "/usr/bin/pgbouncer", "/usr/local/bin/pgbouncer"]).FirstOrDefault(File.Exists);

    /// <param name="cluster">What it stands in front of.</param>
    /// <param name="mode"><c>transaction</c> or <c>session</c>.</param>
    /// <param name="connections">How many server connections it shares out.</param>
    /// <param name="at">The port, that of an earlier one; null for a free one.</param>
    public static async Task<PgBouncerProcess> StartAsync(PostgresCluster cluster, string mode, int connections, int? at = null)
    {
        var folder = Directory.CreateTempSubdirectory("lekhika-pgbouncer-").FullName;
        var port = at ?? Ports.Take();
        await File.WriteAllTextAsync(Path.Combine(folder, "users"), "\"postgres\" \"\"\n");
        await File.WriteAllTextAsync(
            Path.Combine(folder, "ini"),
            string.Create(CultureInfo.InvariantCulture, $"""
                [databases]
                * = host=127.0.0.1 port={cluster.Port}
                [pgbouncer]
                listen_addr = 127.0.0.1
                listen_port = {port}
                unix_socket_dir =
                auth_type = trust
                auth_file = {folder}/users
                pool_mode = {mode}
                default_pool_size = {connections}
                server_login_retry = 1
                logfile = {folder}/log
                pidfile = {folder}/pid

                """));
        // It refuses to run as root, and its files must be its own then.
        var start = Environment.UserName == "root"
            ? new ProcessStartInfo("/bin/sh", ["-c", $"chown -R postgres {folder} && exec setpriv --reuid=postgres --regid=postgres --clear-groups {Program} -q {folder}/ini"])
            : new ProcessStartInfo(Program!, ["-q", $"{folder}/ini"]);
        var bouncer = new PgBouncerProcess(folder, Process.Start(start)!, port);
        for (var tries = 0; ; tries++)
        {
            try
            {
                using var client = new TcpClient();
                await client.ConnectAsync("127.0.0.1", port, TestContext.Current.CancellationToken);
                return bouncer;
            }
            catch (SocketException) when (tries < 400 && !bouncer._process.HasExited)
            {
                await Task.Delay(TimeSpan.FromMilliseconds(25), TimeProvider.System, TestContext.Current.CancellationToken);
            }
        }
    }

    /// <summary>A database of the cluster by way of it, as a URL.</summary>
    public string Url(string connectionString) =>
        $"postgres://postgres@127.0.0.1:{Port.ToString(CultureInfo.InvariantCulture)}/{new NpgsqlConnectionStringBuilder(connectionString).Database}";

    /// <summary>Its end, as a crash.</summary>
    public async ValueTask DisposeAsync()
    {
        if (_isOver) return;
        _isOver = true;
        if (!_process.HasExited)
        {
            _process.Kill(entireProcessTree: true);
            await _process.WaitForExitAsync(CancellationToken.None);
        }

        _process.Dispose();
        if (Directory.Exists(_folder)) Directory.Delete(_folder, recursive: true);
    }
}
