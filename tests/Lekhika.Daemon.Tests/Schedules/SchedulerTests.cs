using System.Globalization;
using Lekhika.Daemon.Dispatch;
using Lekhika.Daemon.Schedules;
using Lekhika.Daemon.Tests.Diagnostics;
using Lekhika.Daemon.Tests.EndToEnd.Support;
using Lekhika.Postgres.Schedules;
using Lekhika.Tests.Support;
using Microsoft.Extensions.Logging.Abstractions;
using Xunit;

namespace Lekhika.Daemon.Tests.Schedules;

/// <summary>The loop that fires, several at a time, against a real database.</summary>
public sealed class SchedulerTests(Servers servers)
{
    private const string Insert = """
        INSERT INTO lekhika.workflow_schedules (workflow_id, cron, timezone, catch_up, catch_up_limit, next_run_at)
        SELECT id, $1, $2, $3, $4, now() - $5::interval FROM lekhika.workflows RETURNING id
        """;

    private static CancellationToken Token => TestContext.Current.CancellationToken;

    [Fact]
    public async Task Five_daemons_fire_every_slot_once_and_none_is_left_out()
    {
        await using var database = await DatabaseAsync();
        // As if all had been away for twenty seconds; the slots since then are made up for, those to come are fired in time.
        var schedule = await database.ScalarAsync<Guid>(Insert, Token, "* * * * * *", "Europe/Berlin", "all", 1000, "20 seconds");
        using var stop = CancellationTokenSource.CreateLinkedTokenSource(Token);
        var loops = Enumerable.Range(0, 5).Select(_ => Task.Run(
            async () =>
            {
                var scheduler = New(database);
                while (!stop.IsCancellationRequested)
                {
                    await scheduler.RoundAsync(Token);
                    await Task.Delay(TimeSpan.FromMilliseconds(5), TimeProvider.System, Token);
                }
            },
            Token)).ToList();
        while (await database.ScalarAsync<long>("SELECT count(*) FROM lekhika.workflow_executions", Token) < 25)
        {
            await Task.Delay(TimeSpan.FromMilliseconds(20), TimeProvider.System, Token);
        }

        await stop.CancelAsync();
        await Task.WhenAll(loops);
        var slots = new List<DateTimeOffset>();
        await using var command = database.Sql.CreateCommand("SELECT id, request -> 'schedule' ->> 'slot' FROM lekhika.workflow_executions ORDER BY 2");
        await using var reader = await command.ExecuteReaderAsync(Token);
        while (await reader.ReadAsync(Token))
        {
            slots.Add(DateTimeOffset.Parse(reader.GetString(1), CultureInfo.InvariantCulture));
            Assert.Equal(SlotId.Of(schedule, slots[^1]), reader.GetGuid(0));
        }

        Assert.Equal(Enumerable.Range(0, slots.Count).Select(i => slots[0].AddSeconds(i)), slots);
    }

    [Theory]
    [InlineData("skip", 10, 0)]
    [InlineData("once", 10, 1)]
    [InlineData("all", 4, 4)]
    public async Task Missed_slots_follow_the_policy(string policy, int limit, long expected)
    {
        await using var database = await DatabaseAsync();
        // Every hour, at a minute that is half an hour away: no slot is just due.
        var minute = await database.ScalarAsync<string>("SELECT extract(minute FROM now() - interval '30 minutes')::text", Token);
        await database.ScalarAsync<Guid>(Insert, Token, $"{minute} * * * *", "UTC", policy, limit, "10 hours");
        await New(database).RoundAsync(Token);
        Assert.Equal(expected, await database.ScalarAsync<long>("SELECT count(*) FROM lekhika.workflow_executions", Token));
        Assert.True(await database.ScalarAsync<bool>("SELECT next_run_at > now() FROM lekhika.workflow_schedules", Token));
    }

    [Fact]
    public async Task A_schedule_that_cannot_be_read_is_quarantined_said_once_and_the_others_go_on()
    {
        await using var database = await DatabaseAsync();
        await database.ScalarAsync<Guid>(Insert, Token, "61 * * * *", "UTC", "once", 10, "1 hour");
        await database.ScalarAsync<Guid>(Insert, Token, "0 * * * *", "Nowhere/Land", "once", 10, "1 hour");
        await database.ExecuteAsync("INSERT INTO lekhika.workflow_schedules (workflow_id, cron) SELECT id, 'no cron' FROM lekhika.workflows", Token);
        await database.ScalarAsync<Guid>(Insert, Token, "0 * * * *", "UTC", "once", 10, "2 hours");
        var logger = new RecordingLogger();
        for (var i = 0; i < 3; i++) await New(database, logger).RoundAsync(Token);

        Assert.Equal(1, await database.ScalarAsync<long>("SELECT count(*) FROM lekhika.workflow_executions", Token));
        Assert.Equal(
            "cron: it has 2 fields|cron: the minute field \"61\"|timezone: there is no time zone \"Nowhere/Land\"",
            await database.ScalarAsync<string>(
                "SELECT string_agg(substring(error from '^(cron: it has 2 fields|cron: the minute field \"61\"|timezone: there is no time zone \"Nowhere/Land\")'), '|' ORDER BY error) "
                + "FROM lekhika.workflow_schedules WHERE NOT is_active AND next_run_at IS NULL", Token));
        Assert.Equal(3, logger.Messages.Count(line => line.Contains("quarantined", StringComparison.Ordinal)));
    }

    [Fact]
    public async Task A_schedule_inserted_without_a_slot_gets_its_first_one_and_does_not_fire_at_once()
    {
        await using var database = await DatabaseAsync();
        await database.ExecuteAsync("INSERT INTO lekhika.workflow_schedules (workflow_id, cron, timezone) SELECT id, '@daily', 'Asia/Kolkata' FROM lekhika.workflows", Token);
        await New(database).RoundAsync(Token);
        Assert.Equal(0, await database.ScalarAsync<long>("SELECT count(*) FROM lekhika.workflow_executions", Token));
        Assert.Equal("00:00:00", await database.ScalarAsync<string>(
            "SELECT to_char(next_run_at AT TIME ZONE 'Asia/Kolkata', 'HH24:MI:SS') FROM lekhika.workflow_schedules WHERE next_run_at > now()", Token));
    }

    private async Task<MigratedDatabase> DatabaseAsync()
    {
        var database = await MigratedDatabase.CreateAsync(await servers.ClusterAsync(), Token);
        await database.ExecuteAsync("INSERT INTO lekhika.workflows (name, definition) VALUES ('w', '{\"nodes\": []}')", Token);
        return database;
    }

    private static Scheduler New(MigratedDatabase database, RecordingLogger? logger = null)
    {
        var monitor = new DatabaseMonitor(
            database.Database, new DaemonState(), new DatabaseClock(TimeProvider.System), TimeProvider.System, NullLogger<DatabaseMonitor>.Instance);
        return new Scheduler(new ScheduleStore(database.Database), monitor, TimeProvider.System, logger ?? new RecordingLogger());
    }
}
