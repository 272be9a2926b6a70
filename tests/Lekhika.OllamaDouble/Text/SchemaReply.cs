using System.Globalization;
using System.Text;
using System.Text.Json;
using System.Text.Json.Nodes;

namespace Lekhika.Doubles;

/// <summary>
/// A JSON value that satisfies a schema: types, required and optional properties, enum, const, arrays with their least length, nesting,
/// local references, first branch of anyOf and oneOf, all of allOf, bounds of numbers, lengths, formats and patterns of strings.
/// </summary>
internal sealed class SchemaReply
{
    private const int Deepest = 24;
    private readonly JsonElement _root;
    private readonly StableRandom _random;

    private SchemaReply(JsonElement root, StableRandom random) => (_root, _random) = (root, random);

    public static string Write(JsonElement schema, StableRandom random) =>
        Text(new SchemaReply(schema, random).Value(schema, 0));

    /// <summary>What <c>format:"json"</c> gives: a small object.</summary>
    public static string WriteAny(StableRandom random)
    {
        var reply = new SchemaReply(default, random);
        return Text(new JsonObject
        {
            ["title"] = reply.Words(3),
            ["summary"] = reply.Words(9),
            ["score"] = random.Next(100),
            ["tags"] = new JsonArray(reply.Words(1), reply.Words(1)),
        });
    }

    private static string Text(JsonNode? value) => value is null ? "null" : value.ToJsonString(WireJson.Go.Options);

    private JsonNode? Value(JsonElement schema, int depth)
    {
        if (schema.ValueKind != JsonValueKind.Object || depth > Deepest)
            return schema.ValueKind == JsonValueKind.True ? Words(2) : null;
        if (schema.TryGetProperty("const", out var constant))
            return JsonNode.Parse(constant.GetRawText());
        if (schema.TryGetProperty("enum", out var values) && values.ValueKind == JsonValueKind.Array && values.GetArrayLength() > 0)
            return JsonNode.Parse(values[_random.Next(values.GetArrayLength())].GetRawText());
        if (schema.TryGetProperty("$ref", out var reference) && SchemaCheck.Resolve(_root, reference.GetString() ?? "") is { } target)
            return Value(target, depth + 1);
        foreach (var branches in (ReadOnlySpan<string>)["anyOf", "oneOf"])
        {
            if (schema.TryGetProperty(branches, out var list) && list.ValueKind == JsonValueKind.Array && list.GetArrayLength() > 0)
                return Value(list[0], depth + 1);
        }
        if (schema.TryGetProperty("allOf", out var all) && all.ValueKind == JsonValueKind.Array)
            return Merged(all, depth);
        return Type(schema) switch
        {
            "object" => Object(schema, depth),
            "array" => Array(schema, depth),
            "integer" => Whole(schema),
            "number" => Math.Round(Least(schema, 0) + (_random.Fraction() * (Most(schema, Least(schema, 0) + 1) - Least(schema, 0))), 3),
            "boolean" => _random.Next(2) == 0,
            "null" => null,
            _ => String(schema),
        };
    }

    private static string Type(JsonElement schema)
    {
        if (schema.TryGetProperty("type", out var type))
        {
            if (type.ValueKind == JsonValueKind.String)
                return type.GetString()!;
            if (type.ValueKind == JsonValueKind.Array && type.GetArrayLength() > 0)
                return type[0].GetString() ?? "string";
        }
        if (schema.TryGetProperty("properties", out _) || schema.TryGetProperty("required", out _))
            return "object";
        return schema.TryGetProperty("items", out _) || schema.TryGetProperty("prefixItems", out _) ? "array" : "string";
    }

    private JsonObject Object(JsonElement schema, int depth)
    {
        var result = new JsonObject();
        var required = schema.TryGetProperty("required", out var names) && names.ValueKind == JsonValueKind.Array
            ? names.EnumerateArray().Select(name => name.GetString() ?? "").ToList()
            : [];
        if (schema.TryGetProperty("properties", out var properties) && properties.ValueKind == JsonValueKind.Object)
        {
            foreach (var property in properties.EnumerateObject())
            {
                // Optional properties are written too, but not for ever down a recursive schema.
                if (required.Contains(property.Name, StringComparer.Ordinal) || depth < 4)
                    result[property.Name] = Value(property.Value, depth + 1);
            }
        }
        var others = schema.TryGetProperty("additionalProperties", out var additional) ? additional : default;
        foreach (var name in required.Where(name => !result.ContainsKey(name)))
            result[name] = others.ValueKind == JsonValueKind.Object ? Value(others, depth + 1) : Words(2);
        for (var i = result.Count; i < Count(schema, "minProperties", 0); i++)
            result["key" + i.ToString(CultureInfo.InvariantCulture)] = others.ValueKind == JsonValueKind.Object ? Value(others, depth + 1) : Words(2);
        return result;
    }

    private JsonObject Merged(JsonElement all, int depth)
    {
        var result = new JsonObject();
        foreach (var part in all.EnumerateArray())
        {
            if (Value(part, depth + 1) is not JsonObject members)
                continue;
            foreach (var (name, value) in members)
                result[name] = value?.DeepClone();
        }
        return result;
    }

    private JsonArray Array(JsonElement schema, int depth)
    {
        var result = new JsonArray();
        if (schema.TryGetProperty("prefixItems", out var prefix) && prefix.ValueKind == JsonValueKind.Array)
        {
            foreach (var item in prefix.EnumerateArray())
                result.Add(Value(item, depth + 1));
        }
        var items = schema.TryGetProperty("items", out var item2) ? item2 : default;
        var most = Count(schema, "maxItems", int.MaxValue);
        var wanted = Math.Min(most, Math.Max(Count(schema, "minItems", 0), depth < 6 ? 2 : 0));
        while (result.Count < wanted)
            result.Add(items.ValueKind == JsonValueKind.Object ? Value(items, depth + 1) : Words(2));
        return result;
    }

    private JsonValue Whole(JsonElement schema)
    {
        var least = (long)Math.Ceiling(Least(schema, 0));
        var most = (long)Math.Floor(Most(schema, least + 100));
        var value = least + _random.Next((int)Math.Clamp(most - least + 1, 1, int.MaxValue));
        if (schema.TryGetProperty("multipleOf", out var step) && step.GetDouble() >= 1)
        {
            var multiple = (long)step.GetDouble();
            value = (least + multiple - 1) / multiple * multiple;
        }
        return JsonValue.Create(value);
    }

    private string String(JsonElement schema)
    {
        if (schema.TryGetProperty("pattern", out var pattern) && PatternText.Write(pattern.GetString() ?? "", _random) is { } matching)
            return matching;
        var format = schema.TryGetProperty("format", out var named) ? named.GetString() : null;
        var text = format switch
        {
            "date" => "2026-03-14",
            "time" => "09:30:00Z",
            "date-time" => "2026-03-14T09:30:00Z",
            "email" => "reader@example.org",
            "uri" or "url" => "https://example.org/page",
            "uuid" => "3f2b8c1e-5d47-4a90-8e6f-1c2d3e4f5a6b",
            "ipv4" => "192.0.2.7",
            "hostname" => "example.org",
            _ => null,
        };
        if (text is not null)
            return text;
        var least = Count(schema, "minLength", 0);
        var most = Count(schema, "maxLength", int.MaxValue);
        var words = new StringBuilder(Words(2 + _random.Next(4)));
        while (words.Length < least)
            words.Append(' ').Append(Words(3));
        return words.Length > most ? words.ToString(0, most) : words.ToString();
    }

    private string Words(int count) => string.Join(' ', Enumerable.Range(0, count).Select(_ => WordList.Nouns[_random.Next(WordList.Nouns.Length)]));

    private static double Least(JsonElement schema, double otherwise) =>
        schema.TryGetProperty("minimum", out var least) ? least.GetDouble()
        : schema.TryGetProperty("exclusiveMinimum", out var above) && above.ValueKind == JsonValueKind.Number ? above.GetDouble() + 1
        : schema.TryGetProperty("maximum", out var most) ? Math.Min(otherwise, most.GetDouble() - 1)
        : otherwise;

    private static double Most(JsonElement schema, double otherwise) =>
        schema.TryGetProperty("maximum", out var most) ? most.GetDouble()
        : schema.TryGetProperty("exclusiveMaximum", out var below) && below.ValueKind == JsonValueKind.Number ? below.GetDouble() - 1
        : otherwise;

    private static int Count(JsonElement schema, string name, int otherwise) =>
        schema.TryGetProperty(name, out var count) && count.ValueKind == JsonValueKind.Number ? (int)count.GetDouble() : otherwise;
}
