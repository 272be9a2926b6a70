using System.Globalization;
using System.Text.Json;
using Lekhika.Doubles;
using Lekhika.Tests.Support;
using Npgsql;
using Xunit;

namespace Lekhika.Daemon.Tests.EndToEnd.Support;

/// <summary>What a test plays in: a database of its own with the schema in it, a double of Ollama, and the daemons it starts.</summary>
internal sealed class Scene : IAsyncDisposable
{
    private readonly PostgresCluster _cluster;
    private readonly bool _ownsCluster;
    private readonly List<DaemonProcess> _daemons = [];
    private readonly ScratchFolder _folder = new();

    private Scene(PostgresCluster cluster, bool ownsCluster, MigratedDatabase database, OllamaDouble ollama)
    {
        (_cluster, _ownsCluster, Database, Ollama) = (cluster, ownsCluster, database, ollama);
    }

    public MigratedDatabase Database { get; }

    public OllamaDouble Ollama { get; }

    public PostgresCluster Cluster => _cluster;

    public string DatabaseUrl => _cluster.Url(Database.ConnectionString);

    private static CancellationToken Cancellation => TestContext.Current.CancellationToken;

    /// <param name="servers">Of the assembly.</param>
    /// <param name="ollama">How the double behaves; null for a fast one.</param>
    /// <param name="ownCluster">A PostgreSQL of the test's own, which it may stop.</param>
    public static async Task<Scene> BeginAsync(Servers servers, OllamaDoubleOptions? ollama = null, bool ownCluster = false)
    {
        PostgresCluster cluster;
        if (ownCluster)
        {
            cluster = new PostgresCluster();
            await cluster.InitializeAsync();
        }
        else
        {
            cluster = await servers.ClusterAsync();
        }

        var database = await MigratedDatabase.CreateAsync(cluster, Cancellation);
        return new Scene(cluster, ownCluster, database, await OllamaDouble.StartAsync(ollama ?? Fast, Cancellation));
    }

    /// <summary>A double that loses no time.</summary>
    public static OllamaDoubleOptions Fast => new() { TokensPerSecond = 2000, LoadTime = TimeSpan.Zero, SwapTime = TimeSpan.Zero, Parallel = 4, ReplyTokens = 20 };

    /// <summary>How to start a daemon on this database and this double.</summary>
    public DaemonSetup Setup(Action<DaemonSetup>? change = null)
    {
        var setup = new DaemonSetup();
        setup.Settings["database.url"] = DatabaseUrl;
        setup.Settings["ollama.url"] = Ollama.BaseAddress.ToString().TrimEnd('/');
        setup.Settings["ollama.parallelism"] = "4";
        setup.StateDirectory = Folder("state");
        change?.Invoke(setup);
        return setup;
    }

    /// <summary>A new folder, which goes with the scene.</summary>
    public string Folder(string name) => _folder.Folder(name);

    /// <summary>Starts a daemon; it is ended with the scene.</summary>
    public async Task<DaemonProcess> DaemonAsync(Action<DaemonSetup>? change = null)
    {
        var daemon = await DaemonProcess.StartAsync(Setup(change), Cancellation);
        _daemons.Add(daemon);
        return daemon;
    }

    /// <summary>Stores a workflow.</summary>
    public async Task<Guid> WorkflowAsync(string definition, bool isActive = true)
    {
        var id = Guid.NewGuid();
        await Database.ExecuteAsync(
            "INSERT INTO lekhika.workflows (id, name, definition, is_active) VALUES ($1, 'test', $2::jsonb, $3)", Cancellation, id, definition, isActive);
        return id;
    }

    /// <summary>Inserts an execution as a backend does: a stored workflow's id, or a definition of its own.</summary>
    public async Task<Guid> InsertAsync(string? definition = null, Guid? workflow = null, string? inputs = "{}", string status = "pending")
    {
        var id = Guid.NewGuid();
        await Database.ExecuteAsync(
            "INSERT INTO lekhika.workflow_executions (id, workflow_id, definition, inputs, status) VALUES ($1, $2::uuid, $3::jsonb, $4::jsonb, $5)",
            Cancellation, id, (object?)workflow?.ToString() ?? DBNull.Value, (object?)definition ?? DBNull.Value, (object?)inputs ?? DBNull.Value, status);
        return id;
    }

    public Task<string?> StatusAsync(Guid id) =>
        Database.ScalarAsync<string>("SELECT status FROM lekhika.workflow_executions WHERE id = $1", Cancellation, id);

    /// <summary>Sets a status, as people do.</summary>
    public Task SetStatusAsync(Guid id, string status) =>
        Database.ExecuteAsync("UPDATE lekhika.workflow_executions SET status = $2 WHERE id = $1", Cancellation, id, status);

    /// <summary>Waits until an execution is over; asks the row as a backend would.</summary>
    public Task<Ended> EndAsync(Guid id, int seconds = 40) => UntilAsync(id, static row => row.IsOver, seconds);

    /// <summary>Waits until its row says this status.</summary>
    public Task<Ended> UntilAsync(Guid id, string status, int seconds = 40) => UntilAsync(id, row => row.Status == status, seconds);

    public async Task<Ended> UntilAsync(Guid id, Func<Ended, bool> wanted, int seconds = 40)
    {
        Ended? last = null;
        for (var begin = TimeProvider.System.GetTimestamp(); TimeProvider.System.GetElapsedTime(begin) < TimeSpan.FromSeconds(seconds);)
        {
            try
            {
                last = await RowAsync(id);
                if (wanted(last)) return last;
            }
            catch (NpgsqlException) when (_ownsCluster)
            {
                // The test has stopped it.
            }

            await Task.Delay(TimeSpan.FromMilliseconds(15), TimeProvider.System, Cancellation);
        }

        throw new TimeoutException($"execution {id} is {last} after {seconds} s\n{Logs()}");
    }

    public async Task<Ended> RowAsync(Guid id)
    {
        await using var command = Database.Sql.CreateCommand(
            "SELECT status, result::text, error, error_details::text, run, tokens_out, current_node_id, seq FROM lekhika.workflow_executions WHERE id = $1");
        command.Parameters.AddWithValue(id);
        await using var reader = await command.ExecuteReaderAsync(Cancellation);
        Assert.True(await reader.ReadAsync(Cancellation), $"no execution {id}");
        return new Ended(
            reader.GetString(0), Text(1), Text(2), Text(3), reader.GetInt32(4), reader.GetInt64(5), Text(6), reader.GetInt64(7));

        string? Text(int column) => reader.IsDBNull(column) ? null : reader.GetString(column);
    }

    /// <summary>The recorded outcomes of a run, as "key outcome", in the order of their ends.</summary>
    public async Task<List<string>> StepsAsync(Guid id)
    {
        var steps = new List<string>();
        await using var command = Database.Sql.CreateCommand(
            "SELECT step_key || ' ' || outcome FROM lekhika.execution_steps WHERE execution_id = $1 ORDER BY run, finished_at, step_key");
        command.Parameters.AddWithValue(id);
        await using var reader = await command.ExecuteReaderAsync(Cancellation);
        while (await reader.ReadAsync(Cancellation)) steps.Add(reader.GetString(0));
        return steps;
    }

    /// <summary>Waits until the double's counters are as wanted.</summary>
    public async Task<DoubleStats> UntilOllamaAsync(Func<DoubleStats, bool> wanted, int seconds = 20)
    {
        for (var begin = TimeProvider.System.GetTimestamp(); TimeProvider.System.GetElapsedTime(begin) < TimeSpan.FromSeconds(seconds);)
        {
            if (Ollama.Stats is var stats && wanted(stats)) return stats;
            await Task.Delay(TimeSpan.FromMilliseconds(5), TimeProvider.System, Cancellation);
        }

        throw new TimeoutException($"the double did not come to what was wanted within {seconds} s: {Ollama.Stats}\n{Logs()}");
    }

    /// <summary>Waits until a query answers as wanted.</summary>
    public async Task<T> UntilSqlAsync<T>(string sql, Func<T, bool> wanted, int seconds = 20, params object[] values)
        where T : struct
    {
        T last = default;
        for (var begin = TimeProvider.System.GetTimestamp(); TimeProvider.System.GetElapsedTime(begin) < TimeSpan.FromSeconds(seconds);)
        {
            last = await Database.ScalarAsync<T>(sql, Cancellation, values);
            if (wanted(last)) return last;
            await Task.Delay(TimeSpan.FromMilliseconds(15), TimeProvider.System, Cancellation);
        }

        throw new TimeoutException($"'{sql}' says {last} after {seconds} s\n{Logs()}");
    }

    public async ValueTask DisposeAsync()
    {
        foreach (var daemon in _daemons) await daemon.DisposeAsync();
        await Ollama.DisposeAsync();
        await Database.DisposeAsync();
        if (_ownsCluster) await _cluster.DisposeAsync();
        _folder.Dispose();
    }

    private string Logs() => string.Join("\n", _daemons.Select((daemon, i) => $"── daemon {(i + 1).ToString(CultureInfo.InvariantCulture)}\n{daemon.Child.Tail()}"));
}

/// <summary>A row of workflow_executions.</summary>
internal sealed record Ended(string Status, string? Result, string? Error, string? Details, int Run, long TokensOut, string? CurrentNode, long Seq)
{
    public bool IsOver => Status is "completed" or "failed" or "cancelled";

    /// <summary>The code in error_details.</summary>
    public string? Code => Details is null ? null : Json(Details).GetProperty("code").GetString();

    public JsonElement ResultJson => Json(Result ?? "null");

    private static JsonElement Json(string text)
    {
        using var document = JsonDocument.Parse(text);
        return document.RootElement.Clone();
    }
}
