using System.Diagnostics;
using System.Runtime.InteropServices;

namespace Lekhika.Daemon.Tests.EndToEnd.Support;

/// <summary>A run of the program: an environment that holds nothing but what the test gives, its lines captured, signals, the end.</summary>
internal sealed class ChildProcess : IAsyncDisposable
{
    private readonly Process _process;
    private readonly Lock _lock = new();
    private readonly List<string> _lines = [];
    private TaskCompletionSource _more = new(TaskCreationOptions.RunContinuationsAsynchronously);

    private ChildProcess(Process process) => _process = process;

    public int Id => _process.Id;

    public bool HasExited => _process.HasExited;

    public int ExitCode => _process.ExitCode;

    /// <summary>What it has said so far, standard output and error in the order of arrival.</summary>
    public IReadOnlyList<string> Lines
    {
        get
        {
            lock (_lock) return [.. _lines];
        }
    }

    /// <summary>What it has said on standard output alone.</summary>
    public string Output { get; private set; } = "";

    /// <summary>What it has said on standard error alone.</summary>
    public string Error { get; private set; } = "";

    public static ChildProcess Start(IEnumerable<string> arguments, IReadOnlyDictionary<string, string>? environment = null)
    {
        var command = DaemonBinary.Command;
        var start = new ProcessStartInfo(command[0], [.. command.Skip(1), .. arguments])
        {
            UseShellExecute = false,
            RedirectStandardOutput = true,
            RedirectStandardError = true,
            RedirectStandardInput = true,
            WorkingDirectory = Path.GetTempPath(),
        };
        var kept = start.Environment.Where(static variable => variable.Key is "PATH" or "LANG" or "TZ" or "DOTNET_ROOT").ToList();
        start.Environment.Clear();
        foreach (var (name, value) in kept) start.Environment[name] = value;
        start.Environment["HOME"] = Path.GetTempPath();
        foreach (var (name, value) in environment ?? new Dictionary<string, string>()) start.Environment[name] = value;
        var child = new ChildProcess(new Process { StartInfo = start });
        child._process.OutputDataReceived += (_, data) => child.Take(data.Data, isError: false);
        child._process.ErrorDataReceived += (_, data) => child.Take(data.Data, isError: true);
        child._process.Start();
        child._process.StandardInput.Close();
        child._process.BeginOutputReadLine();
        child._process.BeginErrorReadLine();
        return child;
    }

    /// <summary>Runs it to its end.</summary>
    public static async Task<ChildProcess> RunAsync(
        IReadOnlyDictionary<string, string>? environment, CancellationToken cancellationToken, params string[] arguments)
    {
        var child = Start(arguments, environment);
        await using (child)
        {
            await child.EndAsync(cancellationToken);
            return child;
        }
    }

    /// <summary>Waits for a line that holds all of the given texts, among those from the given one on.</summary>
    public async Task<string> LineAsync(int from, TimeSpan patience, CancellationToken cancellationToken, params string[] texts)
    {
        using var limit = CancellationTokenSource.CreateLinkedTokenSource(cancellationToken);
        limit.CancelAfter(patience);
        for (var at = from; ;)
        {
            Task more;
            lock (_lock)
            {
                for (; at < _lines.Count; at++)
                {
                    if (texts.All(text => _lines[at].Contains(text, StringComparison.Ordinal))) return _lines[at];
                }

                more = _more.Task;
            }

            if (_process.HasExited && more.IsCompleted is false)
            {
                await Task.WhenAny(more, _process.WaitForExitAsync(limit.Token));
                if (!more.IsCompleted) throw new InvalidOperationException($"it ended with {ExitCode} and never said '{string.Join("' and '", texts)}'\n{Tail()}");
                continue;
            }

            try
            {
                await Task.WhenAny(more, _process.WaitForExitAsync(limit.Token)).WaitAsync(limit.Token);
            }
            catch (OperationCanceledException exception) when (!cancellationToken.IsCancellationRequested)
            {
                throw new TimeoutException($"within {patience.TotalSeconds:0} s it did not say '{string.Join("' and '", texts)}'\n{Tail()}", exception);
            }
        }
    }

    /// <summary>Waits for its end; the answer is its exit code.</summary>
    public async Task<int> EndAsync(CancellationToken cancellationToken, int seconds = 60)
    {
        try
        {
            await _process.WaitForExitAsync(cancellationToken).WaitAsync(TimeSpan.FromSeconds(seconds), TimeProvider.System, cancellationToken);
        }
        catch (TimeoutException exception)
        {
            throw new TimeoutException($"it did not end within {seconds} s\n{Tail()}", exception);
        }

        return ExitCode;
    }

    public void Signal(int signal)
    {
        if (!TrySignal(signal)) throw new InvalidOperationException($"signal {signal} could not be sent");
    }

    /// <summary>The same where it may have ended by now. False: it had.</summary>
    public bool TrySignal(int signal) => Kill(_process.Id, signal) == 0;

    /// <summary>The last lines, for messages of tests.</summary>
    public string Tail(int count = 60) => string.Join('\n', Lines.TakeLast(count));

    public async ValueTask DisposeAsync()
    {
        if (!_process.HasExited)
        {
            _process.Kill(entireProcessTree: true);
            await _process.WaitForExitAsync(CancellationToken.None);
        }
    }

    private void Take(string? line, bool isError)
    {
        if (line is null) return;
        TaskCompletionSource told;
        lock (_lock)
        {
            _lines.Add(line);
            if (isError) Error += line + "\n";
            else Output += line + "\n";
            told = _more;
            _more = new TaskCompletionSource(TaskCreationOptions.RunContinuationsAsynchronously);
        }

        told.SetResult();
    }

    [DllImport("libc", EntryPoint = "kill", SetLastError = true)]
    private static extern int Kill(int process, int signal);
}

/// <summary>Numbers of signals on Linux.</summary>
internal static class Signals
{
    public const int Hangup = 1;
    public const int Kill = 9;
    public const int Terminate = 15;
    public const int Continue = 18;
    public const int Stop = 19;
}
