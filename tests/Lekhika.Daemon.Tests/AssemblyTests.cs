using Xunit;

namespace Lekhika.Daemon.Tests;

public sealed class AssemblyTests
{
    [Fact]
    public void The_runner_runs() => Assert.NotNull(typeof(AssemblyTests).Assembly.FullName);
}
