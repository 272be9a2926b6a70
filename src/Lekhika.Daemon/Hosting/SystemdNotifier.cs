using System.Globalization;
using System.Net.Sockets;
using System.Text;
using Microsoft.Extensions.Logging;

namespace Lekhika.Daemon.Hosting;

// systemd's notification protocol (sd_notify(3)): one datagram of NAME=value lines to the Unix socket in $NOTIFY_SOCKET,
// a leading "@" meaning an abstract name. Nothing is answered, so nothing is waited for; without the variable every call
// does nothing. A datagram that cannot be sent must never harm the work: it is logged, once in a row.

/// <summary>Tells systemd what the daemon is doing.</summary>
internal sealed partial class SystemdNotifier : IDisposable
{
    private readonly TimeProvider _time;
    private readonly ILogger _logger;
    private readonly UnixDomainSocketEndPoint? _endpoint;
    private readonly Lock _sending = new();
    private Socket? _socket;
    private bool _isFailing;

    /// <param name="variable">Reads an environment variable; null when it is not set.</param>
    /// <param name="time">For the monotonic time that a reload is announced with.</param>
    /// <param name="logger">Where failures go.</param>
    public SystemdNotifier(Func<string, string?> variable, TimeProvider time, ILogger logger)
    {
        _time = time;
        _logger = logger;
        var address = variable("NOTIFY_SOCKET");
        if (string.IsNullOrEmpty(address))
        {
            return;
        }

        if (address.Length < 2 || address[0] is not ('/' or '@'))
        {
            LogUnsupported(address);
            return;
        }

        _endpoint = new UnixDomainSocketEndPoint(address[0] == '@' ? "\0" + address[1..] : address);
        WatchdogInterval = ReadWatchdog(variable);
    }

    /// <summary>Whether systemd listens.</summary>
    public bool IsActive => _endpoint is not null;

    /// <summary>How often <see cref="Watchdog"/> should be called: half of what systemd waits. Null when it does not watch this process.</summary>
    public TimeSpan? WatchdogInterval { get; }

    /// <summary>Start or reload is finished.</summary>
    public void Ready(string? status = null) => Send(WithStatus("READY=1", status));

    /// <summary>The drain has begun.</summary>
    public void Stopping(string? status = null) => Send(WithStatus("STOPPING=1", status));

    /// <summary>A line for <c>systemctl status</c>.</summary>
    public void Status(string status) => Send($"STATUS={OneLine(status)}");

    /// <summary>The process is well.</summary>
    public void Watchdog() => Send("WATCHDOG=1");

    /// <summary>A reload has begun; <see cref="Ready"/> ends it. systemd 253 and later want the time beside it.</summary>
    public void Reloading()
    {
        // TimeProvider's timestamps are CLOCK_MONOTONIC on Linux, which is what systemd compares with.
        var microseconds = (long)(_time.GetTimestamp() * (1_000_000.0 / _time.TimestampFrequency));
        Send(string.Create(CultureInfo.InvariantCulture, $"RELOADING=1\nMONOTONIC_USEC={microseconds}"));
    }

    /// <summary>Asks for this much more time, from now, for the start, reload or stop that is under way.</summary>
    public void ExtendTimeout(TimeSpan time) =>
        Send(string.Create(CultureInfo.InvariantCulture, $"EXTEND_TIMEOUT_USEC={(long)time.TotalMicroseconds}"));

    public void Dispose()
    {
        lock (_sending)
        {
            _socket?.Dispose();
            _socket = null;
        }
    }

    private static string WithStatus(string message, string? status) => status is null ? message : $"{message}\nSTATUS={OneLine(status)}";

    // A line break would begin another field.
    private static string OneLine(string text) => text.ReplaceLineEndings(" ").Replace('\0', ' ');

    private static TimeSpan? ReadWatchdog(Func<string, string?> variable)
    {
        if (!long.TryParse(variable("WATCHDOG_USEC"), NumberStyles.None, CultureInfo.InvariantCulture, out var microseconds) || microseconds <= 0)
        {
            return null;
        }

        // The variables are inherited; WATCHDOG_PID says whom they are for.
        var process = variable("WATCHDOG_PID");
        return string.IsNullOrEmpty(process) || process == Environment.ProcessId.ToString(CultureInfo.InvariantCulture)
            ? TimeSpan.FromMicroseconds(Math.Min(microseconds, TimeSpan.MaxValue.Ticks / TimeSpan.TicksPerMicrosecond) / 2.0)
            : null;
    }

    private void Send(string message)
    {
        if (_endpoint is null)
        {
            return;
        }

        lock (_sending)
        {
            try
            {
                // Not connected: systemd may replace its socket while the daemon lives (daemon-reexec).
                _socket ??= new Socket(AddressFamily.Unix, SocketType.Dgram, ProtocolType.Unspecified) { SendTimeout = 1_000 };
                _socket.SendTo(Encoding.UTF8.GetBytes(message), _endpoint);
                _isFailing = false;
            }
            catch (SocketException error)
            {
                if (!_isFailing)
                {
                    LogFailed(error.Message);
                }

                _isFailing = true;
            }
        }
    }

    [LoggerMessage(1001, LogLevel.Warning, "systemd could not be notified: {Reason}")]
    private partial void LogFailed(string reason);

    [LoggerMessage(1002, LogLevel.Warning, "NOTIFY_SOCKET is {Address}, which is neither a path nor an abstract name; systemd is not notified")]
    private partial void LogUnsupported(string address);
}
