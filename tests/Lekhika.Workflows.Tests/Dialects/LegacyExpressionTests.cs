using Lekhika.Workflows.Dialects;
using Xunit;

namespace Lekhika.Workflows.Tests.Dialects;

public sealed class LegacyExpressionTests
{
    private static readonly LegacyExpressions Translator = new(
        ["scrape-1", "scrape", "node 2", "a.b"],
        (root, members) => root switch
        {
            "scrape-1" or "scrape" or "node 2" or "a.b" => ($"nodes[\"{root}\"]", members.Count > 0 && members[0] == "result" ? 1 : 0),
            "trigger" => ("inputs", members.Count > 0 && members[0] == "data" ? 1 : 0),
            _ => (root, 0),
        });

    [Theory]
    [InlineData("a === b", "a == b")]
    [InlineData("a !== 'x'", "a != 'x'")]
    [InlineData("a == b && !c || d >= 2.5", "a == b && !c || d >= 2.5")]
    [InlineData("a and not b or c", "a && !b || c")]
    [InlineData("x == True", "x == true")]
    [InlineData("x != None", "x != null")]
    [InlineData("x === undefined", "x == null")]
    [InlineData("a.b.length > 3", "size(nodes[\"a.b\"]) > 3")]
    [InlineData("x.items.length > 3", "size(x.items) > 3")]
    [InlineData("{{x.y.length}} > 3", "size(x.y) > 3")]
    [InlineData("{{x.y}}.length > 3", "size(x.y) > 3")]
    [InlineData("len(x.items) > 3", "size(x.items) > 3")]
    [InlineData("{{trigger.data.url}} == 'x'", "inputs.url == 'x'")]
    [InlineData("scrape-1.result.content", "nodes[\"scrape-1\"].content")]
    [InlineData("scrape.n - 1", "nodes[\"scrape\"].n - 1")]
    [InlineData("scrape-x", "nodes[\"scrape\"]-x")]
    [InlineData("scraper.x", "scraper.x")]
    [InlineData("{{node 2.total}} * 2", "(nodes[\"node 2\"].total) * 2")]
    [InlineData("x.name.includes('a')", "(type(x.name) == list ? ('a') in x.name : x.name.contains('a'))")]
    [InlineData("x.rows.filter(r => r.n > 1).length", "size(x.rows.filter(r, r.n > 1))")]
    [InlineData("x.rows.some((trigger) => trigger.data.n > 1)", "x.rows.exists(trigger, trigger.data.n > 1)")]
    [InlineData("x.rows.every(r, r.n > trigger.data.n)", "x.rows.all(r, r.n > inputs.n)")]
    [InlineData("Math.round(x.a / 2) + Math.cbrt(x)", "math.round(x.a / 2) + Math.cbrt(x)")]
    [InlineData("x.name.toLowerCase().trim() === 'a'", "x.name.lowerAscii().trim() == 'a'")]
    [InlineData("'{{x.status}}' === 'active'", "string(x.status) == 'active'")]
    [InlineData("\"a {{x}} b\" == c", "(\"a \" + string(x) + \" b\") == c")]
    [InlineData("`hi ${x.y}` == c", "(\"hi \" + string(x.y)) == c")]
    [InlineData("${x} > 2", "x > 2")]
    [InlineData("x.list[0].name", "x.list[0].name")]
    [InlineData("x.list.0.name", "x.list[0].name")]
    [InlineData("x[\"odd name\"].y", "x[\"odd name\"].y")]
    [InlineData("x?.y?.z", "x.y.z")]
    [InlineData("(a.x.length + 1) * 2", "(size(a.x) + 1) * 2")]
    [InlineData("{{a > b}} === true", "(a > b) == true")]
    [InlineData("a ? b.length : c", "a ? size(b) : c")]
    [InlineData("x.in.for", "x[\"in\"][\"for\"]")]
    [InlineData("'it\\'s === fine'", "'it\\'s === fine'")]
    public void Old_notations_become_CEL(string old, string cel) => Assert.Equal(cel, Translator.Expression(old));

    [Theory]
    [InlineData("no names", "no names")]
    [InlineData("Hello {{ x.name }}!", "Hello {{ x.name }}!")]
    [InlineData("{{trigger.data.a}}{{trigger.b}}", "{{ inputs.a }}{{ inputs.b }}")]
    [InlineData("open {{ and no end", "open {{ \"{\" }}{ and no end")]
    [InlineData("{{}}", "")]
    [InlineData("{\"a\": {{x}}}", "{\"a\": {{ x }}}")]
    [InlineData("{{x || 'y'}}", "{{ ([x].filter(value, !([null, false, 0, \"\"].exists(nothing, nothing == value))) + ['y'])[0] }}")]
    [InlineData("{{x.a ?? 0}}", "{{ ([(type(x) == map && \"a\" in x ? x.a : null)].filter(value, value != null) + [0])[0] }}")]
    [InlineData("{{x > 1 || y}}", "{{ x > 1 || y }}")]
    public void Templates_keep_their_text(string old, string expected) => Assert.Equal(expected, Translator.Template(old));

    [Theory]
    [InlineData("((((((((((")]
    [InlineData("\"unclosed")]
    [InlineData("{{{{{{{{")]
    [InlineData("a.b.[)]")]
    [InlineData("`${`${`${")]
    [InlineData("\\")]
    [InlineData("x['")]
    [InlineData("..?.??")]
    public void Broken_text_never_throws(string old)
    {
        Assert.NotNull(Translator.Expression(old));
        Assert.NotNull(Translator.Template("{{" + old + "}}"));
        var deep = string.Concat(Enumerable.Repeat(old, 2000));
        Assert.NotNull(Translator.Expression(deep));
    }
}
