using Lekhika.Daemon.Hosting;
using Microsoft.Extensions.Logging.Abstractions;

namespace Lekhika.Daemon.Cli;

/// <summary>Runs a command that ends by itself: the first SIGINT or SIGTERM cancels it, a third kills the process.</summary>
internal static class Interruptible
{
    /// <summary>What a shell reports of a program that SIGINT ended.</summary>
    private const int Interrupted = 130;

    public static async Task<int> RunAsync(Func<CancellationToken, Task<int>> command, CancellationToken cancellation)
    {
        using var signals = ProcessSignals.Register(reload: null, NullLogger.Instance);
        using var linked = CancellationTokenSource.CreateLinkedTokenSource(signals.StopClaiming, cancellation);
        try
        {
            return await command(linked.Token);
        }
        catch (OperationCanceledException) when (linked.IsCancellationRequested)
        {
            return Interrupted;
        }
    }
}
