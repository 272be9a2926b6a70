using System.Text.Json;
using Lekhika.Postgres.Executions;
using Lekhika.Postgres.Queue;
using Lekhika.Workflows.Execution;
using Npgsql;
using Xunit;

namespace Lekhika.Tests.Support;

/// <summary>The engine's calls as tests make them: short names, one incarnation per call, answers as plain values.</summary>
internal sealed class Engine(MigratedDatabase database) : IAsyncDisposable
{
    public MigratedDatabase Db => database;

    public QueueReader Queue { get; } = new(database.Database);

    public Submitter Submitter { get; } = new(database.Database);

    public ExecutionReader Reader { get; } = new(database.Database);

    private static CancellationToken Token => TestContext.Current.CancellationToken;

    public static async Task<Engine> CreateAsync(PostgresCluster cluster) => new(await MigratedDatabase.CreateAsync(cluster, Token));

    public Task ExecuteAsync(string sql, params object[] values) => database.ExecuteAsync(sql, Token, values);

    public Task<T?> ScalarAsync<T>(string sql, params object[] values) => database.ScalarAsync<T>(sql, Token, values);

    public async Task<List<T>> ListAsync<T>(string sql, params object[] values)
    {
        await using var command = database.Sql.CreateCommand(sql);
        foreach (var value in values) command.Parameters.AddWithValue(value);
        await using var reader = await command.ExecuteReaderAsync(Token);
        var list = new List<T>();
        while (await reader.ReadAsync(Token)) list.Add(await reader.GetFieldValueAsync<T>(0, Token));
        return list;
    }

    /// <summary>A new incarnation with a lease that outlives the test.</summary>
    public async Task<long> EnlistAsync(string name = "w", int leaseSeconds = 3600) => await ScalarAsync<long>(
        "SELECT lekhika.enlist($1, 'host', NULL, '0', 10, make_interval(secs => $2))", name, (double)leaseSeconds);

    /// <summary>Lets the lease of an incarnation lapse, as if it had been silent.</summary>
    public Task ExpireAsync(long incarnation) =>
        ExecuteAsync("UPDATE lekhika.workers SET expires_at = clock_timestamp() - interval '1 second' WHERE inc = $1", incarnation);

    /// <summary>Inserts executions as a backend does; the answer is their inner numbers, in order.</summary>
    public Task<List<long>> InsertAsync(int count, string status = "pending", int priority = 0, string? userId = null) => ListAsync<long>(
        """
        WITH made AS (INSERT INTO lekhika.workflow_executions (status, priority, user_id)
                      SELECT $2, $3, nullif($4, '') FROM generate_series(1, $1) RETURNING seq)
        SELECT seq FROM made ORDER BY seq
        """,
        count, status, priority, userId ?? "");

    public async Task<long> InsertAsync(string status = "pending", int priority = 0, string? userId = null) =>
        (await InsertAsync(1, status, priority, userId))[0];

    public Task<List<ClaimedExecution>> ClaimAsync(long incarnation, int limit = 100, params ListShare[] lists) =>
        Queue.ClaimAsync(incarnation, limit, lists.Length == 0 ? null : lists, Token);

    /// <summary>Inserts one and claims it.</summary>
    public async Task<Fence> HoldAsync(long incarnation)
    {
        var exec = await InsertAsync();
        return (await ClaimAsync(incarnation)).Single(claimed => claimed.Fence.Exec == exec).Fence;
    }

    /// <summary>One statement of the journal, without the journal.</summary>
    public async Task<JournalReply?[]> FlushAsync(long incarnation, params JournalEntry[] entries)
    {
        var sorted = entries.OrderBy(entry => entry.Fence.Exec).ToList();
        await using var connection = await database.Database.OpenAsync(Token);
        return await FlushCommand.ExecuteAsync(database.Database, connection, incarnation, "w" + incarnation, sorted, Token);
    }

    /// <summary>The verdict on one entry; null means locked.</summary>
    public async Task<JournalVerdict?> VerdictAsync(long incarnation, JournalEntry entry) => (await FlushAsync(incarnation, entry))[0]?.Verdict;

    public Task<int> ObeyAsync() => Queue.ObeyAsync(1000, Token);

    public Task<int> RescueAsync(long incarnation) => Queue.RescueAsync(incarnation, Token);

    public Task<int> EvictAsync(long incarnation) => Queue.EvictAsync(incarnation, Token);

    public Task<int> SetStatusAsync(long exec, string status) => ExecuteCountAsync(
        "UPDATE lekhika.workflow_executions SET status = $2 WHERE seq = $1", exec, status);

    public async Task<int> ExecuteCountAsync(string sql, params object[] values)
    {
        await using var command = database.Sql.CreateCommand(sql);
        foreach (var value in values) command.Parameters.AddWithValue(value);
        return await command.ExecuteNonQueryAsync(Token);
    }

    /// <summary>The notices of one statement.</summary>
    public async Task<List<string>> NoticesAsync(string sql, params object[] values)
    {
        await using var connection = await database.Sql.OpenConnectionAsync(Token);
        var notices = new List<string>();
        void Note(object sender, NpgsqlNoticeEventArgs arguments) => notices.Add(arguments.Notice.MessageText);
        connection.Notice += Note;
        await using var command = new NpgsqlCommand(sql, connection);
        foreach (var value in values) command.Parameters.AddWithValue(value);
        await command.ExecuteNonQueryAsync(Token);
        connection.Notice -= Note;
        return notices;
    }

    public Task<string?> StatusAsync(long exec) => ScalarAsync<string>("SELECT status FROM lekhika.workflow_executions WHERE seq = $1", exec);

    public async Task<int> RunAsync(long exec) => await ScalarAsync<int>("SELECT run FROM lekhika.workflow_executions WHERE seq = $1", exec);

    /// <summary>Where an execution is: ready, held, parked, none; several names if it is in several places.</summary>
    public async Task<string> PlaceAsync(long exec) => await ScalarAsync<string>(
        """
        SELECT coalesce(string_agg(place, '+' ORDER BY place), 'none') FROM (
            SELECT 'ready' AS place FROM lekhika.ready WHERE exec = $1
            UNION ALL SELECT 'held' FROM lekhika.held WHERE exec = $1
            UNION ALL SELECT CASE WHEN paused THEN 'parked (paused)' ELSE 'parked' END FROM lekhika.parked WHERE exec = $1) p
        """,
        exec) ?? "";

    /// <summary>Keys and outputs of the final outcomes of a run.</summary>
    public Task<List<string>> OutcomesAsync(long exec, int run = 1) => ListAsync<string>(
        "SELECT step_key || '=' || coalesce(output->>'v', outcome) FROM lekhika.workflow_execution_steps WHERE seq = $1 AND run = $2 AND ordinal = 0 ORDER BY step_key",
        exec, run);

    /// <summary>Waits until some session of this database waits for a lock.</summary>
    public async Task UntilBlockedAsync(int sessions = 1)
    {
        const string Waiting = "SELECT count(*) FROM pg_stat_activity WHERE datname = current_database() AND wait_event_type = 'Lock'";
        while (await ScalarAsync<long>(Waiting) < sessions) await Task.Delay(TimeSpan.FromMilliseconds(5), TimeProvider.System, Token);
    }

    /// <summary>A session of its own in an open transaction that has run the given statement.</summary>
    public async Task<Session> BeginAsync(string sql, params object[] values)
    {
        var connection = await database.Sql.OpenConnectionAsync(Token);
        var session = new Session(connection, await connection.BeginTransactionAsync(Token));
        await session.ExecuteAsync(sql, values);
        return session;
    }

    public ValueTask DisposeAsync() => database.DisposeAsync();

    public static JsonElement Json(string text)
    {
        using var document = JsonDocument.Parse(text);
        return document.RootElement.Clone();
    }

    public static StepRecord Step(string key, string value = "1", int attempt = 1, int run = 1) => new()
    {
        Run = run,
        Key = key,
        Attempt = attempt,
        Outcome = StepOutcome.Succeeded,
        Output = Json($$"""{"v": "{{value}}"}"""),
    };

    public static StepRecord Retrying(string key, int attempt = 1, int run = 1) => new()
    {
        Run = run,
        Key = key,
        Attempt = attempt,
        Outcome = StepOutcome.Retrying,
        DueAt = DateTimeOffset.UnixEpoch,
        Error = new StepError("http_error", "no"),
    };

    public static StepRecord Decided(string key, string branch, int run = 1) => Step(key, run: run) with { Branch = branch };

    public static JournalEntry Append(Fence fence, params StepRecord[] steps) => new() { Fence = fence, Kind = JournalKind.Append, Steps = steps };

    public static JournalEntry Running(Fence fence, params StepRecord[] steps) =>
        new() { Fence = fence, Kind = JournalKind.Running, NodeId = "n", StartedAt = DateTimeOffset.UnixEpoch, Steps = steps };

    public static JournalEntry Park(Fence fence, string why, DateTimeOffset? due = null, params StepRecord[] steps) => new()
    {
        Fence = fence,
        Kind = JournalKind.Park,
        Why = why,
        DueAt = due,
        WaitingFor = Json("""{"kind": "time"}"""),
        Steps = steps,
    };

    public static JournalEntry Finish(Fence fence, string status = "completed", params StepRecord[] steps) => new()
    {
        Fence = fence,
        Kind = JournalKind.Finish,
        Status = status,
        Result = Json("""{"done": true}"""),
        Steps = steps,
    };

    public static JournalEntry Release(Fence fence, params StepRecord[] steps) => new() { Fence = fence, Kind = JournalKind.Release, Steps = steps };

    /// <summary>An open transaction.</summary>
    internal sealed class Session(NpgsqlConnection connection, NpgsqlTransaction transaction) : IAsyncDisposable
    {
        public async Task ExecuteAsync(string sql, params object[] values)
        {
            await using var command = new NpgsqlCommand(sql, connection, transaction);
            foreach (var value in values) command.Parameters.AddWithValue(value);
            await command.ExecuteNonQueryAsync(Token);
        }

        public async Task<T?> ScalarAsync<T>(string sql, params object[] values)
        {
            await using var command = new NpgsqlCommand(sql, connection, transaction);
            foreach (var value in values) command.Parameters.AddWithValue(value);
            return await command.ExecuteScalarAsync(Token) is T result ? result : default;
        }

        public Task CommitAsync() => transaction.CommitAsync(Token);

        public Task RollbackAsync() => transaction.RollbackAsync(Token);

        public async ValueTask DisposeAsync()
        {
            await transaction.DisposeAsync();
            await connection.DisposeAsync();
        }
    }
}
