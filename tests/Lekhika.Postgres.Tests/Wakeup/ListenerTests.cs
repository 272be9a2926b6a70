using System.Threading.Channels;
using Lekhika.Postgres.Wakeup;
using Lekhika.Tests.Support;
using Microsoft.Extensions.Logging.Abstractions;
using Xunit;

namespace Lekhika.Postgres.Tests.Wakeup;

public sealed class ListenerTests(PostgresCluster cluster)
{
    private static CancellationToken Token => TestContext.Current.CancellationToken;

    private static (Listener Listener, ChannelReader<WakeReason> Heard) Start(Engine engine)
    {
        var heard = Channel.CreateBounded<WakeReason>(1000);
        return (new Listener(engine.Db.Database, reason => heard.Writer.TryWrite(reason), TimeProvider.System, NullLogger<Listener>.Instance), heard.Reader);
    }

    /// <summary>Everything heard before a notification that the test sends itself.</summary>
    private static async Task<List<WakeReason>> HeardAsync(Engine engine, ChannelReader<WakeReason> heard)
    {
        await engine.ExecuteAsync("SELECT pg_notify('lekhika', 'commands')");
        var all = new List<WakeReason>();
        while (await heard.ReadAsync(Token) is var reason && reason != WakeReason.Commands) all.Add(reason);
        return all;
    }

    [Fact]
    public async Task Listening_begins_with_one_wake_for_what_was_missed()
    {
        await using var engine = await Engine.CreateAsync(cluster);
        var (listener, heard) = Start(engine);
        await using var _ = listener;
        Assert.Equal(WakeReason.Ready | WakeReason.Commands | WakeReason.Events, await heard.ReadAsync(Token));
        Assert.True(listener.IsListening);
    }

    [Fact]
    public async Task An_insert_notifies_only_while_a_worker_is_marked_idle()
    {
        await using var engine = await Engine.CreateAsync(cluster);
        var (listener, heard) = Start(engine);
        await using var _ = listener;
        await heard.ReadAsync(Token);
        var worker = await engine.EnlistAsync();
        await engine.InsertAsync(10);
        Assert.Empty(await HeardAsync(engine, heard));

        await engine.ScalarAsync<bool>("SELECT lekhika.beat($1, interval '1 hour', true)", worker);
        await engine.InsertAsync(10);
        Assert.Equal([WakeReason.Ready], await HeardAsync(engine, heard));

        // Neither one whose lease has lapsed nor a revoked one counts as idle.
        await engine.ExpireAsync(worker);
        await engine.InsertAsync();
        Assert.Empty(await HeardAsync(engine, heard));
        await engine.EvictAsync(worker);
        await engine.InsertAsync();
        Assert.Empty(await HeardAsync(engine, heard));
    }

    [Fact]
    public async Task What_comes_back_into_the_queue_notifies_idle_workers_too()
    {
        await using var engine = await Engine.CreateAsync(cluster);
        var (listener, heard) = Start(engine);
        await using var _ = listener;
        await heard.ReadAsync(Token);
        var worker = await engine.EnlistAsync();
        var fence = await engine.HoldAsync(worker);
        var stale = await engine.HoldAsync(worker);
        var idle = await engine.EnlistAsync();
        await engine.ScalarAsync<bool>("SELECT lekhika.beat($1, interval '1 hour', true)", idle);

        await engine.FlushAsync(worker, Engine.Park(fence, "retry", DateTimeOffset.UnixEpoch));
        Assert.Empty(await HeardAsync(engine, heard));
        await engine.Queue.WakeDueAsync(10, Token);
        Assert.Equal([WakeReason.Ready], await HeardAsync(engine, heard));
        fence = (await engine.ClaimAsync(worker)).Single().Fence;
        await engine.FlushAsync(worker, Engine.Release(fence));
        Assert.Equal([WakeReason.Ready], await HeardAsync(engine, heard));

        await engine.ExecuteAsync("UPDATE lekhika.workflow_executions SET run = run + 1, rev = rev + 1 WHERE seq = $1", stale.Exec);
        await engine.FlushAsync(worker, Engine.Append(stale));
        Assert.Equal([WakeReason.Ready], await HeardAsync(engine, heard));
        await engine.ClaimAsync(worker);
        await engine.EvictAsync(worker);
        Assert.Equal([WakeReason.Ready], await HeardAsync(engine, heard));
    }

    [Fact]
    public async Task A_change_of_status_notifies_once_per_transaction()
    {
        await using var engine = await Engine.CreateAsync(cluster);
        var (listener, heard) = Start(engine);
        await using var _ = listener;
        await heard.ReadAsync(Token);
        await engine.InsertAsync(100);
        await engine.ExecuteAsync("UPDATE lekhika.workflow_executions SET status = 'paused'");
        Assert.Equal(WakeReason.Commands, await heard.ReadAsync(Token));
        Assert.Empty(await HeardAsync(engine, heard));
    }

    [Fact]
    public async Task A_lost_connection_is_made_again_and_wakes_for_what_was_missed()
    {
        await using var engine = await Engine.CreateAsync(cluster);
        var (listener, heard) = Start(engine);
        await using var _ = listener;
        await heard.ReadAsync(Token);
        await engine.ExecuteAsync("SELECT pg_terminate_backend(pid) FROM pg_stat_activity WHERE datname = current_database() AND application_name = 'lekhika-daemon'");
        Assert.Equal(WakeReason.Ready | WakeReason.Commands | WakeReason.Events, await heard.ReadAsync(Token));
        Assert.True(listener.IsListening);
        await engine.ExecuteAsync("SELECT pg_notify('lekhika', 'ready')");
        Assert.Equal(WakeReason.Ready, await heard.ReadAsync(Token));
    }
}
