using System.Text.Json;
using Lekhika.Workflows.Definitions;

namespace Lekhika.Workflows.Validation;

/// <summary>The input fields that a trigger declares.</summary>
internal static class TriggerChecks
{
    internal static readonly string[] Types =
        ["string", "text", "number", "integer", "boolean", "select", "array", "object", "any"];

    public static void Run(Check check, NodeDefinition node, string configPath)
    {
        if (!node.Config.TryGet("fields", out var fields) || fields.ValueKind != JsonValueKind.Array) return;
        var names = new HashSet<string>(StringComparer.Ordinal);
        var index = 0;
        foreach (var field in fields.EnumerateArray())
        {
            var path = JsonPath.Index(configPath + ".fields", index++);
            if (field.Text("name") is not { } name)
            {
                check.Problems.Error("wrong_type", check.Place(path), "an input field must be an object with a \"name\"");
                continue;
            }

            if (!names.Add(name)) check.Problems.Error("duplicate_input", check.Place(path + ".name"), $"the input '{name}' is declared twice");
            CheckType(check, field, name, path);
        }
    }

    private static void CheckType(Check check, JsonElement field, string name, string path)
    {
        if (field.TryGet("type", out var type) && type.ValueKind != JsonValueKind.Null)
        {
            var word = type.Scalar() ?? "";
            if (!Types.Contains(word))
            {
                var close = Suggestions.Closest(word, Types);
                check.Problems.Error(
                    "wrong_value",
                    check.Place(path + ".type"),
                    $"the type of the input '{name}' must be one of {string.Join(", ", Types)}{Suggestions.Ask(close)}",
                    close);
            }
        }

        if (field.TryGet("options", out var options) && options.ValueKind is not (JsonValueKind.Array or JsonValueKind.Null))
            check.Problems.Error("wrong_type", check.Place(path + ".options"), $"\"options\" of the input '{name}' must be an array");
    }
}
