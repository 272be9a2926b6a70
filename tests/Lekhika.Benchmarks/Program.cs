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
await using var bench = new Bench(options, await BenchCluster.StartAsync(), Console.Error.WriteLine)
{
    Added = row => Console.WriteLine(options.Json ? Report.Json(row) : Report.Line(row)),
};
await bench.PrepareAsync();
foreach (var one in cases.Where(one => options.Cases.Count == 0 || options.Cases.Contains(one.Name)))
{
    Console.Error.WriteLine($"== {one.Name}");
    try
    {
        await one.RunAsync(bench);
    }
    catch (Exception exception)
    {
        // One case that cannot be measured does not take the others with it.
        Console.Error.WriteLine($"bench: {one.Name}: {exception}");
        failed++;
    }
}

if (options.WritesDocs && bench.Rows.Count > 0) await Report.WriteAsync(bench, Path.Combine(Paths.Root, "docs", "benchmarks.md"), cases.Select(static one => one.Name));
return failed == 0 ? 0 : 1;
