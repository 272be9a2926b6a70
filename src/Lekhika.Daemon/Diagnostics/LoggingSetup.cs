using System.Text;
using Microsoft.Extensions.DependencyInjection;
using Microsoft.Extensions.Logging;

namespace Lekhika.Daemon.Diagnostics;

/// <summary>Puts the daemon's logging into a host.</summary>
internal static class LoggingSetup
{
    /// <summary>Makes this process's console the only log.</summary>
    /// <param name="logging">The host's logging.</param>
    /// <param name="level">Decides what is logged; kept by the caller, who may change it later.</param>
    public static ILoggingBuilder AddDaemonConsole(this ILoggingBuilder logging, LogLevelSwitch level)
    {
        logging.ClearProviders();
        logging.SetMinimumLevel(LogLevel.Trace); // the switch decides
        logging.Services.AddSingleton<ILoggerProvider>(_ => ForProcess(level));
        return logging;
    }

    /// <summary>A logger provider on standard output.</summary>
    public static ConsoleLogProvider ForProcess(LogLevelSwitch level)
    {
        var target = ConsoleTargets.OfOutput();
        var colour = target == ConsoleTarget.Terminal && ConsoleTargets.AllowsColour(Environment.GetEnvironmentVariable);
        var output = new StreamWriter(Console.OpenStandardOutput(), new UTF8Encoding(encoderShouldEmitUTF8Identifier: false)) { AutoFlush = false };
        return new ConsoleLogProvider(new LineQueue(output), new LogLine(target, colour), level, TimeProvider.System);
    }
}
