using System.Net;
using System.Net.Sockets;
using Npgsql;

namespace Lekhika.Benchmarks.Harness;

/// <summary>
/// A PostgreSQL cluster of the benchmark's own, with the durability that everybody gets by default: fsync, synchronous_commit and full_page_writes are
/// on. Ours and theirs run on it in turn.
/// </summary>
internal sealed class BenchCluster : IAsyncDisposable
{
    public const string Settings =
        "-c listen_addresses=127.0.0.1 -c max_connections=300 -c shared_buffers=512MB -c fsync=on -c synchronous_commit=on -c full_page_writes=on "
        + "-c wal_level=replica -c max_wal_size=4GB -c checkpoint_timeout=15min -c shared_preload_libraries=pg_stat_statements -c log_min_messages=fatal";

    private readonly string _folder = Path.Combine(Path.GetTempPath(), "lekhika-bench-" + Guid.NewGuid().ToString("N")[..8]);
    private int _databases;

    public int Port { get; private set; }

    public static async Task<BenchCluster> StartAsync()
    {
        var cluster = new BenchCluster { Port = FreePort() };
        Directory.CreateDirectory(cluster._folder);
        if (Environment.IsPrivilegedProcess) await Shell.RunAsync("chown", ["postgres", cluster._folder]);
        await ServerAsync("initdb", ["-D", cluster.Data, "-A", "trust", "-U", "postgres"]);
        // Its log goes to a file: it would keep a pipe open.
        await ServerAsync(
            "pg_ctl", ["-D", cluster.Data, "-w", "-l", Path.Combine(cluster._folder, "log"), "-o", $"-p {cluster.Port} -k {cluster._folder} {Settings}", "start"]);
        return cluster;
    }

    /// <summary>The folder of the server's programs.</summary>
    public static string Program(string name)
    {
        var folders = Directory.Exists("/usr/lib/postgresql")
            ? Directory.GetDirectories("/usr/lib/postgresql").OrderDescending(StringComparer.Ordinal).Select(static version => Path.Combine(version, "bin"))
            : [];
        return folders.Concat((Environment.GetEnvironmentVariable("PATH") ?? "").Split(':')).Select(folder => Path.Combine(folder, name))
            .FirstOrDefault(File.Exists) ?? throw new InvalidOperationException($"{name} is not found; install the package postgresql.");
    }

    public string Url(string database) => $"postgres://postgres@127.0.0.1:{Port}/{database}";

    public string ConnectionString(string database) => $"Host=127.0.0.1;Port={Port};Username=postgres;Database={database};Maximum Pool Size=100;Timeout=60;Command Timeout=600";

    /// <summary>A new database, a copy of another if one is named.</summary>
    public async Task<BenchDatabase> CreateAsync(string? template = null)
    {
        var name = $"bench_{++_databases}";
        await using (var database = new BenchDatabase(this, "postgres"))
        {
            await database.ExecuteAsync($"CREATE DATABASE {name}" + (template is null ? "" : $" TEMPLATE {template}"));
            // The same start for everybody: nothing dirty is left of the run before.
            await database.ExecuteAsync("CHECKPOINT");
        }

        return new BenchDatabase(this, name);
    }

    public async Task DropAsync(string name)
    {
        await using var database = new BenchDatabase(this, "postgres");
        await database.ExecuteAsync($"DROP DATABASE IF EXISTS {name} WITH (FORCE)");
    }

    public async ValueTask DisposeAsync()
    {
        NpgsqlConnection.ClearAllPools();
        await ServerAsync("pg_ctl", ["-D", Data, "-w", "-m", "immediate", "stop"], isCleaning: true);
        Directory.Delete(_folder, recursive: true);
    }

    private string Data => Path.Combine(_folder, "data");

    // The server refuses to run as root, and inherits the streams of whoever starts it: they go to a file.
    private static async Task ServerAsync(string program, string[] arguments, bool isCleaning = false)
    {
        string[] command = Environment.IsPrivilegedProcess
            ? ["setpriv", "--reuid=postgres", "--regid=postgres", "--clear-groups", Program(program), .. arguments]
            : [Program(program), .. arguments];
        await Shell.RunAsync("/bin/sh", ["-c", "exec \"$@\" >/dev/null 2>&1 </dev/null", "sh", .. command], isCleaning: isCleaning);
    }

    public static int FreePort()
    {
        while (true)
        {
            using var listener = new TcpListener(IPAddress.Loopback, Random.Shared.Next(15_000, 20_000));
            try
            {
                listener.Start();
                return ((IPEndPoint)listener.LocalEndpoint).Port;
            }
            catch (SocketException)
            {
                // Taken: another one.
            }
        }
    }
}
