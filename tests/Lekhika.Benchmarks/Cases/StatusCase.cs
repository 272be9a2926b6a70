using System.Globalization;
using System.Net;
using System.Net.Sockets;
using System.Text.RegularExpressions;
using Lekhika.Benchmarks.Harness;
using Lekhika.Doubles;

namespace Lekhika.Benchmarks.Cases;

/// <summary>GET /status/{id} under wrk; and what 2 000 such requests a second do to 200 executions that stream.</summary>
internal sealed partial class StatusCase : ICase
{
    private const int Streams = 200;

    public string Name => "status";

    public async Task RunAsync(Bench bench)
    {
        var wrk = (Environment.GetEnvironmentVariable("PATH") ?? "").Split(':').Select(static folder => Path.Combine(folder, "wrk")).FirstOrDefault(File.Exists)
            ?? throw new InvalidOperationException("wrk is not installed; scripts/bench installs it.");
        var runs = await bench.AlternateAsync(
            Name,
            ("running", () => RateAsync(bench, wrk, running: true)),
            ("finished", () => RateAsync(bench, wrk, running: false)),
            ("streams alone", () => StreamsAsync(bench, 0)),
            ("streams beside", () => StreamsAsync(bench, 2000)));
        bench.Add(new Row
        {
            Case = Name,
            Ours = "of a running execution, 64 connections",
            OursRuns = runs["running"],
            Peer = "aim",
            Unit = "requests/s",
            Aim = "≥ 20 000/s",
            IsMet = static (ours, _, _) => ours >= 20_000,
        });
        bench.Add(new Row { Case = Name, Ours = "of a finished execution, 64 connections", OursRuns = runs["finished"], Peer = "none", Unit = "requests/s" });
        bench.Add(new Row
        {
            Case = Name,
            Ours = "200 streaming executions beside 2 000 requests/s",
            OursRuns = runs["streams beside"],
            Peer = "the same without requests",
            PeerRuns = runs["streams alone"],
            Unit = "ms median",
            LessIsBetter = true,
            Aim = "at most 10 % up",
            IsMet = static (_, _, ratio) => ratio >= 1 / 1.1,
        });
    }

    private static async Task<double> RateAsync(Bench bench, string wrk, bool running)
    {
        await using var database = await bench.DatabaseAsync();
        using var silent = new TcpListener(IPAddress.Loopback, 0);
        silent.Start();
        await using var daemon = await BenchDaemon.StartAsync(database, ("http.allow", "127.0.0.1"));
        var id = Guid.NewGuid();
        await daemon.ExecuteAsync(id, running
            ? $$$"""{"nodes":[{"id":"a","type":"http","config":{"url":"http://127.0.0.1:{{{((IPEndPoint)silent.LocalEndpoint).Port}}}/","timeout":"10m"}}],"edges":[]}"""
            : Flows.Trivial);
        await Shell.PauseAsync(2);
        var said = await Shell.RunAsync(
            wrk,
            [
                "-t2", "-c64", "-d" + bench.Options.Scale(10, 2).ToString(CultureInfo.InvariantCulture) + "s", "-H", BenchDaemon.Header,
                $"{daemon.Address}status/{id}",
            ]);
        return said.Contains("Non-2xx", StringComparison.Ordinal)
            ? throw new InvalidOperationException($"not all were answered with 200: {said}")
            : double.Parse(Rate().Match(said).Groups["rate"].ValueSpan, CultureInfo.InvariantCulture);
    }

    /// <summary>Median time of the executions, from start to end, in milliseconds.</summary>
    private static async Task<double> StreamsAsync(Bench bench, int perSecond)
    {
        await using var ollama = await OllamaDouble.StartAsync(new OllamaDoubleOptions
        {
            Parallel = Streams,
            TokensPerSecond = 20,
            ReplyTokens = bench.Options.Scale(200, 40),
            LoadTime = TimeSpan.Zero,
            SwapTime = TimeSpan.Zero,
        });
        await using var database = await bench.DatabaseAsync();
        var workflow = await database.WorkflowAsync(Flows.Ask("llama3.2"));
        await using var daemon = await BenchDaemon.StartAsync(
            database, ("ollama.url", ollama.BaseAddress.ToString().TrimEnd('/')), ("ollama.parallelism", "200"), ("worker.concurrency", "200"));
        await database.InsertAsync(workflow, Streams);
        using var stop = new CancellationTokenSource();
        var ids = new List<Guid>();
        await using (var connection = await database.OpenAsync())
        await using (var command = new Npgsql.NpgsqlCommand("SELECT id FROM lekhika.workflow_executions", connection))
        await using (var reader = await command.ExecuteReaderAsync(CancellationToken.None))
        {
            while (await reader.ReadAsync(CancellationToken.None)) ids.Add(reader.GetGuid(0));
        }

        var asking = perSecond == 0 ? Task.CompletedTask : Task.WhenAll(Enumerable.Range(0, 16).Select(i => Task.Run(async () =>
        {
            var (began, sent) = (Shell.Time.GetTimestamp(), 0);
            while (!stop.IsCancellationRequested)
            {
                var due = Shell.Time.GetElapsedTime(began).TotalSeconds * perSecond / 16;
                for (; sent < due; sent++) await daemon.Http.GetByteArrayAsync(new Uri($"status/{ids[(sent + i) % ids.Count]}", UriKind.Relative), CancellationToken.None);
                await Shell.PauseAsync(0.002);
            }
        })));
        await Shell.UntilAsync(async () => await database.ScalarAsync<long>("SELECT count(*) FROM lekhika.workflow_executions WHERE status = 'completed'") == Streams, 300, 100);
        await stop.CancelAsync();
        await asking;
        return (await database.NumbersAsync(
            "SELECT (extract(epoch FROM finished_at - started_at) * 1000)::float8 FROM lekhika.workflow_executions")).Median();
    }

    [GeneratedRegex(@"Requests/sec:\s+(?<rate>[0-9.]+)", RegexOptions.ExplicitCapture | RegexOptions.NonBacktracking)]
    private static partial Regex Rate();
}
