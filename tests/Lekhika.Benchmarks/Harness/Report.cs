using System.Globalization;
using System.Text;
using System.Text.Json;
using System.Text.Json.Nodes;

namespace Lekhika.Benchmarks.Harness;

/// <summary>Results for people, for programs, and for docs/benchmarks.md.</summary>
internal static class Report
{
    private const string Begin = "<!-- figures: written by scripts/bench -->";
    private const string CaseMark = "<!-- case: ";
    private const string End = "<!-- end of the figures -->";

    public static string Json(Row row) => new JsonObject
    {
        ["case"] = row.Case,
        ["ours"] = Number(row.OursValue),
        ["peer"] = row.Ours.Length == 0 ? row.Peer : $"{row.Ours}: {row.Peer}",
        ["peer_value"] = Number(row.PeerValue),
        ["ratio"] = Number(row.Ratio),
        ["unit"] = row.Unit,
        ["met"] = row.Met,
    }.ToJsonString(new JsonSerializerOptions { Encoder = System.Text.Encodings.Web.JavaScriptEncoder.UnsafeRelaxedJsonEscaping });

    public static string Line(Row row) => string.Create(
        CultureInfo.InvariantCulture,
        $"{row.Case,-10} {row.Ours,-34} {Value(row.OursValue),12} {row.Unit,-14} {Range(row.OursRuns),-22} against {row.Peer}: {Value(row.PeerValue)} {Range(row.PeerRuns)}"
        + $" ratio {Value(row.Ratio)} {Verdict(row)} {row.Aim}");

    /// <summary>
    /// Puts the figures into the page, between its two marks; what people wrote around them stays, and so do the figures of cases that did not run this
    /// time, if they are of this machine, server and peers.
    /// </summary>
    public static async Task WriteAsync(Bench bench, string path, IEnumerable<string> order)
    {
        var page = File.Exists(path) ? await File.ReadAllTextAsync(path) : $"# Benchmarks\n\n{Begin}\n{End}\n";
        var (from, to) = (page.IndexOf(Begin, StringComparison.Ordinal), page.IndexOf(End, StringComparison.Ordinal));
        if (from < 0 || to < from) throw new InvalidOperationException($"{path} has lost its marks '{Begin}' and '{End}'.");
        var before = page[(from + Begin.Length)..to];
        var machine = await MachineAsync(bench);
        var kept = before.Contains(machine, StringComparison.Ordinal) ? before.Split(CaseMark)[1..].ToDictionary(static block => block[..block.IndexOf(' ', StringComparison.Ordinal)]) : [];
        var how = await HowAsync(bench);
        foreach (var rows in bench.Rows.GroupBy(static row => row.Case, StringComparer.Ordinal)) kept[rows.Key] = Block(rows.Key, [.. rows], how);
        var blocks = order.Where(kept.ContainsKey).Select(name => CaseMark + kept[name]);
        await File.WriteAllTextAsync(path, page[..(from + Begin.Length)] + "\n" + machine + string.Concat(blocks) + page[to..]);
    }

    private static string Block(string name, IReadOnlyList<Row> rows, string how)
    {
        var text = new StringBuilder();
        text.Append(CultureInfo.InvariantCulture, $"{name} -->\n### {name}\n\n{how}\n\n| ours | median | range | against | median | range | ratio | unit | aim | |\n|---|--:|---|---|--:|---|--:|---|---|---|\n");
        foreach (var row in rows)
        {
            text.Append(CultureInfo.InvariantCulture,
                $"| {row.Ours} | {Value(row.OursValue)} | {Range(row.OursRuns)} | {row.Peer} | {Value(row.PeerValue)} | {Range(row.PeerRuns)} | {Value(row.Ratio)} | {row.Unit} | {row.Aim} | {Verdict(row)} |\n");
        }

        text.Append("\nRaw runs:\n\n");
        foreach (var row in rows)
        {
            text.Append(CultureInfo.InvariantCulture, $"- {row.Ours}: {Runs(row.OursRuns)}; {row.Peer}: {Runs(row.PeerRuns)} ({row.Unit})\n");
        }

        return text.Append('\n').ToString();
    }

    private static async Task<string> HowAsync(Bench bench)
    {
        var ours = (await Shell.RunAsync(Paths.Daemon, ["--version"])).Trim();
        var day = TimeProvider.System.GetUtcNow().ToString("yyyy-MM-dd", CultureInfo.InvariantCulture);
        return string.Create(CultureInfo.InvariantCulture, $"{ours}; {day}, {bench.Options.Runs} runs of each side, alternating.");
    }

    private static async Task<string> MachineAsync(Bench bench)
    {
        var processor = File.ReadLines("/proc/cpuinfo").FirstOrDefault(static line => line.StartsWith("model name", StringComparison.Ordinal))?.Split(':')[1].Trim() ?? "?";
        var memory = File.ReadLines("/proc/meminfo").First().Split(' ', StringSplitOptions.RemoveEmptyEntries)[1];
        await using var database = new BenchDatabase(bench.Cluster, "postgres");
        var server = await database.ScalarAsync<string>("SELECT version()");
        var node = (await Shell.RunAsync(Paths.Node, ["--version"])).Trim();
        using var manifest = JsonDocument.Parse(await File.ReadAllTextAsync(Path.Combine(Paths.Peers, "package.json")));
        var peers = string.Join(", ", manifest.RootElement.GetProperty("dependencies").EnumerateObject().Select(static one => $"{one.Name} {one.Value}"));
        return string.Create(CultureInfo.InvariantCulture, $"""

            | | |
            |---|---|
            | machine | {Environment.ProcessorCount} cores, {processor}, {long.Parse(memory, CultureInfo.InvariantCulture) / 1024 / 1024} GB |
            | PostgreSQL | {server} |
            | its settings | `{BenchCluster.Settings}` |
            | peers | {peers}; node {node} |

            """);
    }

    private static JsonValue? Number(double value) => double.IsFinite(value) ? JsonValue.Create(Math.Round(value, 4)) : null;

    private static string Value(double value) => double.IsFinite(value)
        ? value.ToString(Math.Abs(value) >= 100 ? "#,0" : "0.###", CultureInfo.InvariantCulture)
        : "–";

    private static string Range(IReadOnlyList<double> runs) => runs.Count < 2 ? "" : $"{Value(runs.Min())} to {Value(runs.Max())}";

    private static string Runs(IReadOnlyList<double> runs) => runs.Count == 0 ? "–" : string.Join(" ", runs.Select(Value));

    private static string Verdict(Row row) => row.Met switch { true => "met", false => "MISSED", null => "" };
}
