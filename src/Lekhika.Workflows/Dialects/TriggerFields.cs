using System.Text.Json;
using System.Text.Json.Nodes;
using Lekhika.Workflows.Definitions;
using Lekhika.Workflows.Validation;

namespace Lekhika.Workflows.Dialects;

/// <summary>Input fields as the editors draw them, as the fields of a trigger.</summary>
internal static class TriggerFields
{
    public static JsonArray Read(JsonElement list, string path, ProblemList problems)
    {
        var fields = new JsonArray();
        var index = 0;
        foreach (var item in list.EnumerateArray())
        {
            var place = JsonPath.Index(path, index++);
            var label = item.Text("name") ?? item.Text("label");
            var name = item.Text("variable") ?? item.Text("key") ?? label;
            if (name is null)
            {
                problems.Error("wrong_type", place, "an input field needs a name");
                continue;
            }

            var field = new JsonObject { ["name"] = name };
            var multiple = item.TryGet("multiple", out var several) && several.ValueKind == JsonValueKind.True;
            var options = item.TryGet("options", out var given) && given.ValueKind == JsonValueKind.Array ? Options(given) : null;
            field["type"] = Type(item.Text("type"), multiple, options is { Count: > 0 });
            if (item.TryGet("required", out var required) && required.ValueKind == JsonValueKind.True) field["required"] = true;
            var standard = item.TryGet("default", out var first) ? first : item.TryGet("defaultValue", out var second) ? second : default;
            if (standard.ValueKind is not (JsonValueKind.Undefined or JsonValueKind.Null)) field["default"] = standard.ToNode();
            if (options is { Count: > 0 }) field["options"] = options;
            if (multiple) field["multiple"] = true;
            if (label is not null && label != name) field["aliases"] = new JsonArray(label);
            fields.Add((JsonNode)field);
        }

        return fields;
    }

    /// <summary>A choice whose options the front end looks up elsewhere is open text here; several choices may come as a list or as text.</summary>
    private static string Type(string? type, bool multiple, bool hasOptions) => type?.ToLowerInvariant() switch
    {
        _ when multiple => "any",
        "select" or "dropdown" or "radio" => hasOptions ? "select" : "text",
        "number" or "range" or "slider" => "number",
        "checkbox" or "boolean" or "toggle" or "switch" => "boolean",
        "json" or "object" => "any",
        "array" or "list" or "multiselect" or "file" => "any",
        _ => "text",
    };

    private static JsonArray Options(JsonElement options)
    {
        var list = new JsonArray();
        foreach (var option in options.EnumerateArray())
        {
            var value = option.Scalar() ?? option.Text("value") ?? option.Text("label");
            if (value is not null) list.Add((JsonNode)value);
        }

        return list;
    }
}
