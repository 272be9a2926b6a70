using System.Text.Json;
using Lekhika.Workflows.Catalogue;
using Lekhika.Workflows.Definitions;

namespace Lekhika.Workflows.Validation;

/// <summary>Expressions and templates of a config, and the names in them.</summary>
internal static class NameChecks
{
    private static readonly string[] Roots = ["inputs", "nodes", "previous", "vars", "execution", "secrets", "item", "index"];

    /// <summary>Names that CEL itself gives: types, and prefixes of function names.</summary>
    private static readonly HashSet<string> Language = new(StringComparer.Ordinal)
    {
        "bool", "int", "uint", "double", "string", "bytes", "list", "map", "null_type", "type", "timestamp", "duration", "dyn", "google", "math",
        "strings", "optional", "base64", "cel", "sets", "lists",
    };

    public static void Run(Check check, NodeType type, ConfigField? field, JsonElement value, string path, GraphScope scope)
    {
        if (check.Options.Expressions is not { } checker || field?.Raw == true) return;
        if (field?.Kind == FieldKind.Expression)
        {
            if (value.ValueKind == JsonValueKind.String && value.GetString() is { Length: > 0 } text && !text.Contains("{{", StringComparison.Ordinal))
                Report(check, checker.CheckExpression(text), type, field, path, scope);
            return;
        }

        Walk(check, checker, type, field, value, path, scope);
    }

    /// <summary>All strings of a node whose type is not known.</summary>
    public static void RunUntyped(Check check, NodeDefinition node, string nodePath, GraphScope scope)
    {
        if (check.Options.Expressions is { } checker) Walk(check, checker, null, null, node.Config, nodePath + ".config", scope);
    }

    private static void Walk(
        Check check, IExpressionChecker checker, NodeType? type, ConfigField? field, JsonElement value, string path, GraphScope scope)
    {
        switch (value.ValueKind)
        {
            case JsonValueKind.Object:
                foreach (var property in value.EnumerateObject())
                    Walk(check, checker, type, field, property.Value, JsonPath.Key(path, property.Name), scope);
                break;
            case JsonValueKind.Array:
                var index = 0;
                foreach (var item in value.EnumerateArray()) Walk(check, checker, type, field, item, JsonPath.Index(path, index++), scope);
                break;
            case JsonValueKind.String when value.GetString()!.Contains("{{", StringComparison.Ordinal):
                Report(check, checker.CheckTemplate(value.GetString()!), type, field, path, scope);
                break;
        }
    }

    private static void Report(Check check, ExpressionReport report, NodeType? type, ConfigField? field, string path, GraphScope scope)
    {
        foreach (var fault in report.Faults)
            check.Problems.Error("invalid_expression", check.Place(path), fault.Message + At(fault.Line, fault.Column));
        foreach (var name in report.Names)
        {
            switch (name.Root)
            {
                case "nodes" when name.Member is { } id && !scope.HasNode(id):
                    var closeId = check.Closest(id, scope.NodeIds);
                    check.Problems.Error(
                        "unknown_node", check.Place(path), $"there is no node '{id}'{Suggestions.Ask(closeId)}{At(name.Line, name.Column)}", closeId);
                    break;
                case "inputs" when name.Member is { } input && check.Options.CheckInputNames && scope.Inputs?.Contains(input) == false:
                    var closeInput = check.Closest(input, scope.Inputs);
                    check.Problems.Warn(
                        "unknown_input", check.Place(path), $"no trigger declares the input '{input}'{Suggestions.Ask(closeInput)}{At(name.Line, name.Column)}", closeInput);
                    break;
                case "secrets" when type is not null && !type.External && (field is null || !type.SecretFields.Contains(field.Name)):
                    var allowed = type.SecretFields.Count == 0 ? "none of its fields may" : $"only {string.Join(", ", type.SecretFields.Order())} may";
                    check.Problems.Error(
                        "secret_not_allowed", check.Place(path), $"this field of {type.Name} may not name secrets; {allowed}{At(name.Line, name.Column)}");
                    break;
                case "secrets" when name.Member is { } secret && check.Options.SecretNames?.Contains(secret) == false:
                    var closeSecret = check.Closest(secret, check.Options.SecretNames);
                    check.Problems.Error(
                        "unknown_secret", check.Place(path),
                        $"the configuration has no secret '{secret}'{(closeSecret is null ? $"; it needs a section [secret.{secret}]" : Suggestions.Ask(closeSecret))}{At(name.Line, name.Column)}",
                        closeSecret);
                    break;
                case "item" or "index" when !scope.InBody && field?.PerItem != true && type?.Name is not "loop":
                    check.Problems.Error(
                        "unknown_name", check.Place(path), $"'{name.Root}' is known only in the body of a map or loop{At(name.Line, name.Column)}");
                    break;
                default:
                    if (Roots.Contains(name.Root) || Language.Contains(name.Root) || scope.HasItem(name.Root)) break;
                    var candidates = scope.ItemName is { } item ? Roots.Append(item) : Roots;
                    var close = check.Closest(name.Root, candidates);
                    var hint = scope.HasNode(name.Root) ? $"; a node's output is nodes[\"{name.Root}\"]" : Suggestions.Ask(close);
                    check.Problems.Error("unknown_name", check.Place(path), $"unknown name '{name.Root}'{hint}{At(name.Line, name.Column)}", close);
                    break;
            }
        }
    }

    private static string At(int line, int? column) => column is null ? "" : line == 1 ? $" (column {column})" : $" (line {line}, column {column})";
}
