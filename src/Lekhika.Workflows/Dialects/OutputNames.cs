namespace Lekhika.Workflows.Dialects;

/// <summary>What the earlier dialects call the parts of a node's output, and what they are called here.</summary>
internal static class OutputNames
{
    private static readonly string[] TextNames =
        ["text", "content", "response", "output", "result", "message", "answer", "completion", "summary", "formatted", "value"];

    private static readonly string[] HttpNames = ["status", "headers", "body", "json"];

    /// <summary>The CEL for a part of a node's output, and how many of the members it covers.</summary>
    public static (string Cel, int Used) Of(DraftNode node, IReadOnlyList<string> members, int skip = 0)
    {
        var output = CelText.Node(node.Id);
        var first = members.Count > skip ? members[skip] : null;
        switch (node.Type)
        {
            case "llm" when first is not null && TextNames.Contains(first):
            case "set" when node.AuthorType == "text_formatter" && first is not null && TextNames.Contains(first):
                return (output + ".text", skip + 1);
            case "llm" when first == "tokens_used":
                return ($"({output}.tokens_in + {output}.tokens_out)", skip + 1);
            case "set" when node.AuthorType == "text_formatter" && first is null:
            case "llm" when first is null:
                return (output + ".text", skip);
            case "http" when first is "status_code" or "statusCode":
                return (output + ".status", skip + 1);
            case "http" when first is "data" or "response":
                return (output + ".json", skip + 1);
            case "http" when first is not null && !HttpNames.Contains(first):
                return (output + ".json", skip);
            case "parse_json":
                return (output + ".value", skip + (first == "value" ? 1 : 0));
            case "aggregate" when first is null:
                return (output + ".result", skip);
            case "filter" or "sort" or "limit" or "split" or "map" when first is null or not ("items" or "count"):
                return (output + ".items", skip);
            case "condition" when first == "condition_result":
                return (output + ".result", skip + 1);
            case "approval" when first is "response" or "decision":
                return (output + ".answer", skip + 1);
            default:
                return (output, skip);
        }
    }
}
