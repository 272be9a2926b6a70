using Lekhika.Tests.Support;
using Xunit;

namespace Lekhika.Postgres.Tests.Adopt;

/// <summary>CtrlChecks' workflow_generation_jobs: the way back to the earlier worker, and forth again.</summary>
public sealed class CtrlChecksTableTests(PostgresCluster cluster)
{
    private static Task<Guid> AskAsync(Engine engine, string prompt) =>
        engine.ScalarAsync<Guid>("INSERT INTO lekhika.workflow_generation_jobs (prompt) VALUES ($1) RETURNING id", prompt);

    private static Task<string?> StatusAsync(Engine engine, Guid job) => engine.ScalarAsync<string>("SELECT status FROM lekhika.workflow_generation_jobs WHERE id = $1", job);

    [Fact]
    public async Task The_earlier_worker_gets_what_is_unfinished_and_the_table_does_what_it_writes()
    {
        await using var engine = await Engine.CreateAsync(cluster);
        var worker = await engine.EnlistAsync();
        var held = await AskAsync(engine, "held");
        await engine.ClaimAsync(worker);
        await engine.ExecuteAsync("UPDATE lekhika.workflow_generation_jobs SET status = 'processing', progress_percentage = 40, worker_id = 'daemon' WHERE id = $1", held);
        var queued = await AskAsync(engine, "queued");
        for (var i = 0; i < 2; i++) await cluster.ScriptAsync(engine.Db.ConnectionString, "packaging/adopt/ctrlchecks-remove.sql", "schema=lekhika");
        Assert.Equal(("pending", "pending"), (await StatusAsync(engine, held), await StatusAsync(engine, queued)));
        Assert.Equal(0, await engine.ScalarAsync<long>("SELECT count(*) FROM lekhika.workflow_executions"));

        // As the earlier worker goes about it, with one that it leaves half done; and a backend meanwhile.
        foreach (var status in (string[])["processing", "failed", "pending", "processing", "completed"])
        {
            await engine.ExecuteAsync("UPDATE lekhika.workflow_generation_jobs SET status = $2 WHERE id = $1", held, status);
            Assert.Equal(status, await StatusAsync(engine, held));
        }

        await engine.ExecuteAsync("UPDATE lekhika.workflow_generation_jobs SET status = 'processing' WHERE id = $1", queued);
        var added = await AskAsync(engine, "added");
        Assert.Equal(0, await engine.ScalarAsync<long>("SELECT count(*) FROM lekhika.workflow_executions"));

        for (var i = 0; i < 2; i++) await cluster.ScriptAsync(engine.Db.ConnectionString, "packaging/adopt/ctrlchecks.sql", "schema=lekhika");
        Assert.Equal(new[] { queued, added }.Order(), (await engine.ListAsync<Guid>("SELECT id FROM lekhika.workflow_executions")).Order());
        Assert.Equal(("completed", "pending"), (await StatusAsync(engine, held), await StatusAsync(engine, queued)));
        var more = await AskAsync(engine, "more");
        Assert.Equal(1, await engine.ScalarAsync<long>("SELECT count(*) FROM lekhika.workflow_executions WHERE id = $1", more));
    }
}
