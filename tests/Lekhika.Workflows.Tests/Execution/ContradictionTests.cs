using Lekhika.Workflows.Definitions;
using Lekhika.Workflows.Execution;
using Xunit;
using static Lekhika.Workflows.Tests.Execution.Graphs;

namespace Lekhika.Workflows.Tests.Execution;

public sealed class ContradictionTests
{
    [Fact]
    public void The_same_record_twice_is_harmless()
    {
        var machine = Machine(Graph("ab", "a-b"));
        machine.Next();
        var record = Done("a", output: """{"x":1,"y":2}""");
        Assert.Equal("start b#1", machine.Next(record, Done("a", output: """{"y":2,"x":1.0}""") with { FinishedAt = Start.AddSeconds(5) }));
        Assert.Equal("", machine.Next(record));
    }

    [Fact]
    public void An_output_may_be_brought_later()
    {
        var machine = Machine(Graph("a"));
        machine.Apply(Record("a"));
        machine.Apply(Done("a", output: """{"x":1}"""));
        machine.Apply(Record("a"));
        Assert.Equal("""{"x":1}""", machine.OutputOf("a")!.Value.GetRawText());
    }

    [Fact]
    public void Times_that_a_database_rounded_are_the_same()
    {
        var machine = Machine(Graph("a"));
        var record = Retrying("a", 5);
        Assert.Equal("", machine.Next(record, record with { DueAt = record.DueAt!.Value.AddTicks(7) }));
        Assert.Equal("start a#2", machine.NextAt(6));
    }

    public static TheoryData<string, StepRecord[]> Impossible => new()
    {
        { "two outcomes", [Done("a"), Failed("a")] },
        { "two outputs", [Done("a"), Done("a", output: """{"x":1}""")] },
        { "two branches", [Done("a", "x"), Done("a", "y")] },
        { "two errors", [Failed("a"), Failed("a", code: ErrorCodes.NodeTimeout)] },
        { "two final attempts", [Done("a"), Done("a", attempt: 2)] },
        { "a retry after the end", [Done("a"), Retrying("a", 5)] },
        { "an end before a retry", [Retrying("a", 5, attempt: 2), Done("a")] },
        { "two retries of one attempt", [Retrying("a", 5), Retrying("a", 9)] },
        { "a wait after the end", [Done("a"), Waiting("a", 5, attempt: 2)] },
        { "opening a plain node", [Opened("a", "{}")] },
        { "another run", [Done("a") with { Run = 2 }] },
        { "attempt zero", [Done("a") with { Attempt = 0 }] },
        { "no such node", [Done("q")] },
        { "iterations of a plain node", [Done("a[0].x")] },
        { "a scope without a number", [Done("m.x")] },
        { "no such node in a body", [Done("m[0].q")] },
        { "a skipped step", [Done("a"), Done("b")] },
        { "a step that is skipped later", [Done("b"), Done("a")] },
        { "an iteration of a skipped map", [Done("a"), Done("k[0].x")] },
        { "an iteration of a map that is skipped later", [Done("k[0].x"), Done("a")] },
        { "fired by no predecessor", [Done("j") with { FiredBy = "m" }] },
        { "fired where all are joined", [Done("b") with { FiredBy = "a" }] },
        { "fired by an edge not taken", [Done("j") with { FiredBy = "a" }, Done("a")] },
        { "fired by two", [Waiting("j", 5) with { FiredBy = "a" }, Done("j") with { FiredBy = "c" }] },
        { "fired by an edge not taken, found later", [Done("c"), Done("j") with { FiredBy = "a" }, Done("a")] },
        { "an iteration past the count", [Opened("m", """{"items":[1]}"""), Done("m[1].x")] },
        { "a count below an iteration", [Done("m[1].x"), Opened("m", """{"items":[1]}""")] },
        { "a map opened without items", [Opened("m", """{"times":3}""")] },
        { "a map opened twice", [Opened("m", """{"items":[1]}"""), Opened("m", """{"items":[2]}""")] },
        { "a map tried again after it was opened", [Opened("m", """{"items":[1]}"""), Retrying("m", 5)] },
        { "a waiting map", [Waiting("m", 5)] },
        { "passes of a map", [Opened("m", """{"items":[1]}"""), Opened("m[0]", "true")] },
        { "a pass decided twice", [Opened("l[0]", "true"), Opened("l[0]", "false")] },
        { "a pass decided by a word", [Opened("l[0]", "\"yes\"")] },
        { "a pass after the last", [Opened("l", """{"while":true}"""), Opened("l[0]", "false"), Done("l[0].y")] },
        { "the last pass before another", [Opened("l", """{"while":true}"""), Done("l[1].y"), Opened("l[0]", "true"), Done("l[0].y"), Opened("l[1]", "false")] },
        { "a loop that runs minus one times", [Opened("l", """{"times":-1}""")] },
    };

    [Theory]
    [MemberData(nameof(Impossible))]
    public void Records_that_cannot_be_true_together_are_refused(string what, StepRecord[] records)
    {
        var join = Node("j") with { Join = JoinMode.Any };
        var machine = Machine(Graph(
            [Node("a"), Node("b"), Node("c"), join, Scope("m", "map", Graph("x")), Scope("l", "loop", Graph("y")), Scope("k", "map", Graph("x"))],
            "a-b:x", "a-k:x", "a-j:x", "c-j"));
        var refusal = Assert.Throws<InvalidOperationException>(() =>
        {
            foreach (var record in records) machine.Apply(record);
        });
        Assert.True(refusal.Message.Contains("contradicts", StringComparison.Ordinal), what);
    }
}
