using Lekhika.Workflows.Execution;
using Xunit;
using static Lekhika.Workflows.Tests.Execution.Graphs;

namespace Lekhika.Workflows.Tests.Execution;

public sealed class ProgressTests
{
    [Fact]
    public void Effects_weigh_more_than_pure_steps()
    {
        var machine = Machine(Graph([Node("a", "noop"), Node("b", "llm"), Node("c", "noop")], "a-b", "b-c"));
        Assert.Equal(0, machine.Progress);
        machine.Next(Done("a"));
        Assert.Equal(100.0 / 12, machine.Progress, 6);
        machine.Next(Done("b"));
        Assert.Equal(1100.0 / 12, machine.Progress, 6);
        machine.Apply(Done("c"));
        Assert.Equal(100, machine.Progress);
    }

    [Fact]
    public void A_running_step_adds_the_share_it_reports_and_a_retry_takes_nothing_back()
    {
        var machine = Machine(Graph([Node("a", "llm"), Node("b", "llm")], "a-b"));
        machine.ReportFraction("a", 0.9);
        Assert.Equal(0, machine.Progress);
        machine.Next();
        machine.ReportFraction("a", 0.4);
        var shown = machine.Progress;
        Assert.Equal(19, shown, 6);
        machine.ReportFraction("a", double.NaN);
        machine.ReportFraction("nobody", 1);
        machine.Apply(Retrying("a", 5));
        Assert.Equal(shown, machine.Progress);
        machine.ReportFraction("a", 1);
        Assert.Equal(shown, machine.Progress);
    }

    [Fact]
    public void Skipped_steps_count_as_over()
    {
        var machine = Machine(Graph([Node("a"), Node("b", "llm"), Node("c", "llm")], "a-b:x", "a-c"));
        machine.Next(Done("a"));
        Assert.Equal(1100.0 / 21, machine.Progress, 6);
    }

    [Fact]
    public void A_map_counts_by_its_iterations_and_their_steps()
    {
        var machine = Machine(Graph([Scope("m", "map", Graph("xy", "x-y"))]));
        machine.Next(Opened("m", """{"items":[1,2]}"""));
        Assert.Equal(0, machine.Progress);
        machine.Next(Done("m[0].x"));
        Assert.Equal(25, machine.Progress, 6);
        machine.Next(Done("m[0].y"), Done("m[1].x"), Done("m[1].y"));
        Assert.Equal(99, machine.Progress);
        machine.Apply(Done("m"));
        Assert.Equal(100, machine.Progress);
    }

    [Fact]
    public void A_failed_run_never_shows_100()
    {
        var machine = Machine(Graph("ab"));
        machine.Apply(Done("a"));
        machine.Apply(Failed("b"));
        Assert.Equal(99, machine.Progress);
    }
}
