using System.Collections.Concurrent;
using System.Net;
using System.Net.Http.Headers;
using System.Text;
using Npgsql;
using NpgsqlTypes;

namespace Lekhika.Chaos.World;

/// <summary>
/// Puts executions in, by INSERT (straight to the server, past the proxies) and by POST /execute to a daemon at random; cancels, pauses and resumes some by
/// SQL, and opens new runs of finished ones, some the moment they were cancelled, under the hands of whoever holds them; sends signals, early, late and
/// twice. Remembers what was acknowledged: that must not be lost.
/// </summary>
internal sealed class Workload(string connectionString, IReadOnlyList<Daemon> daemons, int seed)
{
    private static readonly TimeSpan CatchUp = TimeSpan.FromSeconds(30);
    private readonly Random _random = new(seed);
    // Older ones are over already, mostly.
    private const int Young = 60;
    private readonly List<(Guid Id, string Name)> _unsignalled = [];
    private readonly List<Guid> _taken = [];
    private readonly List<Guid> _paused = [];
    private readonly Dictionary<string, Guid> _workflows = new(StringComparer.Ordinal);
    private IReadOnlyList<Shape> _shapes = [];

    /// <summary>Whose insertion was confirmed.</summary>
    public ConcurrentDictionary<Guid, Shape> Acknowledged { get; } = new();

    /// <summary>Whose insertion was neither confirmed nor refused: there or not, both are right.</summary>
    public ConcurrentDictionary<Guid, Shape> Unknown { get; } = new();

    /// <summary>Those that somebody cancelled: they may end as cancelled.</summary>
    public ConcurrentDictionary<Guid, bool> Cancelled { get; } = new();

    public async Task PrepareAsync(string ledger, CancellationToken cancellationToken)
    {
        var child = Guid.NewGuid();
        _shapes = Shape.All(ledger, child);
        await using var connection = await OpenAsync(cancellationToken);
        await StoreAsync(connection, child, "child of the campaign", Shape.Child(ledger), cancellationToken);
        foreach (var shape in _shapes)
        {
            var id = _workflows[shape.Name] = Guid.NewGuid();
            await StoreAsync(connection, id, shape.Name, shape.Definition, cancellationToken);
        }

        await using var schedule = new NpgsqlCommand(Audit.BeginSchedule, connection);
        schedule.Parameters.AddWithValue(_workflows["pure"]);
        schedule.Parameters.AddWithValue("""{"shape":"pure","n":1,"expect":4}""");
        await schedule.ExecuteNonQueryAsync(cancellationToken);
    }

    /// <summary>Works until stopped.</summary>
    public async Task RunAsync(CancellationToken stop)
    {
        using var pace = new PeriodicTimer(TimeSpan.FromMilliseconds(250));
        while (!stop.IsCancellationRequested)
        {
            try
            {
                await pace.WaitForNextTickAsync(stop);
                await InsertAsync(_random.Next(5, 25), stop);
                if (_random.NextDouble() < 0.5) await PostAsync(stop);
                if (_random.NextDouble() < 0.3) await MeddleAsync(stop);
                await SignalAsync(all: false, stop);
            }
            catch (Exception exception) when (exception is NpgsqlException or TimeoutException or OperationCanceledException)
            {
                // The server is away; producers have that too, and go on when it is back.
            }
        }
    }

    /// <summary>No slot of the schedule comes due any more, once those that were missed are made up for. False: they were not in time.</summary>
    public async Task<bool> EndScheduleAsync(CancellationToken cancellationToken)
    {
        await using var connection = await OpenAsync(cancellationToken);
        for (var begun = TimeProvider.System.GetTimestamp(); TimeProvider.System.GetElapsedTime(begun) < CatchUp;)
        {
            await using var end = new NpgsqlCommand(Audit.EndSchedule, connection);
            if (await end.ExecuteNonQueryAsync(cancellationToken) > 0) return true;
            await Task.Delay(TimeSpan.FromMilliseconds(200), TimeProvider.System, cancellationToken);
        }

        await using var stop = new NpgsqlCommand("UPDATE lekhika.workflow_schedules SET is_active = false", connection);
        await stop.ExecuteNonQueryAsync(cancellationToken);
        return false;
    }

    /// <summary>Lets go of everything that only waits for somebody: signals not sent yet, pauses.</summary>
    public async Task SettleAsync(CancellationToken cancellationToken)
    {
        await SignalAsync(all: true, cancellationToken);
        await using var connection = await OpenAsync(cancellationToken);
        await using var resume = new NpgsqlCommand("UPDATE lekhika.workflow_executions SET status = 'running' WHERE status = 'paused'", connection);
        await resume.ExecuteNonQueryAsync(cancellationToken);
    }

    private Shape Pick()
    {
        var shape = _shapes[_random.Next(_shapes.Count)];
        return shape.IsRare && _random.Next(3) > 0 ? _shapes[_random.Next(_shapes.Count)] : shape;
    }

    private async Task InsertAsync(int count, CancellationToken cancellationToken)
    {
        var batch = Enumerable.Range(0, count).Select(_ => (Id: Guid.NewGuid(), Shape: Pick(), N: _random.Next(1000))).ToList();
        foreach (var (id, shape, _) in batch) Unknown[id] = shape;
        await using var connection = await OpenAsync(cancellationToken);
        await using var insert = new NpgsqlCommand(
            """
            INSERT INTO lekhika.workflow_executions (id, workflow_id, inputs, user_id, priority, status)
            SELECT x.id, x.workflow, x.inputs::jsonb, x.who, x.priority, x.status
              FROM unnest($1::uuid[], $2::uuid[], $3::text[], $4::text[], $5::int[], $6::text[]) AS x (id, workflow, inputs, who, priority, status)
            """, connection);
        insert.Parameters.Add(Array(batch.Select(static one => one.Id), NpgsqlDbType.Uuid));
        insert.Parameters.Add(Array(batch.Select(one => _workflows[one.Shape.Name]), NpgsqlDbType.Uuid));
        insert.Parameters.Add(Array(batch.Select(static one => one.Shape.Inputs(one.N)), NpgsqlDbType.Text));
        insert.Parameters.Add(Array(batch.Select(_ => $"user {_random.Next(6)}"), NpgsqlDbType.Text));
        insert.Parameters.Add(Array(batch.Select(_ => _random.Next(3)), NpgsqlDbType.Integer));
        insert.Parameters.Add(Array(batch.Select(_ => _random.Next(4) == 0 ? "running" : "pending"), NpgsqlDbType.Text));
        await insert.ExecuteNonQueryAsync(cancellationToken);
        foreach (var (id, shape, _) in batch) Take(id, shape);
    }

    private async Task PostAsync(CancellationToken cancellationToken)
    {
        var (id, shape, n) = (Guid.NewGuid(), Pick(), _random.Next(1000));
        Unknown[id] = shape;
        var body = $$"""{"executionId":"{{id}}","workflow":{{shape.Definition}},"inputs":{{shape.Inputs(n)}},"userId":"by http"}""";
        // Once more where no answer came, to another daemon maybe: the same id is the same execution.
        for (var attempt = 0; attempt < 3; attempt++)
        {
            try
            {
                using var content = new StringContent(body, Encoding.UTF8, new MediaTypeHeaderValue("application/json"));
                using var reply = await daemons[_random.Next(daemons.Count)].Http.PostAsync(new Uri("execute", UriKind.Relative), content, cancellationToken);
                if (reply.StatusCode is HttpStatusCode.OK or HttpStatusCode.Accepted)
                {
                    Take(id, shape);
                    return;
                }

                if ((int)reply.StatusCode is >= 400 and < 500)
                {
                    throw new InvalidOperationException($"POST /execute: {(int)reply.StatusCode} {await reply.Content.ReadAsStringAsync(cancellationToken)}");
                }
            }
            catch (Exception exception) when (exception is HttpRequestException or TaskCanceledException && !cancellationToken.IsCancellationRequested)
            {
                // Not there, or no answer in time.
            }
        }
    }

    private async Task MeddleAsync(CancellationToken cancellationToken)
    {
        await using var connection = await OpenAsync(cancellationToken);
        if (_paused.Count > 5)
        {
            await SetAsync(connection, _paused, "running", cancellationToken);
            _paused.Clear();
        }

        var some = _taken.TakeLast(Young).OrderBy(_ => _random.Next()).Take(2).ToList();
        if (some.Count < 2) return;
        var cancelled = (_random.Next(2) == 0 ? await HeldAsync(connection, cancellationToken) : null) ?? some[0];
        Cancelled[cancelled] = true;
        await SetAsync(connection, [cancelled], "cancelled", cancellationToken);
        if (cancelled != some[0] || _random.Next(2) == 0) await ReopenAsync(connection, cancelled, cancellationToken);
        _paused.Add(some[1]);
        await SetAsync(connection, [some[1]], "paused", cancellationToken);
        if (_random.Next(3) == 0) await ReopenAsync(connection, _taken[_random.Next(_taken.Count)], cancellationToken);
    }

    /// <summary>One that a daemon holds just now; null if there is none of the workload's own.</summary>
    private async Task<Guid?> HeldAsync(NpgsqlConnection connection, CancellationToken cancellationToken)
    {
        await using var select = new NpgsqlCommand(
            "SELECT e.id FROM lekhika.held h JOIN lekhika.workflow_executions e ON e.seq = h.exec ORDER BY random()", connection);
        await using var reader = await select.ExecuteReaderAsync(cancellationToken);
        while (await reader.ReadAsync(cancellationToken))
        {
            if (Acknowledged.ContainsKey(reader.GetGuid(0))) return reader.GetGuid(0);
        }

        return null;
    }

    /// <summary>A new run, if it is over; it must come to the same end.</summary>
    private async Task ReopenAsync(NpgsqlConnection connection, Guid id, CancellationToken cancellationToken)
    {
        // What was sent to the run before is not the new one's, and whether it is opened may remain unknown.
        if (Acknowledged[id].Signal is { } name) _unsignalled.Add((id, name));
        await using var update = new NpgsqlCommand(
            "UPDATE lekhika.workflow_executions SET status = $2 WHERE id = $1 AND status IN ('completed', 'failed', 'cancelled') AND run < 4", connection);
        update.Parameters.AddWithValue(id);
        update.Parameters.AddWithValue(_random.Next(3) == 0 ? "running" : "pending");
        await update.ExecuteNonQueryAsync(cancellationToken);
    }

    private static async Task SetAsync(NpgsqlConnection connection, IEnumerable<Guid> ids, string status, CancellationToken cancellationToken)
    {
        await using var update = new NpgsqlCommand("UPDATE lekhika.workflow_executions SET status = $2 WHERE id = ANY ($1) AND status NOT IN ('completed', 'failed', 'cancelled')", connection);
        update.Parameters.Add(Array(ids, NpgsqlDbType.Uuid));
        update.Parameters.AddWithValue(status);
        await update.ExecuteNonQueryAsync(cancellationToken);
    }

    /// <summary>Some right after their insertion, some later; some twice.</summary>
    private async Task SignalAsync(bool all, CancellationToken cancellationToken)
    {
        var chosen = _unsignalled.Where(_ => all || _random.NextDouble() < 0.3).ToList();
        if (chosen.Count == 0) return;
        await using var connection = await OpenAsync(cancellationToken);
        await using var insert = new NpgsqlCommand(
            """
            INSERT INTO lekhika.workflow_signals (execution_id, name, payload)
            SELECT e.id, x.name, '{"from":"the campaign"}'
              FROM unnest($1::uuid[], $2::text[]) AS x (id, name)
              JOIN lekhika.workflow_executions e ON e.id = x.id
             CROSS JOIN generate_series(1, 1 + (random() < 0.2)::int)
            """, connection);
        insert.Parameters.Add(Array(chosen.Select(static one => one.Id), NpgsqlDbType.Uuid));
        insert.Parameters.Add(Array(chosen.Select(static one => one.Name), NpgsqlDbType.Text));
        await insert.ExecuteNonQueryAsync(cancellationToken);
        foreach (var one in chosen) _unsignalled.Remove(one);
    }

    private void Take(Guid id, Shape shape)
    {
        Acknowledged[id] = shape;
        Unknown.TryRemove(id, out _);
        if (shape.Name is not "pure") _taken.Add(id);
        if (shape.Signal is { } name) _unsignalled.Add((id, name));
    }

    private static async Task StoreAsync(NpgsqlConnection connection, Guid id, string name, string definition, CancellationToken cancellationToken)
    {
        await using var insert = new NpgsqlCommand("INSERT INTO lekhika.workflows (id, name, definition) VALUES ($1, $2, $3::jsonb)", connection);
        insert.Parameters.AddWithValue(id);
        insert.Parameters.AddWithValue(name);
        insert.Parameters.AddWithValue(definition);
        await insert.ExecuteNonQueryAsync(cancellationToken);
    }

    private static NpgsqlParameter Array<T>(IEnumerable<T> values, NpgsqlDbType type) => new() { Value = values.ToArray(), NpgsqlDbType = NpgsqlDbType.Array | type };

    private async Task<NpgsqlConnection> OpenAsync(CancellationToken cancellationToken)
    {
        var connection = new NpgsqlConnection(connectionString);
        await connection.OpenAsync(cancellationToken);
        return connection;
    }
}
