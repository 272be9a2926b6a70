using System.Text.Json;
using Lekhika.Workflows.Expressions;
using Xunit;

namespace Lekhika.Workflows.Tests.Expressions;

public sealed class CelValueTests
{
    [Theory]
    [InlineData("1", CelKind.Int)]
    [InlineData("-9223372036854775808", CelKind.Int)]
    [InlineData("9223372036854775808", CelKind.Double)]
    [InlineData("1.0", CelKind.Double)]
    [InlineData("1e3", CelKind.Double)]
    [InlineData("1e999", CelKind.Double)]
    [InlineData("\"a\"", CelKind.String)]
    [InlineData("true", CelKind.Bool)]
    [InlineData("null", CelKind.Null)]
    [InlineData("[]", CelKind.List)]
    [InlineData("{}", CelKind.Map)]
    public void Kinds_of_JSON(string json, CelKind kind) => Assert.Equal(kind, CelValue.FromJson(Cel.Parse(json)).Kind);

    [Theory]
    [InlineData("timestamp('2024-01-02T03:04:05.600+01:00')", "\"2024-01-02T02:04:05.6Z\"", "2024-01-02T02:04:05.6Z")]
    [InlineData("duration('90m')", "\"5400s\"", "5400s")]
    [InlineData("duration('-1ms')", "\"-0.001s\"", "-0.001s")]
    [InlineData("b'hi'", "\"aGk=\"", "aGk=")]
    [InlineData("5u", "5", "5")]
    [InlineData("18446744073709551615u", "\"18446744073709551615\"", "18446744073709551615")]
    [InlineData("9223372036854775807", "9223372036854775807", "9223372036854775807")]
    [InlineData("0.1 + 0.2", "0.30000000000000004", "0.30000000000000004")]
    [InlineData("2.0", "2", "2")]
    [InlineData("1e15", "1E+15", "1000000000000000")]
    [InlineData("1.5e300", "1.5E+300", "1.5e+300")]
    [InlineData("1.5e-7", "1.5E-07", "1.5e-07")]
    [InlineData("1.25e-5", "1.25E-05", "0.0000125")]
    [InlineData("0.0 / 0.0", "\"NaN\"", "NaN")]
    [InlineData("-1.0 / 0.0", "\"-Infinity\"", "-Infinity")]
    [InlineData("null", "null", "")]
    [InlineData("true", "true", "true")]
    [InlineData("'é \"q\" <b>'", "\"é \\\"q\\\" <b>\"", "é \"q\" <b>")]
    [InlineData("[1, 'a', null]", "[1,\"a\",null]", "[1,\"a\",null]")]
    [InlineData("{1: 'a', true: 2, 'k': [b'']}", "{\"1\":\"a\",\"true\":2,\"k\":[\"\"]}", "{\"1\":\"a\",\"true\":2,\"k\":[\"\"]}")]
    [InlineData("type(1)", "\"int\"", "int")]
    public void Values_as_JSON_and_as_text(string text, string json, string shown)
    {
        var value = Cel.Eval(text);
        Assert.True(JsonElement.DeepEquals(Cel.Parse(json), value.ToJson()), value.ToJson().GetRawText());
        Assert.Equal(shown, value.ToText());
    }

    [Fact]
    public void JSON_is_read_where_an_expression_looks_and_not_copied()
    {
        var items = string.Join(',', Enumerable.Range(0, 20_000).Select(i => $"{{\"id\":{i},\"text\":\"some text of the item\"}}"));
        var bindings = Cel.Bind($"{{\"inputs\":{{\"items\":[{items}],\"topic\":\"cats\",\"deep\":{{\"a\":{{\"b\":7}}}}}}}}");
        var expression = CelExpression.Compile("inputs.topic == 'cats' && inputs.deep.a.b == 7 && size(inputs.items) == 20000 && inputs.items[19999].id == 19999");
        Assert.Equal(CelValue.From(true), expression.Evaluate(bindings));
        var before = GC.GetAllocatedBytesForCurrentThread();
        expression.Evaluate(bindings);
        Assert.InRange(GC.GetAllocatedBytesForCurrentThread() - before, 0, 2_000);
    }

    [Fact]
    public void A_part_of_JSON_comes_back_as_it_was_written()
    {
        var bindings = Cel.Bind("""{"inputs":{"a":{"z":1.50,"b":[ 1e2, "ü" ]}}}""");
        Assert.Equal("""{"z":1.50,"b":[ 1e2, "ü" ]}""", Cel.Json("inputs.a", bindings));
    }

    [Fact]
    public void Lone_surrogates_in_JSON_are_replaced_and_never_throw()
    {
        var bindings = Cel.Bind("""{"inputs":{"a\":\ud800":"x\udfffy","list":["\ud83d\ude00","\ud83d"]}}""");
        Assert.Equal("x\uFFFDy", Cel.Eval("inputs.map(k, inputs.transformList(k, v, v)[0])[0]", bindings).ToText());
        Assert.Equal("[\"a\\\":\uFFFD\",\"list\"]", Cel.Eval("inputs.map(k, k)", bindings).ToText());
        Assert.Equal("[\"😀\",\"\uFFFD\"]", Cel.Eval("inputs.list", bindings).ToText());
        Assert.Equal(CelValue.From(false), Cel.Eval("key in inputs", new CelBindings { ["key"] = CelValue.From("\uD800"), ["inputs"] = CelValue.FromJson(Cel.Parse("{}")) }));
        Assert.Equal("{\"a\\\":\uFFFD\":\"x\uFFFDy\",\"list\":[\"😀\",\"\uFFFD\"]}", Cel.Eval("[inputs][0]", bindings).ToText());
        Assert.Equal("😀", Cel.Eval("inputs", bindings).ToJson().GetProperty("list")[0].GetString());
    }

    [Theory]
    [InlineData("क्\u200Dष 😀 \u00A0 \u2028")]
    [InlineData("a\\u0041 \\\\ \\")]
    [InlineData("\u0001\n\t\"")]
    public void Text_inside_of_lists_is_readable_and_valid_JSON(string text)
    {
        var shown = CelValue.FromList([CelValue.From(text)]).ToText();
        Assert.Equal(text, Cel.Parse(shown)[0].GetString());
        if (!text.Any(c => c is '\\' or '"' or < ' '))
            Assert.Equal($"[\"{text}\"]", shown);
    }

    [Fact]
    public void Dictionaries_are_maps_without_being_copied()
    {
        var nodes = new Dictionary<string, JsonElement>(StringComparer.Ordinal) { ["a"] = Cel.Parse("""{"text":"hi"}""") };
        var bindings = new CelBindings { ["nodes"] = CelValue.FromMap(nodes), ["vars"] = CelValue.FromMap(new Dictionary<string, CelValue>(StringComparer.Ordinal) { ["n"] = CelValue.From(3) }) };
        Assert.Equal("hi", Cel.Eval("nodes['a'].text", bindings).ToText());
        nodes["b"] = Cel.Parse("1");
        Assert.Equal("""{"a":{"text":"hi"},"b":1}""", Cel.Json("nodes", bindings));
        Assert.Equal("3", Cel.Eval("vars.n", bindings).ToText());
        Assert.Equal(CelValue.From(true), Cel.Eval("nodes == {'b': 1.0, 'a': {'text': 'hi'}} && has(nodes.b) && !has(nodes.c)", bindings));
    }

    [Fact]
    public void Equality_and_hashes_go_across_kinds_of_numbers()
    {
        var values = new HashSet<CelValue> { CelValue.From(1), CelValue.From(1UL), CelValue.From(1.0), CelValue.From("1"), CelValue.Null };
        Assert.Equal(3, values.Count);
        Assert.Contains(CelValue.From(1.0), values);
        Assert.NotEqual(CelValue.From(double.NaN), CelValue.From(double.NaN));
        Assert.Equal(CelValue.FromList([CelValue.From(1)]), CelValue.FromJson(Cel.Parse("[1.0]")));
    }

    [Fact]
    public void Scalars_can_be_read_by_kind()
    {
        Assert.True(CelValue.From(3.0).TryGetInt64(out var integer) && integer == 3);
        Assert.False(CelValue.From(3.5).TryGetInt64(out _));
        Assert.False(CelValue.From(ulong.MaxValue).TryGetInt64(out _));
        Assert.True(CelValue.From(2UL).TryGetDouble(out var number) && number == 2);
        Assert.True(CelValue.From("a").TryGetString(out var text) && text == "a");
        Assert.False(CelValue.Null.TryGetBool(out _));
        Assert.True(CelValue.FromJson(Cel.Parse("""{"a":[1]}""")).TryGetMember("a", out var member) && member.Count == 1 && member.Items.Single() == CelValue.From(1));
        Assert.True(CelValue.From(new DateTimeOffset(1969, 12, 31, 23, 59, 59, 500, TimeSpan.Zero)).ToText() == "1969-12-31T23:59:59.5Z");
        Assert.Equal("-1.5s", CelValue.From(TimeSpan.FromSeconds(-1.5)).ToText());
    }
}
