using System.Diagnostics;
using System.Text;
using Lekhika.Workflows.Definitions;
using Lekhika.Workflows.Tests.Definitions;
using Lekhika.Workflows.Validation;
using Xunit;

namespace Lekhika.Workflows.Tests.Validation;

public sealed class GraphValidationTests
{
    [Fact]
    public void A_sound_workflow_has_no_problems() => Assert.Empty(Documents.Check("""
        {"nodes":[{"id":"start","type":"trigger"},{"id":"ok","type":"condition","config":{"expression":"true"}},
         {"id":"yes","type":"noop"},{"id":"no","type":"noop"}],
         "edges":[{"from":"start","to":"ok"},{"from":"ok","to":"yes","when":"true"},{"from":"ok","to":"no","when":"false"}]}
        """).Problems);

    [Fact]
    public void No_nodes_is_an_error() => Assert.Equal("nodes", Documents.Check("""{"nodes":[],"edges":[]}""").Problem("no_nodes").Path);

    [Fact]
    public void Missing_and_repeated_ids_are_errors()
    {
        var result = Documents.Check("""{"nodes":[{"type":"noop"},{"id":"a","type":"noop"},{"id":"a","type":"noop"}]}""");
        Assert.Equal("nodes[0].id", result.Problem("missing_id").Path);
        Assert.Equal("nodes[2].id", result.Problem("duplicate_id").Path);
        Assert.Contains("nodes[1]", result.Problem("duplicate_id").Message, StringComparison.Ordinal);
    }

    [Fact]
    public void An_edge_to_a_missing_node_names_it_and_what_was_meant()
    {
        var problem = Documents.Check("""{"nodes":[{"id":"draft","type":"noop"},{"id":"end","type":"noop"}],"edges":[{"from":"drfat","to":"end"}]}""")
            .Problem("unknown_edge_end");
        Assert.Equal("edges[0].from", problem.Path);
        Assert.Equal("draft", problem.Suggestion);
    }

    [Fact]
    public void An_edge_without_an_end_and_a_self_loop_are_errors()
    {
        var result = Documents.Check("""{"nodes":[{"id":"a","type":"noop"}],"edges":[{"from":"a"},{"from":"a","to":"a"}]}""");
        Assert.Equal("edges[0].to", result.Problem("missing_edge_end").Path);
        Assert.Equal("edges[1]", result.Problem("self_loop").Path);
    }

    [Fact]
    public void A_cycle_is_named_in_full()
    {
        var result = Documents.Check("""
            {"nodes":[{"id":"start","type":"trigger"},{"id":"a","type":"noop"},{"id":"b","type":"noop"},{"id":"c","type":"noop"}],
             "edges":[{"from":"start","to":"a"},{"from":"a","to":"b"},{"from":"b","to":"c"},{"from":"c","to":"a"}]}
            """);
        Assert.Contains("a → b → c → a", result.Problem("cycle").Message, StringComparison.Ordinal);
    }

    [Fact]
    public void Cycles_that_share_a_node_are_each_named() => Assert.Equal(2, Documents.Check("""
        {"nodes":[{"id":"a","type":"noop"},{"id":"b","type":"noop"},{"id":"c","type":"noop"}],
         "edges":[{"from":"a","to":"b"},{"from":"b","to":"a"},{"from":"a","to":"c"},{"from":"c","to":"a"}]}
        """).Problems.Count(problem => problem.Code == "cycle"));

    [Fact]
    public void A_node_that_nothing_leads_to_is_a_warning()
    {
        var problem = Documents.Check("""{"nodes":[{"id":"start","type":"trigger"},{"id":"alone","type":"noop"}],"edges":[]}""")
            .Problem("unreachable_node");
        Assert.Equal(Severity.Warning, problem.Severity);
        Assert.Equal("nodes[1]", problem.Path);
    }

    [Fact]
    public void No_trigger_is_a_warning() =>
        Assert.Equal(Severity.Warning, Documents.Check("""{"nodes":[{"id":"a","type":"noop"}]}""").Problem("no_trigger").Severity);

    [Theory]
    [InlineData("condition", """{"expression":"true"}""", "ture", "true")]
    [InlineData("switch", """{"expression":"inputs.x","cases":["english",2]}""", "enlgish", "english")]
    [InlineData("approval", """{"options":["publish","drop"]}""", "approve", null)]
    [InlineData("noop", "{}", "true", null)]
    public void A_branch_that_a_node_never_takes_is_an_error(string type, string config, string label, string? meant)
    {
        var problem = Documents.Check(
            $$"""{"nodes":[{"id":"a","type":"{{type}}","config":{{config}}},{"id":"b","type":"noop"}],"edges":[{"from":"a","to":"b","when":"{{label}}"}]}""")
            .Problem("unknown_branch");
        Assert.Equal("edges[0].when", problem.Path);
        Assert.Equal(meant, problem.Suggestion);
    }

    [Theory]
    [InlineData("condition", """{"expression":"true"}""", "true")]
    [InlineData("switch", """{"expression":"inputs.x","cases":["english",2]}""", "2")]
    [InlineData("switch", """{"expression":"inputs.x","cases":["english",2]}""", "default")]
    [InlineData("approval", "{}", "reject")]
    [InlineData("approval", """{"options":["publish"]}""", "publish")]
    [InlineData("noop", "{}", "error")]
    public void Branches_that_a_node_can_take_are_accepted(string type, string config, string label) => Assert.Empty(Documents.Check(
        $$"""{"nodes":[{"id":"a","type":"{{type}}","config":{{config}}},{"id":"b","type":"noop"}],"edges":[{"from":"a","to":"b","when":"{{label}}"}]}""")
        .Errors());

    [Fact]
    public void A_branch_that_no_edge_carries_is_a_warning()
    {
        var problem = Documents.Check("""
            {"nodes":[{"id":"a","type":"condition","config":{"expression":"true"}},{"id":"b","type":"noop"}],"edges":[{"from":"a","to":"b","when":"true"}]}
            """).Problem("branch_without_edge");
        Assert.Equal(Severity.Warning, problem.Severity);
        Assert.Contains("'false'", problem.Message, StringComparison.Ordinal);
    }

    [Fact]
    public void On_error_branch_without_an_error_edge_is_a_warning() =>
        Assert.Contains("error", Documents.Check("""{"nodes":[{"id":"a","type":"noop","on_error":"branch"}]}""").Problem("branch_without_edge").Message, StringComparison.Ordinal);

    [Fact]
    public void Bodies_are_validated_in_their_place()
    {
        var result = Documents.Check("""
            {"nodes":[{"id":"m","type":"map","config":{"items":[],"body":{"nodes":[{"id":"x","type":"nop"},{"id":"t","type":"trigger"}],
              "edges":[{"from":"x","to":"y"}]}}}]}
            """);
        Assert.Equal("nodes[0].config.body.nodes[0].type", result.Problem("unknown_node_type").Path);
        Assert.Equal("nodes[0].config.body.edges[0].to", result.Problem("unknown_edge_end").Path);
        Assert.Equal("nodes[0].config.body.nodes[1]", result.Problem("trigger_in_body").Path);
    }

    [Fact]
    public void More_nodes_than_the_limit_is_an_error() => Assert.Equal(
        "too_many_nodes",
        Assert.Single(Documents.Check(Chain(11), null, new() { MaxNodes = 10 }).Problems).Code);

    [Fact]
    public void Everything_is_reported_at_once()
    {
        var codes = Documents.Check("""
            {"nodes":[{"id":"a","type":"sracping"},{"id":"a","type":"llm","config":{}},{"id":"c","type":"http","config":{"url":5,"methd":"GET"}}],
             "edges":[{"from":"a","to":"z"},{"from":"c","to":"c"}]}
            """).Problems.Select(problem => problem.Code).ToHashSet();
        Assert.Superset(
            new HashSet<string> { "unknown_node_type", "duplicate_id", "missing_config", "wrong_type", "unknown_config", "unknown_edge_end", "self_loop", "no_trigger" },
            codes);
    }

    [Fact]
    public void Two_thousand_nodes_are_validated_in_time()
    {
        var definition = Documents.Read(Chain(2000)).Definition!;
        Assert.Empty(WorkflowValidator.Validate(definition, new()));
        Assert.InRange(Fastest(definition, 50), 0, 50);
    }

    [Fact]
    public void A_graph_in_which_every_edge_is_wrong_is_still_validated_in_time()
    {
        var definition = Documents.Read(Chain(2000)).Definition!;
        definition = definition with { Edges = [.. definition.Edges.Select(edge => new EdgeDefinition(edge.From + "x", edge.To + "y"))] };
        Assert.InRange(Fastest(definition, 200), 0, 200);
    }

    /// <summary>The best of many tries, so that what else the machine does is not measured.</summary>
    private static long Fastest(WorkflowDefinition definition, long enough)
    {
        var fastest = long.MaxValue;
        for (var attempt = 0; attempt < 40 && fastest > enough; attempt++)
        {
            var watch = Stopwatch.StartNew();
            WorkflowValidator.Validate(definition, new());
            fastest = Math.Min(fastest, watch.ElapsedMilliseconds);
        }

        return fastest;
    }

    private static string Chain(int count)
    {
        var text = new StringBuilder("""{"nodes":[{"id":"n0","type":"trigger"}""");
        for (var number = 1; number < count; number++)
            text.Append($$$""",{"id":"n{{{number}}}","type":"llm","config":{"prompt":"Continue {{ nodes[\"n{{{number - 1}}}\"].text }}","temperature":0.5}}""");
        text.Append("],\"edges\":[");
        for (var number = 1; number < count; number++)
        {
            if (number > 1) text.Append(',');
            text.Append($$"""{"from":"n{{number - 1}}","to":"n{{number}}"}""");
            if (number > 10) text.Append($$""",{"from":"n{{number - 10}}","to":"n{{number}}"}""");
        }

        return text.Append("]}").ToString();
    }
}
