using System.Globalization;
using System.Text.Json;
using System.Text.Json.Nodes;
using Lekhika.Workflows.Definitions;
using Lekhika.Workflows.Validation;

namespace Lekhika.Workflows.Dialects;

/// <summary>Node types of CtrlChecks and what becomes of their config.</summary>
internal static partial class CtrlChecksNodes
{
    private static readonly string[] PlainHandles = ["output", "source", "out", "main", "success", "right", "bottom", "done", "exit", "complete"];

    /// <summary>What a type becomes when its name alone does not tell; null when it does.</summary>
    public static string? Resolve(DraftNode node) => node.AuthorType switch
    {
        "loop" => "map",
        "rename_keys" or "edit_fields" or "text_formatter" => "set",
        "item_lists" => "noop",
        _ => null,
    };

    /// <summary>The branch that a handle means; null for handles that every node has.</summary>
    public static string? Label(DraftNode from, string handle)
    {
        if (handle == EdgeDefinition.ErrorBranch) return handle;
        switch (from.Type)
        {
            case "condition":
                return handle.ToLowerInvariant() switch { "yes" or "if" or "then" => "true", "no" or "else" => "false", var other => other };
            case "switch":
                var cases = Cases(JsonReading.Parsed(from.Source, "cases"));
                if (cases.Contains(handle)) return handle;
                var digits = handle.AsSpan().TrimStart("caseoutput_-");
                return digits.Length is > 0 and < 4 && int.TryParse(digits, NumberStyles.None, CultureInfo.InvariantCulture, out var index) && index < cases.Count
                    ? cases[index]
                    : handle;
            case "approval":
                return handle switch { "approved" or "yes" => "approve", "rejected" or "no" => "reject", _ when PlainHandles.Contains(handle) => null, _ => handle };
            case "map":
                return PlainHandles.Contains(handle) ? null : handle;
            default:
                return null;
        }
    }

    public static void Map(Translation at)
    {
        var node = at.Node;
        switch (node.Type)
        {
            case "trigger": Trigger(at); break;
            case "llm": Llm(at); break;
            case "http": Http(at); break;
            case "condition": Condition(at); break;
            case "switch":
                at.Expression("expression", "expression");
                node.Set("cases", new JsonArray([.. Cases(at.Parsed("cases")).Select(static label => (JsonNode?)JsonValue.Create(label))]), "cases");
                break;
            case "set": Set(at); break;
            case "filter": at.List("items", "array").Condition("condition", "condition"); break;
            case "sort": Sort(at); break;
            case "limit": at.Number("count", "limit"); break;
            case "aggregate": at.Copy(("operation", "operation"), ("field", "field"), ("group_by", "groupBy")); break;
            case "split": at.List("items", "array").Number("size", "batchSize"); break;
            case "map": at.List("items", "array").Number("max_items", "maxIterations"); node.Set("concurrency", 1); break;
            case "merge": Merge(at); break;
            case "parse_json": ParseJson(at); break;
            case "delay": at.Duration("for", at.Given("duration", "for"), 1); break;
            case "approval": Approval(at); break;
            case "stop_and_error": at.Copy(("message", "errorMessage"), ("code", "errorCode")); break;
            case "log_output": Log(at); break;
            case "respond_to_webhook": at.Number("status", "statusCode").Json("headers", "headers").Json("body", "responseBody"); break;
            case "noop": break;
            default: at.Everything(); break;
        }
    }

    /// <summary>A loop that nothing was drawn into passes its list on, as far as it may go.</summary>
    public static void LimitInstead(DraftNode node, ProblemList problems)
    {
        if (node.AuthorType != "loop") return;
        node.Type = "limit";
        var count = node.Config["max_items"]?.DeepClone() ?? JsonValue.Create(100);
        foreach (var field in new[] { "max_items", "concurrency" }) node.Config.Remove(field);
        node.Config["count"] = count;
        problems.Warn(
            "loop_without_body",
            node.Path,
            $"nothing is repeated by the loop '{node.Id}': it passes its list on. Draw an edge from the last repeated node back to it");
    }

    private static void Trigger(Translation at)
    {
        var kind = at.Node.AuthorType switch
        {
            "schedule" or "interval" => "schedule",
            "webhook" => "webhook",
            "chat_trigger" => "chat",
            "form" => "form",
            _ => "manual",
        };
        at.Node.Set("kind", kind);
        if (at.Node.AuthorType is "schedule" or "interval" && at.Node.Source.EnumerateObject().Any())
            at.Node.Set("schedule", at.Node.Source.ToNode());
        if (at.Parsed("fields") is { ValueKind: JsonValueKind.Array } fields)
        {
            at.Node.Set("fields", TriggerFields.Read(fields, at.PlaceOf("fields"), at.Problems));
            at.Node.Places["fields"] = at.PlaceOf("fields");
        }
    }

    private static void Condition(Translation at)
    {
        if (at.Has("condition") || at.Has("expression"))
        {
            at.Condition("expression", at.Given("condition", "expression"));
            return;
        }

        if (at.Parsed("conditions") is not { ValueKind: JsonValueKind.Array } list) return;
        var parts = new List<string>();
        foreach (var item in list.EnumerateArray())
        {
            var subject = item.Text("field") is { } field ? Field(at, field) : null;
            var part = subject is null ? null : FieldConditions.Translate(subject, item.Text("operator") ?? "equals", item.TryGet("value", out var value) ? value : default);
            if (part is not null) parts.Add(part);
            else at.Problems.Error("wrong_value", at.PlaceOf("conditions"), $"a condition needs field, operator ({string.Join(", ", FieldConditions.Operators)}) and value");
        }

        if (parts.Count > 0) at.Node.Set("expression", string.Join(" && ", parts), "conditions");
    }

    /// <summary>The value of a field that is named without braces, as a part of what reached the node.</summary>
    private static string Field(Translation at, string field)
    {
        if (field.Contains("{{", StringComparison.Ordinal)) return at.PathOrNull(field) ?? at.Expression(field);
        return at.PathOrNull($"input.{field}") ?? at.PathOrNull($"input[\"{field}\"]") ?? at.Expression(field);
    }

    private static void Merge(Translation at)
    {
        var mode = at.Text("mode") switch
        {
            "append" or "wait_all" => "append",
            "concat" => "concat",
            "key_based" => "by_key",
            null or "merge" => "merge",
            var other => other,
        };
        at.Node.Set("mode", mode, "mode");
        at.Copy(("key", "mergeKey"));
    }

    private static void Sort(Translation at)
    {
        if (at.Text("field") is { } field)
            at.Node.Set("by", field.Split('.').Aggregate("item", static (value, name) => CelText.Member(value, name)), "field");
        at.Copy(("direction", "direction"), ("as", "type"));
    }

    private static void ParseJson(Translation at)
    {
        at.Node.Set("text", $"{{{{ {at.Expression("input")} }}}}");
        if (at.Text("expression") is { } path) at.Node.Set("select", JsonPathOf(path), "expression");
    }

    /// <summary>A path such as <c>$.a.b[0]</c> into the parsed value.</summary>
    private static string JsonPathOf(string path)
    {
        var trimmed = path.Trim().TrimStart('$').TrimStart('.');
        if (trimmed.Length == 0) return "item";
        return trimmed[0] == '[' ? "item" + trimmed : "item." + trimmed;
    }

    private static void Approval(Translation at)
    {
        at.Copy(("message", at.Given("message", "approvalMessage")));
        at.Json("approvers", "approvers").Duration("timeout", "timeout", 1000);
        if (at.Text("defaultAction") is { } action && action != "none") at.Node.Set("default", action, "defaultAction");
    }

    private static void Log(Translation at)
    {
        at.Copy(("message", "message"));
        if (at.Text("level") is { } level) at.Node.Set("level", level == "warning" ? "warn" : level, "level");
        if (!at.Node.Config.ContainsKey("message")) at.Node.Set("message", $"{{{{ {at.Expression("input")} }}}}");
    }

    private static List<string> Cases(JsonElement cases)
    {
        var labels = new List<string>();
        if (cases.ValueKind != JsonValueKind.Array) return labels;
        foreach (var item in cases.EnumerateArray())
        {
            var label = item.Scalar();
            foreach (var name in new[] { "value", "case", "label", "name" })
                label ??= item.TryGet(name, out var value) ? value.Scalar() : null;
            if (label is not null && !labels.Contains(label)) labels.Add(label);
        }

        return labels;
    }
}
