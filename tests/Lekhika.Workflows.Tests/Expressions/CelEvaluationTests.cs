using Lekhika.Workflows.Expressions;
using Xunit;

namespace Lekhika.Workflows.Tests.Expressions;

public sealed class CelEvaluationTests
{
    [Theory]
    [InlineData("1/0 == 1 || true", "true")]
    [InlineData("true || 1/0 == 1", "true")]
    [InlineData("false && missing", "false")]
    [InlineData("missing.a.b && false", "false")]
    [InlineData("'text' || true", "true")]
    [InlineData("[1, 'a', 3].exists(x, x % 3 == 0)", "true")]
    [InlineData("[1, 'a', 3].all(x, x % 2 == 0)", "false")]
    [InlineData("true ? 1 : 1/0", "1")]
    [InlineData("[missing][0] == 1 || 2 > 1 || missing", "true")]
    public void An_operand_that_decides_absorbs_the_errors_of_others(string text, string expected) => Assert.Equal(expected, Cel.Json(text));

    [Theory]
    [InlineData("1/0 == 1 || false", 2, "division by zero")]
    [InlineData("true && missing", 9, "undeclared reference to 'missing'")]
    [InlineData("'a' && 'b'", 5, "&& takes bool, found string")]
    [InlineData("[1, 'a'].all(x, x % 1 == 0)", 19, "string % int")]
    [InlineData("[1, 2].exists_one(x, x / 0 == 1)", 24, "division by zero")]
    [InlineData("9223372036854775807 + 1", 21, "integer overflow")]
    [InlineData("-9223372036854775808 / -1", 22, "integer overflow")]
    [InlineData("1u - 2u", 4, "integer overflow")]
    [InlineData("18446744073709551615u * 18446744073709551615u", 23, "integer overflow")]
    [InlineData("{'a': 1, 'b': 2}.c", 18, "no such key: 'c' (the keys are 'a', 'b')")]
    [InlineData("[1, 2][2]", 7, "index out of bounds: 2 in a list of 2")]
    [InlineData("[1]['0']", 4, "a list is indexed with an integer")]
    [InlineData("1 + 1.0", 3, "int + double; convert with int(…) or double(…)")]
    [InlineData("'a' + 1", 5, "convert with string(…)")]
    [InlineData("null + 1", 6, "one side is null")]
    [InlineData("'abc'.length", 7, "use size(…)")]
    [InlineData("{1.5: 2}", 1, "unsupported key type: double")]
    [InlineData("{1: 'a', 1u: 'b'}", 1, "repeated key: 1")]
    [InlineData("int('12x')", 1, "'12x' is no int")]
    [InlineData("timestamp('yesterday')", 1, "write it as 2025-01-31T08:00:00Z")]
    [InlineData("duration('5 minutes')", 1, "write it as 1h30m")]
    [InlineData("[1, 2].join(',')", 8, "list.map(x, string(x))")]
    [InlineData("'a'.matches('(')", 5, "a '(' has no ')'")]
    [InlineData("1.map(x, x)", 3, "visits a list or map, found int")]
    public void An_error_says_where_it_happened(string text, int column, string part)
    {
        var error = Assert.Throws<CelEvaluationException>(() => Cel.Eval(text));
        Assert.Contains(part, error.Message, StringComparison.Ordinal);
        Assert.Equal((1, column), (error.Line, error.Column));
    }

    [Theory]
    [InlineData("[3, 1, 2].sort()", "[1,2,3]")]
    [InlineData("['b', 'a'].sort()", "[\"a\",\"b\"]")]
    [InlineData("[{'n': 2}, {'n': 1}].sortBy(x, x.n).map(x, x.n)", "[1,2]")]
    [InlineData("[{'n': 1, 'k': 'a'}, {'n': 1, 'k': 'b'}].sortBy(x, x.n).map(x, x.k)", "[\"a\",\"b\"]")]
    [InlineData("[1, 2, 3, 4].slice(1, 3)", "[2,3]")]
    [InlineData("[[1], [2, [3]]].flatten()", "[1,2,[3]]")]
    [InlineData("[[1], [2, [3]]].flatten(2)", "[1,2,3]")]
    [InlineData("[1, 1.0, 'a', 'a', [1], [1u]].distinct()", "[1,\"a\",[1]]")]
    [InlineData("[1, 2].reverse()", "[2,1]")]
    [InlineData("lists.range(3)", "[0,1,2]")]
    [InlineData("math.greatest(1, 2.5, 2u)", "2.5")]
    [InlineData("math.least([3, 1, 2])", "1")]
    [InlineData("math.round(2.5) + math.floor(1.9)", "4")]
    [InlineData("sets.contains([1, 2, 3], [2.0]) && sets.intersects([1], [1u]) && sets.equivalent([1, 1], [1])", "true")]
    [InlineData("cel.bind(n, 5, n * n)", "25")]
    [InlineData("{'a': 1}.transformMap(k, v, v + 1)", "{\"a\":2}")]
    [InlineData("[7].transformList(i, v, i + v)", "[7]")]
    [InlineData("[1, 2].transformMapEntry(i, v, {string(v): i})", "{\"1\":0,\"2\":1}")]
    [InlineData("[1, 2, 3].map(x, x > 1, x * 10)", "[20,30]")]
    [InlineData("string(base64.decode(base64.encode(b'é')))", "\"é\"")]
    [InlineData("'%.0f %.0f %.2f'.format([2.5, 3.5, 0.125])", "\"2 4 0.12\"")]
    [InlineData("'%s'.format([1e30])", "\"1000000000000000000000000000000\"")]
    [InlineData("'%s'.format([{'b': [1, null], 'a': true}])", "\"{a: true, b: [1, null]}\"")]
    [InlineData("'abc'.replace('', '-')", "\"-a-b-c-\"")]
    [InlineData("'😀b'.split('')", "[\"😀\",\"b\"]")]
    [InlineData("'a,b,c'.split(',', 2)", "[\"a\",\"b,c\"]")]
    [InlineData("'\\uFFFF' < '\\U00010000'", "true")]
    [InlineData("timestamp('2024-02-29T23:30:00Z').getDate('+05:45')", "1")]
    [InlineData("duration('1h') + duration('30m') == duration('5400s')", "true")]
    [InlineData("type(1) == int && type([]) == list && type(type(1)) == type", "true")]
    public void Functions_and_macros_of_the_extensions(string text, string expected) =>
        Assert.True(System.Text.Json.JsonElement.DeepEquals(Cel.Parse(expected), Cel.Eval(text).ToJson()), Cel.Json(text));

    [Theory]
    [InlineData("'😀x'.matches('^.x$')", true)]
    [InlineData("'😀'.matches('^..$')", false)]
    [InlineData("'😄'.matches('^[😀-😆]$')", true)]
    [InlineData("'😇'.matches('^[😀-😆]$')", false)]
    [InlineData("'😇'.matches('^[^😀-😆a]$')", true)]
    [InlineData("'😄'.matches('^[^😀-😆a]$')", false)]
    [InlineData("'😀😀'.matches('^😀{2}$')", true)]
    [InlineData(@"'\U00020000'.matches(r'^[\x{10000}-\x{30000}]$')", true)]
    [InlineData(@"'a\n'.matches('a$')", false)]
    [InlineData(@"'a\nb'.matches('(?m)a$')", true)]
    [InlineData(@"'a\nb'.matches('a.b')", false)]
    [InlineData(@"'a\nb'.matches('(?s)a.b')", true)]
    [InlineData(@"'a\nb'.matches('(?s:a.)b')", true)]
    [InlineData(@"'a\nb'.matches('(?s:a).b')", false)]
    [InlineData(@"'१'.matches(r'\d')", false)]
    [InlineData(@"'नमस्ते'.matches(r'^\p{Devanagari}+$')", true)]
    [InlineData(@"'x1'.matches('^[[:alpha:]][[:^alpha:]]$')", true)]
    [InlineData(@"'a.b'.matches(r'^\Qa.b\E$')", true)]
    [InlineData(@"'axb'.matches(r'^\Qa.b\E$')", false)]
    [InlineData(@"'FOO'.matches('(?P<name>(?i)foo)')", true)]
    [InlineData(@"'a-]'.matches(r'^[a\-\]]+$')", true)]
    [InlineData(@"'{'.matches('^{$')", true)]
    public void Matches_reads_patterns_as_RE2_does(string text, bool expected) => Assert.Equal(CelValue.From(expected), Cel.Eval(text));

    [Theory]
    [InlineData("(?=a)")]
    [InlineData("(?<!a)b")]
    [InlineData(@"(a)\1")]
    [InlineData("a**")]
    [InlineData("a{1001}")]
    [InlineData("a{900}b{900}c{900}d{900}e{900}f{900}")]
    [InlineData("((a{100}){100}){100}")]
    [InlineData("[z-a]")]
    [InlineData("[[:nope:]]")]
    [InlineData(@"\p{Klingon}")]
    [InlineData("(")]
    [InlineData(")")]
    [InlineData("[a")]
    [InlineData(@"\")]
    public void A_pattern_beyond_RE2_is_an_error(string pattern)
    {
        var bindings = new CelBindings { ["p"] = CelValue.From(pattern) };
        var error = Assert.Throws<CelEvaluationException>(() => Cel.Eval("'a'.matches(p)", bindings));
        Assert.StartsWith("invalid regular expression: ", error.Message, StringComparison.Ordinal);
    }

    [Fact]
    public void A_node_of_matches_follows_its_changing_pattern()
    {
        var expression = CelExpression.Compile("['a', 'b', 'a'].map(p, 'xa'.matches(p))");
        Assert.Equal("[true,false,true]", expression.Evaluate(CelBindings.Empty).ToText());
    }

    [Fact]
    public void One_expression_serves_many_threads()
    {
        var expression = CelExpression.Compile("lists.range(n).map(i, i * n).filter(x, x % 2 == 0).map(x, string(x)).join(',').matches('^[0-9,]*$') ? n : -1");
        Parallel.For(0, 200, n =>
        {
            var value = expression.Evaluate(new CelBindings { ["n"] = CelValue.From(n) });
            Assert.Equal(CelValue.From(n), value);
        });
    }

    [Fact]
    public void The_same_variable_name_in_nested_comprehensions_is_two_variables()
    {
        Assert.Equal("[[2,3],[2,3]]", Cel.Json("[1, 2].map(x, [1, 2].map(x, x + 1))"));
        Assert.Equal("[[1,5],[2,5]]", Cel.Json("[1, 2].map(x, [x, cel.bind(x, 5, x)])"));
    }
}
