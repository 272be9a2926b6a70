using System.Collections.Concurrent;
using System.Diagnostics;
using System.Globalization;
using System.Text;
using System.Text.Json;

namespace Lekhika.Benchmarks.Harness;

/// <summary>A daemon under measurement: the published native binary, with a configuration file, port and state directory of its own.</summary>
internal sealed class BenchDaemon : IAsyncDisposable
{
    private const string Secret = "the-secret-of-the-benchmarks-0123456789";

    private static readonly ConcurrentDictionary<BenchDaemon, bool> Living = new();

    private readonly Process _process;
    private readonly string _folder;
    private readonly StringBuilder _log = new();

    private BenchDaemon(Process process, string folder, int port)
    {
        (_process, _folder, Port) = (process, folder, port);
        process.OutputDataReceived += (_, line) => Keep(line.Data);
        process.ErrorDataReceived += (_, line) => Keep(line.Data);
        process.BeginOutputReadLine();
        process.BeginErrorReadLine();
        Http = new HttpClient { BaseAddress = new Uri(Address), Timeout = TimeSpan.FromMinutes(10) };
        Http.DefaultRequestHeaders.Add("X-Internal-Auth", Secret);
    }

    public HttpClient Http { get; }

    public int Port { get; }

    public string Address => $"http://127.0.0.1:{Port}/";

    /// <summary>The header that lets requests in.</summary>
    public static string Header => "X-Internal-Auth: " + Secret;

    /// <summary>Resident memory in MB.</summary>
    public double ResidentMegabytes => ResidentOf(_process.Id);

    public string Log
    {
        get
        {
            lock (_log) return _log.ToString();
        }
    }

    /// <summary>Starts one and waits until it is ready and idle.</summary>
    public static async Task<BenchDaemon> StartAsync(BenchDatabase database, params (string Key, string Value)[] settings)
    {
        var daemon = Launch(database, settings);
        await Shell.UntilAsync(daemon.IsReadyAsync, 60, 20, "a daemon that is ready; it says: " + daemon.Log);
        await Shell.UntilAsync(
            async () => await database.ScalarAsync<bool>("SELECT coalesce(bool_and(idle), false) FROM lekhika.workers WHERE NOT revoked"), 60, 50, "an idle worker");
        return daemon;
    }

    /// <summary>Starts one and does not wait.</summary>
    public static BenchDaemon Launch(BenchDatabase database, params (string Key, string Value)[] settings)
    {
        var folder = Directory.CreateTempSubdirectory("lekhika-bench-daemon-").FullName;
        var port = BenchCluster.FreePort();
        var all = new Dictionary<string, string>(StringComparer.Ordinal)
        {
            ["database.url"] = database.Url,
            ["server.url"] = $"http://127.0.0.1:{port}",
            ["server.log_level"] = "warning",
            ["auth.internal_secret"] = Secret,
            ["worker.state_directory"] = folder,
            ["ollama.url"] = "http://127.0.0.1:1",
        };
        foreach (var (key, value) in settings) all[key] = value;
        var file = Path.Combine(folder, "daemon.conf");
        File.WriteAllText(file, string.Concat(all.GroupBy(static setting => setting.Key.Split('.')[0], StringComparer.Ordinal).Select(static section =>
            $"[{section.Key}]\n" + string.Concat(section.Select(setting => $"{setting.Key[(section.Key.Length + 1)..]} = {setting.Value}\n")))));
        if (!OperatingSystem.IsWindows()) File.SetUnixFileMode(file, UnixFileMode.UserRead | UnixFileMode.UserWrite);
        var start = new ProcessStartInfo(Paths.Daemon, ["run", "--config", file])
        {
            UseShellExecute = false,
            RedirectStandardOutput = true,
            RedirectStandardError = true,
            RedirectStandardInput = true,
            WorkingDirectory = folder,
        };
        Shell.Clean(start);
        var daemon = new BenchDaemon(Process.Start(start)!, folder, port);
        Living[daemon] = true;
        return daemon;
    }

    /// <summary>Ends those that a case has left behind.</summary>
    public static async Task EndAllAsync()
    {
        foreach (var daemon in Living.Keys) await daemon.DisposeAsync();
    }

    public static double ResidentOf(int process)
    {
        var line = File.ReadLines($"/proc/{process}/status").First(static line => line.StartsWith("VmRSS:", StringComparison.Ordinal));
        return double.Parse(line.Split(' ', StringSplitOptions.RemoveEmptyEntries)[^2], CultureInfo.InvariantCulture) / 1024;
    }

    public async Task<bool> IsReadyAsync()
    {
        if (_process.HasExited) throw new InvalidOperationException($"the daemon ended with {_process.ExitCode}: {Log}");
        try
        {
            using var response = await Http.GetAsync(new Uri("status", UriKind.Relative));
            if (!response.IsSuccessStatusCode) return false;
            using var body = JsonDocument.Parse(await response.Content.ReadAsByteArrayAsync());
            return body.RootElement.GetProperty("database").ValueEquals("ok");
        }
        catch (HttpRequestException)
        {
            return false;
        }
    }

    /// <summary>Executions it has completed since its start, by its own count.</summary>
    public async Task<long> CompletedAsync()
    {
        using var body = JsonDocument.Parse(await Http.GetByteArrayAsync(new Uri("status", UriKind.Relative)));
        return body.RootElement.GetProperty("finished").GetProperty("completed").GetInt64();
    }

    /// <summary>Starts an execution over HTTP; returns when it is accepted.</summary>
    public async Task ExecuteAsync(Guid id, string workflow)
    {
        using var content = new StringContent($$$"""{"executionId":"{{{id}}}","workflow":{{{workflow}}},"inputs":{}}""", Encoding.UTF8, "application/json");
        using var response = await Http.PostAsync(new Uri("execute", UriKind.Relative), content);
        if (!response.IsSuccessStatusCode) throw new InvalidOperationException($"/execute answered {(int)response.StatusCode}: {await response.Content.ReadAsStringAsync()}");
    }

    private void Keep(string? line)
    {
        lock (_log) _log.AppendLine(line);
    }

    public async ValueTask DisposeAsync()
    {
        if (!Living.TryRemove(this, out _)) return;
        Http.Dispose();
        if (!_process.HasExited) _process.Kill();
        await _process.WaitForExitAsync();
        _process.Dispose();
        Directory.Delete(_folder, recursive: true);
    }
}
