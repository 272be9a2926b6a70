using System.Diagnostics;
using System.Globalization;
using System.Text;
using System.Text.Json;
using Lekhika.Workflows.Catalogue;
using Lekhika.Workflows.Dialects;
using Lekhika.Workflows.Execution;
using Lekhika.Workflows.Templates;
using Lekhika.Workflows.Tests.Definitions;
using Lekhika.Workflows.Validation;
using Xunit;

namespace Lekhika.Workflows.Tests.Validation;

/// <summary>Reading, validating and planning cost in proportion to the size of the document, in every dialect.</summary>
public sealed class ValidationSizeTests
{
    [Theory]
    [InlineData("canonical")]
    [InlineData("lekhika")]
    [InlineData("synthralos")]
    [InlineData("ctrlchecks")]
    public void Eight_times_the_nodes_allocate_about_eight_times_as_much(string dialect)
    {
        var small = Documents.Json(Document(dialect, 250));
        var large = Documents.Json(Document(dialect, 2000));
        Plan(small);
        var (few, many) = (Allocated(small), Allocated(large));
        Assert.True(many < few * 14, $"2 000 nodes allocate {many:N0} bytes, 250 nodes {few:N0}");
    }

    [Theory]
    [InlineData("canonical")]
    [InlineData("lekhika")]
    [InlineData("synthralos")]
    [InlineData("ctrlchecks")]
    public void A_graph_of_2000_nodes_is_read_validated_and_planned_in_time(string dialect)
    {
        // The aim is 50 ms in the optimised program on an idle machine. This code is not optimised and the machine is shared, so the bound only
        // catches what grows out of all proportion; the allocations above are the sharper test.
        var document = Documents.Json(Document(dialect, 2000));
        var best = double.MaxValue;
        for (var time = 0; time < 8; time++)
        {
            var watch = Stopwatch.StartNew();
            Plan(document);
            best = Math.Min(best, watch.Elapsed.TotalMilliseconds);
            if (best < 50) break;
        }

        TestContext.Current.TestOutputHelper?.WriteLine($"{dialect}: {best:0.0} ms");
        Assert.True(best < 3000, $"It took {best:0.0} ms.");
    }

    private static long Allocated(JsonElement document)
    {
        var before = GC.GetAllocatedBytesForCurrentThread();
        Plan(document);
        return GC.GetAllocatedBytesForCurrentThread() - before;
    }

    private static void Plan(JsonElement document)
    {
        var read = WorkflowReader.Check(document, new ReadOptions(), new ValidationOptions { Expressions = CelChecker.Instance });
        Assert.Empty(read.Errors());
        WorkflowPlan.Compile(read.Definition!, static node => NodeCatalogue.BuiltIn.Find(node.Type)!.Effect);
    }

    /// <summary>A trigger, and model calls in rows of ten, each after two of the row before and with a name in its prompt.</summary>
    private static string Document(string dialect, int count)
    {
        var (node, edge) = dialect switch
        {
            "lekhika" => ("""{"id":"n§","type":"process","position":{"x":§,"y":0},"data":{"role":"helper","userPrompt":"About {topic}, after {previous_node_output}"}}""", """{"source":"n§","target":"n¤"}"""),
            "synthralos" => ("""{"node_id":"n§","node_type":"ai_prompt","config":{"model":"llama3.2","prompt":"About {{trigger.data.topic}} and {{n0.result.x}}"}}""", """{"from":"n§","to":"n¤"}"""),
            "ctrlchecks" => ("""{"id":"n§","type":"custom","data":{"type":"ollama","config":{"model":"llama3.2","prompt":"About {{input.topic}}"}}}""", """{"source":"n§","target":"n¤"}"""),
            _ => ("""{"id":"n§","type":"llm","config":{"prompt":"About {{ inputs.topic }} and {{ nodes[\"n0\"].x }}"}}""", """{"from":"n§","to":"n¤"}"""),
        };
        var first = dialect switch
        {
            "lekhika" => """{"id":"n0","type":"input","data":{"inputFields":[]}}""",
            "synthralos" => """{"node_id":"n0","node_type":"trigger"}""",
            "ctrlchecks" => """{"id":"n0","type":"custom","data":{"type":"webhook","config":{}}}""",
            _ => """{"id":"n0","type":"trigger"}""",
        };
        var nodes = new StringBuilder(first);
        var edges = new StringBuilder();
        for (var number = 1; number < count; number++)
        {
            nodes.Append(',').Append(node.Replace("§", Text(number), StringComparison.Ordinal));
            foreach (var before in new[] { Math.Max(0, number - 10), Math.Max(0, number - 11) }.Distinct())
                edges.Append(edges.Length > 0 ? "," : "").Append(edge.Replace("§", Text(before), StringComparison.Ordinal).Replace("¤", Text(number), StringComparison.Ordinal));
        }

        return $$"""{"nodes":[{{nodes}}],"edges":[{{edges}}]}""";
    }

    private static string Text(int number) => number.ToString(CultureInfo.InvariantCulture);
}
