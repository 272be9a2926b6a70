using Lekhika.Workflows.Definitions;
using Lekhika.Workflows.Execution;
using Xunit;
using static Lekhika.Workflows.Tests.Execution.Graphs;

namespace Lekhika.Workflows.Tests.Execution;

public sealed class GraphOrderTests
{
    [Fact]
    public void Nodes_are_in_graph_order_and_otherwise_as_written()
    {
        var plan = Plan(Graph("dcba", "a-b", "b-c"));
        Assert.Equal("dabc", string.Concat(plan.Nodes.Select(node => node.Id)));
        Assert.Equal([0, 1, 2, 3], plan.Nodes.Select(node => node.Index));
        Assert.Equal("b", plan.Find("c")!.Incoming.Single().From.Id);
        Assert.Null(plan.Find("e"));
    }

    [Fact]
    public void Edges_to_unknown_nodes_are_refused_by_name() =>
        Assert.Contains("'z'", Assert.Throws<ArgumentException>(() => Plan(Graph("a", "a-z"))).Message, StringComparison.Ordinal);

    [Fact]
    public void Duplicate_ids_are_refused_by_name() =>
        Assert.Contains("'a'", Assert.Throws<ArgumentException>(() => Plan(Graph("aa"))).Message, StringComparison.Ordinal);

    [Fact]
    public void Cycles_are_refused() =>
        Assert.Contains("cycle", Assert.Throws<ArgumentException>(() => Plan(Graph("abc", "a-b", "b-c", "c-b"))).Message, StringComparison.Ordinal);

    [Fact]
    public void A_scope_without_a_body_is_refused() =>
        Assert.Contains("body", Assert.Throws<ArgumentException>(() => Plan(Graph([Node("m", "map")]))).Message, StringComparison.Ordinal);

    [Fact]
    public void Bodies_are_checked_too() =>
        Assert.Contains("the body of 'm'", Assert.Throws<ArgumentException>(() => Plan(Graph([Scope("m", "map", Graph("xx"))]))).Message, StringComparison.Ordinal);

    [Fact]
    public void Bodies_nested_without_end_are_refused()
    {
        var graph = Graph("x");
        for (var i = 0; i <= WorkflowPlan.MaxDepth; i++) graph = Graph([Scope("m", "map", graph)]);
        Assert.Throws<ArgumentException>(() => Plan(graph));
    }

    [Theory]
    [InlineData("a", new[] { "a" }, new int[0])]
    [InlineData("a[3].b", new[] { "a", "b" }, new[] { 3 })]
    [InlineData(@"a\.b[0].c\[1\][2].\\d", new[] { "a.b", "c[1]", @"\d" }, new[] { 0, 2 })]
    public void Keys_are_read_back(string key, string[] ids, int[] iterations)
    {
        var path = new StepPath(key);
        List<string> foundIds = [];
        List<int> foundIterations = [];
        while (path.TryNext(out var id, out var iteration))
        {
            foundIds.Add(id);
            if (iteration is { } number) foundIterations.Add(number);
        }

        Assert.True(path.AtEnd);
        Assert.Equal(ids, foundIds);
        Assert.Equal(iterations, foundIterations);
    }

    [Theory]
    [InlineData("a[")]
    [InlineData("a[x]")]
    [InlineData("a[-1]")]
    [InlineData("a[01]")]
    [InlineData("a]b")]
    [InlineData("a[1]b")]
    [InlineData(@"a\")]
    public void Keys_of_another_form_are_refused(string key)
    {
        var machine = Machine(Graph([Scope("a", "map", Graph("b"))]));
        Assert.Throws<InvalidOperationException>(() => machine.Apply(Done(key)));
    }
}
