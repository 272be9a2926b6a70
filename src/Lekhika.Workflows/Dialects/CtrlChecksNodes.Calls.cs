using System.Text.Json;
using System.Text.Json.Nodes;
using Lekhika.Workflows.Definitions;

namespace Lekhika.Workflows.Dialects;

/// <summary>The node types that call models and addresses, and those that set values.</summary>
internal static partial class CtrlChecksNodes
{
    private static void Llm(Translation at)
    {
        var node = at.Node;
        at.Model().Copy(("prompt", at.Given("prompt", "message", "text")), ("system", at.Given("systemPrompt", "system_prompt", "system")));
        at.Number("temperature", "temperature").Number("max_tokens", at.Given("maxTokens", "max_tokens"));
        var task = node.AuthorType switch
        {
            "text_summarizer" => "Summarise the following text in a few sentences. Keep names, numbers and conclusions.",
            "sentiment_analyzer" => "Say whether the mood of the following text is positive, negative or neutral, and give the reason in one sentence.",
            _ => null,
        };
        if (task is not null && !node.Config.ContainsKey("prompt")) node.Set("prompt", $"{task}\n\n{{{{ {at.Expression("input")} }}}}");
        if (at.Has("apiKey"))
            at.Problems.Warn("ignored_config", at.PlaceOf("apiKey"), "API keys are not taken from workflows; the endpoints and their keys are in the configuration");
        if (at.Parsed("tools") is { ValueKind: JsonValueKind.Array } tools && tools.GetArrayLength() > 0)
        {
            at.Problems.Error(
                "tools_not_supported",
                at.PlaceOf("tools"),
                $"'{node.Id}' uses tools, which this daemon does not run: remove them, or give the type to an endpoint: [nodes] {node.AuthorType} = URL");
        }
    }

    private static void Http(Translation at)
    {
        var node = at.Node;
        at.Copy(("url", at.Given("url", "webhookUrl"))).Json("headers", "headers");
        if (node.AuthorType == "http_request") at.Copy(("method", "method")).Json("body", "body");
        else node.Set("method", "POST");
        at.Duration("timeout", "timeout", 1);
        var body = new JsonObject();
        switch (node.AuthorType)
        {
            case "http_post":
                at.Json("body", "bodyTemplate");
                return;
            case "graphql":
                Add("query", "query");
                Add("operationName", "operationName");
                if (at.Has("variables")) body["variables"] = at.Translated(at.Parsed("variables"));
                break;
            case "slack_message":
                Add("text", "message");
                Add("channel", "channel");
                Add("username", "username");
                Add("icon_emoji", "iconEmoji");
                if (at.Has("blocks")) body["blocks"] = at.Translated(at.Parsed("blocks"));
                break;
            case "slack_webhook":
                Add("text", "text");
                break;
            case "discord_webhook":
                Add("content", "content");
                Add("username", "username");
                Add("avatar_url", "avatarUrl");
                break;
            case "microsoft_teams":
                body["@type"] = "MessageCard";
                body["@context"] = "https://schema.org/extensions";
                Add("title", "title");
                Add("text", "message");
                break;
            default:
                return;
        }

        node.Set("body", body);

        void Add(string name, string author)
        {
            if (at.Has(author)) body[name] = at.Translated(at.Raw(author));
        }
    }

    private static void Set(Translation at)
    {
        var node = at.Node;
        switch (node.AuthorType)
        {
            case "set_variable":
                if (at.Text("name") is { } name) node.Set("values", new JsonObject { [name] = at.Translated(at.Raw("value")) }, "value");
                break;
            case "text_formatter":
                if (at.Has("template")) node.Set("values", new JsonObject { ["text"] = at.Translated(at.Raw("template")) }, "template");
                break;
            case "rename_keys":
                Rename(at, at.Parsed("mappings"));
                break;
            case "edit_fields":
                EditFields(at);
                break;
            default:
                at.Json("values", at.Given("fields", "values"));
                break;
        }
    }

    private static void Rename(Translation at, JsonElement mappings)
    {
        if (mappings.ValueKind != JsonValueKind.Object) return;
        var values = new JsonObject();
        var removed = new JsonArray();
        foreach (var pair in mappings.EnumerateObject())
        {
            if (pair.Value.Scalar() is not { Length: > 0 } renamed) continue;
            values[renamed] = $"{{{{ {Input(at, pair.Name)} }}}}";
            removed.Add((JsonNode)pair.Name);
        }

        at.Node.Set("values", values, "mappings");
        at.Node.Set("keep", true);
        at.Node.Set("remove", removed);
    }

    private static string Input(Translation at, string name) => at.Expression(CelText.IsName(name) ? $"input.{name}" : $"input[\"{name}\"]");

    /// <summary>Operations such as <c>{operation: set, field, value}</c>, <c>rename</c> and <c>remove</c>.</summary>
    private static void EditFields(Translation at)
    {
        var values = new JsonObject();
        var removed = new JsonArray();
        if (at.Parsed("operations") is { ValueKind: JsonValueKind.Array } list)
        {
            foreach (var item in list.EnumerateArray())
            {
                var field = item.Text("field") ?? item.Text("name") ?? item.Text("key") ?? item.Text("from");
                var word = item.Text("operation") ?? item.Text("type") ?? item.Text("action") ?? "set";
                if (field is null)
                {
                    at.Problems.Error("wrong_type", at.PlaceOf("operations"), "each operation needs a field");
                    continue;
                }

                switch (word)
                {
                    case "set" or "add" or "update":
                        values[field] = item.TryGet("value", out var value) ? at.Translated(value) : null;
                        break;
                    case "remove" or "delete":
                        removed.Add((JsonNode)field);
                        break;
                    case "rename" when (item.Text("to") ?? item.Text("newName") ?? item.Text("value")) is { } renamed:
                        values[renamed] = $"{{{{ {Input(at, field)} }}}}";
                        removed.Add((JsonNode)field);
                        break;
                    default:
                        at.Problems.Error("wrong_value", at.PlaceOf("operations"), $"unknown operation '{word}' on '{field}'; known are set, remove and rename");
                        break;
                }
            }
        }

        at.Node.Set("values", values, "operations");
        at.Node.Set("keep", true);
        if (removed.Count > 0) at.Node.Set("remove", removed);
    }
}
