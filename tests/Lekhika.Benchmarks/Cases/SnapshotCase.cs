using Lekhika.Benchmarks.Harness;
using Npgsql;

namespace Lekhika.Benchmarks.Cases;

/// <summary>Draining while a transaction that was opened before stays open and readers overlap: nothing that is deleted can be cleaned away.</summary>
internal sealed class SnapshotCase : ICase
{
    public string Name => "snapshot";

    public async Task RunAsync(Bench bench)
    {
        var count = bench.Options.Scale(50_000);
        var runs = await bench.AlternateAsync(
            Name,
            ("without", () => Drains.OursAsync(bench, count)),
            ("with", () => Drains.OursAsync(bench, count, before: HoldAsync)),
            ("tenants without", () => Drains.OursAsync(bench, count, insert: (database, workflow) => TenantsAsync(database, workflow, count))),
            ("tenants with", () => Drains.OursAsync(bench, count, before: HoldAsync, insert: (database, workflow) => TenantsAsync(database, workflow, count))),
            ("graphile with", () => Drains.GraphileAsync(bench, count, snapshot: true)),
            ("pg-boss with", () => Drains.PgBossAsync(bench, count, snapshot: true)));
        Add("with an old snapshot", "with", "ours without it", "without", "≥ 0.9 ×", static (_, _, ratio) => ratio >= 0.9);
        Add("with it, priorities and 100 tenants", "tenants with", "ours without it, priorities and 100 tenants", "tenants without", "≥ 0.9 ×", static (_, _, ratio) => ratio >= 0.9);
        Add("with an old snapshot", "with", "graphile-worker batched with one", "graphile with");
        Add("with an old snapshot", "with", "pg-boss with one", "pg-boss with");

        void Add(string form, string ours, string peer, string theirs, string aim = "", Func<double, double, double, bool>? met = null) => bench.Add(new Row
        {
            Case = Name,
            Ours = form,
            OursRuns = runs[ours],
            Peer = peer,
            PeerRuns = runs[theirs],
            Unit = "executions/s",
            Aim = aim,
            IsMet = met,
        });
    }

    private static Task TenantsAsync(BenchDatabase database, Guid workflow, int count) =>
        database.InsertAsync(workflow, count, ", 'user ' || n % 100, n % 3", ", user_id, priority");

    private static async Task<IAsyncDisposable?> HoldAsync(BenchDatabase database)
    {
        var snapshot = new OldSnapshot(await database.OpenAsync(), database);
        await snapshot.BeginAsync();
        return snapshot;
    }

    /// <summary>The open transaction, and readers each of which begins before the one before has ended.</summary>
    private sealed class OldSnapshot(NpgsqlConnection connection, BenchDatabase database) : IAsyncDisposable
    {
        private readonly CancellationTokenSource _stop = new();
        private Task _readers = Task.CompletedTask;

        public async Task BeginAsync()
        {
            await using var command = new NpgsqlCommand(
                "BEGIN ISOLATION LEVEL REPEATABLE READ; SELECT count(*) FROM lekhika.workflow_executions", connection);
            await command.ExecuteNonQueryAsync();
            _readers = Task.WhenAll(Enumerable.Range(0, 4).Select(i => Task.Run(() => ReadAsync(i))));
        }

        public async ValueTask DisposeAsync()
        {
            await _stop.CancelAsync();
            await _readers;
            await connection.DisposeAsync();
            _stop.Dispose();
        }

        private async Task ReadAsync(int offset)
        {
            await Shell.PauseAsync(offset * 0.5);
            while (!_stop.IsCancellationRequested)
            {
                await database.ExecuteAsync("BEGIN ISOLATION LEVEL REPEATABLE READ; SELECT count(*) FROM lekhika.workflows; SELECT pg_sleep(2); COMMIT");
            }
        }
    }
}
