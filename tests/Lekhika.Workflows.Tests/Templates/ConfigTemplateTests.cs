using System.Text.Json;
using FsCheck;
using FsCheck.Fluent;
using Lekhika.Workflows.Expressions;
using Lekhika.Workflows.Templates;
using Lekhika.Workflows.Tests.Expressions;
using Lekhika.Workflows.Validation;
using Xunit;

namespace Lekhika.Workflows.Tests.Templates;

public sealed class ConfigTemplateTests
{
    private static readonly CelBindings s_bindings = Cel.Bind(
        """{"inputs":{"topic":"cats","n":3,"on":true,"list":[1,{"a":"é😀"}],"none":null},"nodes":{"my-node":{"text":"hi"}}}""");

    [Theory]
    [InlineData("""{"a":"{{ inputs.topic }}"}""", """{"a":"cats"}""")]
    [InlineData("""{"a":"{{ inputs.n }}","b":"{{ inputs.n + 1 }}","c":"n={{ inputs.n }}"}""", """{"a":3,"b":4,"c":"n=3"}""")]
    [InlineData("""{"a":"{{ inputs.on }}","b":"{{ inputs.none }}","c":"{{ inputs.list }}"}""", """{"a":true,"b":null,"c":[1,{"a":"é😀"}]}""")]
    [InlineData("""{"a":{"b":[1,"{{ inputs.n }}",{"c":"{{ nodes[\"my-node\"].text }}"}],"d":1.50}}""", """{"a":{"b":[1,3,{"c":"hi"}],"d":1.50}}""")]
    [InlineData("""["{{ inputs.n }}","x"]""", """[3,"x"]""")]
    [InlineData("\"{{ inputs.n }}\"", "3")]
    [InlineData("""{"a":"{{ {'x': {'y': inputs.n}} }}"}""", """{"a":{"x":{"y":3}}}""")]
    [InlineData("""{"a":"{{ \"{{\" }} not {{ '}}' }}"}""", """{"a":"{{ not }}"}""")]
    [InlineData("""{"{{ inputs.topic }}":"{{ inputs.topic }}"}""", """{"{{ inputs.topic }}":"cats"}""")]
    [InlineData("""{"a":"{\"json\": {\"x\": 1}}","b":"{{ 1 }}"}""", """{"a":"{\"json\": {\"x\": 1}}","b":1}""")]
    [InlineData("""{"a":"{{ duration('90s') }}","b":"{{ 0.0 / 0.0 }}","c":"{{ {1: b'hi'} }}"}""", """{"a":"90s","b":"NaN","c":{"1":"aGk="}}""")]
    public void A_configuration_is_rendered(string config, string expected)
    {
        var rendered = ConfigTemplate.Compile(Cel.Parse(config)).Render(s_bindings);
        Assert.True(JsonElement.DeepEquals(Cel.Parse(expected), rendered), rendered.GetRawText());
    }

    [Fact]
    public void A_configuration_without_templates_is_constant()
    {
        var config = Cel.Parse("""{"a":[1,2,{"b":"{ x }"}],"expression":"{{ broken"}""");
        var template = ConfigTemplate.Compile(config, leaveRaw: name => name == "expression");
        Assert.True(template.IsConstant);
        Assert.Empty(template.References);
        Assert.Equal(config.GetRawText(), template.Render(CelBindings.Empty).GetRawText());
        Assert.True(ConfigTemplate.Compile(default).IsConstant);
    }

    [Fact]
    public void Raw_properties_are_left_at_the_top_only()
    {
        var template = ConfigTemplate.Compile(
            Cel.Parse("""{"body":{"x":"{{ item }}"},"a":{"body":"{{ inputs.n }}"}}"""), leaveRaw: name => name is "body");
        Assert.Equal("""{"body":{"x":"{{ item }}"},"a":{"body":3}}""", template.Render(s_bindings).GetRawText());
        Assert.Equal("config.a.body", Assert.Single(template.References).Path);
    }

    [Fact]
    public void All_problems_are_collected_with_their_paths()
    {
        var config = Cel.Parse("""{"prompt":"{{ 1 + }} and {{ open","headers":{"X-Key":"{{ nope( }}","ok":"{{ 1 }}"},"list":["a",{"b c":"{{ }}"}]}""");
        Assert.False(ConfigTemplate.TryCompile(config, out var template, out var problems));
        Assert.Null(template);
        Assert.Equal(
            ["config.prompt", "config.prompt", "config.headers[\"X-Key\"]", "config.list[1][\"b c\"]"],
            problems.Select(problem => problem.Path));
        Assert.All(problems, problem => Assert.Equal((Severity.Error, TemplateException.ProblemCode), (problem.Severity, problem.Code)));
        Assert.Contains("column 15", problems[1].Message, StringComparison.Ordinal);
        var error = Assert.Throws<TemplateException>(() => ConfigTemplate.Compile(config, "nodes[2].config"));
        Assert.Equal("nodes[2].config.headers[\"X-Key\"]", error.Problems[2].Path);
    }

    [Fact]
    public void References_have_the_path_of_their_string()
    {
        var template = ConfigTemplate.Compile(Cel.Parse("""{"a":"{{ inputs.x }} {{ nodes.b.text }}","c":[{"d":"{{ item }}"}]}"""));
        Assert.Equal(
            ["config.a inputs.x", "config.a nodes.b.text", "config.c[0].d item"],
            template.References.Select(reference => $"{reference.Path} {reference.Reference}"));
    }

    [Fact]
    public void A_failure_names_the_path_and_the_expression()
    {
        var template = ConfigTemplate.Compile(Cel.Parse("""{"headers":{"X-Key":"k {{ secrets.key }}"}}"""));
        var error = Assert.Throws<TemplateRenderException>(() => template.Render(s_bindings));
        Assert.Equal(("config.headers[\"X-Key\"]", "secrets.key"), (error.Path, error.Expression));
        Assert.Contains("undeclared reference to 'secrets'", error.Message, StringComparison.Ordinal);
    }

    [Fact]
    public void The_whole_is_held_to_the_limit_of_size()
    {
        var template = ConfigTemplate.Compile(Cel.Parse("""{"a":["{{ s }}","{{ s }}","{{ s }}"]}"""));
        var bindings = new CelBindings { ["s"] = CelValue.From(new string('x', 1000)) };
        Assert.Equal(3, template.Render(bindings, new CelLimits { MaxSize = 4000 }).GetProperty("a").GetArrayLength());
        Assert.True(Assert.Throws<TemplateRenderException>(() => template.Render(bindings, new CelLimits { MaxSize = 2500 })).IsTooCostly);
    }

    [Fact]
    public void What_is_rendered_owns_its_memory_and_so_does_the_template()
    {
        ConfigTemplate template;
        using (var document = JsonDocument.Parse("""{"a":"{{ x }}","b":[1]}"""))
            template = ConfigTemplate.Compile(document.RootElement);
        JsonElement rendered;
        using (var document = JsonDocument.Parse("""{"deep":[true]}"""))
            rendered = template.Render(new CelBindings { ["x"] = CelValue.FromJson(document.RootElement) });
        Assert.Equal("""{"a":{"deep":[true]},"b":[1]}""", rendered.GetRawText());
    }

    [Fact]
    public void Lone_surrogates_in_a_configuration_do_not_break_rendering()
    {
        var template = ConfigTemplate.Compile(Cel.Parse("""{"a\ud800":"\ud800","b":["\udc00 {{ 1 }}",{"c":"\ud83d\ude00"}],"d":"{{ 2 }}"}"""));
        var rendered = template.Render(CelBindings.Empty);
        Assert.Equal("\uFFFD", rendered.GetProperty("a\uFFFD").GetString());
        Assert.Equal("\uFFFD 1", rendered.GetProperty("b")[0].GetString());
        Assert.Equal("😀", rendered.GetProperty("b")[1].GetProperty("c").GetString());
    }

    [Fact]
    public void Text_without_double_braces_comes_back_unchanged_and_any_text_compiles_or_has_problems()
    {
        Prop.ForAll(ArbMap.Default.ArbFor<string>(), raw =>
        {
            var text = raw ?? "";
            var well = new string(text.Where(c => !char.IsSurrogate(c)).ToArray());
            if (!well.Contains("{{", StringComparison.Ordinal))
                return TextTemplate.Compile(well).Render(CelBindings.Empty) == well;
            return Compiles(well);
        }).Check(Config.QuickThrowOnFailure.WithMaxTest(500));
        string[] pieces = ["{{", "}}", "{", "}", "'", "\"", "a", " ", "\n", "1", "[", "]", "(", ")", "//", ":", "`", "r'", "😀", "\uD800"];
        Prop.ForAll(Gen.Elements(pieces).ListOf().Select(list => string.Concat(list)).ToArbitrary(), Compiles)
            .Check(Config.QuickThrowOnFailure.WithMaxTest(3000).WithEndSize(60));
    }

    private static bool Compiles(string text)
    {
        try
        {
            return TextTemplate.Compile(text).Text == text;
        }
        catch (TemplateException error)
        {
            return error.Problems.Count > 0;
        }
    }
}
