using System.Text.Json;
using Lekhika.Workflows.Catalogue;
using Lekhika.Workflows.Definitions;

namespace Lekhika.Workflows.Validation;

/// <summary>A node's config against the fields of its type.</summary>
internal static class ConfigChecks
{
    public static void Run(Check check, NodeDefinition node, NodeType type, string nodePath, GraphScope scope)
    {
        var configPath = nodePath + ".config";
        CheckRequired(check, node, type, configPath);
        if (node.Config.ValueKind != JsonValueKind.Object) return;
        foreach (var property in node.Config.EnumerateObject())
        {
            var name = property.Name;
            var path = JsonPath.Key(configPath, name);
            var field = type.Field(name);
            if (field is not null)
            {
                if (property.Value.ValueKind != JsonValueKind.Null) CheckKind(check, type, field, property.Value, path);
            }
            else if (!type.Open)
            {
                var close = Suggestions.Closest(name, type.Fields.Select(static entry => entry.Name));
                check.Problems.Warn(
                    "unknown_config", check.Place(path), $"a node of type {type.Name} has no field '{name}'; it is ignored{Suggestions.Ask(close)}", close);
            }

            NameChecks.Run(check, type, field, property.Value, path, scope);
        }

        if (type.Name == "trigger") TriggerChecks.Run(check, node, configPath);
        if (type.Name == "output") CheckFrom(check, node, configPath, scope);
    }

    private static void CheckRequired(Check check, NodeDefinition node, NodeType type, string configPath)
    {
        foreach (var field in type.Fields)
        {
            if (!field.Required || Given(node, field.Name)) continue;
            check.Problems.Error(
                "missing_config",
                check.Place(JsonPath.Key(configPath, field.Name)),
                $"'{node.Id}' ({type.Name}) needs \"{field.Name}\" in its config: {field.Description}");
        }

        foreach (var group in type.OneOf)
        {
            if (group.Any(name => Given(node, name) || IsBlankText(node, type, name))) continue;
            check.Problems.Error(
                "missing_config", check.Place(configPath), $"'{node.Id}' ({type.Name}) needs one of {string.Join(", ", group)} in its config");
        }
    }

    /// <summary>A blank is something to part a text by, where a prompt of blanks is nothing.</summary>
    private static bool IsBlankText(NodeDefinition node, NodeType type, string name) =>
        type.Field(name)?.Kind == FieldKind.String && node.Config.TryGet(name, out var value) && value.ValueKind == JsonValueKind.String && value.GetString()!.Length > 0;

    private static bool Given(NodeDefinition node, string name)
    {
        if (name == "body" && node.Body is not null) return true;
        if (!node.Config.TryGet(name, out var value) || value.ValueKind == JsonValueKind.Null) return false;
        return value.ValueKind != JsonValueKind.String || !string.IsNullOrWhiteSpace(value.GetString());
    }

    private static void CheckKind(Check check, NodeType type, ConfigField field, JsonElement value, string path)
    {
        var text = value.ValueKind == JsonValueKind.String ? value.GetString() : null;
        if (field.Kind == FieldKind.Expression)
        {
            if (text is null)
                Wrong(check, field, path, $"must be a CEL expression in a string, but it is {value.Describe()}");
            else if (text.Contains("{{", StringComparison.Ordinal))
                Wrong(check, field, path, "is a CEL expression already; write it without {{ }}");
            return;
        }

        if (text is not null && !field.Raw && text.Contains("{{", StringComparison.Ordinal)) return;
        var expected = Expected(field, value, text);
        if (expected is null)
        {
            if (field.Kind == FieldKind.Model && text is not null) CheckModel(check, text, path);
            return;
        }

        if (field.Kind == FieldKind.Enum && text is not null)
        {
            var close = Suggestions.Closest(text, field.Options);
            check.Problems.Error(
                "wrong_value", check.Place(path), $"\"{field.Name}\" of {type.Name} is '{text}' but {expected}{Suggestions.Ask(close)}", close);
            return;
        }

        Wrong(check, field, path, $"{expected}, but it is {value.Describe()}");
    }

    /// <summary>What the field must be, or null if the value is that.</summary>
    private static string? Expected(ConfigField field, JsonElement value, string? text) => field.Kind switch
    {
        FieldKind.Any => null,
        FieldKind.String or FieldKind.Template or FieldKind.Model => text is null ? "must be a string" : null,
        FieldKind.Boolean => value.ValueKind is JsonValueKind.True or JsonValueKind.False ? null : "must be true or false",
        FieldKind.Number => value.ValueKind == JsonValueKind.Number ? null : "must be a number",
        FieldKind.Integer => value.ValueKind == JsonValueKind.Number && value.TryGetDouble(out var number) && Math.Floor(number) == number
            ? null
            : "must be a whole number",
        FieldKind.Object => value.ValueKind == JsonValueKind.Object ? null : "must be an object",
        FieldKind.Array => value.ValueKind == JsonValueKind.Array ? null : "must be an array, or a template that gives one",
        FieldKind.Duration => DurationText.TryRead(value, out _) ? null : $"must be {DurationText.Expected}",
        FieldKind.Enum => text is not null && field.Options.Contains(text) ? null : $"must be one of {string.Join(", ", field.Options)}",
        _ => null,
    };

    private static void CheckModel(Check check, string model, string path)
    {
        if (check.Models is not { } present) return;
        var meant = check.Options.ModelAliases.TryGetValue(model, out var alias) ? alias : model;
        if (present.Contains(meant) || present.Contains(meant + ":latest")) return;
        if (meant.EndsWith(":latest", StringComparison.OrdinalIgnoreCase) && present.Contains(meant[..^":latest".Length])) return;
        var close = check.Closest(meant, present);
        var said = meant == model ? $"'{model}'" : $"'{meant}' (alias '{model}')";
        check.Problems.Error(
            "model_not_present",
            check.Place(path),
            $"no endpoint has the model {said}{Suggestions.Ask(close)} Pull it, or map it in the configuration: [models] {model} = NAME",
            close);
    }

    private static void CheckFrom(Check check, NodeDefinition node, string configPath, GraphScope scope)
    {
        if (!node.Config.TryGet("from", out var from)) return;
        IEnumerable<JsonElement> ids = from.ValueKind == JsonValueKind.Array ? from.EnumerateArray() : [from];
        foreach (var item in ids)
        {
            if (item.ValueKind == JsonValueKind.Null) continue;
            var id = item.ValueKind == JsonValueKind.String ? item.GetString()! : "";
            if (scope.HasNode(id)) continue;
            var close = check.Closest(id, scope.NodeIds);
            check.Problems.Error(
                "unknown_node", check.Place(configPath + ".from"), $"\"from\" names a node that is not there: '{id}'{Suggestions.Ask(close)}", close);
        }
    }

    private static void Wrong(Check check, ConfigField field, string path, string what) =>
        check.Problems.Error("wrong_type", check.Place(path), $"\"{field.Name}\" {what}");
}
