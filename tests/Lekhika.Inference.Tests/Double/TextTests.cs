using System.Text.Json;
using System.Text.RegularExpressions;
using Lekhika.Doubles;
using Xunit;

namespace Lekhika.Inference.Tests.Double;

/// <summary>What the double says when nobody scripted it.</summary>
public sealed class TextTests
{
    private static CancellationToken Token => TestContext.Current.CancellationToken;

    [Fact]
    public async Task The_same_prompt_gets_the_same_prose_and_another_gets_another()
    {
        await using var ollama = await OllamaDouble.StartAsync(new OllamaDoubleOptions { TokensPerSecond = 0 }, Token);
        using var client = new DoubleClient(ollama);
        var one = await client.GenerateAsync("llama3.2", Token, "A river");
        var again = await client.GenerateAsync("mistral:7b", Token, "A river");
        var other = await client.GenerateAsync("llama3.2", Token, "A mountain");
        var seeded = await client.GenerateAsync("llama3.2", Token, "A river", ""","options":{"seed":7}""");
        Assert.Equal(one.Text, again.Text);
        Assert.NotEqual(one.Text, other.Text);
        Assert.NotEqual(one.Text, seeded.Text);
        Assert.True(one.Text.Split(". ").Length >= 3, one.Text);
    }

    [Fact]
    public async Task A_length_cuts_and_a_stop_word_ends()
    {
        await using var ollama = await OllamaDouble.StartAsync(new OllamaDoubleOptions { TokensPerSecond = 0 }, Token);
        using var client = new DoubleClient(ollama);
        var cut = await client.GenerateAsync("llama3.2", Token, more: ""","options":{"num_predict":7}""");
        Assert.Equal(("length", 7), (cut.Last.GetProperty("done_reason").GetString(), cut.Last.GetProperty("eval_count").GetInt32()));
        var stopped = await client.GenerateAsync("llama3.2", Token, "[[double:reply:one two END three]]", ""","options":{"stop":["END"]}""");
        Assert.Equal(("one two ", "stop"), (stopped.Text, stopped.Last.GetProperty("done_reason").GetString()));
    }

    [Fact]
    public async Task Replies_can_be_scripted_by_marker_by_rule_and_over_the_wire()
    {
        await using var ollama = await OllamaDouble.StartAsync(new OllamaDoubleOptions { TokensPerSecond = 0 }, Token);
        using var client = new DoubleClient(ollama);
        Assert.Equal("""{"a":[[1]]""", (await client.ChatAsync("llama3.2", """Say [[double:reply:{"a":[[1]]]] now""", Token)).Text);
        Assert.Equal("a ]] b", (await client.ChatAsync("llama3.2", $"[[double:reply64:{Convert.ToBase64String("a ]] b"u8)}]]", Token)).Text);

        ollama.Script(new ScriptRule { Model = "mistral:7b", PromptContains = "analyze", Replies = ["first", "second"], Times = 3 });
        var said = new List<string>();
        for (var i = 0; i < 3; i++)
            said.Add((await client.ChatAsync("mistral:7b", "analyze this", Token)).Text);
        Assert.Equal(["first", "second", "second"], said);
        Assert.NotEqual("second", (await client.ChatAsync("mistral:7b", "analyze this", Token)).Text);

        await client.PostAsync("/double/script", """[{"prompt_contains":"weather","tool_calls":[{"name":"get_weather","arguments":{"city":"Oslo"}}]},{"reply":"{\"broken\":","done_reason":"stop"}]""", Token);
        var call = await client.ChatAsync("llama3.2", "the weather?", Token);
        Assert.Contains("\"arguments\":{\"city\":\"Oslo\"}", call.Body, StringComparison.Ordinal);
        Assert.Equal("{\"broken\":", (await client.ChatAsync("llama3.2", "x", Token)).Text);
        await client.PostAsync("/double/reset", "", Token);
        Assert.NotEqual("{\"broken\":", (await client.ChatAsync("llama3.2", "x", Token)).Text);
    }

    [Fact]
    public async Task The_wire_tells_what_was_seen()
    {
        await using var ollama = await OllamaDouble.StartAsync(new OllamaDoubleOptions { TokensPerSecond = 0 }, Token);
        using var client = new DoubleClient(ollama);
        await client.ChatAsync("llama3.2", "hello", Token);
        var stats = JsonElement.Parse(await client.Http.GetStringAsync(new Uri("/double/stats", UriKind.Relative), Token));
        Assert.Equal(1, stats.GetProperty("completions").GetInt32());
        Assert.Equal(1, stats.GetProperty("in_flight_max").GetInt32());
        Assert.Equal(1, stats.GetProperty("by_path").GetProperty("POST /api/chat").GetInt32());
        Assert.Contains("hello", stats.GetProperty("seen")[0].GetProperty("body").GetString(), StringComparison.Ordinal);
    }

    [Theory]
    [InlineData("""{"type":"object","properties":{"name":{"type":"string","minLength":40},"age":{"type":"integer","minimum":1,"maximum":9}},"required":["name","age"]}""")]
    [InlineData("""{"type":"array","minItems":5,"items":{"type":"object","properties":{"kind":{"enum":["a","b"]},"fixed":{"const":42}},"required":["kind","fixed"]}}""")]
    [InlineData("""{"anyOf":[{"type":"object","required":["x"],"properties":{"x":{"oneOf":[{"type":"boolean"},{"type":"null"}]}}},{"type":"string"}]}""")]
    [InlineData("""{"type":"object","required":["node"],"properties":{"node":{"$ref":"#/$defs/node"}},"$defs":{"node":{"type":"object","required":["id"],"properties":{"id":{"type":"string","pattern":"^n[0-9]{3}(-[a-f]+)?$"},"next":{"$ref":"#/$defs/node"}}}}}""")]
    [InlineData("""{"type":"object","required":["a","b"],"additionalProperties":{"type":"number","minimum":2,"maximum":3}}""")]
    [InlineData("""{"type":["string","null"],"maxLength":3}""")]
    public async Task A_schema_is_satisfied(string schema)
    {
        await using var ollama = await OllamaDouble.StartAsync(new OllamaDoubleOptions { TokensPerSecond = 0 }, Token);
        using var client = new DoubleClient(ollama);
        foreach (var prompt in (string[])["one", "two", "three"])
        {
            var reply = await client.GenerateAsync("qwen2.5:7b", Token, prompt, $$""","format":{{schema}}""");
            var root = JsonElement.Parse(schema);
            Assert.True(Satisfies(root, root, JsonElement.Parse(reply.Text)), reply.Text);
        }
    }

    [Fact]
    public async Task Format_json_is_an_object()
    {
        await using var ollama = await OllamaDouble.StartAsync(new OllamaDoubleOptions { TokensPerSecond = 0 }, Token);
        using var client = new DoubleClient(ollama);
        var reply = await client.ChatAsync("llama3.2", "x", Token, ""","format":"json" """);
        Assert.Equal(JsonValueKind.Object, JsonElement.Parse(reply.Text).ValueKind);
    }

    [Theory]
    [InlineData("^[a-c]{3}$")]
    [InlineData("^(red|green)-\\d{2,4}[^0-9]?$")]
    [InlineData("[A-Z][a-z]+ \\w+\\.")]
    [InlineData("^#?([a-f0-9]{6}|[a-f0-9]{3})$")]
    public void A_pattern_is_matched(string pattern)
    {
        for (var seed = 1UL; seed < 50; seed++)
            Assert.Matches(new Regex(pattern, RegexOptions.None, TimeSpan.FromSeconds(1)), PatternText.Write(pattern, new StableRandom(seed * 7919)));
    }

    [Fact]
    public async Task A_tool_named_in_the_prompt_is_called_with_fitting_arguments()
    {
        await using var ollama = await OllamaDouble.StartAsync(new OllamaDoubleOptions { TokensPerSecond = 0 }, Token);
        using var client = new DoubleClient(ollama);
        const string Tools = ""","tools":[{"type":"function","function":{"name":"get_weather","description":"d","parameters":{"type":"object","properties":{"days":{"type":"integer","minimum":1,"maximum":3}},"required":["days"]}}}]""";
        var called = await client.ChatAsync("llama3.2", "use get_weather", Token, Tools);
        var arguments = called.Lines[0].GetProperty("message").GetProperty("tool_calls")[0].GetProperty("function").GetProperty("arguments");
        Assert.InRange(arguments.GetProperty("days").GetInt32(), 1, 3);
        var plain = await client.ChatAsync("llama3.2", "just talk", Token, Tools);
        Assert.NotEqual("", plain.Text);
    }

    [Fact]
    public async Task Embeddings_are_unit_vectors_that_follow_from_the_text()
    {
        await using var ollama = await OllamaDouble.StartAsync(cancellationToken: Token);
        using var client = new DoubleClient(ollama);
        var reply = await client.PostAsync("/api/embed", """{"model":"nomic-embed-text","input":["a","b","a"]}""", Token);
        var vectors = reply.Last.GetProperty("embeddings").EnumerateArray().Select(vector => vector.EnumerateArray().Select(value => value.GetDouble()).ToArray()).ToArray();
        Assert.Equal(vectors[0], vectors[2]);
        Assert.NotEqual(vectors[0], vectors[1]);
        Assert.All(vectors, vector => Assert.Equal(1, vector.Sum(value => value * value), 4));
    }

    private static bool Satisfies(JsonElement root, JsonElement schema, JsonElement value)
    {
        if (schema.TryGetProperty("$ref", out var reference))
            schema = root.GetProperty("$defs").GetProperty(reference.GetString()!.Split('/')[^1]);
        if (schema.TryGetProperty("const", out var constant))
            return JsonElement.DeepEquals(constant, value);
        if (schema.TryGetProperty("enum", out var values))
            return values.EnumerateArray().Any(one => JsonElement.DeepEquals(one, value));
        foreach (var name in (string[])["anyOf", "oneOf"])
        {
            if (schema.TryGetProperty(name, out var branches))
                return branches.EnumerateArray().Any(branch => Satisfies(root, branch, value));
        }
        if (schema.TryGetProperty("type", out var type))
        {
            string[] allowed = type.ValueKind == JsonValueKind.String ? [type.GetString()!] : [.. type.EnumerateArray().Select(one => one.GetString()!)];
            if (!allowed.Any(one => IsOf(one, value)))
                return false;
        }
        if (value.ValueKind == JsonValueKind.Object)
        {
            if (schema.TryGetProperty("required", out var required) && required.EnumerateArray().Any(name => !value.TryGetProperty(name.GetString()!, out _)))
                return false;
            return value.EnumerateObject().All(member =>
                schema.TryGetProperty("properties", out var properties) && properties.TryGetProperty(member.Name, out var inner) ? Satisfies(root, inner, member.Value)
                : !schema.TryGetProperty("additionalProperties", out var others) || Satisfies(root, others, member.Value));
        }
        return value.ValueKind switch
        {
            JsonValueKind.Array => value.GetArrayLength() >= Bound(schema, "minItems", 0) && value.EnumerateArray().All(item => Satisfies(root, schema.GetProperty("items"), item)),
            JsonValueKind.Number => value.GetDouble() >= Bound(schema, "minimum", double.MinValue) && value.GetDouble() <= Bound(schema, "maximum", double.MaxValue),
            JsonValueKind.String => value.GetString()!.Length >= Bound(schema, "minLength", 0) && value.GetString()!.Length <= Bound(schema, "maxLength", int.MaxValue)
                && (!schema.TryGetProperty("pattern", out var pattern) || Regex.IsMatch(value.GetString()!, pattern.GetString()!, RegexOptions.None, TimeSpan.FromSeconds(1))),
            _ => true,
        };
    }

    private static bool IsOf(string type, JsonElement value) => type switch
    {
        "object" => value.ValueKind == JsonValueKind.Object,
        "array" => value.ValueKind == JsonValueKind.Array,
        "string" => value.ValueKind == JsonValueKind.String,
        "integer" => value.ValueKind == JsonValueKind.Number && value.TryGetInt64(out _),
        "number" => value.ValueKind == JsonValueKind.Number,
        "boolean" => value.ValueKind is JsonValueKind.True or JsonValueKind.False,
        _ => value.ValueKind == JsonValueKind.Null,
    };

    private static double Bound(JsonElement schema, string name, double otherwise) => schema.TryGetProperty(name, out var bound) ? bound.GetDouble() : otherwise;
}
