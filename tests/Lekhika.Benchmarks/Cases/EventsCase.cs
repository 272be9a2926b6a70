using System.Collections.Concurrent;
using Lekhika.Benchmarks.Harness;

namespace Lekhika.Benchmarks.Cases;

/// <summary>1 000 open event streams on 100 executions that stream text: how old a piece is when it arrives, and what the daemon's memory is.</summary>
internal sealed class EventsCase : ICase
{
    public string Name => "events";

    public async Task RunAsync(Bench bench)
    {
        var (delivery, memory) = (new List<double>(), new List<double>());
        await bench.AlternateAsync(Name, ("delivery p99, ms", async () =>
        {
            var (p99, resident) = await MeasureAsync(bench, bench.Options.Scale(100), 10);
            delivery.Add(p99);
            memory.Add(resident);
            return p99;
        }
        ));
        bench.Add(new Row
        {
            Case = Name,
            Ours = "delivery p99, 1 000 streams",
            OursRuns = delivery,
            Peer = "aim",
            Unit = "ms",
            LessIsBetter = true,
            Aim = "< 100 ms",
            IsMet = static (ours, _, _) => ours < 100,
        });
        bench.Add(new Row
        {
            Case = Name,
            Ours = "resident memory meanwhile",
            OursRuns = memory,
            Peer = "aim",
            Unit = "MB",
            LessIsBetter = true,
            Aim = "< 100 MB",
            IsMet = static (ours, _, _) => ours < 100,
        });
    }

    private static async Task<(double P99, double Megabytes)> MeasureAsync(Bench bench, int executions, int streamsEach)
    {
        await using var model = await StampingModel.StartAsync(tokens: bench.Options.Scale(200, 50), perSecond: 10);
        await using var database = await bench.DatabaseAsync();
        await using var daemon = await BenchDaemon.StartAsync(
            database, ("ollama.url", model.Address), ("ollama.parallelism", "200"), ("worker.concurrency", "200"), ("worker.max_claimed", "1000"));
        var ids = Enumerable.Range(0, executions).Select(static _ => Guid.NewGuid()).ToList();
        await Task.WhenAll(ids.Select(id => daemon.ExecuteAsync(id, Flows.Ask("m"))));
        var ages = new ConcurrentBag<double>();
        var open = 0;
        var streams = ids.SelectMany(id => Enumerable.Range(0, streamsEach).Select(_ => ListenAsync(id))).ToList();
        await Shell.UntilAsync(() => Task.FromResult(Volatile.Read(ref open) == streams.Count), 60, what: "open streams");
        ages.Clear();
        await Shell.PauseAsync(1);
        var resident = daemon.ResidentMegabytes;
        await Task.WhenAll(streams);
        return (ages.ToList().Percentile(0.99), Math.Max(resident, daemon.ResidentMegabytes));

        async Task ListenAsync(Guid id)
        {
            using var response = await daemon.Http.GetAsync(new Uri($"status/{id}/events?fields=status", UriKind.Relative), HttpCompletionOption.ResponseHeadersRead);
            response.EnsureSuccessStatusCode();
            using var reader = new StreamReader(await response.Content.ReadAsStreamAsync());
            Interlocked.Increment(ref open);
            var isText = false;
            while (await reader.ReadLineAsync() is { } line)
            {
                if (line.StartsWith("event: ", StringComparison.Ordinal)) isText = line == "event: text";
                else if (isText && line.StartsWith("data: ", StringComparison.Ordinal))
                {
                    foreach (var age in StampingModel.Ages(line)) ages.Add(age);
                }
            }
        }
    }
}
