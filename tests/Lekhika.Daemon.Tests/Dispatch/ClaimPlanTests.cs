using Lekhika.Daemon.Dispatch;
using Lekhika.Postgres.Executions;
using Lekhika.Postgres.Queue;
using Xunit;

namespace Lekhika.Daemon.Tests.Dispatch;

public sealed class ClaimPlanTests
{
    private static readonly TimeSpan Ageing = TimeSpan.FromMinutes(1);
    private long _place;

    [Fact]
    public void Without_a_backlog_the_queues_own_order_is_taken()
    {
        var plan = new ClaimPlan(TimeProvider.System, Ageing);
        Assert.False(plan.WantsLists);
        Assert.Null(plan.Shares(10));
        plan.Observe(Claims((0, 1), 3), full: false);
        Assert.False(plan.LooksAgain);
        Assert.Null(plan.Shares(10));
    }

    [Fact]
    public void A_tenant_that_was_not_served_yet_is_first_and_all_get_equal_shares()
    {
        var plan = Backlog((0, 1), 10);
        plan.SetLists([List(0, 1), List(0, 2), List(0, 3)], TimeSpan.Zero);
        var shares = plan.Shares(10)!;
        Assert.Equal([2, 3, 1], shares.Select(static share => share.List.Tenant));
        Assert.All(shares, static share => Assert.Equal(4, share.Take));
        plan.Observe([.. Claims((0, 2), 1), .. Claims((0, 3), 4), .. Claims((0, 1), 5)], full: true);
        plan.SetLists([List(0, 1), List(0, 2), List(0, 3), List(0, 4)], TimeSpan.Zero);
        Assert.Equal([4, 2, 3, 1], plan.Shares(1)!.Select(static share => share.List.Tenant));
    }

    [Fact]
    public void Priority_is_strict_while_nothing_has_waited()
    {
        var plan = Backlog((0, 1), 10);
        plan.SetLists([List(-5, 1), List(0, 2), List(5, 3)], TimeSpan.Zero);
        Assert.Equal([-5, 0, 5], plan.Shares(10)!.Select(static share => (int)share.List.Pri));
    }

    [Theory]
    [InlineData(4, false)]
    [InlineData(5, true)]
    [InlineData(500, true)]
    public void What_has_waited_long_enough_takes_turns_with_the_best_priority(int minutes, bool isEqual)
    {
        var plan = Backlog((-5, 1), 10);
        plan.SetLists([List(-5, 1), List(0, 2, minutes)], TimeSpan.Zero);
        var shares = plan.Shares(10)!;
        Assert.Equal(isEqual ? [2, 1] : new[] { 1, 2 }, shares.Select(static share => share.List.Tenant));
        Assert.Equal(isEqual ? 5 : 10, shares[0].Take);
        plan.Observe([.. Claims((0, 2), 5), .. Claims((-5, 1), 5)], full: true);
    }

    [Fact]
    public void An_old_backlog_of_one_user_never_comes_before_new_work_of_another()
    {
        var plan = Backlog((0, 1), 10);
        plan.SetLists([List(-3, 4), List(0, 1, 600), List(0, 2), List(7, 3)], TimeSpan.Zero);
        var tenants = plan.Shares(10)!.Select(static share => share.List.Tenant).ToList();
        // The first tier holds the best priority and the aged one, with all of its tenants; who was served stands last in it.
        Assert.Equal([2, 4], tenants.Take(2).Order());
        Assert.Equal([1, 3], tenants.Skip(2));
    }

    [Fact]
    public void Without_ageing_priorities_stay_strict()
    {
        var plan = new ClaimPlan(TimeProvider.System, TimeSpan.Zero);
        plan.Observe(Claims((0, 1), 10), full: true);
        plan.SetLists([List(-5, 1), List(0, 2, 100_000)], TimeSpan.Zero);
        Assert.Equal([1, 2], plan.Shares(10)!.Select(static share => share.List.Tenant));
    }

    [Fact]
    public void Ten_thousand_woken_executions_of_one_user_do_not_stand_before_a_new_one_of_another()
    {
        var plan = Backlog((0, 1), 10);
        plan.SetLists([new WaitingList(new QueueList(0, 0, 1), TimeSpan.FromHours(1)), List(0, 1), List(0, 2)], TimeSpan.Zero);
        Assert.Equal([(2, 1), (1, 0), (1, 1)], plan.Shares(1)!.Select(static share => (share.List.Tenant, (int)share.List.Class)));
    }

    [Fact]
    public void Under_limits_every_claim_goes_by_lists_and_an_empty_one_is_not_repeated_at_once()
    {
        var plan = new ClaimPlan(TimeProvider.System, Ageing) { IsLimited = true };
        Assert.True(plan.WantsLists);
        plan.SetLists([List(0, 1)], TimeSpan.Zero);
        Assert.Single(plan.Shares(10)!);
        plan.Observe([], full: false);
        Assert.False(plan.LooksAgain);
        Assert.True(plan.LeavesWaiting);
        Assert.NotNull(plan.Shares(10));
        plan.Observe([], full: false, more: true);
        Assert.True(plan.LooksAgain);
    }

    private ClaimPlan Backlog((short Pri, int Tenant) list, int count)
    {
        var plan = new ClaimPlan(TimeProvider.System, Ageing);
        plan.Observe(Claims(list, count), full: true);
        Assert.True(plan.WantsLists);
        return plan;
    }

    private static WaitingList List(short pri, int tenant, int minutes = 0) => new(new QueueList(1, pri, tenant), TimeSpan.FromMinutes(minutes));

    private List<ClaimedExecution> Claims((short Pri, int Tenant) list, int count) =>
        [.. Enumerable.Range(0, count).Select(_ => new ClaimedExecution
        {
            Fence = new Fence(++_place, 1, 1),
            List = new QueueList(1, list.Pri, list.Tenant),
            Place = _place,
            Rescues = 0,
            Id = Guid.NewGuid(),
            Status = "pending",
        })];
}
