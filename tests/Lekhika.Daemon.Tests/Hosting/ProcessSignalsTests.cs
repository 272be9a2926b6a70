using System.Diagnostics;
using System.Globalization;
using System.Runtime.InteropServices;
using Lekhika.Daemon.Hosting;
using Lekhika.Daemon.Tests.Diagnostics;
using Microsoft.Extensions.Logging.Abstractions;
using Xunit;

namespace Lekhika.Daemon.Tests.Hosting;

public sealed class ProcessSignalsTests
{
    [Fact]
    public void The_first_signal_stops_claiming_the_second_aborts_and_the_third_kills()
    {
        using var signals = ProcessSignals.Register(null, NullLogger.Instance);
        Assert.True(signals.Handle(PosixSignal.SIGTERM));
        Assert.True(signals.StopClaiming.IsCancellationRequested);
        Assert.False(signals.AbortWorking.IsCancellationRequested);
        Assert.True(signals.Handle(PosixSignal.SIGINT));
        Assert.True(signals.AbortWorking.IsCancellationRequested);
        Assert.False(signals.Handle(PosixSignal.SIGINT));
    }

    [Fact]
    public void The_inside_can_ask_for_the_same()
    {
        using var signals = ProcessSignals.Register(null, NullLogger.Instance);
        signals.RequestStop();
        Assert.True(signals.StopClaiming.IsCancellationRequested);
        Assert.False(signals.AbortWorking.IsCancellationRequested);
        signals.RequestAbort();
        Assert.True(signals.AbortWorking.IsCancellationRequested);
    }

    [Fact]
    public void A_callback_that_fails_does_not_keep_the_others_from_stopping()
    {
        var log = new RecordingLogger();
        using var signals = ProcessSignals.Register(null, log);
        var stopped = false;
        using var good = signals.StopClaiming.Register(() => stopped = true);
        using var bad = signals.StopClaiming.Register(() => throw new InvalidOperationException("broken part"));
        Assert.True(signals.Handle(PosixSignal.SIGTERM));
        Assert.True(stopped);
        Assert.Contains(log.Messages, message => message.StartsWith("A part of the daemon failed", StringComparison.Ordinal));
    }

    [Fact]
    public void A_reload_that_fails_is_logged_and_the_next_one_works()
    {
        var log = new RecordingLogger();
        var calls = 0;
        using var signals = ProcessSignals.Register(
            () =>
            {
                if (++calls == 1)
                {
                    throw new InvalidOperationException("bad file");
                }
            },
            log);
        signals.Started();
        Assert.True(signals.Handle(PosixSignal.SIGHUP));
        Assert.StartsWith("The reload failed", Assert.Single(log.Messages), StringComparison.Ordinal);
        Assert.True(signals.Handle(PosixSignal.SIGHUP));
        Assert.Equal(2, calls);
        Assert.False(signals.StopClaiming.IsCancellationRequested);
    }

    [Fact]
    public void A_hangup_before_the_start_is_over_is_obeyed_at_its_end()
    {
        var calls = 0;
        using var signals = ProcessSignals.Register(() => calls++, NullLogger.Instance);
        Assert.True(signals.Handle(PosixSignal.SIGHUP));
        Assert.True(signals.Handle(PosixSignal.SIGHUP));
        Assert.Equal(0, calls);
        signals.Started();
        Assert.Equal(1, calls);
        Assert.True(signals.Handle(PosixSignal.SIGHUP));
        Assert.Equal(2, calls);
    }

    [Fact]
    public async Task A_real_hangup_reloads_instead_of_killing()
    {
        var reloaded = new TaskCompletionSource(TaskCreationOptions.RunContinuationsAsynchronously);
        using var signals = ProcessSignals.Register(() => reloaded.TrySetResult(), NullLogger.Instance);
        signals.Started();
        using var kill = Process.Start("kill", ["-HUP", Environment.ProcessId.ToString(CultureInfo.InvariantCulture)]);
        await kill.WaitForExitAsync(TestContext.Current.CancellationToken);
        await reloaded.Task.WaitAsync(TimeSpan.FromSeconds(30), TimeProvider.System, TestContext.Current.CancellationToken);
        Assert.False(signals.StopClaiming.IsCancellationRequested);
    }
}
