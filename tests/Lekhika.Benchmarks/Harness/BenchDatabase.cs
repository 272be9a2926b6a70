using Npgsql;

namespace Lekhika.Benchmarks.Harness;

/// <summary>One database of the cluster, as a backend sees it.</summary>
internal sealed class BenchDatabase(BenchCluster cluster, string name) : IAsyncDisposable
{
    private readonly NpgsqlDataSource _source = NpgsqlDataSource.Create(cluster.ConnectionString(name));

    public string Name => name;

    public string Url => cluster.Url(name);

    public BenchCluster Cluster => cluster;

    public ValueTask<NpgsqlConnection> OpenAsync() => _source.OpenConnectionAsync();

    public async Task ExecuteAsync(string sql, params object[] values)
    {
        await using var command = Command(sql, values);
        await command.ExecuteNonQueryAsync();
    }

    public async Task<T> ScalarAsync<T>(string sql, params object[] values)
    {
        await using var command = Command(sql, values);
        return (T)(await command.ExecuteScalarAsync())!;
    }

    public async Task<List<double>> NumbersAsync(string sql, params object[] values)
    {
        await using var command = Command(sql, values);
        await using var reader = await command.ExecuteReaderAsync();
        var numbers = new List<double>();
        while (await reader.ReadAsync()) numbers.Add(reader.GetDouble(0));
        return numbers;
    }

    /// <summary>Stores a workflow.</summary>
    public async Task<Guid> WorkflowAsync(string definition)
    {
        var id = Guid.NewGuid();
        await ExecuteAsync("INSERT INTO lekhika.workflows (id, name, definition) VALUES ($1, 'bench', $2::jsonb)", id, definition);
        return id;
    }

    /// <summary>Inserts executions in one transaction.</summary>
    public Task InsertAsync(Guid workflow, int count, string more = "", string columns = "") => ExecuteAsync(
        $"INSERT INTO lekhika.workflow_executions (workflow_id, inputs{columns}) SELECT $1, '{{}}'{more} FROM generate_series(1, $2) AS n", workflow, count);

    public async ValueTask DisposeAsync()
    {
        await _source.DisposeAsync();
        if (name.StartsWith("bench_", StringComparison.Ordinal)) await cluster.DropAsync(name);
    }

    private NpgsqlCommand Command(string sql, object[] values)
    {
        var command = _source.CreateCommand(sql);
        foreach (var value in values) command.Parameters.AddWithValue(value);
        return command;
    }
}
