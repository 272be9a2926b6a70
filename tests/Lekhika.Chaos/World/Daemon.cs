using System.Globalization;
using System.Text;
using System.Text.RegularExpressions;
using Lekhika.Daemon.Tests.EndToEnd.Support;

namespace Lekhika.Chaos.World;

/// <summary>One of the daemons: a name, a proxy, a port and a state directory that outlive its processes.</summary>
internal sealed partial class Daemon : IAsyncDisposable
{
    public const string Secret = "secret-of-the-campaign-0123456789";
    private readonly string _config;
    private readonly string _folder;
    private readonly List<ChildProcess> _lives = [];

    public Daemon(string name, string folder, int serverPort, string database, string ollama, string allow)
    {
        Name = name;
        Proxy = new Proxy(serverPort);
        Port = Ports.Take();
        _folder = Path.Combine(folder, name);
        Directory.CreateDirectory(_folder);
        _config = Path.Combine(_folder, "daemon.conf");
        File.WriteAllText(_config, string.Create(CultureInfo.InvariantCulture, $"""
            [database]
            url = postgres://postgres@127.0.0.1:{Proxy.Port}/{database}?application_name={name}
            [server]
            url = http://127.0.0.1:{Port}
            [auth]
            internal_secret = {Secret}
            [worker]
            id = {name}
            state_directory = {Path.Combine(_folder, "state")}
            lease = 2s
            heartbeat = 400ms
            max_rescues = 50
            drain_timeout = 5s
            [ollama]
            url = {ollama}
            idle_timeout = 3s
            [http]
            allow = {allow}

            """));
        Http = new HttpClient { BaseAddress = new Uri($"http://127.0.0.1:{Port}/"), Timeout = TimeSpan.FromSeconds(5) };
        Http.DefaultRequestHeaders.Add("X-Internal-Auth", Secret);
    }

    public string Name { get; }

    public int Port { get; }

    public Proxy Proxy { get; }

    public HttpClient Http { get; }

    /// <summary>The process of now; null while there is none.</summary>
    public ChildProcess? Process { get; private set; }

    public int Lives => _lives.Count;

    /// <summary>Results that found no database before a stop, and that no later life has offered yet.</summary>
    public int Spooled => Directory.Exists(Path.Combine(_folder, "state", "spool")) ? Directory.EnumerateFiles(Path.Combine(_folder, "state", "spool"), "*.json").Count() : 0;

    /// <summary>Everything it said in all its lives.</summary>
    public IEnumerable<string> Log => _lives.SelectMany(static life => life.Lines);

    /// <summary>What ended a process by itself: exit codes other than 0 that no signal explains.</summary>
    public List<string> Faults { get; } = [];

    public void Start(string? clockOffset = null)
    {
        var environment = new Dictionary<string, string>(StringComparer.Ordinal);
        if (clockOffset is not null && FakeTime() is { } library)
        {
            environment["LD_PRELOAD"] = library;
            environment["FAKETIME"] = clockOffset;
            environment["FAKETIME_DONT_FAKE_MONOTONIC"] = "1";
        }

        Process = ChildProcess.Start(["run", "--config", _config], environment);
        _lives.Add(Process);
    }

    /// <summary>Ends it by a signal, waits for its end.</summary>
    public async Task EndAsync(int signal, CancellationToken cancellationToken)
    {
        if (Process is not { } process) return;
        // It may be dying of another signal meanwhile. SIGKILL ends one that stands still, too.
        if (!process.HasExited) process.TrySignal(signal);
        var code = await process.EndAsync(cancellationToken, seconds: 120);
        if (signal == Signals.Terminate && code != 0) Faults.Add($"{Name}: SIGTERM ended it with exit code {code}\n{process.Tail(15)}");
        Process = null;
    }

    /// <summary>Starts it again if it is not there; what ended it unasked is a fault.</summary>
    public void Revive(bool killed)
    {
        if (Process is { HasExited: true } dead)
        {
            if (!killed) Faults.Add($"{Name}: ended by itself with exit code {dead.ExitCode}\n{dead.Tail(15)}");
            Process = null;
        }

        if (Process is null) Start();
    }

    public void Signal(int signal)
    {
        if (Process is { HasExited: false } process) process.TrySignal(signal);
    }

    /// <summary>Where libfaketime is; null if it is not installed.</summary>
    public static string? FakeTime() =>
        new[] { "/usr/lib/x86_64-linux-gnu/faketime/libfaketimeMT.so.1", "/usr/lib/aarch64-linux-gnu/faketime/libfaketimeMT.so.1" }.FirstOrDefault(File.Exists);

    /// <summary>Sum of the numbers in log lines such as "Took over 3 executions".</summary>
    public int Logged(string text) => Log.Where(line => line.Contains(text, StringComparison.Ordinal)).Sum(static line =>
        Numbers().Match(line[Math.Max(0, line.IndexOf("Took", StringComparison.Ordinal))..]) is { Success: true } match
            ? int.Parse(match.Value, CultureInfo.InvariantCulture)
            : 1);

    public void KeepLog(string folder) => File.WriteAllLines(Path.Combine(folder, Name + ".log"), Log, Encoding.UTF8);

    public async ValueTask DisposeAsync()
    {
        if (Process is { HasExited: false } process)
        {
            process.TrySignal(Signals.Continue);
            await process.DisposeAsync();
        }

        await Proxy.DisposeAsync();
        Http.Dispose();
    }

    [GeneratedRegex(@"\d+", RegexOptions.NonBacktracking)]
    private static partial Regex Numbers();
}
