using Lekhika.Inference.Tests.Support;
using Xunit;

namespace Lekhika.Inference.Tests.Lanes;

/// <summary>What the server says it has in memory, and loading ahead.</summary>
public sealed class LoadedModelTests
{
    private static readonly TimeSpan Second = TimeSpan.FromSeconds(1);

    [Fact]
    public void Of_lanes_that_wait_the_one_whose_model_is_in_memory_goes_first()
    {
        using var simulation = new LaneSimulation(Second * 30);
        simulation.Lanes.Loaded(new HashSet<string>(StringComparer.Ordinal) { "b:latest" });
        simulation.Submit("a", Second);
        simulation.Submit("b", Second);

        simulation.Run();

        Assert.Equal(["b", "a"], simulation.History.Select(entry => entry.Model));
    }

    [Fact]
    public void But_not_before_a_lane_that_is_late()
    {
        using var simulation = new LaneSimulation(Second);
        simulation.Submit("x", Second * 200);
        simulation.At(Second, () => simulation.Submit("a", Second));
        simulation.At(Second * 150, () =>
        {
            simulation.Lanes.Loaded(new HashSet<string>(StringComparer.Ordinal) { "b:latest", "x:latest" });
            simulation.Submit("b", Second);
        });

        simulation.Run();

        Assert.Equal(["x", "a", "b"], simulation.History.Select(entry => entry.Model));
    }

    [Fact]
    public void A_model_that_left_memory_by_itself_is_not_counted_as_pushed_out()
    {
        using var simulation = new LaneSimulation(Second);
        simulation.Submit("a", Second, () => simulation.Lanes.Loaded(new HashSet<string>(StringComparer.Ordinal)));
        simulation.At(Second * 100, () => simulation.Submit("b", Second));
        simulation.At(Second * 200, () =>
        {
            simulation.Lanes.Loaded(new HashSet<string>(StringComparer.Ordinal));
            simulation.Submit("c", Second);
        });
        simulation.At(Second * 300, () => simulation.Submit("d", Second));

        simulation.Run();

        Assert.Equal(["d"], simulation.Lanes.All.Where(lane => lane.Swaps > 0).Select(lane => lane.Model));
    }

    [Fact]
    public async Task What_is_in_memory_is_asked_at_the_start_and_told()
    {
        using var provider = new FakeProvider("e", "a", "b") { Loaded = ["b:latest"], Answer = (_, _, _) => Task.FromResult(FakeProvider.Reply()) };
        await using var bench = PoolBench.Single(provider);
        await bench.RunAsync("a");
        var waits = new TaskCompletionSource<ModelReply>();
        provider.Answer = (_, _, _) => waits.Task;
        var running = bench.RunAsync("a");
        var next = bench.RunAsync("b");
        provider.Loaded = [];

        await bench.Time.AdvanceUntilAsync(
            () => bench.Pool.Snapshot().Endpoints[0].Lanes.Any(lane => lane is { Model: "b", Loaded: false, Depth: 1 }), Second, PoolBench.Token);

        provider.Answer = (_, _, _) => Task.FromResult(FakeProvider.Reply());
        waits.SetResult(FakeProvider.Reply());
        await Task.WhenAll(running, next);
    }

    [Theory]
    [InlineData(true)]
    [InlineData(false)]
    public async Task The_next_model_is_loaded_while_the_last_request_of_the_present_one_runs_if_that_is_wanted(bool preload)
    {
        using var provider = new FakeProvider("e", "a", "b");
        await using var bench = PoolBench.Single(provider, options => options with { Lanes = options.Lanes with { Preload = preload } });
        var first = bench.RunAsync("a");
        var held = await provider.NextAsync(PoolBench.Token);
        var second = bench.RunAsync("a");
        var other = bench.RunAsync("b");
        await bench.UntilAsync(pool => pool.Endpoints[0].Depth == 2);
        Assert.Empty(provider.Preloads);

        held.Reply.SetResult(FakeProvider.Reply());
        await first;
        held = await provider.NextAsync(PoolBench.Token);
        if (preload)
            await bench.UntilAsync(_ => !provider.Preloads.IsEmpty);
        held.Reply.SetResult(FakeProvider.Reply());
        await second;
        (await provider.NextAsync(PoolBench.Token)).Reply.SetResult(FakeProvider.Reply());
        await other;

        Assert.Equal(preload ? ["b"] : [], provider.Preloads);
    }

    [Fact]
    public async Task The_costs_of_calls_are_summed_up_for_each_lane()
    {
        using var provider = new FakeProvider("e", "a")
        {
            Answer = (_, _, _) => Task.FromResult(FakeProvider.Reply() with
            {
                TokensIn = 10,
                TokensOut = 30,
                PromptTime = Second,
                GenerationTime = Second * 2,
                LoadTime = Second * 3,
            }),
        };
        await using var bench = PoolBench.Single(provider);

        Assert.Equal(15, (await bench.RunAsync("a")).TokensPerSecond);
        await bench.RunAsync("a");
        await bench.UntilAsync(pool => pool.Endpoints[0].Lanes is [{ Served: 2 }]);

        var totals = Lane(bench, "a").Totals;
        Assert.Equal((20, 60, Second * 2, Second * 4, Second * 6), (totals.TokensIn, totals.TokensOut, totals.PromptTime, totals.GenerationTime, totals.LoadTime));
    }

    private static Inference.Lanes.LaneSnapshot Lane(PoolBench bench, string model) =>
        bench.Pool.Snapshot().Endpoints[0].Lanes.Single(lane => lane.Model == model);
}
