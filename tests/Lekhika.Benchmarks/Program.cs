using System.Runtime.InteropServices;
using Lekhika.Benchmarks.Cases;
using Lekhika.Benchmarks.Harness;

ICase[] cases =
[
    new DrainCase(), new TwoStepCase(), new LatencyCase(), new SnapshotCase(), new ProducersCase(), new ClutterCase(), new WalCase(), new StatusCase(),
    new EventsCase(), new StartCase(), new HistoryCase(), new SizeCase(), new LanesCase(),
];
if (args.Contains("--help", StringComparer.Ordinal) || args.Contains("-h", StringComparer.Ordinal))
{
    Console.WriteLine(BenchOptions.Usage);
    return 0;
}

BenchOptions options;
try
{
    options = BenchOptions.Read(args, [.. cases.Select(static one => one.Name)]);
}
catch (FormatException problem)
{
    Console.Error.WriteLine($"bench: {problem.Message}\n\n{BenchOptions.Usage}");
    return 2;
}

// Progress goes to standard error, so that standard output is results alone.
var failed = 0;
// Told to stop, it ends the program that it waits for (a peer, pgbench), the case that is running by that or by what it waits for next, and the cluster.
using var stop = new CancellationTokenSource();
using var interrupted = PosixSignalRegistration.Create(PosixSignal.SIGINT, Stop);
using var terminated = PosixSignalRegistration.Create(PosixSignal.SIGTERM, Stop);
Shell.Stopping = stop.Token;
await using var bench = new Bench(options, await BenchCluster.StartAsync(), Console.Error.WriteLine)
{
    Added = row => Console.WriteLine(options.Json ? Report.Json(row) : Report.Line(row)),
};
if (!stop.IsCancellationRequested) await bench.PrepareAsync();
foreach (var one in cases.Where(one => options.Cases.Count == 0 || options.Cases.Contains(one.Name)))
{
    if (stop.IsCancellationRequested) break;
    Console.Error.WriteLine($"== {one.Name}");
    try
    {
        // What the case has started is ended by its own hand; one that takes its time over that is left behind.
        var run = one.RunAsync(bench);
        await Task.WhenAny(run, StoppedAsync());
        if (!stop.IsCancellationRequested || run.IsCompleted) await run;
    }
    catch (Exception) when (stop.IsCancellationRequested)
    {
        break;
    }
    catch (Exception exception)
    {
        // One case that cannot be measured does not take the others with it.
        Console.Error.WriteLine($"bench: {one.Name}: {exception}");
        failed++;
    }
}

if (stop.IsCancellationRequested)
{
    await BenchDaemon.EndAllAsync();
    Console.Error.WriteLine("bench: stopped");
    return 130;
}

if (options.WritesDocs && bench.Rows.Count > 0) await Report.WriteAsync(bench, Path.Combine(Paths.Root, "docs", "benchmarks.md"), cases.Select(static one => one.Name));
return failed == 0 ? 0 : 1;

void Stop(PosixSignalContext signal)
{
    signal.Cancel = true;
    stop.Cancel();
}

async Task StoppedAsync()
{
    await Task.Delay(Timeout.InfiniteTimeSpan, Shell.Time, stop.Token).ContinueWith(static _ => { }, TaskScheduler.Default);
    await Task.Delay(TimeSpan.FromSeconds(10), Shell.Time);
}
