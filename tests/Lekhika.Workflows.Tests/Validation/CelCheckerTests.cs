using Lekhika.Workflows.Tests.Definitions;
using Lekhika.Workflows.Validation;
using Xunit;

namespace Lekhika.Workflows.Tests.Validation;

public sealed class CelCheckerTests
{
    private static readonly CelChecker Checker = CelChecker.Instance;

    [Theory]
    [InlineData("1 +", 1, 4)]
    [InlineData("inputs.a ==\n  (1", 2, 5)]
    [InlineData("siz(inputs.a)", 1, 1)]
    public void A_fault_of_an_expression_has_its_place(string expression, int line, int column)
    {
        var fault = Assert.Single(Checker.CheckExpression(expression).Faults);
        Assert.Equal((line, column), (fault.Line, fault.Column ?? 0));
        Assert.DoesNotContain("column", fault.Message, StringComparison.Ordinal);
    }

    [Theory]
    [InlineData("{{ 1 + }}", 1, 8)]
    [InlineData("Hello {{ inputs.name }}, {{ siz(inputs.a) }}", 1, 29)]
    [InlineData("one\ntwo {{ a }}{{ b = 1 }}", 2, 17)]
    [InlineData("open {{ inputs.a", 1, 6)]
    public void A_fault_of_a_template_has_its_place_in_the_whole_text(string template, int line, int column)
    {
        var fault = Assert.Single(Checker.CheckTemplate(template).Faults);
        Assert.Equal((line, column), (fault.Line, fault.Column ?? 0));
    }

    [Fact]
    public void Names_of_a_template_have_their_places_in_the_whole_text()
    {
        var names = Checker.CheckTemplate("Hi {{ inputs.a }}\n and {{\n nodes[\"x y\"].text + vars.b }}").Names;
        Assert.Equal([("inputs", "a", 1, 7), ("nodes", "x y", 3, 2), ("vars", "b", 3, 22)], names.Select(name => (name.Root, name.Member!, name.Line, name.Column ?? 0)));
    }

    [Fact]
    public void Every_fault_and_the_names_beside_them_are_told_at_once()
    {
        var report = Checker.CheckTemplate("{{ 1 + }} {{ inputs.a }} {{ ) }}");
        Assert.Equal(2, report.Faults.Length);
        Assert.Equal("a", Assert.Single(report.Names).Member);
    }

    [Fact]
    public void What_has_asks_for_may_be_absent_and_what_it_asks_it_of_may_not()
    {
        Assert.Equal([("inputs", null), ("nodes", "a")], Checker.CheckExpression("has(inputs.x) && has(nodes.a.text)").Names.Select(name => (name.Root, name.Member)));
        Assert.Equal("inptus", Assert.Single(Checker.CheckExpression("has(inptus.x)").Names).Root);
    }

    [Fact]
    public void Variables_of_macros_are_no_names() => Assert.Equal(
        "inputs", Assert.Single(Checker.CheckExpression("inputs.list.map(x, x.a).exists(y, y > 1)").Names).Root);

    [Fact]
    public void A_problem_says_column_once_and_the_line_where_there_are_several()
    {
        var result = Documents.Check("""
            {"nodes":[{"id":"t","type":"trigger"},{"id":"a","type":"llm","config":{"prompt":"x\n{{ 1 + }}"}},{"id":"c","type":"condition","config":{"expression":"1 +"}}],
             "edges":[{"from":"t","to":"a"},{"from":"a","to":"c"},{"from":"c","to":"t","when":"tru"}]}
            """);
        var messages = result.Problems.Where(problem => problem.Code == "invalid_expression").ToDictionary(problem => problem.Path, problem => problem.Message);
        Assert.EndsWith("(line 2, column 8)", messages["nodes[1].config.prompt"], StringComparison.Ordinal);
        Assert.EndsWith("(column 4)", messages["nodes[2].config.expression"], StringComparison.Ordinal);
        Assert.All(messages.Values, message => Assert.Single(message.Split("column").Skip(1)));
    }
}
