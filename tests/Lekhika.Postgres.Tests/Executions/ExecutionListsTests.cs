using Lekhika.Postgres.Executions;
using Lekhika.Tests.Support;
using Xunit;

namespace Lekhika.Postgres.Tests.Executions;

public sealed class ExecutionListsTests(PostgresCluster cluster)
{
    private static CancellationToken Token => TestContext.Current.CancellationToken;

    private static ExecutionFilter Status(params string[] statuses) => new() { Statuses = statuses };

    [Fact]
    public async Task Executions_are_listed_newest_first_page_by_page_without_gaps_or_repetitions()
    {
        await using var engine = await Engine.CreateAsync(cluster);
        var all = await engine.InsertAsync(25);
        var lists = new ExecutionLists(engine.Db.Database);
        var seen = new List<long>();
        long? below = null;
        do
        {
            var page = await lists.PageAsync(new ExecutionFilter(), below, 10, Token);
            seen.AddRange(page.Items.Select(static item => item.Exec));
            below = page.Next;
        }
        while (below is not null);

        Assert.Equal(all.AsEnumerable().Reverse(), seen);
    }

    [Fact]
    public async Task Each_status_is_listed_from_wherever_its_executions_are()
    {
        await using var engine = await Engine.CreateAsync(cluster);
        var worker = await engine.EnlistAsync();
        var completed = await engine.HoldAsync(worker);
        await engine.FlushAsync(worker, Engine.Finish(completed, "completed", Engine.Step("a")));
        var failed = await engine.HoldAsync(worker);
        await engine.FlushAsync(worker, Engine.Finish(failed, "failed", Engine.Step("a")));
        var waiting = await engine.HoldAsync(worker);
        await engine.FlushAsync(worker, Engine.Park(waiting, "time", DateTimeOffset.UnixEpoch.AddYears(100), Engine.Step("a")));
        var running = await engine.HoldAsync(worker);
        var pausing = await engine.HoldAsync(worker);
        await engine.SetStatusAsync(pausing.Exec, "paused");
        var paused = await engine.InsertAsync("paused");
        var later = (await engine.ListAsync<long>(
            "INSERT INTO lekhika.workflow_executions (run_at) VALUES (now() + interval '1 hour') RETURNING seq"))[0];
        var pending = await engine.InsertAsync();
        var cancelled = await engine.InsertAsync();
        await engine.SetStatusAsync(cancelled, "cancelled");

        var lists = new ExecutionLists(engine.Db.Database);
        async Task<List<long>> Of(params string[] statuses) =>
            [.. (await lists.PageAsync(Status(statuses), null, 50, Token)).Items.Select(static item => item.Exec)];
        Assert.Equal([completed.Exec], await Of("completed"));
        Assert.Equal([failed.Exec], await Of("failed"));
        Assert.Equal([waiting.Exec], await Of("waiting"));
        Assert.Equal([running.Exec], await Of("running"));
        Assert.Equal([paused, pausing.Exec], await Of("paused"));
        Assert.Equal([pausing.Exec], await Of("pausing"));
        Assert.Equal([pending, later], await Of("pending"));
        Assert.Equal([cancelled], await Of("cancelled"));
        Assert.Equal([cancelled, pending, later, failed.Exec, completed.Exec], await Of("completed", "failed", "cancelled", "pending"));
        var whole = await lists.PageAsync(new ExecutionFilter(), null, 50, Token);
        Assert.Equal(9, whole.Items.Count);
        Assert.Equal("running", whole.Items.Single(item => item.Exec == running.Exec).Status);
        Assert.Equal("pausing", whole.Items.Single(item => item.Exec == pausing.Exec).Status);

        var counts = await new ExecutionCounter(engine.Db.Database).CountAsync(Token);
        Assert.Equal(new ExecutionCounts(2, 1, 1, 2, 1, 1, 1, Exact: true), counts);
    }

    [Fact]
    public async Task A_failure_that_a_later_run_made_good_is_no_longer_listed_as_failed()
    {
        await using var engine = await Engine.CreateAsync(cluster);
        var worker = await engine.EnlistAsync();
        var first = await engine.HoldAsync(worker);
        await engine.FlushAsync(worker, Engine.Finish(first, "failed", Engine.Step("a")));
        await engine.SetStatusAsync(first.Exec, "pending");
        await engine.ObeyAsync();
        var second = (await engine.ClaimAsync(worker)).Single().Fence;
        var lists = new ExecutionLists(engine.Db.Database);
        Assert.Empty((await lists.PageAsync(Status("failed"), null, 50, Token)).Items);
        await engine.FlushAsync(worker, Engine.Finish(second, "failed", Engine.Step("a", run: 2)));
        Assert.Equal([first.Exec], (await lists.PageAsync(Status("failed"), null, 50, Token)).Items.Select(static item => item.Exec));
    }

    [Fact]
    public async Task Filters_narrow_the_list_and_are_data_whatever_they_contain()
    {
        await using var engine = await Engine.CreateAsync(cluster);
        await engine.ExecuteAsync("""
            INSERT INTO lekhika.workflows (id, name, definition) VALUES ('0197f3a0-0000-7000-8000-000000000001', 'Rivers', '{"nodes":[{"id":"a"},{"id":"b"}]}')
            """);
        var mine = (await engine.ListAsync<long>("""
            INSERT INTO lekhika.workflow_executions (workflow_id, user_id, started_at)
            VALUES ('0197f3a0-0000-7000-8000-000000000001', 'asha', now()) RETURNING seq
            """))[0];
        await engine.ExecuteAsync("""
            INSERT INTO lekhika.workflow_execution_steps (seq, run, ordinal, attempt, step_key, outcome, metrics)
            VALUES ($1, 1, 0, 1, 'a', 'succeeded', '{"model": "qwen2.5:0.5b"}')
            """, mine);
        await engine.InsertAsync(3);
        var lists = new ExecutionLists(engine.Db.Database);
        foreach (var filter in new ExecutionFilter[]
        {
            new() { Workflow = "Rivers" }, new() { Workflow = "0197F3A0-0000-7000-8000-000000000001" }, new() { User = "asha" },
            new() { Model = "qwen2.5:0.5b" }, new() { Query = "RIVER" }, new() { Query = "ash" }, new() { User = "asha", Query = "rivers", Model = "qwen2.5:0.5b" },
        })
        {
            var item = Assert.Single((await lists.PageAsync(filter, null, 50, Token)).Items);
            Assert.Equal((mine, "Rivers", 50.0), (item.Exec, item.WorkflowName, item.Progress));
        }

        Assert.Empty((await lists.PageAsync(new ExecutionFilter { Query = "'; DROP TABLE x; --%_" }, null, 50, Token)).Items);
        Assert.Empty((await lists.PageAsync(new ExecutionFilter { User = "nobody", Statuses = ["pending"] }, null, 50, Token)).Items);
    }

    [Fact]
    public async Task What_is_rare_is_found_behind_many_others_by_following_the_cursor()
    {
        await using var engine = await Engine.CreateAsync(cluster);
        var rare = await engine.InsertAsync(userId: "rare");
        await engine.InsertAsync(12_000);
        var lists = new ExecutionLists(engine.Db.Database);
        long? below = null;
        var found = new List<long>();
        var pages = 0;
        do
        {
            var page = await lists.PageAsync(new ExecutionFilter { User = "rare" }, below, 10, Token);
            found.AddRange(page.Items.Select(static item => item.Exec));
            Assert.True(page.Next is null || page.Next < (below ?? long.MaxValue));
            below = page.Next;
        }
        while (below is not null && ++pages < 50);

        Assert.Equal([rare], found);
    }

    [Fact]
    public async Task Pages_of_steps_end_where_their_outputs_grow_large()
    {
        await using var engine = await Engine.CreateAsync(cluster);
        var exec = await engine.InsertAsync();
        await engine.ExecuteAsync("""
            INSERT INTO lekhika.workflow_execution_steps (seq, run, ordinal, attempt, step_key, outcome, finished_at, output)
            SELECT $1, 1, 0, 1, 'step' || i, 'succeeded', now() + i * interval '1 second', jsonb_build_object('text', repeat('x', 3000000))
              FROM generate_series(1, 6) i
            """, exec);
        var history = new StepHistory(engine.Db.Database);
        var first = await history.PageAsync(exec, 1, withOutputs: true, 0, 100, Token);
        Assert.Equal((3, 3), (first.Records.Count, first.Next));
        var second = await history.PageAsync(exec, 1, withOutputs: true, 3, 100, Token);
        Assert.Equal(["step4", "step5", "step6"], second.Records.Select(static record => record.Key));
        Assert.Null(second.Next);
        Assert.Equal(6, (await history.PageAsync(exec, null, withOutputs: false, 0, 100, Token)).Records.Count);
    }
}
