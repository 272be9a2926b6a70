using Lekhika.Workflows.Expressions;
using Xunit;

namespace Lekhika.Workflows.Tests.Expressions;

public sealed class CelNdjsonTests
{
    [Theory]
    [InlineData("""{"expr":"a + 1","bindings":[["a",{"int":"41"}]]}""", """{"value":{"int":"42"}}""")]
    [InlineData("""{"expr":"y","bindings":[["x.y",{"bool":true}],["y",{"null":null}]],"container":"x"}""", """{"value":{"bool":true}}""")]
    [InlineData("""{"expr":"[x, 1u, 0.5, 0.0/0.0, b'a', {'k': null}, int]","bindings":[["x",{"string":"é"}]]}""", """{"value":{"list":[{"string":"é"},{"uint":"1"},{"double":"0.5"},{"double":"nan"},{"bytes":[97]},{"map":[[{"string":"k"},{"null":null}]]},{"type":"int"}]}}""")]
    [InlineData("""{"expr":"t + d","bindings":[["t",{"timestamp":"2024-01-01T00:00:00Z"}],["d",{"duration":"1.5s"}]]}""", """{"value":{"timestamp":"2024-01-01T00:00:01.5Z"}}""")]
    [InlineData("""{"expr":"x","bindings":[["x",{"double":"-inf"}]]}""", """{"value":{"double":"-inf"}}""")]
    [InlineData("""{"expr":"x == y","bindings":[["x",{"type":"foo.Bar"}],["y",{"type":"foo.Bar"}]]}""", """{"value":{"bool":true}}""")]
    [InlineData("""{"expr":"has(a.b)","bindings":[["a",{"map":[[{"string":"b"},{"bytes":[1]}]]}]]}""", """{"value":{"bool":true}}""")]
    [InlineData("""{"expr":"nothing(1) || true"}""", """{"value":{"bool":true}}""")]
    [InlineData("""{"expr":"1 / 0"}""", """{"error":"division by zero"}""")]
    [InlineData("""{"expr":"1 +"}""", """{"error":"line 1, column 4: found the end but expected a value, a name or '('"}""")]
    public void A_line_is_evaluated(string line, string expected) => Assert.Equal(expected, CelNdjson.EvaluateLine(line));

    [Theory]
    [InlineData("")]
    [InlineData("nonsense")]
    [InlineData("[]")]
    [InlineData("{}")]
    [InlineData("""{"expr":1}""")]
    [InlineData("""{"expr":"a","bindings":{"a":1}}""")]
    [InlineData("""{"expr":"a","bindings":[["a",1]]}""")]
    [InlineData("""{"expr":"a","bindings":[["a",{"int":"x"}]]}""")]
    [InlineData("""{"expr":"a","bindings":[["a",{"int":true}]]}""")]
    [InlineData("""{"expr":"a","bindings":[["a",{"int":"99999999999999999999"}]]}""")]
    [InlineData("""{"expr":"a","bindings":[["a",{"bytes":[256]}]]}""")]
    [InlineData("""{"expr":"a","bindings":[["a",{"map":[[{"null":null},{"int":"1"}]]}]]}""")]
    [InlineData("""{"expr":"a","bindings":[["a",{"map":[[{"string":"k"}]]}]]}""")]
    [InlineData("""{"expr":"a","bindings":[["a",{"object":{}}]]}""")]
    [InlineData("""{"expr":"a","bindings":[["a",{"string":null}]]}""")]
    public void A_line_that_cannot_be_read_is_an_error_too(string line) =>
        Assert.StartsWith("{\"error\":\"", CelNdjson.EvaluateLine(line), StringComparison.Ordinal);
}
