using Lekhika.Daemon.Nodes;
using Lekhika.Inference.Tests.Support;
using Xunit;

namespace Lekhika.Daemon.Tests.Nodes;

public sealed class NodeDeadlineTests
{
    private static CancellationToken Cancellation => TestContext.Current.CancellationToken;

    [Fact]
    public void It_is_overdue_after_its_limit_and_never_without_one()
    {
        var time = new ManualTime();
        using var deadline = new NodeDeadline(TimeSpan.FromSeconds(10), static _ => ValueTask.CompletedTask, time);
        using var endless = new NodeDeadline(null, static _ => ValueTask.CompletedTask, time);
        time.Advance(TimeSpan.FromSeconds(9));
        Assert.False(deadline.Overdue.IsCancellationRequested);
        time.Advance(TimeSpan.FromSeconds(2));
        Assert.True(deadline.Overdue.IsCancellationRequested);
        time.Advance(TimeSpan.FromDays(1));
        Assert.False(endless.Overdue.IsCancellationRequested);
    }

    [Fact]
    public async Task Time_in_which_it_may_not_begin_does_not_count()
    {
        var time = new ManualTime();
        var leave = new TaskCompletionSource();
        using var deadline = new NodeDeadline(TimeSpan.FromSeconds(10), token => new ValueTask(leave.Task.WaitAsync(token)), time);
        time.Advance(TimeSpan.FromSeconds(4));
        var waiting = deadline.MayBeginAsync(Cancellation);
        time.Advance(TimeSpan.FromMinutes(5));
        Assert.False(deadline.Overdue.IsCancellationRequested);
        leave.SetResult();
        await waiting;
        time.Advance(TimeSpan.FromSeconds(5));
        Assert.False(deadline.Overdue.IsCancellationRequested);
        time.Advance(TimeSpan.FromSeconds(2));
        Assert.True(deadline.Overdue.IsCancellationRequested);
    }

    [Fact]
    public async Task Who_is_aborted_while_waiting_hears_of_it()
    {
        using var abort = new CancellationTokenSource();
        using var deadline = new NodeDeadline(null, static token => new ValueTask(Task.Delay(Timeout.InfiniteTimeSpan, TimeProvider.System, token)), TimeProvider.System);
        var waiting = deadline.MayBeginAsync(abort.Token).AsTask();
        await abort.CancelAsync();
        await Assert.ThrowsAnyAsync<OperationCanceledException>(() => waiting);
    }
}
