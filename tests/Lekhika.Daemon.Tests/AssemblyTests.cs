using Lekhika.Daemon.Tests.EndToEnd.Support;
using Xunit;

// The end-to-end tests wait more than they work.
[assembly: CollectionBehavior(MaxParallelThreads = 4)]
[assembly: AssemblyFixture(typeof(Servers))]

namespace Lekhika.Daemon.Tests;

public sealed class AssemblyTests
{
    [Fact]
    public void The_runner_runs() => Assert.NotNull(typeof(AssemblyTests).Assembly.FullName);
}
