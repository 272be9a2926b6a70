using System.Runtime.InteropServices;
using Lekhika.Chaos;

if (args is ["--help" or "-h"])
{
    Console.WriteLine(ChaosOptions.Usage);
    return 0;
}

if (ChaosOptions.Parse(args, Console.Error) is not { } options) return 64;
using var stop = new CancellationTokenSource();
Console.CancelKeyPress += (_, pressed) =>
{
    pressed.Cancel = true;
    stop.Cancel();
};
// The ledger's host would take it for itself, and the campaign go on without a ledger.
using var terminated = PosixSignalRegistration.Create(PosixSignal.SIGTERM, signal =>
{
    signal.Cancel = true;
    stop.Cancel();
});
try
{
    return await new Campaign(options, Console.Out).RunAsync(stop.Token) ? 0 : 1;
}
catch (OperationCanceledException) when (stop.IsCancellationRequested)
{
    Console.Error.WriteLine("chaos: stopped");
    return 130;
}
catch (Exception exception)
{
    // Said as everything else that is wrong is said, so that whoever looks for that finds it.
    Console.WriteLine($"BROKEN: the campaign itself could not go on: {exception}");
    return 1;
}
