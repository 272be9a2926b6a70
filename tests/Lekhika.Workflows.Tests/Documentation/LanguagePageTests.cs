using System.Text.Json;
using Lekhika.Workflows.Definitions;
using Lekhika.Workflows.Dialects;
using Lekhika.Workflows.Expressions;
using Lekhika.Workflows.Tests.Definitions;
using Xunit;

namespace Lekhika.Workflows.Tests.Documentation;

/// <summary>The examples of docs/workflow-language.md are true.</summary>
public sealed class LanguagePageTests
{
    private static readonly List<(string Kind, string Text, int Line)> Blocks = Read();

    public static TheoryData<int> Workflows => [.. Blocks.Where(block => block.Kind == "json").Select(block => block.Line)];

    [Theory]
    [MemberData(nameof(Workflows))]
    public void Every_workflow_is_valid_and_reads_back_the_same_in_canonical_form(int line)
    {
        var read = Documents.Check(Blocks.Single(block => block.Line == line).Text);
        Assert.Empty(read.Errors());
        Assert.DoesNotContain(read.Problems, problem => problem.Code != "branch_without_edge");
        var again = WorkflowReader.Read(DefinitionWriter.ToElement(read.Definition!), new ReadOptions());
        Assert.Empty(again.Problems);
        Assert.Equal(Documents.Canonical(read.Definition!), Documents.Canonical(again.Definition!));
    }

    [Fact]
    public void There_is_an_example_of_every_dialect() => Assert.Equal(
        Enum.GetValues<Dialect>(), Blocks.Where(block => block.Kind == "json").Select(block => Documents.Read(block.Text).Dialect).Distinct().Order());

    [Fact]
    public void Every_expression_gives_what_stands_behind_it()
    {
        var names = new CelBindings();
        foreach (var property in Documents.Json(Blocks.Single(block => block.Kind == "json bindings").Text).EnumerateObject())
            names.Add(property.Name, CelValue.FromJson(property.Value));
        var lines = Blocks.Where(block => block.Kind == "cel").SelectMany(block => block.Text.Split('\n', StringSplitOptions.RemoveEmptyEntries)).ToList();
        Assert.NotEmpty(lines);
        foreach (var line in lines)
        {
            var parts = line.Split("// ");
            var value = CelExpression.Compile(parts[0]).Evaluate(names).ToJson();
            Assert.True(JsonElement.DeepEquals(Documents.Json(parts[1]), value), $"{parts[0].Trim()} gives {value.GetRawText()}");
        }
    }

    private static List<(string Kind, string Text, int Line)> Read()
    {
        var folder = AppContext.BaseDirectory;
        while (!File.Exists(Path.Combine(folder, "Lekhika.Daemon.sln"))) folder = Path.GetDirectoryName(folder) ?? throw new InvalidOperationException("the repository is not there");
        var lines = File.ReadAllLines(Path.Combine(folder, "docs", "workflow-language.md"));
        var blocks = new List<(string, string, int)>();
        for (var start = 0; start < lines.Length; start++)
        {
            if (!lines[start].StartsWith("```", StringComparison.Ordinal)) continue;
            var end = Array.IndexOf(lines, "```", start + 1);
            blocks.Add((lines[start][3..], string.Join('\n', lines[(start + 1)..end]), start + 1));
            start = end;
        }

        return blocks;
    }
}
