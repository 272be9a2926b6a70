using System.Runtime.InteropServices;
using Microsoft.Extensions.Logging;

namespace Lekhika.Daemon.Hosting;

// Signals and what they ask for (design law 11):
//
//   running ──TERM, INT──▶ StopClaiming cancelled: drain ──TERM, INT──▶ AbortWorking cancelled ──TERM, INT──▶ killed
//      └──HUP──▶ the reload callback, in any state but the last; one that comes before the start is over is kept for its end
//
// Register before READY: a HUP that nobody handles kills the process.

/// <summary>Turns signals into the two tokens that end the daemon, and into reloads.</summary>
internal sealed partial class ProcessSignals : IDisposable
{
    private readonly CancellationTokenSource _stopClaiming = new();
    private readonly CancellationTokenSource _abortWorking = new();
    private readonly Lock _reloading = new();
    private readonly Action? _reload;
    private readonly ILogger _logger;
    private readonly List<PosixSignalRegistration> _registrations = [];
    private bool _started;
    private bool _keptReload;
    private int _stops;

    private ProcessSignals(Action? reload, ILogger logger)
    {
        _reload = reload;
        _logger = logger;
    }

    /// <summary>Cancelled when no more work should be taken.</summary>
    public CancellationToken StopClaiming => _stopClaiming.Token;

    /// <summary>Cancelled when work under way should be given up. Implies <see cref="StopClaiming"/>.</summary>
    public CancellationToken AbortWorking => _abortWorking.Token;

    /// <summary>Begins to handle signals.</summary>
    /// <param name="reload">Called for SIGHUP, one call at a time, once <see cref="Started"/>; null ignores SIGHUP.</param>
    /// <param name="logger">Told what came.</param>
    public static ProcessSignals Register(Action? reload, ILogger logger)
    {
        var signals = new ProcessSignals(reload, logger);
        foreach (var signal in (ReadOnlySpan<PosixSignal>)[PosixSignal.SIGTERM, PosixSignal.SIGINT, PosixSignal.SIGHUP])
        {
            signals._registrations.Add(PosixSignalRegistration.Create(signal, context => context.Cancel = signals.Handle(context.Signal)));
        }

        return signals;
    }

    /// <summary>There is something to reload now. A SIGHUP that came before is obeyed here.</summary>
    public void Started()
    {
        lock (_reloading)
        {
            _started = true;
            if (_keptReload) Reload();
        }
    }

    /// <summary>Begins the drain, as SIGTERM does: for a fault inside, or a command over HTTP.</summary>
    public void RequestStop() => Cancel(_stopClaiming);

    /// <summary>Gives up what is under way: when the drain has taken too long.</summary>
    public void RequestAbort()
    {
        Cancel(_stopClaiming);
        Cancel(_abortWorking);
    }

    public void Dispose()
    {
        foreach (var registration in _registrations)
        {
            registration.Dispose();
        }

        _stopClaiming.Dispose();
        _abortWorking.Dispose();
    }

    /// <summary>What a signal does.</summary>
    /// <returns>Whether it is dealt with; false leaves it to its default, which ends the process.</returns>
    internal bool Handle(PosixSignal signal)
    {
        if (signal == PosixSignal.SIGHUP)
        {
            Reload();
            return true;
        }

        switch (Interlocked.Increment(ref _stops))
        {
            case 1:
                LogStop(signal);
                RequestStop();
                return true;
            case 2:
                LogAbort(signal);
                RequestAbort();
                return true;
            default:
                return false;
        }
    }

    private void Reload()
    {
        if (_reload is null)
        {
            return;
        }

        lock (_reloading)
        {
            if (!_started)
            {
                _keptReload = true;
                return;
            }

            try
            {
                _reload();
            }
            catch (Exception error)
            {
                LogReloadFailed(error); // the configuration of before stays in force
            }
        }
    }

    private void Cancel(CancellationTokenSource source)
    {
        try
        {
            source.Cancel();
        }
        catch (AggregateException error)
        {
            LogCallbackFailed(error);
        }
        catch (ObjectDisposedException)
        {
            // A signal that arrives after the end has nothing left to stop.
        }
    }

    [LoggerMessage(1011, LogLevel.Information, "{Signal} received: taking no more work and finishing what is under way; a second one gives it up")]
    private partial void LogStop(PosixSignal signal);

    [LoggerMessage(1012, LogLevel.Warning, "{Signal} received again: giving up the work under way; it is taken up again at the next start")]
    private partial void LogAbort(PosixSignal signal);

    [LoggerMessage(1013, LogLevel.Error, "The reload failed; the configuration of before stays in force")]
    private partial void LogReloadFailed(Exception error);

    [LoggerMessage(1014, LogLevel.Error, "A part of the daemon failed when it was told to stop")]
    private partial void LogCallbackFailed(Exception error);
}
