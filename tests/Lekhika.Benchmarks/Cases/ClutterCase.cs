using Lekhika.Benchmarks.Harness;

namespace Lekhika.Benchmarks.Cases;

/// <summary>100 000 failed and 100 000 waiting executions lie about: does draining notice?</summary>
internal sealed class ClutterCase : ICase
{
    public string Name => "clutter";

    public async Task RunAsync(Bench bench)
    {
        var (count, clutter) = (bench.Options.Scale(50_000), bench.Options.Scale(100_000));
        var runs = await bench.AlternateAsync(
            Name,
            ("clean", () => Drains.OursAsync(bench, count)),
            ("cluttered", () => Drains.OursAsync(bench, count, before: database => LitterAsync(database, clutter))));
        bench.Add(new Row
        {
            Case = Name,
            Ours = FormattableString.Invariant($"{clutter:#,0} failed and {clutter:#,0} waiting beside"),
            OursRuns = runs["cluttered"],
            Peer = "ours without them",
            PeerRuns = runs["clean"],
            Unit = "executions/s",
            Aim = "no measurable slow-down (≥ 0.95 ×)",
            IsMet = static (_, _, ratio) => ratio >= 0.95,
        });
    }

    /// <summary>Makes them the way they come about: by a daemon.</summary>
    private static async Task<IAsyncDisposable?> LitterAsync(BenchDatabase database, int clutter)
    {
        var (failing, waiting) = (await database.WorkflowAsync(Flows.Failing), await database.WorkflowAsync(Flows.Waiting));
        await database.InsertAsync(failing, clutter);
        await database.InsertAsync(waiting, clutter);
        await using var daemon = await BenchDaemon.StartAsync(database, Flows.Wide);
        await Shell.UntilAsync(async () => await database.ScalarAsync<bool>(
            "SELECT NOT EXISTS (SELECT FROM lekhika.ready) AND NOT EXISTS (SELECT FROM lekhika.held)"), 600, 200, "the clutter");
        var parked = await database.ScalarAsync<long>("SELECT count(*) FROM lekhika.parked");
        if (parked != clutter) throw new InvalidOperationException($"{parked} of {clutter} executions wait");
        // They lie about, they do not come: autovacuum, which comes a minute after so many writes, would fall into some runs and not into others.
        await database.ExecuteAsync("VACUUM (ANALYZE)");
        return null;
    }
}
