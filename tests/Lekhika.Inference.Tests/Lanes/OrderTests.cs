using Xunit;

namespace Lekhika.Inference.Tests.Lanes;

/// <summary>What grouping by model is worth: forty jobs with two phases on two models.</summary>
public sealed class OrderTests
{
    private const int Jobs = 40;

    private static readonly TimeSpan Service = TimeSpan.FromSeconds(1);
    private static readonly TimeSpan Swap = TimeSpan.FromSeconds(30);

    // Two loads and all the work: no order can do with less.
    private static readonly TimeSpan Best = (Swap * 2) + (Service * 2 * Jobs);

    [Fact]
    public void Lanes_stay_within_15_percent_of_the_best_order_where_job_after_job_takes_five_times_as_long()
    {
        using var lanes = Simulate(_ => TimeSpan.Zero);
        var jobAfterJob = Fcfs(oneJobAtATime: true, _ => TimeSpan.Zero);

        Assert.True(lanes.Makespan <= Best * 1.15, $"lanes took {lanes.Makespan}, the best order {Best}");
        Assert.True(jobAfterJob > Best * 5, $"job after job took only {jobAfterJob}, the best order {Best}");
        Assert.Equal(2, lanes.Loads);
    }

    [Fact]
    public void Lanes_stay_within_15_percent_of_the_best_order_while_jobs_come_in_where_first_come_first_served_takes_five_times_as_long()
    {
        static TimeSpan Arrival(int job) => TimeSpan.FromSeconds(1.5 * job);

        using var lanes = Simulate(Arrival);
        var fcfs = Fcfs(oneJobAtATime: false, Arrival);

        Assert.True(lanes.Makespan <= Best * 1.15, $"lanes took {lanes.Makespan}, the best order {Best}");
        Assert.True(fcfs > Best * 5, $"first come, first served took only {fcfs}, the best order {Best}");
    }

    [Theory]
    [InlineData(5, 30)]
    [InlineData(10, 60)]
    [InlineData(2, 5)]
    public void With_longer_requests_the_age_bound_costs_little(int service, int swap)
    {
        using var simulation = new LaneSimulation(TimeSpan.FromSeconds(swap));
        for (var i = 0; i < Jobs; i++)
        {
            simulation.Submit(
                "analyse", TimeSpan.FromSeconds(service), () => simulation.Submit("write", TimeSpan.FromSeconds(service)));
        }

        simulation.Run();

        var best = TimeSpan.FromSeconds((2 * swap) + (2 * Jobs * service));
        Assert.True(simulation.Makespan <= best * 1.15, $"lanes took {simulation.Makespan}, the best order {best}, {simulation.Loads} loads");
    }

    private static LaneSimulation Simulate(Func<int, TimeSpan> arrival)
    {
        var simulation = new LaneSimulation(Swap);
        for (var i = 0; i < Jobs; i++)
            simulation.At(arrival(i), () => simulation.Submit("analyse", Service, () => simulation.Submit("write", Service)));
        simulation.Run();
        Assert.Equal(2 * Jobs, simulation.History.Count);
        return simulation;
    }

    // The same server fed in order of arrival.
    private static TimeSpan Fcfs(bool oneJobAtATime, Func<int, TimeSpan> arrival)
    {
        var queue = new PriorityQueue<(int Job, string Model), (TimeSpan At, int Order)>();
        for (var i = 0; i < Jobs; i++)
            queue.Enqueue((i, "analyse"), (arrival(i), i));
        var now = TimeSpan.Zero;
        var loaded = "";
        while (queue.TryDequeue(out var next, out var came))
        {
            now = now > came.At ? now : came.At;
            now += (next.Model == loaded ? TimeSpan.Zero : Swap) + Service;
            loaded = next.Model;
            if (next.Model == "analyse")
                queue.Enqueue((next.Job, "write"), (oneJobAtATime ? TimeSpan.MinValue : now, next.Job));
        }

        return now;
    }
}
