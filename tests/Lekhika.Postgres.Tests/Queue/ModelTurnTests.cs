using Lekhika.Postgres.Queue;
using Lekhika.Tests.Support;
using Npgsql;
using Xunit;

namespace Lekhika.Postgres.Tests.Queue;

public sealed class ModelTurnTests(PostgresCluster cluster)
{
    private static CancellationToken Token => TestContext.Current.CancellationToken;

    [Fact]
    public async Task Who_is_alone_is_granted_everything_and_nothing_is_written()
    {
        await using var engine = await Engine.CreateAsync(cluster);
        var one = await engine.EnlistAsync();
        await engine.EnlistAsync("dead", leaseSeconds: -1);

        var reply = await AskAsync(engine, one, has: ["x"], wants: ["y", "z"]);

        Assert.True(reply.Alone);
        Assert.Equal(["y", "z"], reply.Granted);
        Assert.Equal(0, await RowsAsync(engine));
    }

    [Fact]
    public async Task A_turn_is_a_models_and_daemons_share_it()
    {
        await using var engine = await Engine.CreateAsync(cluster);
        var (one, two) = (await engine.EnlistAsync(), await engine.EnlistAsync());

        Assert.Equal(["x"], (await AskAsync(engine, one, wants: ["x"])).Granted);
        Assert.Equal(["x"], (await AskAsync(engine, two, wants: ["x"])).Granted);
        Assert.Empty((await AskAsync(engine, one, has: ["x"])).Contested);
        Assert.Equal(1, await RowsAsync(engine));
    }

    [Fact]
    public async Task Who_waits_contests_the_turn_closes_it_to_others_and_is_next()
    {
        await using var engine = await Engine.CreateAsync(cluster);
        var (one, two, three) = (await engine.EnlistAsync(), await engine.EnlistAsync(), await engine.EnlistAsync());
        await AskAsync(engine, one, wants: ["x"]);

        Assert.Empty((await AskAsync(engine, two, wants: ["y"])).Granted);
        Assert.Equal(["x"], (await AskAsync(engine, one, has: ["x"])).Contested);
        Assert.Empty((await AskAsync(engine, three, wants: ["x"])).Granted);
        await AskAsync(engine, one);
        Assert.Empty((await AskAsync(engine, three, wants: ["x"])).Granted);
        Assert.Empty((await AskAsync(engine, one, wants: ["z"])).Granted);
        Assert.Equal(["y"], (await AskAsync(engine, two, wants: ["y"])).Granted);
        Assert.Empty((await AskAsync(engine, two, has: ["y"])).Contested);
    }

    [Fact]
    public async Task A_holder_that_died_is_passed_over_and_so_is_a_wish_of_the_dead()
    {
        await using var engine = await Engine.CreateAsync(cluster);
        var (one, two, three) = (await engine.EnlistAsync(), await engine.EnlistAsync(), await engine.EnlistAsync());
        await AskAsync(engine, one, wants: ["x"]);
        await AskAsync(engine, two, wants: ["y"]);
        Assert.Empty((await AskAsync(engine, three, wants: ["z"])).Granted);

        await engine.ExpireAsync(one);
        Assert.Empty((await AskAsync(engine, three, wants: ["z"])).Granted);
        await engine.EvictAsync(two);

        Assert.Equal(["z"], (await AskAsync(engine, three, wants: ["z"])).Granted);
    }

    [Fact]
    public async Task A_wish_that_is_taken_back_does_not_stand_in_the_way()
    {
        await using var engine = await Engine.CreateAsync(cluster);
        var (one, two) = (await engine.EnlistAsync(), await engine.EnlistAsync());
        await AskAsync(engine, one, wants: ["x"]);
        await AskAsync(engine, two, wants: ["y"]);
        await AskAsync(engine, two);

        Assert.Empty((await AskAsync(engine, one, has: ["x"])).Contested);
    }

    [Fact]
    public async Task What_was_taken_while_nobody_could_be_asked_is_written_down_or_contested()
    {
        await using var engine = await Engine.CreateAsync(cluster);
        var (one, two) = (await engine.EnlistAsync(), await engine.EnlistAsync());

        Assert.Empty((await AskAsync(engine, one, has: ["x"])).Contested);
        Assert.Equal(["y"], (await AskAsync(engine, two, has: ["y"])).Contested);
        await AskAsync(engine, two);
        Assert.Empty((await AskAsync(engine, two, wants: ["y"])).Granted);
        await AskAsync(engine, one);
        Assert.Equal(["y"], (await AskAsync(engine, two, wants: ["y"])).Granted);
    }

    [Fact]
    public async Task A_server_with_two_places_has_two_turns()
    {
        await using var engine = await Engine.CreateAsync(cluster);
        var (one, two, three) = (await engine.EnlistAsync(), await engine.EnlistAsync(), await engine.EnlistAsync());

        Assert.Equal(["x"], (await AskAsync(engine, one, 2, wants: ["x"])).Granted);
        Assert.Equal(["y"], (await AskAsync(engine, two, 2, wants: ["y"])).Granted);
        Assert.Empty((await AskAsync(engine, three, 2, wants: ["z"])).Granted);
        Assert.Equal(["x"], (await AskAsync(engine, one, 2, has: ["x"])).Contested);
        Assert.Empty((await AskAsync(engine, two, 2, has: ["y"])).Contested);
        await AskAsync(engine, one, 2);
        Assert.Equal(["z"], (await AskAsync(engine, three, 2, wants: ["z"])).Granted);
    }

    [Fact]
    public async Task Asking_the_same_again_writes_nothing()
    {
        await using var engine = await Engine.CreateAsync(cluster);
        var (one, two) = (await engine.EnlistAsync(), await engine.EnlistAsync());
        await AskAsync(engine, one, wants: ["x"]);
        await AskAsync(engine, two, wants: ["y"]);
        const string Versions = "SELECT string_agg(xmin::text || ctid::text, ' ') FROM lekhika.model_turns";
        var before = await engine.ScalarAsync<string>(Versions);

        for (var i = 0; i < 5; i++)
        {
            await AskAsync(engine, one, has: ["x"]);
            await AskAsync(engine, two, wants: ["y"]);
        }

        Assert.Equal(before, await engine.ScalarAsync<string>(Versions));
    }

    [Fact]
    public async Task However_daemons_ask_at_once_one_model_has_the_turn()
    {
        await using var engine = await Engine.CreateAsync(cluster);
        var daemons = await Task.WhenAll(Enumerable.Range(0, 8).Select(_ => engine.EnlistAsync()));
        var turns = new Dictionary<int, string>();
        for (var round = 0; round < 10; round++)
        {
            var replies = await Task.WhenAll(daemons.Select((daemon, i) => AskAsync(engine, daemon, wants: [((i + round) % 3) switch { 0 => "x", 1 => "y", _ => "z" }])));
            var granted = replies.SelectMany(static reply => reply.Granted).Distinct().ToList();
            Assert.Single(granted);
            Assert.Equal(1, await RowsAsync(engine));
            turns[round] = granted[0];
            await Task.WhenAll(daemons.Select(daemon => AskAsync(engine, daemon)));
        }

        Assert.Equal(10, turns.Count);
    }

    private static Task<ModelTurnReply> AskAsync(Engine engine, long daemon, int places = 1, string[]? has = null, string[]? wants = null) =>
        new ModelTurns(engine.Db.Database).AskAsync(daemon, "http://e", places, has ?? [], wants ?? [], Token);

    private static Task<long> RowsAsync(Engine engine) => engine.ScalarAsync<long>("SELECT count(*) FROM lekhika.model_turns WHERE model IS NOT NULL");
}
