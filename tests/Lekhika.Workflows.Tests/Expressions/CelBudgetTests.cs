using System.Diagnostics;
using Lekhika.Workflows.Expressions;
using Xunit;

namespace Lekhika.Workflows.Tests.Expressions;

public sealed class CelBudgetTests
{
    private const string Thousand = "lists.range(1000)";

    public static TheoryData<string> Hostile => new(
        $"{Thousand}.all(a, {Thousand}.all(b, {Thousand}.all(c, a + b + c >= 0)))",
        Doubling("'aaaaaaaaaaaaaaaa'", "{0} + {0}", 40),
        Doubling("b'aaaaaaaaaaaaaaaa'", "{0} + {0}", 40),
        Doubling("[1]", "{0} + {0}", 40),
        Doubling("[1]", "[{0}, {0}]", 60),
        Doubling("{'a': 1}", "{{'a': {0}, 'b': {0}}}", 60),
        Doubling("'aaaa'", "{0}.replace('', {0})", 10),
        Doubling("'aaaa'", "[{0}, {0}, {0}].join({0})", 30),
        Doubling("'%s%s'", "'%s%s'.format([{0}, {0}])", 30),
        Doubling("[1]", "[{0}, {0}]", 18, "{0} == {1}", 10),
        $"{Thousand}.map(a, {Thousand}.map(b, {Thousand}))",
        $"{Thousand}.map(a, {Thousand}.map(b, [a, b])).flatten(5).distinct()",
        "lists.range(1000000).map(x, lists.range(1000000))",
        $"{Thousand}.map(a, {Thousand}.map(b, [b])).map(x, x.distinct())",
        $"cel.bind(s, {Thousand}.map(x, string(x)).join(' '), {Thousand}.all(x, {Thousand}.all(y, !s.contains('nothing'))))",
        $"{Thousand}.exists(x, {Thousand}.exists(y, 'aaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaa'.matches('^(a|aa|aaa)*b')))");

    [Theory]
    [MemberData(nameof(Hostile))]
    public void A_hostile_expression_ends_soon_with_a_clear_error(string text)
    {
        var expression = CelExpression.Compile(text);
        var started = Stopwatch.GetTimestamp();
        var allocated = GC.GetAllocatedBytesForCurrentThread();
        var error = Assert.Throws<CelBudgetException>(() => expression.Evaluate(CelBindings.Empty));
        Assert.True(error.Message.Contains("limit", StringComparison.Ordinal) || error.Message.Contains("more than", StringComparison.Ordinal), error.Message);
        Assert.True(Stopwatch.GetElapsedTime(started) < TimeSpan.FromSeconds(20));
        Assert.True(GC.GetAllocatedBytesForCurrentThread() - allocated < 1_000_000_000, "it took too much memory");
    }

    [Fact]
    public void The_budget_is_never_absorbed()
    {
        var limits = new CelLimits { MaxSteps = 100 };
        Assert.Throws<CelBudgetException>(() => Cel.Eval("lists.range(1000).all(x, x >= 0) || true", limits: limits));
        Assert.Throws<CelBudgetException>(() => Cel.Eval("false && true || lists.range(1000).all(x, x >= 0) || true", limits: limits));
    }

    [Fact]
    public void Limits_can_be_set_for_an_evaluation()
    {
        Assert.Throws<CelBudgetException>(() => Cel.Eval("'abcdef' + 'ghijkl'", limits: new CelLimits { MaxSize = 10 }));
        Assert.Throws<CelBudgetException>(() => Cel.Eval("[[[1].map(x, x)]]", limits: new CelLimits { MaxValueDepth = 2 }));
        Assert.Equal("[[[1]]]", Cel.Eval("[[[1].map(x, x)]]", limits: new CelLimits { MaxValueDepth = 3 }).ToText());
    }

    [Fact]
    public void An_ordinary_expression_over_a_large_text_is_affordable()
    {
        var bindings = new CelBindings { ["text"] = CelValue.From(new string('a', 2_000_000)) };
        Assert.Equal("2000005", Cel.Eval("size('Text:' + text)", bindings).ToText());
        Assert.Equal("1", Cel.Eval("text.trim().lowerAscii().split(' ').size()", bindings).ToText());
    }

    [Fact]
    public void Values_of_JSON_count_by_what_they_are_when_written()
    {
        var bindings = Cel.Bind($"{{\"big\": [\"{new string('x', 100_000)}\"]}}");
        var limits = new CelLimits { MaxSize = 150_000 };
        Assert.Equal(1, Cel.Eval("big", bindings, limits).Count);
        Assert.Throws<CelBudgetException>(() => Cel.Eval("[big, big]", bindings, limits));
    }

    /// <summary>Binds a0 to the seed and each further name to the step over the one before.</summary>
    private static string Doubling(string seed, string step, int times, string? body = null, int from = 0)
    {
        var text = $"cel.bind(a0, {seed}, ";
        for (var i = 1; i < times; i++)
            text += $"cel.bind(a{i}, {Format(step, $"a{i - 1}", "")}, ";
        var last = $"a{times - 1}";
        var end = body is null ? last : $"lists.range({from}).all(x, {Format(body, last, Nested(seed, step, times))})";
        return text + end + new string(')', times);
    }

    private static string Nested(string seed, string step, int times)
    {
        var text = $"cel.bind(b0, {seed}, ";
        for (var i = 1; i < times; i++)
            text += $"cel.bind(b{i}, {Format(step, $"b{i - 1}", "")}, ";
        return text + $"b{times - 1}" + new string(')', times);
    }

    private static string Format(string format, string first, string second) =>
        string.Format(System.Globalization.CultureInfo.InvariantCulture, format, first, second);
}
