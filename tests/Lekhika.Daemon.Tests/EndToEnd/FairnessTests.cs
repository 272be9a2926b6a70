using Lekhika.Daemon.Tests.EndToEnd.Support;
using Xunit;

namespace Lekhika.Daemon.Tests.EndToEnd;

/// <summary>Who gets the next slot.</summary>
public sealed class FairnessTests(Servers servers)
{
    private static CancellationToken Cancellation => TestContext.Current.CancellationToken;

    [Theory]
    [InlineData(0)]
    [InlineData(-3)]
    public async Task Behind_ten_thousand_executions_of_one_user_that_of_another_starts_within_two_claims(int priorityOfTheMany)
    {
        await using var scene = await Scene.BeginAsync(servers);
        var workflow = await scene.WorkflowAsync(Flows.OneModel(Flows.Slowly(10, 100)));
        await scene.Database.ExecuteAsync(
            "INSERT INTO lekhika.workflow_executions (workflow_id, user_id, priority) SELECT $1, 'many', $2 FROM generate_series(1, 10000)",
            Cancellation, workflow, priorityOfTheMany);
        await scene.DaemonAsync(static setup =>
        {
            setup.Settings["worker.concurrency"] = "2";
            setup.Settings["worker.max_claimed"] = "2";
        });
        await scene.UntilSqlAsync<long>("SELECT count(*) FROM lekhika.workflow_executions WHERE status = 'completed'", static done => done >= 6);
        foreach (var user in new[] { "one", "two", "three" })
        {
            var id = await scene.Database.ScalarAsync<Guid>(
                "INSERT INTO lekhika.workflow_executions (workflow_id, user_id) VALUES ($1, $2) RETURNING id", Cancellation, workflow, user);
            // Known to others from here on; created_at is from before its commit.
            var since = await scene.Database.ScalarAsync<DateTime>("SELECT clock_timestamp()", Cancellation);
            await scene.EndAsync(id);
            var before = await scene.Database.ScalarAsync<long>(
                "SELECT count(*) FROM lekhika.workflow_executions m, lekhika.workflow_executions o "
                + "WHERE o.id = $1 AND m.user_id = 'many' AND m.started_at > $2 AND m.started_at < o.started_at", Cancellation, id, since);
            // Two slots, so a claim is two at most.
            Assert.InRange(before, 0, 4);
        }
    }

    [Fact]
    public async Task A_limit_of_two_for_each_user_holds_over_two_daemons_and_leaves_room_for_others()
    {
        await using var scene = await Scene.BeginAsync(servers);
        var workflow = await scene.WorkflowAsync(Flows.OneModel(Flows.Slowly(10, 50)));
        for (var i = 0; i < 2; i++)
        {
            await scene.DaemonAsync(static setup =>
            {
                setup.Settings["limits.user_concurrency"] = "2";
                setup.Settings["worker.concurrency"] = "8";
            });
        }

        await scene.Database.ExecuteAsync(
            "INSERT INTO lekhika.workflow_executions (workflow_id, user_id) SELECT $1, 'u' || i % 3 FROM generate_series(1, 30) i", Cancellation, workflow);
        var (most, together) = (0L, 0L);
        await scene.UntilSqlAsync<long>(
            "SELECT (SELECT count(*) FROM lekhika.workflow_executions WHERE status = 'completed') "
            + "+ 1000 * (SELECT coalesce(max(n), 0) FROM (SELECT count(*) AS n FROM lekhika.held GROUP BY tenant) h) + 100000 * (SELECT count(*) FROM lekhika.held)",
            state =>
            {
                most = Math.Max(most, state / 1000 % 100);
                together = Math.Max(together, state / 100_000);
                return state % 1000 == 30;
            },
            60);
        Assert.Equal(2, most);
        Assert.InRange(together, 3, 6);
    }

    [Fact]
    public async Task A_limited_workflow_waits_aside_while_others_of_the_same_user_pass()
    {
        await using var scene = await Scene.BeginAsync(servers);
        var limited = await scene.WorkflowAsync(Flows.OneModel(Flows.Slowly(10, 50)));
        var other = await scene.WorkflowAsync(Flows.Trivial);
        await scene.DaemonAsync();
        await scene.Database.ExecuteAsync("INSERT INTO lekhika.limits (kind, key, concurrency) VALUES ('workflow', $1, 1)", Cancellation, limited.ToString());
        await Task.Delay(TimeSpan.FromSeconds(1.5), TimeProvider.System, Cancellation); // a daemon that works asks for limits every second
        await scene.Database.ExecuteAsync(
            "INSERT INTO lekhika.workflow_executions (workflow_id, user_id) SELECT $1, 'u' FROM generate_series(1, 10)", Cancellation, limited);
        await scene.Database.ExecuteAsync(
            "INSERT INTO lekhika.workflow_executions (workflow_id, user_id) SELECT $1, 'u' FROM generate_series(1, 10)", Cancellation, other);
        await scene.UntilSqlAsync<long>("SELECT count(*) FROM lekhika.workflow_executions WHERE status = 'completed'", static done => done == 20, 60);
        Assert.True(await scene.Database.ScalarAsync<bool>(
            "SELECT (SELECT max(finished_at) FROM lekhika.workflow_executions WHERE workflow_id = $2) "
            + "< (SELECT max(started_at) FROM lekhika.workflow_executions WHERE workflow_id = $1)", Cancellation, limited, other));
        // One after the other: nobody began before the one before had ended, but for the moment in which the end is written.
        Assert.Equal(0, await scene.Database.ScalarAsync<long>(
            "SELECT count(*) FROM (SELECT started_at, lag(finished_at) OVER (ORDER BY started_at) AS before FROM lekhika.workflow_executions "
            + "WHERE workflow_id = $1) e WHERE started_at < before - interval '50 milliseconds'", Cancellation, limited));
        Assert.Equal(0, await scene.Database.ScalarAsync<long>("SELECT count(*) FROM lekhika.parked", Cancellation));
    }
}
