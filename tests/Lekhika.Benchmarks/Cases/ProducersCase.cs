using System.Globalization;
using System.Net;
using System.Net.Sockets;
using System.Text.RegularExpressions;
using Lekhika.Benchmarks.Harness;

namespace Lekhika.Benchmarks.Cases;

/// <summary>How fast backends insert, one row a transaction, while a daemon is there with its slots full, against the same schema without a daemon.</summary>
internal sealed partial class ProducersCase : ICase
{
    private const int Slots = 10;

    public string Name => "producers";

    public async Task RunAsync(Bench bench)
    {
        var runs = await bench.AlternateAsync(Name, ("without", () => RateAsync(bench, withDaemon: false)), ("with", () => RateAsync(bench, withDaemon: true)));
        bench.Add(new Row
        {
            Case = Name,
            Ours = "daemon present, slots full",
            OursRuns = runs["with"],
            Peer = "the same schema without a daemon",
            PeerRuns = runs["without"],
            Unit = "inserts/s",
            Aim = "≥ 0.95 ×",
            IsMet = static (_, _, ratio) => ratio >= 0.95,
        });
    }

    private static async Task<double> RateAsync(Bench bench, bool withDaemon)
    {
        await using var database = await bench.DatabaseAsync();
        var workflow = await database.WorkflowAsync(Flows.Trivial);
        // A server that accepts and never answers keeps the slots.
        using var silent = new TcpListener(IPAddress.Loopback, 0);
        silent.Start();
        var port = ((IPEndPoint)silent.LocalEndpoint).Port;
        await using var daemon = withDaemon
            ? await BenchDaemon.StartAsync(database, ("worker.concurrency", Slots.ToString(CultureInfo.InvariantCulture)), ("http.allow", "127.0.0.1"))
            : null;
        if (withDaemon)
        {
            var holding = await database.WorkflowAsync(
                $$$"""{"nodes":[{"id":"a","type":"http","config":{"url":"http://127.0.0.1:{{{port}}}/","timeout":"10m"}}],"edges":[]}""");
            await database.InsertAsync(holding, Slots);
            await Shell.UntilAsync(async () => await database.ScalarAsync<long>("SELECT count(*) FROM lekhika.held") == Slots, what: "full slots");
            await Shell.PauseAsync(2);
        }

        var script = Path.GetTempFileName();
        await File.WriteAllTextAsync(script, $"INSERT INTO lekhika.workflow_executions (workflow_id, inputs) VALUES ('{workflow}', '{{}}');\n");
        var said = await Shell.RunAsync(
            BenchCluster.Program("pgbench"),
            ["-n", "-M", "prepared", "-c", "8", "-j", "2", "-T", bench.Options.Scale(20, 3).ToString(CultureInfo.InvariantCulture), "-f", script, database.Url]);
        File.Delete(script);
        return double.Parse(Rate().Match(said).Groups["rate"].ValueSpan, CultureInfo.InvariantCulture);
    }

    [GeneratedRegex(@"tps = (?<rate>[0-9.]+) \(without", RegexOptions.ExplicitCapture | RegexOptions.NonBacktracking)]
    private static partial Regex Rate();
}
