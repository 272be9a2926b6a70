using Lekhika.Daemon.Cli;
using Lekhika.Daemon.Configuration;
using Lekhika.Daemon.Diagnostics;

namespace Lekhika.Daemon.Hosting;

/// <summary><c>lekhika-daemon run</c>: the process around the daemon: log, signals, systemd, exit code.</summary>
internal static partial class RunHandler
{
    private const string Nothing = "nothing";

    public static async Task<int> RunAsync(LoadedConfiguration configuration, CancellationToken cancellationToken)
    {
        var level = new LogLevelSwitch(configuration.Options.Server.LogLevel);
        using var provider = LoggingSetup.ForProcess(level);
        using var loggers = LoggerFactory.Create(builder => builder.SetMinimumLevel(LogLevel.Trace).AddProvider(provider));
        var logger = loggers.CreateLogger("Lekhika.Daemon.Hosting");
        LogStarting(logger, VersionText.Line, configuration.Options.Worker.Id, Environment.ProcessId);

        DaemonHost? host = null;
        var inForce = configuration.Result;
        using var notifier = new SystemdNotifier(Environment.GetEnvironmentVariable, TimeProvider.System, logger);
        using var signals = ProcessSignals.Register(() => inForce = Reload(host!, configuration, inForce, level, notifier, logger), logger);
        await using var registration = cancellationToken.Register(signals.RequestStop);
        try
        {
            await using (host = await DaemonHost.StartAsync(configuration.Options, loggers, TimeProvider.System, signals.StopClaiming))
            {
                notifier.Ready(host.StatusLine);
                LogReady(logger, host.Addresses);
                signals.Started();
                using var over = new CancellationTokenSource();
                var reporting = ReportAsync(host, notifier, over.Token);
                await host.RunAsync(signals, notifier);
                await over.CancelAsync();
                await reporting;
            }

            LogStopped(logger);
            return ExitCodes.Success;
        }
        catch (OperationCanceledException) when (host is null && signals.StopClaiming.IsCancellationRequested)
        {
            // Told to stop before it had begun: there is nothing to drain.
            LogStopped(logger);
            return ExitCodes.Success;
        }
        catch (Exception exception)
        {
            LogFault(logger, exception);
            return ExitCodes.Failure;
        }
    }

    /// <summary>Keeps STATUS true and feeds the watchdog while claim loop and journal go round, through the drain to its end.</summary>
    private static async Task ReportAsync(DaemonHost host, SystemdNotifier notifier, CancellationToken stop)
    {
        using var timer = new PeriodicTimer(notifier.WatchdogInterval is { } watchdog && watchdog < TimeSpan.FromSeconds(4) ? watchdog / 2 : TimeSpan.FromSeconds(2));
        string? said = null;
        try
        {
            while (await timer.WaitForNextTickAsync(stop))
            {
                if (host.MakesProgress) notifier.Watchdog();
                if (host.StatusLine != said) notifier.Status(said = host.StatusLine);
            }
        }
        catch (OperationCanceledException)
        {
            // The drain is over.
        }
    }

    /// <summary>Takes over what SIGHUP can change, and says what of the rest waits for a restart.</summary>
    /// <returns>What is in force now.</returns>
    private static ConfigurationResult Reload(
        DaemonHost host, LoadedConfiguration configuration, ConfigurationResult inForce, LogLevelSwitch level, SystemdNotifier notifier, ILogger logger)
    {
        notifier.Reloading();
        var reread = configuration.Reread();
        foreach (var problem in reread.Errors) LogReloadProblem(logger, problem.ToString());
        if (reread.Options is { } options)
        {
            host.Reload(options);
            // Said at whichever level lets it through, the one before or the new one.
            var fresh = options.Server.LogLevel;
            if (fresh < level.Minimum) level.Minimum = fresh;
            LogReloaded(logger, Names(inForce.ChangedIn(reread).Where(static setting => setting.IsReloadable)));
            var waiting = Names(configuration.Result.ChangedIn(reread).Where(static setting => !setting.IsReloadable));
            if (waiting != Nothing) LogWaitsForRestart(logger, waiting);
            level.Minimum = fresh;
            inForce = reread;
        }

        notifier.Ready(host.StatusLine);
        return inForce;

        static string Names(IEnumerable<Setting> settings) => string.Join(", ", settings.Select(static setting => setting.FullName)) is { Length: > 0 } names ? names : Nothing;
    }

    [LoggerMessage(1001, LogLevel.Information, "{Version}, worker {WorkerId}, process {ProcessId}")]
    private static partial void LogStarting(ILogger logger, string version, string workerId, int processId);

    [LoggerMessage(1002, LogLevel.Information, "Ready on {Addresses}")]
    private static partial void LogReady(ILogger logger, string addresses);

    [LoggerMessage(1003, LogLevel.Information, "Stopped")]
    private static partial void LogStopped(ILogger logger);

    [LoggerMessage(1004, LogLevel.Critical, "The daemon ends because of a fault")]
    private static partial void LogFault(ILogger logger, Exception exception);

    [LoggerMessage(1005, LogLevel.Error, "Reload: {Problem}; the configuration of before stays in force")]
    private static partial void LogReloadProblem(ILogger logger, string problem);

    [LoggerMessage(1006, LogLevel.Information, "Reloaded; changed: {Settings}")]
    private static partial void LogReloaded(ILogger logger, string settings);

    [LoggerMessage(1007, LogLevel.Warning, "Changed too, but only a restart takes it over: {Settings}")]
    private static partial void LogWaitsForRestart(ILogger logger, string settings);
}
