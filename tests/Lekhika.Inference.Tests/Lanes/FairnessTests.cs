using Lekhika.Inference.Lanes;
using Xunit;

namespace Lekhika.Inference.Tests.Lanes;

public sealed class FairnessTests
{
    private static readonly TimeSpan Second = TimeSpan.FromSeconds(1);

    [Fact]
    public void A_lane_gets_its_turn_after_the_age_bound_though_another_never_runs_dry()
    {
        using var simulation = new LaneSimulation(Second * 5);
        Endless(simulation, "busy", 3);
        simulation.At(Second * 10, () => simulation.Submit("rare", Second));

        simulation.Run(Second * 1000);

        var rare = Assert.Single(simulation.History, entry => entry.Model == "rare");
        Assert.InRange(rare.Started - rare.Submitted, Second * 119, Second * 123);
        Assert.Equal("busy", simulation.History[^1].Model);
    }

    [Fact]
    public void When_all_lanes_are_late_turns_go_round_and_swapping_takes_no_more_than_its_share()
    {
        using var simulation = new LaneSimulation(Second * 10, options: new LaneOptions { MaxWait = Second });
        foreach (var model in (string[])["a", "b", "c"])
            Endless(simulation, model, 5);

        simulation.Run(Second * 3000);

        Assert.All(simulation.History.GroupBy(entry => entry.Model), served => Assert.InRange(served.Count(), 500, 1200));
        Assert.True(simulation.LoadTime <= (simulation.Now / 8) + (Second * 20), $"{simulation.LoadTime} of {simulation.Now} went into swaps");
        // A full round: two turns of others, each eight swaps long, then the load and those before it in its own lane.
        var longest = simulation.History.Max(entry => entry.Started - entry.Submitted);
        Assert.True(longest <= Second * 190, $"somebody waited {longest}");
    }

    [Fact]
    public void Two_callers_who_ask_one_after_the_other_do_not_drive_the_server_into_swapping()
    {
        var lingering = Chains(new LaneOptions());
        var hasty = Chains(new LaneOptions { Linger = TimeSpan.Zero });

        Assert.InRange(lingering.Loads, 2, 6);
        Assert.True(hasty.Loads > 50, "without lingering the same load should swap for nearly every request");
        Assert.True(lingering.Took * 4 < hasty.Took);

        static (int Loads, TimeSpan Took) Chains(LaneOptions options)
        {
            using var simulation = new LaneSimulation(Second * 20, options: options);
            Chain(simulation, "a", 50);
            Chain(simulation, "b", 50);
            simulation.Run();
            return (simulation.Loads, simulation.Makespan);
        }

        static void Chain(LaneSimulation simulation, string model, int left)
        {
            if (left > 0)
            {
                simulation.Submit(
                    model, Second, () => simulation.At(simulation.Now + TimeSpan.FromMilliseconds(20), () => Chain(simulation, model, left - 1)));
            }
        }
    }

    [Fact]
    public void An_idle_lane_gives_way_at_once_when_its_swap_is_cheap()
    {
        using var simulation = new LaneSimulation(TimeSpan.FromMilliseconds(40));
        simulation.Submit("a", Second);
        simulation.At(TimeSpan.FromMilliseconds(500), () => simulation.Submit("b", Second));
        simulation.Run();

        Assert.True(simulation.History[1].Started - simulation.History[0].Ended <= TimeSpan.FromMilliseconds(10));
    }

    [Fact]
    public void Within_a_lane_higher_priority_goes_first_then_order_of_arrival()
    {
        using var simulation = new LaneSimulation(Second);
        var order = new List<string>();
        simulation.Submit("m", Second, () => order.Add("first"));
        simulation.Run(TimeSpan.Zero);
        simulation.Submit("m", Second, () => order.Add("low"), -1);
        simulation.Submit("m", Second, () => order.Add("normal 1"));
        simulation.Submit("m", Second, () => order.Add("normal 2"));
        simulation.Submit("m", Second, () => order.Add("high"), 5);
        simulation.Run();

        Assert.Equal(["first", "high", "normal 1", "normal 2", "low"], order);
    }

    [Fact]
    public void With_several_slots_another_model_waits_until_the_last_of_them_is_free()
    {
        using var simulation = new LaneSimulation(Second, parallelism: 4);
        simulation.Submit("a", Second * 30);
        simulation.Submit("a", Second);
        simulation.Submit("b", Second);
        simulation.At(Second * 10, () => simulation.Submit("a", Second));
        simulation.Run();

        Assert.Equal(["a", "a", "a", "b"], simulation.History.Select(entry => entry.Model));
        Assert.Equal(Second * 10, simulation.History[1].Started);
    }

    [Fact]
    public void With_two_places_two_lanes_run_side_by_side_and_a_third_waits()
    {
        using var simulation = new LaneSimulation(Second, places: 2);
        foreach (var model in (string[])["a", "b", "c"])
        {
            simulation.Submit(model, Second * 10);
            simulation.Submit(model, Second * 10);
        }

        simulation.Run();

        var started = simulation.History.ToLookup(entry => entry.Model, entry => entry.Started);
        Assert.Equal(TimeSpan.Zero, started["a"].First());
        Assert.Equal(TimeSpan.Zero, started["b"].First());
        Assert.True(started["c"].First() >= Second * 20);
        Assert.Equal(3, simulation.Loads);
        Assert.Equal(1, simulation.Lanes.All.Sum(lane => lane.Swaps));
    }

    [Fact]
    public void Who_leaves_frees_his_place_at_once()
    {
        using var simulation = new LaneSimulation(Second);
        simulation.Submit("a", Second * 10);
        simulation.Run(TimeSpan.Zero);
        var leaver = simulation.Submit("b", Second);
        var stayer = simulation.Submit("a", Second);
        Assert.Equal(2, simulation.Lanes.Depth);
        simulation.Leave(leaver);
        Assert.Equal(1, simulation.Lanes.Depth);
        simulation.Run();

        Assert.True(stayer.WasGranted);
        Assert.DoesNotContain(simulation.History, entry => entry.Model == "b");
        Assert.Equal(1, simulation.Loads);
    }

    [Fact]
    public void The_cost_of_a_swap_is_learned_from_loads_and_not_from_models_that_were_there()
    {
        using var simulation = new LaneSimulation(Second * 7);
        simulation.Submit("a", Second);
        simulation.Submit("a", Second);
        simulation.Submit("b", Second);
        simulation.Run();

        Assert.Equal(Second * 7, simulation.Lanes.Find(new LaneKey("a:latest", ""))!.Cost.Value);
        Assert.Equal(Second * 7, simulation.Lanes.CostOf(null));
    }

    [Theory]
    [InlineData(1)]
    [InlineData(2)]
    [InlineData(3)]
    [InlineData(4)]
    [InlineData(5)]
    [InlineData(6)]
    public void Whatever_comes_everything_is_served_within_slots_and_places_and_nobody_starves(int seed)
    {
        var random = new Random(seed);
        using var simulation = new LaneSimulation(Second * random.Next(1, 20), places: 1 + (seed % 3), parallelism: 1 + (seed % 2));
        for (var i = 0; i < 600; i++)
        {
            var model = $"m{random.Next(5)}";
            var service = TimeSpan.FromMilliseconds(random.Next(50, 1500));
            simulation.At(TimeSpan.FromMilliseconds(random.Next(600_000)), () =>
            {
                var ticket = simulation.Submit(model, service);
                if (random.Next(10) == 0 && ticket.IsWaiting)
                    simulation.At(simulation.Now + (Second * 3), () => LeaveIfWaiting(simulation, ticket));
            });
        }

        simulation.Run();

        Assert.InRange(simulation.History.Count, 400, 600);
        var longest = simulation.History.Max(entry => entry.Started - entry.Submitted);
        Assert.True(longest < TimeSpan.FromMinutes(12), $"somebody waited {longest}");
        Assert.Equal(0, simulation.Lanes.InFlight);
        Assert.Equal(0, simulation.Lanes.Depth);

        static void LeaveIfWaiting(LaneSimulation simulation, Ticket ticket)
        {
            if (ticket.IsWaiting)
                simulation.Leave(ticket);
        }
    }

    private static void Endless(LaneSimulation simulation, string model, int callers)
    {
        for (var i = 0; i < callers; i++)
            Again();

        void Again() => simulation.Submit(model, Second, Again);
    }
}
