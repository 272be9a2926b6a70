using System.Collections.Frozen;
using System.Text.Json;
using System.Text.Json.Nodes;
using Lekhika.Workflows.Definitions;
using Lekhika.Workflows.Validation;

namespace Lekhika.Workflows.Dialects;

/// <summary>Node types of SynthralOS and what becomes of their config.</summary>
internal static partial class SynthralNodes
{
    private static readonly FrozenSet<string> Types = new[]
    {
        "trigger", "manual_trigger", "http_request", "code", "ai_prompt", "ai-prompt", "condition", "if", "switch", "loop", "for", "while", "repeat",
        "break", "continue", "delay", "wait", "try", "catch", "finally", "map", "filter", "reduce", "merge", "split", "set_variable", "get_variable",
        "sub_workflow", "sub-workflow", "human_approval", "notification", "storage", "connector", "agent", "scraping", "browser", "rag_switch",
        "ocr_switch", "social_monitoring", "osint",
    }.ToFrozenSet(StringComparer.Ordinal);

    private static readonly string[] Loops = ["loop", "for", "while", "repeat"];

    public static bool Knows(string type) => Types.Contains(type);

    public static bool IsLoop(DraftNode node) => Loops.Contains(node.AuthorType) && node.Type is "map" or "loop";

    /// <summary>Whether an endpoint of the operator's gives the output, so that its shape is not known here.</summary>
    public static bool IsForeign(DraftNode node) =>
        node.Type == node.AuthorType && Catalogue.NodeCatalogue.BuiltIn.Find(node.Type) is null;

    /// <summary>What a type becomes when its name alone does not tell; null when it does.</summary>
    public static string? Resolve(DraftNode node)
    {
        var has = (string field) => node.Source.TryGet(field, out var value) && value.ValueKind is not JsonValueKind.Null;
        return node.AuthorType switch
        {
            "loop" or "for" or "while" or "repeat" => has("array_expression") || has("array") || has("input_array") ? "map" : "loop",
            "map" => "set",
            "switch" when !has("cases") && has("condition") => "condition",
            "reduce" => "aggregate",
            "notification" when Address(node) => "http",
            _ => null,
        };
    }

    /// <summary>The branch that a label means.</summary>
    public static string? Label(DraftNode from, string label) => from.Type switch
    {
        "condition" => label.ToLowerInvariant() switch { "yes" => "true", "no" => "false", "true" => "true", "false" => "false", _ => label },
        "map" or "loop" => label is "done" or "exit" or "complete" or "end" ? null : label,
        _ => label,
    };

    public static void Map(Translation at, Dictionary<string, DraftNode> nodes)
    {
        var node = at.Node;
        switch (node.Type)
        {
            case "trigger":
                at.Copy(("kind", "trigger_type"));
                if (at.Text(at.Given("cron_expression", "cron")) is { } cron) node.Set("schedule", new JsonObject { ["cron"] = cron }, at.Given("cron_expression", "cron"));
                break;
            case "http": Http(at); break;
            case "llm":
                at.Model().Copy(("prompt", "prompt"), ("system", "system_prompt")).Number("temperature", "temperature").Number("max_tokens", "max_tokens");
                break;
            case "condition": Condition(at); break;
            case "switch": Switch(at); break;
            case "map": at.List("items", at.Given("array_expression", "array", "input_array")); LoopConfig(at); break;
            case "loop": Loop(at); break;
            case "set": Set(at); break;
            case "filter":
                at.List("items", at.Given("input_array", "array"));
                at.Condition("condition", at.Given("filter_condition", "condition"));
                break;
            case "aggregate": Reduce(at); break;
            case "merge": Merge(at, nodes); break;
            case "split": Split(at); break;
            case "delay": Delay(at); break;
            case "approval":
                at.Copy(("message", at.Given("approval_message", "message"))).Duration("timeout", "timeout_seconds", 1000);
                at.Json("options", at.Given("approval_options", "options"));
                break;
            case "subworkflow":
                at.Copy(("workflow_id", at.Given("workflow_id", "sub_workflow_id"))).Json("inputs", at.Given("input_data", "inputs"));
                node.Set("wait", at.Raw("wait_for_completion").ValueKind == JsonValueKind.True, "wait_for_completion");
                node.Timeout = at.DurationOf("timeout_seconds", 1000);
                break;
            default: at.Everything(); break;
        }
    }

    private static void Condition(Translation at)
    {
        var field = at.Given("condition", "expression", "condition_expression");
        if (at.Text("condition_type") == "jsonpath" && at.Text(field) is { } path)
        {
            var way = path.Trim().TrimStart('$').TrimStart('.');
            at.Node.Set("expression", CelText.Truthy(at.PathOrNull(way) ?? at.Expression(way)), field);
            return;
        }

        at.Condition("expression", field);
    }

    private static void Switch(Translation at)
    {
        at.Expression("expression", at.Given("switch_expression", "expression", "condition"));
        var labels = new JsonArray();
        var cases = at.Parsed("cases");
        if (cases.ValueKind == JsonValueKind.Array)
        {
            foreach (var item in cases.EnumerateArray())
            {
                if ((item.Scalar() ?? item.Text("value") ?? item.Text("label")) is { } label) labels.Add((JsonNode)label);
            }
        }
        else if (cases.ValueKind == JsonValueKind.Object)
        {
            foreach (var item in cases.EnumerateObject()) labels.Add((JsonNode)item.Name);
        }

        at.Node.Set("cases", labels, "cases");
    }

    private static void Loop(Translation at)
    {
        at.Condition("while", "condition_expression").Number("times", "repeat_count").Number("max_iterations", "max_iterations");
        LoopConfig(at);
    }

    private static void LoopConfig(Translation at)
    {
        if (at.Node.Type == "map")
        {
            at.Copy(("item", "loop_variable")).Number("max_items", "max_iterations");
            at.Node.Set("concurrency", 1);
        }

        if (at.Node.Body is not null) return;
        at.Problems.Error(
            "loop_without_body",
            at.Node.Path,
            $"nothing is repeated by the loop '{at.Node.Id}': draw an edge from the last repeated node back to it, or label its edge to the first one 'body'");
        // The missing body is reported already, in words that fit this editor.
        at.Node.Type = "noop";
        at.Node.Config = [];
    }

    private static bool Address(DraftNode node) =>
        node.Source.Text("channel") is "slack" or "discord" or "webhook"
        && (node.Source.Text("recipient") ?? node.Source.Text("webhook_url")) is { } target
        && (target.StartsWith("http", StringComparison.OrdinalIgnoreCase) || target.Contains("{{", StringComparison.Ordinal));
}
