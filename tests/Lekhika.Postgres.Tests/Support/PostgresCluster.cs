using System.Diagnostics;
using System.Net;
using System.Net.Sockets;
using System.Runtime.InteropServices;
using Npgsql;
using Xunit;

namespace Lekhika.Tests.Support;

/// <summary>
/// A private PostgreSQL cluster in a temporary folder, on a port of its own: made once per test assembly, stopped and deleted after it. It never
/// touches a cluster that exists. LEKHIKA_TEST_PG_BIN names the folder of the server's programs where they are not found by themselves.
/// </summary>
public sealed class PostgresCluster : IAsyncLifetime
{
    private readonly string _folder = Path.Combine(Path.GetTempPath(), "lekhika-pg-" + Guid.NewGuid().ToString("N")[..8]);
    private int _databases;

    /// <summary>Where it listens.</summary>
    public int Port { get; private set; }

    /// <summary>The folder of its data, log and socket.</summary>
    public string Folder => _folder;

    public async ValueTask InitializeAsync()
    {
        Directory.CreateDirectory(_folder);
        Port = FreePort();
        if (IsRoot) await RunAsync("chown", ["postgres", _folder], asServer: false);
        await RunAsync(Program("initdb"), ["-D", Data, "-A", "trust", "-U", "postgres", "--no-sync"], asServer: true);
        await StartAsync();
    }

    public async ValueTask DisposeAsync()
    {
        await StopAsync("immediate");
        Directory.Delete(_folder, recursive: true);
    }

    /// <summary>Starts the server and waits until it answers.</summary>
    public Task StartAsync() => RunAsync(
        Program("pg_ctl"),
        [
            "-D", Data, "-w", "-l", Path.Combine(_folder, "log"), "-o",
            $"-p {Port} -k {_folder} -c listen_addresses=127.0.0.1 -c max_connections=200 -c shared_buffers=64MB -c log_statement=none "
            + "-c shared_preload_libraries=pg_stat_statements -c wal_level=minimal -c max_wal_senders=0 -c autovacuum_naptime=5s",
            "start",
        ],
        asServer: true);

    /// <summary>Stops the server: <c>fast</c> or <c>immediate</c>.</summary>
    public Task StopAsync(string mode) => RunAsync(Program("pg_ctl"), ["-D", Data, "-w", "-m", mode, "stop"], asServer: true);

    /// <summary>An empty database of its own; the answer is its connection string.</summary>
    public async Task<string> CreateDatabaseAsync(string? template = null)
    {
        var name = $"test_{Interlocked.Increment(ref _databases)}_{Guid.NewGuid().ToString("N")[..6]}";
        await ExecuteAsync(ConnectionString("postgres"), $"CREATE DATABASE {name}" + (template is null ? "" : $" TEMPLATE {template}"));
        return ConnectionString(name);
    }

    /// <summary>Where its Unix socket is.</summary>
    public string SocketFolder => _folder;

    /// <summary>How to connect to a database of this cluster.</summary>
    public string ConnectionString(string database) =>
        $"Host=127.0.0.1;Port={Port};Username=postgres;Database={database};Include Error Detail=true;Timeout=15";

    /// <summary>The same as a URL, the way backends write it.</summary>
    public string Url(string connectionString) =>
        $"postgres://postgres@127.0.0.1:{Port}/{new NpgsqlConnectionStringBuilder(connectionString).Database}";

    /// <summary>Runs statements.</summary>
    public static async Task ExecuteAsync(string connectionString, string sql)
    {
        await using var connection = new NpgsqlConnection(connectionString);
        await connection.OpenAsync();
        await using var command = new NpgsqlCommand(sql, connection);
        await command.ExecuteNonQueryAsync();
    }

    /// <summary>Runs a script of the repository with psql, as an operator does; <paramref name="variables"/> are NAME=VALUE.</summary>
    public Task ScriptAsync(string connectionString, string path, params string[] variables) => RunAsync(
        Program("psql"),
        ["-X", "-q", "-d", Url(connectionString), .. variables.SelectMany(static variable => (string[])["-v", variable]), "-f", Path.Combine(Repository(), path)],
        asServer: false);

    private static string Repository()
    {
        var folder = AppContext.BaseDirectory;
        while (!Directory.Exists(Path.Combine(folder, "packaging"))) folder = Path.GetDirectoryName(folder) ?? throw new InvalidOperationException("not inside the repository");
        return folder;
    }

    private static bool IsRoot => Geteuid() == 0;

    private string Data => Path.Combine(_folder, "data");

    private static string Program(string name)
    {
        var folders = new List<string>();
        if (Environment.GetEnvironmentVariable("LEKHIKA_TEST_PG_BIN") is { Length: > 0 } folder) folders.Add(folder);
        if (Directory.Exists("/usr/lib/postgresql"))
        {
            folders.AddRange(Directory.GetDirectories("/usr/lib/postgresql").OrderDescending().Select(version => Path.Combine(version, "bin")));
        }

        folders.AddRange((Environment.GetEnvironmentVariable("PATH") ?? "").Split(':'));
        return folders.Select(candidate => Path.Combine(candidate, name)).FirstOrDefault(File.Exists)
            ?? throw new InvalidOperationException($"{name} is not found; install the package postgresql or set LEKHIKA_TEST_PG_BIN.");
    }

    // Not from the range that outgoing connections are given theirs from: while the server is stopped, one of them could take its port, or even
    // connect to itself.
    private static int FreePort()
    {
        while (true)
        {
            var port = Random.Shared.Next(10_000, 15_000);
            using var listener = new TcpListener(IPAddress.Loopback, port);
            try
            {
                listener.Start();
                return port;
            }
            catch (SocketException)
            {
                // Taken: another one.
            }
        }
    }

    private static async Task RunAsync(string program, string[] arguments, bool asServer)
    {
        // The server refuses to run as root.
        var start = asServer && IsRoot
            ? new ProcessStartInfo("setpriv", ["--reuid=postgres", "--regid=postgres", "--clear-groups", program, .. arguments])
            : new ProcessStartInfo(program, arguments);
        start.WorkingDirectory = Path.GetTempPath();
        // The server inherits the streams of pg_ctl and would keep a pipe open: everything goes to a file.
        var output = Path.GetTempFileName();
        start = new ProcessStartInfo("/bin/sh", ["-c", "out=$1; shift; exec \"$@\" >\"$out\" 2>&1 </dev/null", "sh", output, start.FileName, .. start.ArgumentList])
        {
            WorkingDirectory = Path.GetTempPath(),
        };
        using var process = Process.Start(start)!;
        await process.WaitForExitAsync();
        var said = await File.ReadAllTextAsync(output);
        File.Delete(output);
        if (process.ExitCode != 0) throw new InvalidOperationException($"{program} {string.Join(' ', arguments)} ended with {process.ExitCode}: {said}");
    }

    [DllImport("libc", EntryPoint = "geteuid")]
    private static extern uint Geteuid();
}
