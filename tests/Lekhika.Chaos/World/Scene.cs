using Lekhika.Daemon.Tests.EndToEnd.Support;
using Lekhika.Doubles;
using Lekhika.Tests.Support;
using Npgsql;

namespace Lekhika.Chaos.World;

/// <summary>Everything a campaign happens in.</summary>
internal sealed class Scene : IAsyncDisposable
{
    private readonly HashSet<ChildProcess> _killed = [];
    private readonly OllamaDoubleOptions _ollamaOptions;

    private Scene(PostgresCluster cluster, string connectionString, Ledger ledger, OllamaDouble ollama, OllamaDoubleOptions ollamaOptions, string folder, int seed)
    {
        (Cluster, ConnectionString, Ledger, Ollama, _ollamaOptions) = (cluster, connectionString, ledger, ollama, ollamaOptions);
        (Folder, Random) = (folder, new Random(seed));
    }

    public PostgresCluster Cluster { get; }

    /// <summary>Straight to the server.</summary>
    public string ConnectionString { get; }

    public Ledger Ledger { get; }

    public OllamaDouble Ollama { get; private set; }

    public IReadOnlyList<Daemon> Daemons { get; private set; } = [];

    /// <summary>Where the daemons keep theirs; gone with the scene, unless the logs in it are to be read.</summary>
    public string Folder { get; }

    public bool KeepsFolder { get; set; }

    /// <summary>When daemons that had stood still beyond their lease were let go on.</summary>
    public List<DateTimeOffset> Wakings { get; } = [];

    /// <summary>Decides what strikes, whom and for how long.</summary>
    public Random Random { get; }

    public static async Task<Scene> BeginAsync(ChaosOptions options)
    {
        var cluster = new PostgresCluster();
        await cluster.InitializeAsync();
        var connectionString = await cluster.CreateDatabaseAsync() + ";Application Name=;Maximum Pool Size=20";
        var folder = Directory.CreateTempSubdirectory("lekhika-chaos-").FullName;
        var ledger = await Ledger.StartAsync(options.Seed);
        var ollama = new OllamaDoubleOptions
        {
            Port = Ports.Take(),
            TokensPerSecond = 400,
            ReplyTokens = Shape.ReplyTokens,
            Parallel = 4,
            LoadTime = TimeSpan.Zero,
            SwapTime = TimeSpan.Zero,
        };
        var scene = new Scene(cluster, connectionString, ledger, await OllamaDouble.StartAsync(ollama), ollama, folder, options.Seed);
        var database = new NpgsqlConnectionStringBuilder(connectionString).Database!;
        scene.Daemons =
        [
            .. Enumerable.Range(1, options.Daemons).Select(i => new Daemon(
                $"worker-{i}", folder, cluster.Port, database, scene.Ollama.BaseAddress.ToString().TrimEnd('/'), new Uri(ledger.Url).Authority)),
        ];
        return scene;
    }

    public Daemon Any() => Daemons[Random.Next(Daemons.Count)];

    /// <summary>The end of this life is the campaign's own doing; that of the next one is not.</summary>
    public void Killed(ChildProcess life)
    {
        lock (_killed) _killed.Add(life);
    }

    /// <summary>Starts again who is not there.</summary>
    public void Revive()
    {
        lock (_killed)
        {
            foreach (var daemon in Daemons) daemon.Revive(daemon.Process is { } life && _killed.Contains(life));
        }
    }

    public Task PauseAsync(int least, int most, CancellationToken cancellationToken) =>
        Task.Delay(TimeSpan.FromMilliseconds(Random.Next(least, most + 1)), TimeProvider.System, cancellationToken);

    public ValueTask StopOllamaAsync() => Ollama.DisposeAsync();

    public async Task StartOllamaAsync() => Ollama = await OllamaDouble.StartAsync(_ollamaOptions);

    public async ValueTask DisposeAsync()
    {
        foreach (var daemon in Daemons) await daemon.DisposeAsync();
        await Ollama.DisposeAsync();
        await Ledger.DisposeAsync();
        NpgsqlConnection.ClearAllPools();
        await Cluster.DisposeAsync();
        if (!KeepsFolder) Directory.Delete(Folder, recursive: true);
    }
}
