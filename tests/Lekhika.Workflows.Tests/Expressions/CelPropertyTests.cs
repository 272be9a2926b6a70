using FsCheck;
using FsCheck.Fluent;
using Lekhika.Workflows.Expressions;
using Xunit;

namespace Lekhika.Workflows.Tests.Expressions;

public sealed class CelPropertyTests
{
    private static readonly string[] s_tokens =
    [
        "(", ")", "[", "]", "{", "}", ".", ",", ":", "?", "+", "-", "*", "/", "%", "!", "==", "!=", "<", "<=", ">", ">=", "&&", "||", "in", "a", "inputs",
        "x", "has(", "map(x, ", "1", "-1", "0", "2u", "1.5", "'a'", "\"\"", "b'a'", "r'\\'", "true", "false", "null", "size(", ".size()", ".all(x, ", "int(",
        " ", "\n", "//", "'", "\"", "`", "\\", "=", "&", "|", "é", "😀", "\uD800", "0x", "1e", "'''", ".matches(", "duration('1s')", "google.protobuf.Duration",
    ];

    private static readonly string[] s_leaves =
    [
        "0", "1", "-1", "9223372036854775807", "-9223372036854775808", "0u", "18446744073709551615u", "0.0", "1.5", "-1e308", "(0.0/0.0)", "true", "false",
        "null", "''", "'a'", "'😀é'", "b''", "b'\\xff'", "[]", "[1, 'a']", "{}", "{'a': 1}", "{1: 2u}", "inputs", "inputs.s", "inputs.list", "inputs.none",
        "timestamp(0)", "timestamp('9999-12-31T23:59:59Z')", "duration('-1s')", "duration('100000h')", "type(1)", "int", "missing",
    ];

    private static readonly string[] s_shapes =
    [
        "({0} + {1})", "({0} - {1})", "({0} * {1})", "({0} / {1})", "({0} % {1})", "({0} == {1})", "({0} < {1})", "({0} >= {1})", "({0} in {1})",
        "({0} && {1})", "({0} || {1})", "(-{0})", "(!{0})", "({0} ? {1} : {0})", "[{0}, {1}]", "{{{0}: {1}}}", "({0})[{1}]", "({0}).a", "has(({0}).a)",
        "({0}).all(x, {1})", "({0}).exists(x, x == {1})", "({0}).map(x, {1})", "({0}).filter(x, x != {1})", "({0}).exists_one(x, {1})", "({0}).map(x, x)",
        "({0}).transformMap(i, x, {1})", "({0}).sortBy(x, {1})", "cel.bind(x, {0}, [x, {1}])", "size({0})", "int({0})", "uint({0})", "double({0})",
        "string({0})", "bytes({0})", "bool({0})", "timestamp({0})", "duration({0})", "type({0})", "dyn({0})", "({0}).matches({1})", "({0}).contains({1})",
        "({0}).startsWith({1})", "({0}).charAt({1})", "({0}).indexOf({1})", "({0}).lastIndexOf({1}, {0})", "({0}).join({1})", "({0}).replace({1}, {0})",
        "({0}).split({1})", "({0}).substring({1})", "({0}).substring(1, {1})", "({0}).trim()", "({0}).reverse()", "({0}).format([{1}])", "'%s %d'.format([{0}, {1}])",
        "'%.3f %e'.format([{0}, {1}])", "'%b %x'.format([{0}, {1}])", "strings.quote({0})", "({0}).getHours({1})", "({0}).getFullYear()", "({0}).getMilliseconds()",
        "math.greatest({0}, {1})", "math.abs({0})", "math.round({0})", "math.bitShiftLeft({0}, {1})", "({0}).slice(0, {1})", "({0}).flatten({1})",
        "({0}).distinct()", "({0}).sort()", "lists.range({0})", "sets.contains({0}, {1})", "base64.decode({0})", "base64.encode({0})",
    ];

    private static readonly Config s_config = Config.QuickThrowOnFailure.WithMaxTest(3000).WithEndSize(200);

    [Fact]
    public void Compiling_any_text_gives_an_expression_or_a_syntax_error() =>
        Prop.ForAll(ArbMap.Default.ArbFor<string>(), Compiles).Check(s_config);

    [Fact]
    public void Compiling_any_tokens_gives_an_expression_or_a_syntax_error() =>
        Prop.ForAll(Gen.Elements(s_tokens).ListOf().Select(tokens => string.Concat(tokens)).ToArbitrary(), Compiles).Check(s_config);

    [Fact]
    public void Evaluating_any_expression_gives_a_value_or_an_error_of_CEL()
    {
        var bindings = Cel.Bind("""{"inputs":{"s":"text","list":[1,2.5,"x",null,{"a":[true]}],"none":null,"a":"\ud800"}}""");
        var limits = new CelLimits { MaxSteps = 20_000, MaxSize = 100_000 };
        Prop.ForAll(Expressions(4).ToArbitrary(), text =>
        {
            try
            {
                var value = CelExpression.Compile(text).Evaluate(bindings, limits);
                _ = value.ToText();
                _ = value.ToJson();
                return value.Kind <= CelKind.Type;
            }
            catch (CelEvaluationException error)
            {
                return error.Message.Length > 0;
            }
        }).Check(s_config.WithMaxTest(20_000));
    }

    [Fact]
    public void A_value_that_goes_through_tagged_JSON_comes_back()
    {
        Prop.ForAll(Gen.Elements(s_leaves.Where(leaf => leaf is not ("missing" or "(0.0/0.0)") && !leaf.StartsWith("inputs", StringComparison.Ordinal)).ToArray()).ListOf().ToArbitrary(), leaves =>
        {
            var list = $"[{string.Join(", ", leaves)}]";
            var value = Cel.Eval(list);
            var line = CelNdjson.EvaluateLine($"{{\"expr\":\"{System.Text.Json.JsonEncodedText.Encode(list)}\"}}");
            return CelTaggedValue.Read(Cel.Parse(line).GetProperty("value")).Equals(value);
        }).Check(s_config.WithMaxTest(300).WithEndSize(20));
    }

    private static bool Compiles(string? text)
    {
        try
        {
            return CelExpression.Compile(text ?? "").Text == (text ?? "");
        }
        catch (CelSyntaxException error)
        {
            return error.Line >= 1 && error.Column >= 1;
        }
    }

    private static Gen<string> Expressions(int depth)
    {
        var leaf = Gen.Elements(s_leaves);
        if (depth == 0)
            return leaf;
        var inner = Expressions(depth - 1);
        var composed =
            from shape in Gen.Elements(s_shapes)
            from first in inner
            from second in inner
            select string.Format(System.Globalization.CultureInfo.InvariantCulture, shape, first, second);
        return Gen.Frequency((1, leaf), (4, composed));
    }
}
