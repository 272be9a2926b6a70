using System.Globalization;
using System.Text.RegularExpressions;
using Lekhika.Benchmarks.Harness;

namespace Lekhika.Benchmarks.Cases;

/// <summary>50 000 one-node executions, drained by one daemon and by three; beside the peers, and beside pgbench with our own statements.</summary>
internal sealed partial class DrainCase : ICase
{
    private const int BatchSize = 500;

    public string Name => "drain";

    public async Task RunAsync(Bench bench)
    {
        var count = bench.Options.Scale(50_000);
        var runs = await bench.AlternateAsync(
            Name,
            ("ours", () => Drains.OursAsync(bench, count)),
            ("graphile", () => Drains.GraphileAsync(bench, count)),
            ("ours, three", () => Drains.OursAsync(bench, count, daemons: 3)),
            ("graphile, unbatched", () => Drains.GraphileAsync(bench, Math.Max(1000, count / 5), batched: false)),
            ("pg-boss", () => Drains.PgBossAsync(bench, count)),
            ("ours, default slots", () => Drains.OursAsync(bench, Math.Max(1000, count / 5), settings: [])),
            ("pgbench", () => PgbenchAsync(bench, count)));
        foreach (var (form, ours) in ((string, string)[])[("one daemon", "ours"), ("three daemons", "ours, three")])
        {
            Add(form, ours, "aim", null, "≥ 20 000/s", static (value, _, _) => value >= 20_000);
            Add(form, ours, "graphile-worker batched, 2 processes", "graphile", "≥ 1.1 ×", static (_, _, ratio) => ratio >= 1.1);
            Add(form, ours, "graphile-worker unbatched, 2 processes", "graphile, unbatched");
            Add(form, ours, "pg-boss, batches of 500", "pg-boss");
            Add(form, ours, "pgbench with our statements", "pgbench", "≥ 0.6 ×", static (_, _, ratio) => ratio >= 0.6);
        }

        Add("one daemon with its default slots", "ours, default slots", "graphile-worker unbatched, 2 processes", "graphile, unbatched");

        void Add(string form, string ours, string peer, string? side, string aim = "", Func<double, double, double, bool>? met = null) => bench.Add(new Row
        {
            Case = Name,
            Ours = form,
            OursRuns = runs[ours],
            Peer = peer,
            PeerRuns = side is null ? [] : runs[side],
            Unit = "executions/s",
            Aim = aim,
            IsMet = met,
        });
    }

    /// <summary>The claim and the flush of a one-node execution, as the daemon sends them, from pgbench with two clients: what the database itself can do.</summary>
    private static async Task<double> PgbenchAsync(Bench bench, int count)
    {
        await using var database = await bench.DatabaseAsync();
        var workflow = await database.WorkflowAsync(Flows.Trivial);
        await database.InsertAsync(workflow, count);
        await database.ExecuteAsync("SELECT lekhika.enlist('pgbench', 'h', NULL, '0', 10, interval '1 hour')");
        var script = Path.GetTempFileName();
        await File.WriteAllTextAsync(script, Script);
        var said = await Shell.RunAsync(
            BenchCluster.Program("pgbench"),
            ["-n", "-M", "simple", "-c", "2", "-j", "2", "-t", ((count / BatchSize / 2) + 1).ToString(CultureInfo.InvariantCulture), "-f", script, database.Url]);
        File.Delete(script);
        var completed = await database.ScalarAsync<long>("SELECT count(*) FROM lekhika.workflow_executions WHERE status = 'completed'");
        if (completed != count) throw new InvalidOperationException($"pgbench completed {completed} of {count}: {said}");
        var rate = double.Parse(Rate().Match(said).Groups["rate"].ValueSpan, CultureInfo.InvariantCulture);
        return rate * count / (2 * ((count / BatchSize / 2) + 1));
    }

    // What the daemon gives for such an execution: one final step with its output, and the result. Null arrays are as long as the others.
    private static string Script { get; } = $$"""
        SELECT coalesce(array_agg(exec), '{}') AS execs, coalesce(array_agg(epoch), '{}') AS epochs, coalesce(array_agg(run), '{}') AS runs, count(*) AS n
          FROM (SELECT exec, epoch, run FROM lekhika.claim(1, {{BatchSize}}, ARRAY[1]::smallint[], ARRAY[0]::smallint[],
                       ARRAY(SELECT tenant FROM lekhika.ready ORDER BY class, pri, tenant, seq LIMIT 1), ARRAY[0]::bigint[], ARRAY[{{BatchSize}}]) ORDER BY exec) c \gset
        SELECT count(*) FROM lekhika.flush(1, 'pgbench', ':execs'::bigint[], ':epochs'::int[], ':runs'::int[],
          array_fill(4::smallint, ARRAY[:n]), array_fill('completed'::text, ARRAY[:n]), array_fill('a'::text, ARRAY[:n]), array_fill('{"x": 1}'::jsonb, ARRAY[:n]),
          array_fill(NULL::text, ARRAY[:n]), array_fill(NULL::jsonb, ARRAY[:n]), array_fill(0::bigint, ARRAY[:n]), array_fill(0::bigint, ARRAY[:n]),
          array_fill(0::bigint, ARRAY[:n]), array_fill(now(), ARRAY[:n]), array_fill(NULL::timestamptz, ARRAY[:n]), array_fill(NULL::text, ARRAY[:n]),
          array_fill(NULL::jsonb, ARRAY[:n]), array_fill(NULL::jsonb, ARRAY[:n]),
          ARRAY(SELECT g::int FROM generate_series(1, :n) g), array_fill('a'::text, ARRAY[:n]), array_fill(0, ARRAY[:n]), array_fill(1, ARRAY[:n]),
          array_fill('succeeded'::text, ARRAY[:n]), array_fill(NULL::text, ARRAY[:n]), array_fill(NULL::text, ARRAY[:n]), array_fill(NULL::timestamptz, ARRAY[:n]),
          array_fill(now(), ARRAY[:n]), array_fill(now(), ARRAY[:n]), array_fill(NULL::jsonb, ARRAY[:n]), array_fill('{"x": 1}'::jsonb, ARRAY[:n]),
          array_fill(NULL::jsonb, ARRAY[:n]), array_fill(NULL::jsonb, ARRAY[:n]), NULL::jsonb[]);

        """;

    [GeneratedRegex(@"tps = (?<rate>[0-9.]+) \(without", RegexOptions.ExplicitCapture | RegexOptions.NonBacktracking)]
    private static partial Regex Rate();
}
