using System.Net.Http.Headers;
using System.Net.Sockets;
using System.Text;
using System.Text.Json;
using Xunit;

namespace Lekhika.Daemon.Tests.EndToEnd.Support;

/// <summary>What a test says about the daemon it starts.</summary>
internal sealed class DaemonSetup
{
    public const string Secret = "the-secret-of-the-tests-0123456789";

    /// <summary>The configuration file: <c>section.key</c> and value; an empty value leaves the key out.</summary>
    public Dictionary<string, string> Settings { get; } = new(StringComparer.Ordinal);

    public Dictionary<string, string> Environment { get; } = new(StringComparer.Ordinal);

    /// <summary>Arguments after <c>run --config FILE</c>.</summary>
    public List<string> Arguments { get; } = [];

    /// <summary>Where it keeps its state and its configuration file; null for a folder that ends with the process.</summary>
    public string? StateDirectory { get; set; }

    /// <summary>Where it listens; null for a free port.</summary>
    public int? Port { get; set; }

    /// <summary>A lease that a test can wait for.</summary>
    public DaemonSetup ShortLease()
    {
        Settings["worker.lease"] = "2s";
        Settings["worker.heartbeat"] = "400ms";
        return this;
    }
}

/// <summary>
/// A running daemon: <c>lekhika-daemon run</c> with a configuration file, a state directory and a port of its own. Its log is kept, and told when a wait
/// for it is in vain.
/// </summary>
internal sealed class DaemonProcess : IAsyncDisposable
{
    private static readonly TimeSpan Patience = TimeSpan.FromSeconds(30);
    private readonly ChildProcess _child;
    private readonly string _configFile;
    private readonly DaemonSetup _setup;
    private readonly ScratchFolder? _folder;

    private DaemonProcess(ChildProcess child, string configFile, DaemonSetup setup, ScratchFolder? folder)
    {
        (_child, _configFile, _setup, _folder) = (child, configFile, setup, folder);
        Http = new HttpClient { BaseAddress = new Uri($"http://127.0.0.1:{setup.Port}/"), Timeout = TimeSpan.FromSeconds(60) };
        Http.DefaultRequestHeaders.Add("X-Internal-Auth", DaemonSetup.Secret);
    }

    /// <summary>Speaks to it, with the secret.</summary>
    public HttpClient Http { get; }

    public ChildProcess Child => _child;

    /// <summary>Its configuration file, for commands that ask it.</summary>
    public string ConfigFile => _configFile;

    public string StateDirectory => _setup.StateDirectory!;

    public int Port => _setup.Port!.Value;

    /// <summary>Number of log lines so far: where a later wait may begin.</summary>
    public int Mark => _child.Lines.Count;

    /// <summary>Starts it, and does not wait.</summary>
    public static DaemonProcess Start(DaemonSetup setup)
    {
        var folder = setup.StateDirectory is null ? new ScratchFolder() : null;
        setup.StateDirectory ??= folder!.Path;
        setup.Port ??= Ports.Take();
        setup.Settings.TryAdd("server.url", $"http://127.0.0.1:{setup.Port}");
        setup.Settings.TryAdd("auth.internal_secret", DaemonSetup.Secret);
        setup.Settings.TryAdd("worker.state_directory", setup.StateDirectory);
        var file = Path.Combine(setup.StateDirectory, $"daemon-{setup.Port}.conf");
        Write(file, setup.Settings);
        var child = ChildProcess.Start(["run", "--config", file, .. setup.Arguments], setup.Environment);
        return new DaemonProcess(child, file, setup, folder);
    }

    /// <summary>Starts it and waits until it says that it is ready.</summary>
    public static async Task<DaemonProcess> StartAsync(DaemonSetup setup, CancellationToken cancellationToken)
    {
        var daemon = Start(setup);
        try
        {
            await daemon.LogAsync(cancellationToken, "Ready on");
            return daemon;
        }
        catch
        {
            await daemon.DisposeAsync();
            throw;
        }
    }

    /// <summary>Waits for a line of the log that holds all of these texts.</summary>
    public Task<string> LogAsync(CancellationToken cancellationToken, params string[] texts) => LogFromAsync(0, cancellationToken, texts);

    /// <inheritdoc cref="LogAsync"/>
    public Task<string> LogFromAsync(int mark, CancellationToken cancellationToken, params string[] texts) =>
        _child.LineAsync(mark, Patience, cancellationToken, texts);

    /// <summary>Writes the configuration file anew and sends SIGHUP.</summary>
    public void Reload(params (string Key, string Value)[] changes)
    {
        foreach (var (key, value) in changes) _setup.Settings[key] = value;
        Write(_configFile, _setup.Settings);
        _child.Signal(Signals.Hangup);
    }

    /// <summary>SIGTERM, and the exit code.</summary>
    public async Task<int> StopAsync(CancellationToken cancellationToken)
    {
        _child.Signal(Signals.Terminate);
        return await _child.EndAsync(cancellationToken);
    }

    /// <summary>kill −9.</summary>
    public async Task KillAsync()
    {
        _child.Signal(Signals.Kill);
        await _child.EndAsync(CancellationToken.None);
    }

    /// <summary>GET, and the JSON of the reply whatever its status.</summary>
    public async Task<(int Status, JsonElement Body)> GetAsync(string path, CancellationToken cancellationToken)
    {
        using var response = await Http.GetAsync(new Uri(path, UriKind.Relative), cancellationToken);
        return ((int)response.StatusCode, await ReadAsync(response, cancellationToken));
    }

    /// <summary>POST of a text as JSON.</summary>
    public async Task<(int Status, JsonElement Body)> PostAsync(string path, string json, CancellationToken cancellationToken)
    {
        using var content = new StringContent(json, Encoding.UTF8, new MediaTypeHeaderValue("application/json"));
        using var response = await Http.PostAsync(new Uri(path, UriKind.Relative), content, cancellationToken);
        return ((int)response.StatusCode, await ReadAsync(response, cancellationToken));
    }

    /// <summary>Asks until the answer is as wanted.</summary>
    public async Task<JsonElement> UntilAsync(string path, Func<int, JsonElement, bool> wanted, CancellationToken cancellationToken, int seconds = 30)
    {
        var (status, body) = (0, default(JsonElement));
        for (var begin = TimeProvider.System.GetTimestamp(); TimeProvider.System.GetElapsedTime(begin) < TimeSpan.FromSeconds(seconds);)
        {
            try
            {
                (status, body) = await GetAsync(path, cancellationToken);
                if (wanted(status, body)) return body;
            }
            catch (Exception exception) when (exception is HttpRequestException or SocketException or IOException)
            {
                // Not listening yet.
            }

            await Task.Delay(TimeSpan.FromMilliseconds(25), TimeProvider.System, cancellationToken);
        }

        throw new TimeoutException($"{path} did not answer as wanted within {seconds} s; last: {status} {(status == 0 ? "" : body.GetRawText())}\n{_child.Tail()}");
    }

    public async ValueTask DisposeAsync()
    {
        var lines = _child.Tail();
        if (TestContext.Current.TestState?.Result == TestResult.Failed) TestContext.Current.TestOutputHelper?.WriteLine(lines);
        Http.Dispose();
        await _child.DisposeAsync();
        _folder?.Dispose();
    }

    private static async Task<JsonElement> ReadAsync(HttpResponseMessage response, CancellationToken cancellationToken)
    {
        var text = await response.Content.ReadAsStringAsync(cancellationToken);
        if (text.Length == 0) return default;
        using var document = JsonDocument.Parse(text);
        var body = document.RootElement.Clone();
        // The status of an execution comes in an envelope.
        return body.ValueKind == JsonValueKind.Object && body.TryGetProperty("status", out var status) && status.ValueKind == JsonValueKind.Object
            ? status
            : body;
    }

    private static void Write(string file, Dictionary<string, string> settings)
    {
        var text = new StringBuilder();
        foreach (var section in settings.GroupBy(static setting => SectionOf(setting.Key), StringComparer.Ordinal))
        {
            text.Append('[').Append(section.Key).Append("]\n");
            foreach (var (key, value) in section)
            {
                if (value.Length > 0) text.Append(key.AsSpan(section.Key.Length + 1)).Append(" = ").Append(value).Append('\n');
            }
        }

        File.WriteAllText(file, text.ToString());
        if (!OperatingSystem.IsWindows()) File.SetUnixFileMode(file, UnixFileMode.UserRead | UnixFileMode.UserWrite);

        // The name of a secret is a part of its section's.
        static string SectionOf(string key) => key.StartsWith("secret.", StringComparison.Ordinal) ? key[..key.LastIndexOf('.')] : key.Split('.')[0];
    }
}
