using System.Text.Json;
using System.Text.Json.Nodes;
using Lekhika.Workflows.Definitions;

namespace Lekhika.Workflows.Dialects;

/// <summary>The node types that call addresses, wait, and work on data.</summary>
internal static partial class SynthralNodes
{
    private static void Http(Translation at)
    {
        if (at.Node.AuthorType != "notification")
        {
            at.Copy(("url", "url"), ("method", "method"), ("headers", "headers"), ("body", "body")).Duration("timeout", "timeout", 1000);
            return;
        }

        at.Copy(("url", at.Given("recipient", "webhook_url")));
        at.Node.Set("method", "POST");
        var message = at.Has("message") ? at.Translated(at.Raw("message")) : "";
        var body = new JsonObject { [at.Text("channel") == "slack" ? "text" : at.Text("channel") == "discord" ? "content" : "message"] = message };
        if (at.Text("channel") == "webhook" && at.Has("subject")) body["subject"] = at.Translated(at.Raw("subject"));
        at.Node.Set("body", body, "message");
    }

    private static void Set(Translation at)
    {
        switch (at.Node.AuthorType)
        {
            case "map":
                var field = at.Given("input_array", "array");
                if (at.Text(field) is { } list && at.Text("map_expression") is { } expression)
                {
                    var items = at.Expression(LegacyExpressions.Bare(list));
                    at.Node.Set("values", new JsonObject { ["items"] = $"{{{{ {items}.map(item, {at.Expression(expression)}) }}}}" }, "map_expression");
                }

                break;
            case "get_variable":
                if (at.Text("variable_name") is not { } wanted) break;
                var standard = at.Raw("default_value");
                var otherwise = standard.ValueKind == JsonValueKind.String ? CelText.Quote(standard.GetString()!) : standard.Scalar() ?? "null";
                at.Node.Set("values", new JsonObject { [wanted] = $"{{{{ {CelText.MemberOr("vars", wanted, otherwise)} }}}}" }, "variable_name");
                break;
            default:
                if (at.Text("variable_name") is not { } name) break;
                at.Node.Set("values", new JsonObject { [name] = at.Has("variable_value") ? at.Translated(at.Raw("variable_value")) : null }, "variable_name");
                break;
        }
    }

    private static void Reduce(Translation at)
    {
        at.List("items", at.Given("input_array", "array"));
        var function = (at.Text("reduce_function") ?? "").Trim().ToLowerInvariant();
        var operation = function switch
        {
            "sum" or "add" or "+" => "sum",
            "count" or "length" or "len" => "count",
            "avg" or "average" or "mean" => "avg",
            "min" or "max" or "join" => function,
            "concat" => "join",
            "collect" or "list" => "collect",
            _ => null,
        };
        if (operation is not null) at.Node.Set("operation", operation, "reduce_function");
        else at.Problems.Error(
            "code_not_run",
            at.PlaceOf("reduce_function"),
            "this daemon runs no code of its authors; reduce_function can be sum, avg, count, min, max, join or collect, and CEL in a set node does the rest");
        at.Copy(("field", "field"));
        // Reported above: the validator need not say again that the operation is missing.
        if (operation is null) at.Node.Config["operation"] = "collect";
    }

    private static void Merge(Translation at, Dictionary<string, DraftNode> nodes)
    {
        at.Node.Set("mode", at.Text("merge_strategy") switch { "deep" => "deep", "array" => "append", null or "shallow" => "merge", var other => other }, "merge_strategy");
        if (at.Parsed("input_sources") is not { ValueKind: JsonValueKind.Array } sources) return;
        var inputs = new JsonArray();
        foreach (var source in sources.EnumerateArray())
        {
            var text = source.Scalar();
            if (text is null) continue;
            inputs.Add((JsonNode)(nodes.ContainsKey(text) ? $"{{{{ {CelText.Node(text)} }}}}" : at.Template(text)));
        }

        if (inputs.Count > 0) at.Node.Set("inputs", inputs, "input_sources");
    }

    private static void Split(Translation at)
    {
        at.List("items", at.Given("input_array", "array", "input"));
        var config = at.Parsed("split_config");
        if (at.Text("split_strategy") is null or "by_size")
        {
            var size = config.TryGet("size", out var given) || config.TryGet("chunk_size", out given) ? given : at.Raw("size");
            at.Node.Set("size", size.ValueKind == JsonValueKind.Number ? size.ToNode() : JsonValue.Create(10), "split_config");
            return;
        }

        at.Problems.Error(
            "not_supported",
            at.PlaceOf("split_strategy"),
            "lists are split by size here; to split by a key or a condition use aggregate with group_by, or a filter for each part");
        at.Node.Config["size"] = 1;
    }

    private static void Delay(Translation at)
    {
        switch (at.Text("delay_type"))
        {
            case "until_time":
                at.Copy(("until", "target_time"));
                break;
            case "until_condition":
                at.Condition("condition", "condition_expression");
                break;
            default:
                var field = at.Given("delay_seconds", "seconds", "duration");
                if (at.Has(field)) at.Duration("for", field, 1000);
                else at.Node.Set("for", "1s");
                break;
        }
    }
}
