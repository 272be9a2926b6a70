using System.Collections.Concurrent;
using System.Globalization;
using System.Net.Sockets;
using System.Text;
using Lekhika.Daemon.Hosting;
using Lekhika.Daemon.Tests.Diagnostics;
using Microsoft.Extensions.Logging.Abstractions;
using Xunit;

namespace Lekhika.Daemon.Tests.Hosting;

public sealed class SystemdNotifierTests
{
    [Theory]
    [InlineData(false)]
    [InlineData(true)]
    public void Messages_reach_the_socket(bool isAbstract)
    {
        using var systemd = new Listener(isAbstract);
        using var notifier = Notifier(systemd.Variable);
        Assert.True(notifier.IsActive);

        notifier.Ready("running 0");
        Assert.Equal("READY=1\nSTATUS=running 0", systemd.Receive());
        notifier.Status("running 12, queued 340");
        Assert.Equal("STATUS=running 12, queued 340", systemd.Receive());
        notifier.Watchdog();
        Assert.Equal("WATCHDOG=1", systemd.Receive());
        notifier.ExtendTimeout(TimeSpan.FromSeconds(90));
        Assert.Equal("EXTEND_TIMEOUT_USEC=90000000", systemd.Receive());
        notifier.Stopping();
        Assert.Equal("STOPPING=1", systemd.Receive());
    }

    [Fact]
    public void A_reload_carries_the_monotonic_time()
    {
        using var systemd = new Listener();
        using var notifier = Notifier(systemd.Variable);
        var before = TimeProvider.System.GetTimestamp();
        notifier.Reloading();
        var lines = systemd.Receive().Split('\n');
        var after = TimeProvider.System.GetTimestamp();
        Assert.Equal("RELOADING=1", lines[0]);
        Assert.StartsWith("MONOTONIC_USEC=", lines[1], StringComparison.Ordinal);
        var nanoseconds = long.Parse(lines[1].AsSpan("MONOTONIC_USEC=".Length), CultureInfo.InvariantCulture) * 1_000;
        Assert.Equal(1_000_000_000, TimeProvider.System.TimestampFrequency);
        Assert.InRange(nanoseconds, before - 1_000, after);
    }

    [Fact]
    public void A_line_break_cannot_smuggle_a_field_in()
    {
        using var systemd = new Listener();
        using var notifier = Notifier(systemd.Variable);
        notifier.Status("failed: x\nMAINPID=1\r\nSTOPPING=1\0");
        Assert.Equal("STATUS=failed: x MAINPID=1 STOPPING=1 ", systemd.Receive());
    }

    [Fact]
    public void Without_a_socket_nothing_happens()
    {
        using var notifier = Notifier(_ => null);
        Assert.False(notifier.IsActive);
        Assert.Null(notifier.WatchdogInterval);
        notifier.Ready();
        notifier.Reloading();
    }

    [Fact]
    public void A_socket_that_is_gone_is_logged_once_and_harms_nothing()
    {
        var log = new RecordingLogger();
        using var notifier = new SystemdNotifier(name => name == "NOTIFY_SOCKET" ? "/nonexistent/notify" : null, TimeProvider.System, log);
        notifier.Ready();
        notifier.Watchdog();
        Assert.StartsWith("systemd could not be notified", Assert.Single(log.Messages), StringComparison.Ordinal);
    }

    [Fact]
    public void An_address_of_an_unknown_kind_is_logged()
    {
        var log = new RecordingLogger();
        using var notifier = new SystemdNotifier(name => name == "NOTIFY_SOCKET" ? "vsock:2:1234" : null, TimeProvider.System, log);
        Assert.False(notifier.IsActive);
        Assert.Contains("vsock:2:1234", Assert.Single(log.Messages), StringComparison.Ordinal);
    }

    [Fact]
    public void The_watchdog_is_fed_twice_as_often_as_asked_and_only_by_the_process_it_is_for()
    {
        Assert.Equal(TimeSpan.FromSeconds(15), Watched(null));
        Assert.Equal(TimeSpan.FromSeconds(15), Watched(Environment.ProcessId.ToString(CultureInfo.InvariantCulture)));
        Assert.Null(Watched("1"));

        static TimeSpan? Watched(string? process)
        {
            using var notifier = Notifier(name => name switch
            {
                "NOTIFY_SOCKET" => "/run/systemd/notify",
                "WATCHDOG_USEC" => "30000000",
                "WATCHDOG_PID" => process,
                _ => null,
            });
            return notifier.WatchdogInterval;
        }
    }

    private static SystemdNotifier Notifier(Func<string, string?> variable) => new(variable, TimeProvider.System, NullLogger.Instance);

    /// <summary>The other end of the protocol: a datagram socket, by path or by abstract name.</summary>
    private sealed class Listener : IDisposable
    {
        private readonly Socket _socket = new(AddressFamily.Unix, SocketType.Dgram, ProtocolType.Unspecified) { ReceiveTimeout = 10_000 };
        private readonly string _name = Path.Combine(Path.GetTempPath(), $"lekhika-notify-{Guid.NewGuid():n}");
        private readonly bool _isAbstract;

        public Listener(bool isAbstract = false)
        {
            _isAbstract = isAbstract;
            _socket.Bind(new UnixDomainSocketEndPoint(isAbstract ? "\0" + _name : _name));
        }

        public string? Variable(string name) => name == "NOTIFY_SOCKET" ? (_isAbstract ? "@" : "") + _name : null;

        public string Receive()
        {
            var buffer = new byte[4096];
            return Encoding.UTF8.GetString(buffer, 0, _socket.Receive(buffer));
        }

        public void Dispose()
        {
            _socket.Dispose();
            File.Delete(_name);
        }
    }
}
