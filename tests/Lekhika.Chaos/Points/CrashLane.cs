using System.Net;
using System.Net.Http.Headers;
using System.Text;
using Lekhika.Chaos.World;
using Lekhika.Daemon.Tests.EndToEnd.Support;
using Npgsql;

namespace Lekhika.Chaos.Points;

/// <summary>
/// A database and a daemon of its own, in which one fixed scenario happens again and again: an execution of each small shape by INSERT, one by POST
/// /execute, a gate that is approved by POST, a schedule, and SIGTERM when all of it is over. Killed on the way, the daemon is started again at once and
/// has to bring everything to its end; then the campaign's checks are made, and that no step was done again which was recorded when the daemon died.
/// </summary>
internal sealed class CrashLane(string connectionString, World.Daemon daemon, Ledger ledger) : IAsyncDisposable
{
    private static readonly TimeSpan Patience = TimeSpan.FromSeconds(40);
    private static readonly TimeSpan Moment = TimeSpan.FromSeconds(2);
    private readonly Dictionary<string, Guid> _workflows = new(StringComparer.Ordinal);
    private IReadOnlyList<Shape> _shapes = [];

    public async Task PrepareAsync(CancellationToken cancellationToken)
    {
        var child = Guid.NewGuid();
        _shapes = Shape.Small(ledger.Url, child);
        await StoreAsync(child, "child", Shape.Child(ledger.Url), cancellationToken);
        foreach (var shape in _shapes) await StoreAsync(_workflows[shape.Name] = Guid.NewGuid(), shape.Name, shape.Definition, cancellationToken);
    }

    /// <summary>The scenario once, with the daemon killed at the point, if one is given.</summary>
    public async Task<PassResult> PassAsync(CrashPoint? point, CancellationToken cancellationToken)
    {
        var ids = _shapes.ToDictionary(static shape => shape.Name, static _ => Guid.NewGuid(), StringComparer.Ordinal);
        await InsertAsync(ids, cancellationToken);
        var from = daemon.Proxy.Messages;
        var struck = new TaskCompletionSource<byte>(TaskCreationOptions.RunContinuationsAsynchronously);
        ChildProcess? life = null;
        if (point is { } at)
        {
            daemon.Proxy.TrapAt(at.Message, at.Before, type =>
            {
                // This life alone: an answer that is late must not end the next one.
                SpinWait.SpinUntil(() => Volatile.Read(ref life) is not null);
                Volatile.Read(ref life)!.TrySignal(Signals.Kill);
                struck.TrySetResult(type);
            });
        }

        daemon.Start();
        Volatile.Write(ref life, daemon.Process);
        var problems = new List<string>();
        long? messages = null;
        Dictionary<string, int>? recorded = null;
        var (posted, approved, scheduled, over) = (false, false, true, false);
        for (var begun = TimeProvider.System.GetTimestamp(); !over && TimeProvider.System.GetElapsedTime(begun) < Patience;)
        {
            if (struck.Task.IsCompleted && recorded is null)
            {
                messages = daemon.Proxy.Messages - from;
                await daemon.EndAsync(Signals.Kill, cancellationToken);
                recorded = await RecordedAsync(cancellationToken);
                daemon.Start();
            }

            if (daemon.Process is { HasExited: true } dead)
            {
                if (recorded is null && await IsStruckAsync(struck.Task, point, dead.ExitCode)) continue;
                problems.Add($"it ended by itself with exit code {dead.ExitCode}: {dead.Tail(5)}");
                break;
            }

            if (!posted) posted = await PostAsync("execute", Body(ids["posted"]), cancellationToken);
            else if (!approved) approved = await PostAsync($"approve/{ids["gate"]}", "{}", cancellationToken);
            if (await CountAsync(Left, cancellationToken) > 0 || !posted)
            {
                await Task.Delay(TimeSpan.FromMilliseconds(15), TimeProvider.System, cancellationToken);
            }
            else if (scheduled)
            {
                scheduled = await ExecuteAsync(Audit.EndSchedule, cancellationToken) == 0;
                if (scheduled) await Task.Delay(TimeSpan.FromMilliseconds(15), TimeProvider.System, cancellationToken);
            }
            // Told to stop before it knows what that means it would only die of it.
            else if (await IsListeningAsync(cancellationToken))
            {
                over = await StopAsync(struck.Task, point, recorded is not null, problems, cancellationToken);
            }
        }

        daemon.Proxy.Disarm();
        if (!over) problems.Add($"not everything came to its end in {Patience.TotalSeconds:0} s: {await StandingAsync(cancellationToken)}");
        if (daemon.Process is not null) await daemon.EndAsync(Signals.Kill, cancellationToken);
        problems.AddRange(await ProblemsAsync(ids, recorded, cancellationToken));
        await ExecuteAsync(Wipe, cancellationToken);
        return new PassResult((int)(messages ?? daemon.Proxy.Messages - from), struck.Task.IsCompleted ? struck.Task.Result : null, problems);
    }

    public ValueTask DisposeAsync() => daemon.DisposeAsync();

    public void KeepLog(string folder) => daemon.KeepLog(folder);

    /// <summary>SIGTERM. False: the daemon was killed at one of its last messages, and goes on in another life.</summary>
    private async Task<bool> StopAsync(Task<byte> struck, CrashPoint? point, bool wasStruck, List<string> problems, CancellationToken cancellationToken)
    {
        if (daemon.Process is not { } process) return true;
        if (!process.HasExited) process.TrySignal(Signals.Terminate);
        var code = await process.EndAsync(cancellationToken);
        if (!wasStruck && await IsStruckAsync(struck, point, code)) return false;
        if (code != 0) problems.Add($"SIGTERM ended it with exit code {code}: {process.Tail(5)}");
        await daemon.EndAsync(Signals.Kill, cancellationToken);
        return true;
    }

    /// <summary>Whether it ended by the kill of this pass. Who killed it tells of that right after, but may have to wait for a processor meanwhile.</summary>
    private static async Task<bool> IsStruckAsync(Task<byte> struck, CrashPoint? point, int exitCode)
    {
        if (point is null || exitCode != 128 + Signals.Kill) return struck.IsCompleted;
        return await Task.WhenAny(struck, Task.Delay(Moment, TimeProvider.System, CancellationToken.None)) == struck;
    }

    private async Task InsertAsync(Dictionary<string, Guid> ids, CancellationToken cancellationToken)
    {
        await using var connection = await OpenAsync(cancellationToken);
        foreach (var shape in _shapes.Where(static shape => shape.Name != "posted"))
        {
            await using var insert = new NpgsqlCommand("INSERT INTO lekhika.workflow_executions (id, workflow_id, inputs) VALUES ($1, $2, $3::jsonb)", connection);
            insert.Parameters.AddWithValue(ids[shape.Name]);
            insert.Parameters.AddWithValue(_workflows[shape.Name]);
            insert.Parameters.AddWithValue(shape.Inputs(7));
            await insert.ExecuteNonQueryAsync(cancellationToken);
        }

        var pure = _shapes.Single(static shape => shape.Name == "pure");
        await using var schedule = new NpgsqlCommand(Audit.BeginSchedule, connection);
        schedule.Parameters.AddWithValue(_workflows[pure.Name]);
        schedule.Parameters.AddWithValue(pure.Inputs(1));
        await schedule.ExecuteNonQueryAsync(cancellationToken);
    }

    private string Body(Guid id)
    {
        var shape = _shapes.Single(static shape => shape.Name == "posted");
        return $$"""{"executionId":"{{id}}","workflow":{{shape.Definition}},"inputs":{{shape.Inputs(7)}},"userId":"by http"}""";
    }

    /// <summary>Whether it was acknowledged. After no answer, or a refusal for now, it is sent again.</summary>
    private async Task<bool> PostAsync(string path, string body, CancellationToken cancellationToken)
    {
        try
        {
            using var content = new StringContent(body, Encoding.UTF8, new MediaTypeHeaderValue("application/json"));
            using var reply = await daemon.Http.PostAsync(new Uri(path, UriKind.Relative), content, cancellationToken);
            return reply.StatusCode is HttpStatusCode.OK or HttpStatusCode.Accepted;
        }
        catch (Exception exception) when (exception is HttpRequestException or TaskCanceledException && !cancellationToken.IsCancellationRequested)
        {
            return false;
        }
    }

    private async Task<bool> IsListeningAsync(CancellationToken cancellationToken)
    {
        try
        {
            using var reply = await daemon.Http.GetAsync(new Uri("health", UriKind.Relative), cancellationToken);
            return true;
        }
        catch (Exception exception) when (exception is HttpRequestException or TaskCanceledException && !cancellationToken.IsCancellationRequested)
        {
            return false;
        }
    }

    /// <summary>How often each effect was seen outside whose result was recorded when the daemon died, once the server has let go of its connections.</summary>
    private async Task<Dictionary<string, int>> RecordedAsync(CancellationToken cancellationToken)
    {
        while (await CountAsync($"SELECT count(*) FROM pg_stat_activity WHERE application_name = '{daemon.Name}'", cancellationToken) > 0)
            await Task.Delay(TimeSpan.FromMilliseconds(5), TimeProvider.System, cancellationToken);
        var seen = new Dictionary<string, int>(StringComparer.Ordinal);
        await using var connection = await OpenAsync(cancellationToken);
        await using var command = new NpgsqlCommand(
            """
            SELECT e.id::text || ':' || s.step_key || ':' || s.run
              FROM lekhika.workflow_execution_steps s JOIN lekhika.workflow_executions e USING (seq)
             WHERE s.outcome IN ('succeeded', 'failed')
            """, connection);
        await using var reader = await command.ExecuteReaderAsync(cancellationToken);
        while (await reader.ReadAsync(cancellationToken))
        {
            if (ledger.Entries.TryGetValue(reader.GetString(0), out var entry)) seen[reader.GetString(0)] = entry.Times;
        }

        return seen;
    }

    private async Task<List<string>> ProblemsAsync(Dictionary<string, Guid> ids, Dictionary<string, int>? recorded, CancellationToken cancellationToken)
    {
        var problems = new List<string>();
        foreach (var (what, sql) in Audit.Checks)
        {
            if (await CountAsync(sql, cancellationToken) is > 0 and var count) problems.Add($"{what}: {count}");
        }

        var there = await CountAsync("SELECT count(*) FROM lekhika.workflow_executions WHERE parent_id IS NULL AND NOT request ? 'schedule' OR request IS NULL AND parent_id IS NULL", cancellationToken);
        if (there != ids.Count) problems.Add($"{ids.Count} executions were acknowledged, {there} are there");
        foreach (var (key, times) in recorded ?? [])
        {
            if (ledger.Entries[key].Times != times) problems.Add($"{key} was recorded when the daemon died, and done again");
        }

        await using (var connection = await OpenAsync(cancellationToken))
        {
            problems.AddRange((await Repetitions.AfterRecordAsync(connection, ledger, cancellationToken)).Select(static late => $"done again after it was recorded: {late.What}"));
        }

        // Of one kill each effect is lost once at most; the answers that the ledger withholds come on top.
        var own = ids.Values.Select(static id => id.ToString()).ToHashSet(StringComparer.Ordinal);
        foreach (var (key, entry) in ledger.Entries.Where(one => own.Contains(one.Key.Split(':')[0])))
        {
            if (entry.Times - entry.AnswersLost > 2) problems.Add($"{key} was done {entry.Times} times");
        }

        return problems;
    }

    private async Task<string> StandingAsync(CancellationToken cancellationToken)
    {
        await using var connection = await OpenAsync(cancellationToken);
        await using var command = new NpgsqlCommand(
            "SELECT string_agg(concat_ws(' ', inputs->>'shape', status, error), ', ') FROM lekhika.workflow_executions WHERE status <> 'completed'", connection);
        return await command.ExecuteScalarAsync(cancellationToken) as string ?? "all executions completed";
    }

    private async Task StoreAsync(Guid id, string name, string definition, CancellationToken cancellationToken)
    {
        await using var connection = await OpenAsync(cancellationToken);
        await using var insert = new NpgsqlCommand("INSERT INTO lekhika.workflows (id, name, definition) VALUES ($1, $2, $3::jsonb)", connection);
        insert.Parameters.AddWithValue(id);
        insert.Parameters.AddWithValue(name);
        insert.Parameters.AddWithValue(definition);
        await insert.ExecuteNonQueryAsync(cancellationToken);
    }

    private async Task<long> CountAsync(string sql, CancellationToken cancellationToken)
    {
        await using var connection = await OpenAsync(cancellationToken);
        await using var command = new NpgsqlCommand(sql, connection);
        return (long)(await command.ExecuteScalarAsync(cancellationToken))!;
    }

    private async Task<int> ExecuteAsync(string sql, CancellationToken cancellationToken)
    {
        await using var connection = await OpenAsync(cancellationToken);
        await using var command = new NpgsqlCommand(sql, connection);
        return await command.ExecuteNonQueryAsync(cancellationToken);
    }

    private async Task<NpgsqlConnection> OpenAsync(CancellationToken cancellationToken)
    {
        var connection = new NpgsqlConnection(connectionString);
        await connection.OpenAsync(cancellationToken);
        return connection;
    }

    private const string Left = """
        SELECT count(*) FILTER (WHERE status NOT IN ('completed', 'failed', 'cancelled')) + (count(*) FILTER (WHERE request ? 'schedule') = 0)::int
          FROM lekhika.workflow_executions
        """;

    // Without the triggers: it is as if nothing had been.
    private const string Wipe = """
        SET session_replication_role = replica;
        DELETE FROM lekhika.workflow_executions; DELETE FROM lekhika.workflow_execution_steps; DELETE FROM lekhika.execution_runs;
        DELETE FROM lekhika.ready; DELETE FROM lekhika.held; DELETE FROM lekhika.parked; DELETE FROM lekhika.events; DELETE FROM lekhika.commands;
        DELETE FROM lekhika.outcomes; DELETE FROM lekhika.workflow_signals; DELETE FROM lekhika.workflow_schedules;
        DELETE FROM audit.moves; DELETE FROM audit.gone; DELETE FROM audit.claims; DELETE FROM audit.steps; DELETE FROM audit.schedules;
        RESET session_replication_role;
        """;
}
