using Lekhika.Daemon.Dispatch;
using Lekhika.Postgres;
using Lekhika.Postgres.Queue;
using Lekhika.Tests.Support;
using Microsoft.Extensions.Logging.Abstractions;
using Xunit;

namespace Lekhika.Daemon.Tests.Dispatch;

public sealed class SharedTurnTests(EndToEnd.Support.Servers servers)
{
    private static CancellationToken Token => TestContext.Current.CancellationToken;

    [Theory]
    [InlineData("http://Gpu.example:11434/", "http://gpu.example:11434")]
    [InlineData("http://gpu.example:11434/behind/a/proxy/", "http://gpu.example:11434/behind/a/proxy")]
    [InlineData("https://gpu.example", "https://gpu.example:443")]
    public void A_server_has_one_name_for_all_daemons(string address, string name) => Assert.Equal(name, SharedTurn.NameOf(address));

    [Theory]
    [InlineData("http://localhost:11434")]
    [InlineData("http://127.0.0.1:11434/")]
    [InlineData("http://[::1]:11434")]
    public void This_machine_is_another_one_to_other_daemons(string address) =>
        Assert.Equal($"http://{Environment.MachineName.ToLowerInvariant()}:11434", SharedTurn.NameOf(address));

    [Fact]
    public async Task With_the_database_away_turns_are_granted_at_once()
    {
        await using var database = new Database("Host=127.0.0.1;Port=1;Username=nobody;Timeout=2");
        var turn = Turn(database, () => 1);

        await using var lease = await turn.EnterAsync("http://e", 1, "a", Token);

        Assert.False(lease.Wanted.IsCancellationRequested);
    }

    [Fact]
    public async Task Before_the_worker_has_begun_turns_are_granted_at_once()
    {
        await using var database = new Database("Host=127.0.0.1;Port=1;Username=nobody");

        await using var lease = await Turn(database, () => null).EnterAsync("http://e", 1, "a", Token);

        Assert.False(lease.Wanted.IsCancellationRequested);
    }

    [Fact]
    public async Task Of_two_daemons_that_want_different_models_one_waits_until_the_other_gives_its_turn_back()
    {
        await using var database = await MigratedDatabase.CreateAsync(await servers.ClusterAsync(), Token);
        var (one, two) = (await EnlistAsync(database), await EnlistAsync(database));
        var (first, second) = (Turn(database.Database, () => one), Turn(database.Database, () => two));

        var lease = await first.EnterAsync("http://e", 1, "a", Token);
        var waiting = second.EnterAsync("http://e", 1, "b", Token).AsTask();
        var wanted = new TaskCompletionSource();
        await using var registration = lease.Wanted.Register(wanted.SetResult);
        await wanted.Task.WaitAsync(TimeSpan.FromSeconds(30), TimeProvider.System, Token);
        Assert.False(waiting.IsCompleted);
        await lease.DisposeAsync();
        await (await waiting.WaitAsync(TimeSpan.FromSeconds(30), TimeProvider.System, Token)).DisposeAsync();

        // What is given back does not stay in the way.
        var third = await first.EnterAsync("http://e", 1, "c", Token).AsTask().WaitAsync(TimeSpan.FromSeconds(30), TimeProvider.System, Token);
        await third.DisposeAsync();
    }

    [Fact]
    public async Task Who_stops_waiting_leaves_no_wish_behind()
    {
        await using var database = await MigratedDatabase.CreateAsync(await servers.ClusterAsync(), Token);
        var (one, two) = (await EnlistAsync(database), await EnlistAsync(database));
        await using var lease = await Turn(database.Database, () => one).EnterAsync("http://e", 1, "a", Token);
        using var leaving = CancellationTokenSource.CreateLinkedTokenSource(Token);
        var waiting = Turn(database.Database, () => two).EnterAsync("http://e", 1, "b", leaving.Token).AsTask();
        await UntilAsync(database, "SELECT wanted = 'b' FROM lekhika.model_turns");

        await leaving.CancelAsync();
        await Assert.ThrowsAnyAsync<OperationCanceledException>(() => waiting);

        await UntilAsync(database, "SELECT wanted IS NULL FROM lekhika.model_turns");
    }

    private static SharedTurn Turn(Database database, Func<long?> incarnation) =>
        new(new ModelTurns(database), incarnation, TimeProvider.System, NullLogger<SharedTurn>.Instance);

    private static Task<long> EnlistAsync(MigratedDatabase database) =>
        database.ScalarAsync<long>("SELECT lekhika.enlist('w', 'host', NULL, '0', 10, '1 hour')", Token);

    private static async Task UntilAsync(MigratedDatabase database, string sql)
    {
        for (var begin = TimeProvider.System.GetTimestamp(); !await database.ScalarAsync<bool>(sql, Token);)
        {
            if (TimeProvider.System.GetElapsedTime(begin) > TimeSpan.FromSeconds(30)) throw new TimeoutException(sql);
            await Task.Delay(TimeSpan.FromMilliseconds(20), TimeProvider.System, Token);
        }
    }
}
