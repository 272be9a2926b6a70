using Lekhika.Postgres.Schedules;
using Lekhika.Tests.Support;
using Xunit;

namespace Lekhika.Postgres.Tests.Schedules;

public sealed class ScheduleStoreTests(PostgresCluster cluster)
{
    private static readonly DateTimeOffset Slot = new(2026, 11, 22, 9, 0, 0, TimeSpan.Zero);

    private static CancellationToken Token => TestContext.Current.CancellationToken;

    [Fact]
    public async Task Many_who_fire_one_slot_make_one_execution()
    {
        await using var engine = await Engine.CreateAsync(cluster);
        var store = new ScheduleStore(engine.Db.Database);
        var schedule = await AddAsync(engine, store);
        var id = Guid.NewGuid();
        var results = await Task.WhenAll(Enumerable.Range(0, 20).Select(_ => store.FireAsync(schedule, Slot.AddHours(1), [(Slot, id)], Token)));
        Assert.Single(results, result => result.Outcome == FireOutcome.Fired && result.Started == 1);
        Assert.Equal(19, results.Count(result => result.Outcome == FireOutcome.Gone));
        Assert.Equal(
            $$"""{"id": "{{schedule.Id}}", "slot": "2026-11-22T09:00:00Z"}""",
            await engine.ScalarAsync<string>("SELECT (request -> 'schedule')::text FROM lekhika.workflow_executions WHERE id = $1", id));
        var after = (await store.FindAsync(schedule.Id, Token))!;
        Assert.Equal((Slot.AddHours(1), Slot, id), (after.NextRunAt, after.LastRunAt, after.LastExecutionId));
        Assert.Equal("{\"topic\": \"rain\"} u 5", await engine.ScalarAsync<string>("SELECT inputs::text || ' ' || user_id || ' ' || priority FROM lekhika.workflow_executions"));
    }

    [Fact]
    public async Task A_schedule_that_was_changed_meanwhile_does_not_fire_what_was_worked_out_before()
    {
        await using var engine = await Engine.CreateAsync(cluster);
        var store = new ScheduleStore(engine.Db.Database);
        foreach (var change in new[] { "cron = '5 * * * *'", "timezone = 'Europe/Berlin'", "is_active = false", "next_run_at = now()" })
        {
            var schedule = await AddAsync(engine, store);
            await engine.ExecuteAsync($"UPDATE lekhika.workflow_schedules SET {change} WHERE id = $1", schedule.Id);
            Assert.Equal(FireOutcome.Gone, (await store.FireAsync(schedule, Slot.AddHours(1), [(Slot, Guid.NewGuid())], Token)).Outcome);
        }

        Assert.Equal(0, await engine.ScalarAsync<long>("SELECT count(*) FROM lekhika.workflow_executions"));
    }

    [Theory]
    [InlineData("UPDATE lekhika.workflows SET is_active = false", "workflow_inactive")]
    [InlineData("UPDATE lekhika.workflows SET definition = NULL", "workflow_not_found")]
    [InlineData("DELETE FROM lekhika.workflows", "workflow_not_found")]
    public async Task A_workflow_that_cannot_run_is_said_once_and_makes_no_executions(string harm, string code)
    {
        await using var engine = await Engine.CreateAsync(cluster);
        var store = new ScheduleStore(engine.Db.Database);
        var schedule = await AddAsync(engine, store);
        await engine.ExecuteAsync(harm);
        foreach (var isNews in new[] { true, false })
        {
            var result = await store.FireAsync(schedule, schedule.NextRunAt!.Value.AddHours(1), [(schedule.NextRunAt.Value, Guid.NewGuid())], Token);
            Assert.Equal((FireOutcome.Skipped, isNews), (result.Outcome, result.IsNews));
            schedule = (await store.FindAsync(schedule.Id, Token))!;
            Assert.StartsWith(code, schedule.Error, StringComparison.Ordinal);
            Assert.True(schedule.IsActive);
        }

        Assert.Equal(0, await engine.ScalarAsync<long>("SELECT count(*) FROM lekhika.workflow_executions"));
        Assert.Equal(Slot.AddHours(2), schedule.NextRunAt);
    }

    [Fact]
    public async Task Mending_the_cron_of_a_quarantined_schedule_sets_it_going_and_pausing_forgets_errors()
    {
        await using var engine = await Engine.CreateAsync(cluster);
        var store = new ScheduleStore(engine.Db.Database);
        var schedule = await AddAsync(engine, store);
        Assert.True(await store.QuarantineAsync(schedule, "cron: wrong", Token));
        Assert.False(await store.QuarantineAsync(schedule, "cron: wrong", Token));
        var row = (await store.FindAsync(schedule.Id, Token))!;
        Assert.Equal((false, "cron: wrong", null), (row.IsActive, row.Error, row.NextRunAt));

        await engine.ExecuteAsync("UPDATE lekhika.workflow_schedules SET cron = '5 * * * *'");
        row = (await store.FindAsync(schedule.Id, Token))!;
        Assert.Equal((true, null, null), (row.IsActive, row.Error, row.NextRunAt));

        await engine.ExecuteAsync("UPDATE lekhika.workflow_schedules SET error = 'workflow_inactive', next_run_at = now()");
        await engine.ExecuteAsync("UPDATE lekhika.workflow_schedules SET is_active = false");
        row = (await store.FindAsync(schedule.Id, Token))!;
        Assert.Equal((false, null), (row.IsActive, row.Error));
        await engine.ExecuteAsync("UPDATE lekhika.workflow_schedules SET is_active = true");
        Assert.Null((await store.FindAsync(schedule.Id, Token))!.NextRunAt);
    }

    [Fact]
    public async Task Due_are_those_whose_slot_has_come_and_those_without_one()
    {
        await using var engine = await Engine.CreateAsync(cluster);
        var store = new ScheduleStore(engine.Db.Database);
        Assert.Empty((await store.DueAsync(10, null, Token)).Due);
        var schedules = new List<ScheduleRow>();
        for (var i = 0; i < 5; i++) schedules.Add(await AddAsync(engine, store));
        await engine.ExecuteAsync("UPDATE lekhika.workflow_schedules SET next_run_at = now() + interval '1 hour' WHERE id = $1", schedules[0].Id);
        await engine.ExecuteAsync("UPDATE lekhika.workflow_schedules SET next_run_at = NULL WHERE id = $1", schedules[1].Id);
        await engine.ExecuteAsync("UPDATE lekhika.workflow_schedules SET next_run_at = now() - interval '1 hour', timezone = 'Asia/Kolkata' WHERE id = $1", schedules[2].Id);
        await engine.ExecuteAsync("UPDATE lekhika.workflow_schedules SET next_run_at = now() - interval '2 hours' WHERE id = $1", schedules[3].Id);
        await engine.ExecuteAsync("UPDATE lekhika.workflow_schedules SET is_active = false, next_run_at = now() - interval '1 hour' WHERE id = $1", schedules[4].Id);

        var due = await store.DueAsync(10, null, Token);
        Assert.Equal([schedules[1].Id, schedules[3].Id, schedules[2].Id], due.Due.Select(row => row.Id));
        Assert.InRange((due.Now - due.NextAt!.Value).TotalMinutes, 119, 121);
        Assert.Equal([schedules[1].Id, schedules[3].Id], (await store.DueAsync(10, ["UTC"], Token)).Due.Select(row => row.Id));
    }

    private static async Task<ScheduleRow> AddAsync(Engine engine, ScheduleStore store)
    {
        var workflow = await engine.ScalarAsync<Guid>("INSERT INTO lekhika.workflows (name, definition) VALUES ('w', '{\"v\": 1}') RETURNING id");
        return (await store.AddAsync(
            new ScheduleRow
            {
                Id = Guid.NewGuid(),
                WorkflowId = workflow,
                Cron = "0 * * * *",
                Timezone = "UTC",
                CatchUp = "once",
                CatchUpLimit = 10,
                Inputs = """{"topic": "rain"}""",
                UserId = "u",
                Priority = 5,
                NextRunAt = Slot,
            },
            Token))!;
    }
}
