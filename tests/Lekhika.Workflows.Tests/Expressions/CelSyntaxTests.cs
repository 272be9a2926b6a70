using Lekhika.Workflows.Expressions;
using Xunit;

namespace Lekhika.Workflows.Tests.Expressions;

public sealed class CelSyntaxTests
{
    [Theory]
    [InlineData("", 1, 1, "empty")]
    [InlineData("1 +", 1, 4, "found the end but expected a value")]
    [InlineData("1 + + 2", 1, 5, "found '+'")]
    [InlineData("(1 + 2", 1, 7, "')' to close the parenthesis")]
    [InlineData("[1, 2", 1, 6, "',' or ']' to close the list")]
    [InlineData("{'a' 1}", 1, 6, "':' between key and value")]
    [InlineData("f(1,)", 1, 5, "another argument")]
    [InlineData("a.", 1, 3, "the name of a member")]
    [InlineData("a.in", 1, 3, "[\"in\"]")]
    [InlineData("a ? b", 1, 6, "':'")]
    [InlineData("a\n  === b", 2, 3, "'==='; CEL writes '=='")]
    [InlineData("a = b", 1, 3, "CEL compares with '=='")]
    [InlineData("a & b", 1, 3, "'&&'")]
    [InlineData("a and b", 1, 3, "CEL writes '&&'")]
    [InlineData("'abc", 1, 1, "without its closing '")]
    [InlineData("'a\nb'", 1, 1, "does not end on its line")]
    [InlineData(@"'\q'", 1, 2, "the escape '\\q'")]
    [InlineData(@"'\ud800'", 1, 8, "no Unicode character")]
    [InlineData("99999999999999999999", 1, 1, "more than 64 bits")]
    [InlineData("9223372036854775808", 1, 1, "beyond the range of int")]
    [InlineData("1e", 1, 1, "exponent has no digits")]
    [InlineData("12abc", 1, 3, "right after a number")]
    [InlineData("for", 1, 1, "reserved word")]
    [InlineData("a #", 1, 3, "found '#'")]
    [InlineData("a\u00A0b", 1, 2, "found 'U+00A0'")]
    [InlineData("Foo{a: 1}", 1, 4, "messages cannot be made")]
    [InlineData("has(a)", 1, 1, "has(inputs.topic)")]
    [InlineData("[1].map(x + 1, x)", 1, 11, "the name of a variable")]
    [InlineData("[1].map(x)", 1, 5, "takes a variable and an expression")]
    [InlineData("lenght('a')", 1, 1, "no function 'lenght'")]
    [InlineData("'a'.startWith('b')", 1, 5, "did you mean 'startsWith'?")]
    [InlineData("'a'.length()", 1, 5, "use size(x)")]
    [InlineData("'a'.int()", 1, 5, "called as int(x)")]
    [InlineData("contains('a', 'b')", 1, 1, "called on a value")]
    [InlineData("'a'.replace('b')", 1, 5, "takes 2 to 3 arguments, found 1")]
    public void An_error_says_where_it_is_and_what_was_expected(string text, int line, int column, string part)
    {
        var error = Assert.Throws<CelSyntaxException>(() => CelExpression.Compile(text));
        Assert.Contains(part, error.Message, StringComparison.Ordinal);
        Assert.Equal((line, column), (error.Line, error.Column));
        Assert.StartsWith($"line {line}, column {column}: ", error.Message, StringComparison.Ordinal);
    }

    [Fact]
    public void TryCompile_gives_the_error_instead_of_throwing()
    {
        Assert.False(CelExpression.TryCompile("1 +", out var none, out var error));
        Assert.Null(none);
        Assert.Equal(4, error.Column);
        Assert.True(CelExpression.TryCompile("1 + 1", out var expression, out _));
        Assert.Equal("1 + 1", expression.Text);
    }

    [Theory]
    [InlineData("(", ")")]
    [InlineData("[", "]")]
    [InlineData("-(", ")")]
    [InlineData("!(", ")")]
    [InlineData("size(", ")")]
    [InlineData("[1].map(x, ", ")")]
    [InlineData("has({'a': ", "}.a)")]
    [InlineData("true ? (", ") : 2")]
    [InlineData("{1: ", "}")]
    public void Deep_nesting_is_refused_and_does_not_exhaust_the_stack(string open, string close)
    {
        const int Depth = 3000;
        var text = string.Concat(Enumerable.Repeat(open, Depth)) + "1" + string.Concat(Enumerable.Repeat(close, Depth));
        var error = Assert.Throws<CelSyntaxException>(() => CelExpression.Compile(text));
        Assert.Contains("nest", error.Message, StringComparison.Ordinal);
    }

    [Theory]
    [InlineData(" + 1")]
    [InlineData(" == 1")]
    [InlineData(".a")]
    [InlineData("[0]")]
    [InlineData(".size()")]
    public void A_chain_of_thousands_is_refused(string link)
    {
        var error = Assert.Throws<CelSyntaxException>(() => CelExpression.Compile("a" + string.Concat(Enumerable.Repeat(link, 3000))));
        Assert.Contains("more than 500 operations", error.Message, StringComparison.Ordinal);
    }

    [Fact]
    public void Long_chains_of_conditions_and_signs_are_fine()
    {
        Assert.True(Cel.Eval("false" + string.Concat(Enumerable.Repeat(" || false", 5000)) + " || true").Equals(CelValue.From(true)));
        Assert.True(Cel.Eval("false" + string.Concat(Enumerable.Repeat(" ? 1 : false", 400)) + " ? 1 : 2").Equals(CelValue.From(2)));
        Assert.True(Cel.Eval(new string('-', 10_001) + "(5)").Equals(CelValue.From(-5)));
        Assert.True(Cel.Eval(new string('!', 10_001) + "true").Equals(CelValue.From(false)));
    }

    public static TheoryData<string> AtTheLimits => new(
        new string('(', 199) + "1" + new string(')', 199),
        string.Concat(Enumerable.Repeat("[1].map(x, ", 199)) + "1" + new string(')', 199),
        string.Concat(Enumerable.Repeat("-size([", 99)) + "1" + string.Concat(Enumerable.Repeat("])", 99)),
        "1" + string.Concat(Enumerable.Repeat(" + 1", 499)),
        "a" + string.Concat(Enumerable.Repeat(".map(x, x)", 499)));

    [Theory]
    [MemberData(nameof(AtTheLimits))]
    public void What_is_accepted_evaluates_on_an_ordinary_stack(string text)
    {
        var bindings = new CelBindings { ["a"] = CelValue.FromList([]) };
        Assert.IsType<CelKind>(OnStackOf(1536, () => Cel.Eval(text, bindings).Kind));
    }

    [Theory]
    [MemberData(nameof(AtTheLimits))]
    public void On_a_small_stack_it_ends_in_an_error_at_worst(string text)
    {
        var bindings = new CelBindings { ["a"] = CelValue.FromList([]) };
        var outcome = OnStackOf(256, () => Cel.Eval(text, bindings).Kind);
        Assert.True(outcome is CelKind or CelSyntaxException or CelBudgetException, $"{outcome}");

        // Compiled elsewhere, so that the evaluation alone meets the small stack.
        var expression = CelExpression.Compile(text);
        outcome = OnStackOf(192, () => expression.Evaluate(bindings).Kind);
        Assert.True(outcome is CelKind or CelBudgetException, $"{outcome}");
    }

    private static object? OnStackOf(int kibibytes, Func<object> action)
    {
        object? outcome = null;
        var thread = new Thread(
            () =>
            {
                try
                {
                    outcome = action();
                }
                catch (Exception error) when (error is CelSyntaxException or CelEvaluationException)
                {
                    outcome = error;
                }
            },
            kibibytes * 1024);
        thread.Start();
        thread.Join();
        return outcome;
    }

    [Fact]
    public void An_expression_that_is_too_long_is_refused()
    {
        var error = Assert.Throws<CelSyntaxException>(() => CelExpression.Compile("'" + new string('a', 70_000) + "'"));
        Assert.Contains("65536", error.Message, StringComparison.Ordinal);
    }

    [Fact]
    public void References_list_the_free_names_with_their_constant_members()
    {
        var expression = CelExpression.Compile(
            "inputs.topic + nodes[\"my-node\"].items[0].text + string(nodes[inputs.which].x) + [1].map(x, x + index)[0] + (has(vars.a.b) ? 'y' : int)");
        Assert.Equal(
            ["inputs.topic", "nodes[\"my-node\"].items[0].text", "nodes", "inputs.which", "index", "vars.a.b"],
            expression.References.Select(reference => reference.ToString()));
        Assert.Equal([false, false, false, false, false, true], expression.References.Select(reference => reference.IsTested));
        Assert.Equal((1, 16), (expression.References[1].Line, expression.References[1].Column));
    }

    [Fact]
    public void A_variable_of_a_comprehension_is_no_reference_but_its_outer_namesake_is()
    {
        var expression = CelExpression.Compile("item.all(item, item.ok) && cel.bind(item, 1, item > 0) && item.ok");
        Assert.Equal(["item", "item.ok"], expression.References.Select(reference => reference.ToString()));
    }

    [Fact]
    public void Without_macros_and_checks_calls_fail_only_when_evaluated()
    {
        var options = new CelCompileOptions { Macros = false, CheckFunctions = false };
        var expression = CelExpression.Compile("[1].map(x, x) == [] || true", options);
        Assert.True(expression.Evaluate(CelBindings.Empty).Equals(CelValue.From(true)));
    }
}
