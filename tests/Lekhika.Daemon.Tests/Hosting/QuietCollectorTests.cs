using Lekhika.Daemon.Hosting;
using Xunit;

namespace Lekhika.Daemon.Tests.Hosting;

public sealed class QuietCollectorTests
{
    [Fact]
    public void It_collects_once_after_a_burst_and_not_while_there_is_work()
    {
        var (allocated, collections) = (0L, 0);
        var collector = new QuietCollector(TimeProvider.System, () => allocated, () => collections++);
        int After(long more)
        {
            allocated += more;
            collector.Look();
            return collections;
        }

        Assert.Equal(0, After(1024));
        Assert.Equal(0, After(QuietCollector.Worth * 4));
        Assert.Equal(0, After(QuietCollector.Quiet + 1));
        Assert.Equal(1, After(1024));
        Assert.Equal(1, After(1024));
        Assert.Equal(1, After(QuietCollector.Quiet - 1));
        Assert.Equal(2, After(QuietCollector.Quiet - 1));
    }
}
