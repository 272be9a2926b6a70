using Lekhika.Postgres.Queue;
using Lekhika.Tests.Support;
using Microsoft.Extensions.Logging.Abstractions;
using Xunit;

namespace Lekhika.Postgres.Tests.Queue;

public sealed class IncarnationTests(PostgresCluster cluster)
{
    private static CancellationToken Token => TestContext.Current.CancellationToken;

    private static readonly WorkerIdentity Identity = new() { WorkerId = "w", Host = "h", Url = "http://h:1", Version = "1", Slots = 7 };

    private static Task<Incarnation> BeginAsync(Database database, double lease, double interval) => Incarnation.BeginAsync(
        database, Identity, TimeSpan.FromSeconds(lease), TimeSpan.FromSeconds(interval), TimeProvider.System, NullLogger<Incarnation>.Instance, Token);

    private static async Task UntilAsync(Func<ValueTask<bool>> condition)
    {
        while (!await condition()) await Task.Delay(TimeSpan.FromMilliseconds(10), TimeProvider.System, Token);
    }

    [Fact]
    public async Task A_new_incarnation_is_registered_with_a_number_of_its_own()
    {
        await using var engine = await Engine.CreateAsync(cluster);
        await using var one = await BeginAsync(engine.Db.Database, 60, 60);
        await using var two = await BeginAsync(engine.Db.Database, 60, 60);
        Assert.NotEqual(one.Number, two.Number);
        Assert.Equal("w h http://h:1 1 7", await engine.ScalarAsync<string>("SELECT concat_ws(' ', worker_id, host, url, version, slots) FROM lekhika.workers WHERE inc = $1", one.Number));
        Assert.True(one.LeaseIsValid);
        Assert.False(one.MayRescue);
    }

    [Fact]
    public async Task The_heartbeat_renews_the_lease_and_after_a_whole_lease_it_may_rescue()
    {
        await using var engine = await Engine.CreateAsync(cluster);
        await using var incarnation = await BeginAsync(engine.Db.Database, 3, 0.05);
        var first = await engine.ScalarAsync<DateTime>("SELECT expires_at FROM lekhika.workers");
        await UntilAsync(() => ValueTask.FromResult(incarnation.MayRescue));
        Assert.True(await engine.ScalarAsync<DateTime>("SELECT expires_at FROM lekhika.workers") > first);
        Assert.True(incarnation.LeaseIsValid);
        Assert.False(incarnation.Completion.IsCompleted);
    }

    [Fact]
    public async Task A_revocation_is_noticed_by_the_next_heartbeat()
    {
        await using var engine = await Engine.CreateAsync(cluster);
        await using var incarnation = await BeginAsync(engine.Db.Database, 60, 0.05);
        var noticed = new TaskCompletionSource();
        incarnation.Revoked.Register(noticed.SetResult);
        await engine.EvictAsync(incarnation.Number);
        await noticed.Task.WaitAsync(TimeSpan.FromSeconds(30), TimeProvider.System, Token);
        Assert.False(incarnation.LeaseIsValid);
        Assert.False(incarnation.MayRescue);
        await incarnation.Completion;
    }

    [Fact]
    public async Task Silent_before_it_signs_off_it_does_not_take_that_for_a_revocation()
    {
        await using var engine = await Engine.CreateAsync(cluster);
        await using var incarnation = await BeginAsync(engine.Db.Database, 60, 0.02);
        await incarnation.FallSilentAsync();
        Assert.True(incarnation.Completion.IsCompletedSuccessfully);
        await engine.EvictAsync(incarnation.Number);
        await Task.Delay(TimeSpan.FromMilliseconds(200), TimeProvider.System, Token);
        Assert.False(incarnation.Revoked.IsCancellationRequested);
    }

    [Fact]
    public async Task A_heartbeat_that_is_not_answered_lets_the_lease_lapse_and_breaks_the_condition_for_rescuing()
    {
        await using var engine = await Engine.CreateAsync(cluster);
        await using var incarnation = await BeginAsync(engine.Db.Database, 1, 0.05);
        await UntilAsync(() => ValueTask.FromResult(incarnation.MayRescue));
        await using (var blocked = await engine.BeginAsync("LOCK TABLE lekhika.workers IN ACCESS EXCLUSIVE MODE"))
        {
            await UntilAsync(() => ValueTask.FromResult(!incarnation.LeaseIsValid));
        }

        await UntilAsync(() => ValueTask.FromResult(incarnation.LeaseIsValid));
        Assert.False(incarnation.MayRescue);
        Assert.False(incarnation.Revoked.IsCancellationRequested);
    }

    [Fact]
    public async Task A_lost_connection_is_survived()
    {
        await using var engine = await Engine.CreateAsync(cluster);
        await using var incarnation = await BeginAsync(engine.Db.Database, 60, 0.05);
        await engine.ExecuteAsync("SELECT pg_terminate_backend(pid) FROM pg_stat_activity WHERE datname = current_database() AND application_name = 'lekhika-daemon'");
        var before = await engine.ScalarAsync<DateTime>("SELECT clock_timestamp()");
        await UntilAsync(async () => await engine.ScalarAsync<DateTime>("SELECT heartbeat_at FROM lekhika.workers") > before);
        Assert.True(incarnation.LeaseIsValid);
    }

    [Fact]
    public async Task Idleness_is_told_at_once()
    {
        await using var engine = await Engine.CreateAsync(cluster);
        await using var incarnation = await BeginAsync(engine.Db.Database, 60, 60);
        await incarnation.MarkIdleAsync(idle: true, Token);
        Assert.True(await engine.ScalarAsync<bool>("SELECT idle FROM lekhika.workers"));
        await incarnation.MarkIdleAsync(idle: false, Token);
        Assert.False(await engine.ScalarAsync<bool>("SELECT idle FROM lekhika.workers"));
    }

    [Fact]
    public async Task A_rescue_moves_what_the_dead_hold_to_the_front_and_counts_it()
    {
        await using var engine = await Engine.CreateAsync(cluster);
        var dead = await engine.EnlistAsync();
        var alive = await engine.EnlistAsync();
        var rescuer = await engine.EnlistAsync();
        var lost = await engine.HoldAsync(dead);
        var kept = await engine.HoldAsync(alive);
        await engine.InsertAsync();
        Assert.Equal(0, await engine.RescueAsync(rescuer));
        await engine.ExpireAsync(dead);
        await engine.ExpireAsync(rescuer);
        Assert.Equal(1, await engine.RescueAsync(rescuer));
        Assert.Equal(0, await engine.RescueAsync(rescuer));

        Assert.Equal("held", await engine.PlaceAsync(kept.Exec));
        var claimed = (await engine.ClaimAsync(rescuer, 1)).Single();
        Assert.Equal((lost.Exec, lost.Epoch + 1, 1, (short)0), (claimed.Fence.Exec, claimed.Fence.Epoch, claimed.Rescues, claimed.List.Class));
        Assert.True(await engine.ScalarAsync<bool>("SELECT revoked FROM lekhika.workers WHERE inc = $1", dead));
    }

    [Fact]
    public async Task Two_rescuers_move_everything_once()
    {
        await using var engine = await Engine.CreateAsync(cluster);
        await engine.InsertAsync(500);
        for (var i = 0; i < 5; i++)
        {
            var dead = await engine.EnlistAsync();
            await engine.ClaimAsync(dead, 100);
            await engine.ExpireAsync(dead);
        }

        var moved = await Task.WhenAll(Enumerable.Range(0, 3).Select(async _ => await engine.RescueAsync(await engine.EnlistAsync())));
        Assert.Equal(500, moved.Sum() + await engine.RescueAsync(await engine.EnlistAsync()));
        Assert.Equal(500, await engine.ScalarAsync<long>("SELECT count(*) FROM lekhika.ready WHERE rescues = 1"));
        await Invariants.AssertPlacesAsync(engine.Db, settled: true, Token);
    }
}
