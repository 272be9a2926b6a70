using Lekhika.Postgres.Executions;
using Lekhika.Tests.Support;
using Xunit;

namespace Lekhika.Postgres.Tests.Queue;

/// <summary>What executions cost the server in batches: guards, not measurements.</summary>
public sealed class CostTests(PostgresCluster cluster)
{
    private const int Executions = 4000;
    private const int Batch = 500;

    [Fact]
    public async Task An_execution_of_one_step_costs_no_more_log_than_thirteen_hundred_bytes()
    {
        await using var engine = await Engine.CreateAsync(cluster);
        await engine.ExecuteAsync("CREATE EXTENSION pg_walinspect");
        var worker = await engine.EnlistAsync();
        await engine.InsertAsync(Executions);
        var before = await engine.ScalarAsync<string>("SELECT pg_current_wal_insert_lsn()::text");

        for (var done = 0; done < Executions; done += Batch)
        {
            var claimed = await engine.ClaimAsync(worker, Batch);
            Assert.Equal(Batch, claimed.Count);
            var entries = claimed.Select(static one => Engine.Finish(one.Fence, "completed", Engine.Step("a"))).ToArray();
            Assert.All(await engine.FlushAsync(worker, entries), static reply => Assert.Equal(JournalVerdict.Committed, reply!.Value.Verdict));
        }

        // Other tests write to the same log: only what is about this database counts. A commit names no database, and there are two to a batch.
        await engine.ExecuteAsync("SELECT txid_current()");
        var bytes = await engine.ScalarAsync<double>(
            """
            SELECT sum(record_length - fpi_length)::float8
              FROM pg_get_wal_records_info($1::text::pg_lsn, pg_current_wal_flush_lsn())
             WHERE block_ref LIKE '%/' || (SELECT oid FROM pg_database WHERE datname = current_database()) || '/%'
            """,
            before!);
        TestContext.Current.TestOutputHelper?.WriteLine($"{bytes / Executions:0} bytes for each execution");
        Assert.InRange(bytes / Executions, 100, 1300);
    }
}
