using Lekhika.Workflows.Expressions;
using Lekhika.Workflows.Templates;
using Lekhika.Workflows.Tests.Expressions;
using Xunit;

namespace Lekhika.Workflows.Tests.Templates;

public sealed class TextTemplateTests
{
    private static readonly CelBindings s_bindings = Cel.Bind(
        """{"inputs":{"topic":"cats","n":3,"price":2.50,"list":[1,"a"],"map":{"k":{"d":"}}"}},"none":null,"yes":true}}""");

    [Theory]
    [InlineData("plain", "plain")]
    [InlineData("", "")]
    [InlineData("About {{ inputs.topic }}.", "About cats.")]
    [InlineData("{{inputs.n}}{{inputs.n}}", "33")]
    [InlineData("{{ inputs.price }} {{ 1.0 }} {{ inputs.yes }}", "2.5 1 true")]
    [InlineData("[{{ inputs.none }}]", "[]")]
    [InlineData("See {{ inputs.list }} and {{ inputs.map.k }}", "See [1,\"a\"] and {\"d\":\"}}\"}")]
    [InlineData("{{ '}}' + \"}}\" }}!", "}}}}!")]
    [InlineData("{{ {'a': {'b': {'c': 1}}}.a.b.c }}!", "1!")]
    [InlineData("{{ {'a': {'b': 7}}['a']}}!", "{\"b\":7}!")]
    [InlineData("{{{'a': 1}}}!", "{\"a\":1}!")]
    [InlineData("{{ r'\\}}' }} {{ '''it's }}''' }}", "\\}} it's }}")]
    [InlineData("{{ \"{{\" }}name}}", "{{name}}")]
    [InlineData("{{ '{{' }} and {{ '}}' }}", "{{ and }}")]
    [InlineData("{ \"a\": {{ inputs.n }} } }}", "{ \"a\": 3 } }}")]
    [InlineData("line\n{{ inputs.list\n  .map(x, string(x))\n  .join('-') }}\nend", "line\n1-a\nend")]
    public void A_text_is_rendered(string text, string expected) => Assert.Equal(expected, TextTemplate.Compile(text).Render(s_bindings));

    [Theory]
    [InlineData("{{ inputs.n }}", CelKind.Int)]
    [InlineData("{{inputs.list}}", CelKind.List)]
    [InlineData("{{ inputs.none }}", CelKind.Null)]
    [InlineData("{{ {'a': {'b': 1}} }}", CelKind.Map)]
    [InlineData("{{ inputs.n }} ", CelKind.String)]
    [InlineData("{{ inputs.n }}{{ inputs.n }}", CelKind.String)]
    [InlineData("3", CelKind.String)]
    public void Exactly_one_expression_keeps_the_type(string text, CelKind kind) =>
        Assert.Equal(kind, TextTemplate.Compile(text).Evaluate(s_bindings).Kind);

    [Theory]
    [InlineData("a {{ inputs.topic", 1, 3, "never closed with '}}'; to write the braces themselves use {{ \"{{\" }}")]
    [InlineData("a {{ inputs.n // the number }}", 1, 3, "what follows '//' on a line is a comment")]
    [InlineData("a\nbc {{ 1 + }}", 2, 11, "found the end but expected a value")]
    [InlineData("{{ }}", 1, 3, "empty")]
    [InlineData("x {{ 'abc }}", 1, 6, "without its closing '")]
    [InlineData("x {{ foo(1) }}", 1, 6, "no function 'foo'")]
    [InlineData("x {{ size([1 }}", 1, 14, "',' or ']' to close the list")]
    [InlineData("{{ {'a': 1 }}", 1, 13, "expected '}}'")]
    [InlineData("{{ a } b }}", 1, 6, "expected '}}'")]
    [InlineData("{{ a $ }}", 1, 6, "found '$'")]
    [InlineData("{{\n  a b\n}}", 2, 5, "found 'b' but expected an operator")]
    public void An_error_has_its_line_and_column_in_the_whole_text(string text, int line, int column, string part)
    {
        var error = Assert.Throws<TemplateException>(() => TextTemplate.Compile(text, "config.prompt"));
        var problem = Assert.Single(error.Problems);
        Assert.StartsWith($"line {line}, column {column}: ", problem.Message, StringComparison.Ordinal);
        Assert.Contains(part, problem.Message, StringComparison.Ordinal);
        Assert.Equal("config.prompt", problem.Path);
    }

    [Fact]
    public void All_errors_of_a_text_are_found()
    {
        var error = Assert.Throws<TemplateException>(() => TextTemplate.Compile("{{ 1 + }} {{ 'ok' }} {{ $ }} {{ ) }} {{ open"));
        Assert.Equal(4, error.Problems.Count);
    }

    [Fact]
    public void A_failing_expression_is_named_with_its_path()
    {
        var template = TextTemplate.Compile("Hi {{ inputs.nme }}", "config.prompt");
        var error = Assert.Throws<TemplateRenderException>(() => template.Render(s_bindings));
        Assert.Equal(("config.prompt", "inputs.nme", ErrorCodes.ExpressionFailed), (error.Path, error.Expression, error.Code));
        Assert.StartsWith("config.prompt: {{ inputs.nme }}: no such key: 'nme' (the keys are 'topic', ", error.Message, StringComparison.Ordinal);
        error = Assert.Throws<TemplateRenderException>(() => template.Render(s_bindings, new CelLimits { MaxSteps = 1 }));
        Assert.Equal(ErrorCodes.ExpressionTooCostly, error.Code);
    }

    [Fact]
    public void A_rendered_text_is_held_to_the_limit_of_size()
    {
        var template = TextTemplate.Compile("{{ inputs.topic }}{{ inputs.topic }}{{ inputs.topic }}");
        Assert.Equal("catscatscats", template.Render(s_bindings, new CelLimits { MaxSize = 12 }));
        var error = Assert.Throws<TemplateRenderException>(() => template.Render(s_bindings, new CelLimits { MaxSize = 11 }));
        Assert.True(error.IsTooCostly);
    }

    [Fact]
    public void What_a_template_is_can_be_asked()
    {
        Assert.True(TextTemplate.Compile("a } b").IsConstant);
        Assert.False(TextTemplate.Compile("a {{ b }}").IsConstant);
        Assert.True(TextTemplate.Compile("{{ b }}").IsExpression);
        Assert.False(TextTemplate.Compile("{{ b }} ").IsExpression);
        Assert.Equal(["b.c", "d"], TextTemplate.Compile("{{ b.c }} {{ d }}").References.Select(reference => reference.ToString()));
    }
}
