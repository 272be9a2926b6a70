using System.Text.Json;

namespace Lekhika.Doubles;

/// <summary>Refuses the schemas the server refuses, with its words.</summary>
internal static class SchemaCheck
{
    private static readonly string[] Types = ["object", "array", "string", "number", "integer", "boolean", "null"];
    private static readonly string[] Children = ["items", "additionalProperties", "contains", "not"];
    private static readonly string[] Lists = ["anyOf", "oneOf", "allOf", "prefixItems"];

    /// <exception cref="ApiException">400 with the runner's nested error.</exception>
    public static void Check(JsonElement schema) => Check(schema, schema, 0);

    /// <summary>The schema a local reference points at, or nothing.</summary>
    public static JsonElement? Resolve(JsonElement root, string reference)
    {
        if (!reference.StartsWith('#'))
            return null;
        var at = root;
        foreach (var part in reference[1..].Split('/', StringSplitOptions.RemoveEmptyEntries))
        {
            var name = part.Replace("~1", "/", StringComparison.Ordinal).Replace("~0", "~", StringComparison.Ordinal);
            if (at.ValueKind != JsonValueKind.Object || !at.TryGetProperty(name, out at))
                return null;
        }
        return at;
    }

    private static void Check(JsonElement root, JsonElement schema, int depth)
    {
        if (schema.ValueKind != JsonValueKind.Object || depth > 32)
            return;
        if (schema.TryGetProperty("$ref", out var reference) && reference.ValueKind == JsonValueKind.String
            && Resolve(root, reference.GetString()!) is null)
        {
            var text = reference.GetString()!;
            throw Refused($"JSON schema error at #: cannot resolve $ref {text}, {text[(text.LastIndexOf('/') + 1)..]} not found");
        }
        if (schema.TryGetProperty("type", out var type) && type.ValueKind == JsonValueKind.String && !Types.Contains(type.GetString(), StringComparer.Ordinal))
            throw Refused($"JSON schema error at #: unrecognized type {type.GetString()}");
        foreach (var name in Children)
        {
            if (schema.TryGetProperty(name, out var child))
                Check(root, child, depth + 1);
        }
        foreach (var name in Lists)
        {
            if (schema.TryGetProperty(name, out var list) && list.ValueKind == JsonValueKind.Array)
            {
                foreach (var child in list.EnumerateArray())
                    Check(root, child, depth + 1);
            }
        }
        if (schema.TryGetProperty("properties", out var properties) && properties.ValueKind == JsonValueKind.Object)
        {
            foreach (var property in properties.EnumerateObject())
                Check(root, property.Value, depth + 1);
        }
    }

    private static ApiException Refused(string reason) => RunnerErrors.Nested(
        400, "invalid_request_error", $"Field 'json_schema': \"json_schema\": JSON schema conversion failed:\n{reason}");
}
