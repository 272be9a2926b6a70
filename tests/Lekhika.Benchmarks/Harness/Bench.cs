namespace Lekhika.Benchmarks.Harness;

/// <summary>One case: what it measures and what it adds.</summary>
internal interface ICase
{
    /// <summary>As it is named on the command line.</summary>
    string Name { get; }

    Task RunAsync(Bench bench);
}

/// <summary>What all cases share: the cluster, the template with our schema, the rows of results.</summary>
internal sealed class Bench(BenchOptions options, BenchCluster cluster, Action<string> say) : IAsyncDisposable
{
    private const string Template = "lekhika_template";

    private readonly List<Row> _rows = [];

    public BenchOptions Options => options;

    public BenchCluster Cluster => cluster;

    public IReadOnlyList<Row> Rows => _rows;

    public void Say(string text) => say(text);

    public Action<Row> Added { get; init; } = static _ => { };

    public void Add(Row row)
    {
        _rows.Add(row);
        Added(row);
    }

    /// <summary>Makes the database that every run of ours begins as a copy of.</summary>
    public async Task PrepareAsync()
    {
        await using (var database = new BenchDatabase(cluster, "postgres")) await database.ExecuteAsync($"CREATE DATABASE {Template}");
        await Shell.RunAsync(Paths.Daemon, ["migrate"], new Dictionary<string, string> { ["LEKHIKA_DATABASE_URL"] = cluster.Url(Template) });
    }

    /// <summary>A database with our schema in it.</summary>
    public Task<BenchDatabase> DatabaseAsync() => cluster.CreateAsync(Template);

    /// <summary>Runs all sides in turn, as often as is wanted, so that a change of the machine's mood meets all of them.</summary>
    public async Task<Dictionary<string, List<double>>> AlternateAsync(string name, params (string Side, Func<Task<double>> Run)[] sides)
    {
        var runs = sides.ToDictionary(static side => side.Side, static _ => new List<double>(), StringComparer.Ordinal);
        for (var i = 1; i <= options.Runs; i++)
        {
            foreach (var (side, run) in sides)
            {
                var value = await run();
                runs[side].Add(value);
                say(FormattableString.Invariant($"  {name} run {i}: {side} {value:#,0.###}"));
            }
        }

        return runs;
    }

    public ValueTask DisposeAsync() => cluster.DisposeAsync();
}
