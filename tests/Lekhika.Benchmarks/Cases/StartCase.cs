using System.Diagnostics;
using Lekhika.Benchmarks.Harness;

namespace Lekhika.Benchmarks.Cases;

/// <summary>From the start of the process until it answers that it is ready, beside an empty native Kestrel program; and what memory it takes.</summary>
internal sealed class StartCase : ICase
{
    public string Name => "start";

    public async Task RunAsync(Bench bench)
    {
        var (idle, waiting) = (new List<double>(), new List<double>());
        var runs = await bench.AlternateAsync(
            Name,
            ("ours", () => OursAsync(bench)),
            ("empty", EmptyAsync),
            ("memory idle", async () =>
            {
                var (without, with) = await MemoryAsync(bench, bench.Options.Scale(10_000));
                idle.Add(without);
                waiting.Add(with);
                return without;
            }
        ));
        bench.Add(new Row
        {
            Case = Name,
            Ours = "start to ready",
            OursRuns = runs["ours"],
            Peer = "an empty native Kestrel program",
            PeerRuns = runs["empty"],
            Unit = "ms",
            LessIsBetter = true,
            Aim = "≤ 1.5 × its time",
            IsMet = static (_, _, ratio) => ratio >= 1 / 1.5,
        });
        bench.Add(new Row
        {
            Case = Name,
            Ours = "resident memory, idle",
            OursRuns = idle,
            Peer = "aim",
            Unit = "MB",
            LessIsBetter = true,
            Aim = "< 40 MB",
            IsMet = static (ours, _, _) => ours < 40,
        });
        bench.Add(new Row
        {
            Case = Name,
            Ours = "resident memory, 10 000 waiting",
            OursRuns = waiting,
            Peer = "idle",
            PeerRuns = idle,
            Unit = "MB",
            LessIsBetter = true,
            Aim = "waiting ones cost none (≤ 1.1 ×)",
            IsMet = static (_, _, ratio) => ratio >= 1 / 1.1,
        });
    }

    private static async Task<double> OursAsync(Bench bench)
    {
        await using var database = await bench.DatabaseAsync();
        var began = Shell.Time.GetTimestamp();
        await using var daemon = BenchDaemon.Launch(database);
        // Ready in the sense of a process that works: it has tried its database and answers. No model server is needed for that.
        await Shell.UntilAsync(daemon.IsReadyAsync, 60, 1, "a daemon that is ready");
        return Shell.Time.GetElapsedTime(began).TotalMilliseconds;
    }

    private static async Task<double> EmptyAsync()
    {
        var port = BenchCluster.FreePort();
        using var http = new HttpClient();
        var began = Shell.Time.GetTimestamp();
        using var process = Process.Start(new ProcessStartInfo(Paths.EmptyProgram, [$"http://127.0.0.1:{port}"]) { UseShellExecute = false, RedirectStandardOutput = true })!;
        try
        {
            await Shell.UntilAsync(
                async () =>
                {
                    try
                    {
                        return await http.GetStringAsync(new Uri($"http://127.0.0.1:{port}/")) == "ok";
                    }
                    catch (HttpRequestException)
                    {
                        return false;
                    }
                },
                60, 1);
            return Shell.Time.GetElapsedTime(began).TotalMilliseconds;
        }
        finally
        {
            process.Kill();
            await process.WaitForExitAsync();
        }
    }

    /// <summary>Resident memory of a daemon that idles, and of another that was started on a database where executions wait.</summary>
    private static async Task<(double Idle, double Waiting)> MemoryAsync(Bench bench, int count)
    {
        await using var database = await bench.DatabaseAsync();
        double idle;
        await using (var daemon = await BenchDaemon.StartAsync(database))
        {
            await Shell.PauseAsync(5);
            idle = daemon.ResidentMegabytes;
        }

        await database.InsertAsync(await database.WorkflowAsync(Flows.Waiting), count);
        await using (var parking = await BenchDaemon.StartAsync(database, Flows.Wide))
        {
            await Shell.UntilAsync(async () => await database.ScalarAsync<long>("SELECT count(*) FROM lekhika.parked") == count, 300, 100);
        }

        await using (var daemon = await BenchDaemon.StartAsync(database))
        {
            await Shell.PauseAsync(5);
            return (idle, daemon.ResidentMegabytes);
        }
    }
}
