using System.Text;
using System.Text.Json;
using System.Text.Json.Nodes;

namespace Lekhika.Doubles;

/// <summary>Turns a /v1/chat/completions body into a chat request, as the server's own middleware does.</summary>
internal static class OpenAiRequestReader
{
    /// <exception cref="ApiException">400 in the server's words.</exception>
    public static CompletionRequest Read(JsonElement body)
    {
        var fields = GoFields.Of(body, "ChatCompletionRequest");
        var messages = fields.List("messages", "[]openai.Message");
        if (messages.Count == 0)
            throw new ApiException(400, "[] is too short - 'messages'");
        var text = new StringBuilder();
        var last = "user";
        foreach (var message in messages)
        {
            var inner = GoFields.Of(message, "ChatCompletionRequest.messages");
            last = inner.Text("role");
            text.Append(text.Length > 0 ? "\n" : "").Append(Content(inner.Get("content")));
        }
        var model = fields.Text("model");
        if (model.Length == 0)
            throw new ApiException(400, "model is required");
        return new CompletionRequest
        {
            Model = model,
            IsChat = true,
            Text = text.ToString(),
            LastRole = last,
            MessageCount = messages.Count,
            Stream = fields.Flag("stream") ?? false,
            IncludeUsage = new GoFields(fields.Get("stream_options"), "").Flag("include_usage") ?? false,
            Tools = fields.List("tools", "[]api.Tool"),
            Format = Format(fields.Get("response_format")),
            Options = Options(fields),
        };
    }

    private static string Content(JsonElement content) => content.ValueKind switch
    {
        JsonValueKind.String => content.GetString()!,
        JsonValueKind.Array => string.Join('\n', content.EnumerateArray()
            .Where(part => part.ValueKind == JsonValueKind.Object && part.TryGetProperty("text", out _))
            .Select(part => part.GetProperty("text").GetString())),
        _ => "",
    };

    private static JsonElement Format(JsonElement format)
    {
        if (format.ValueKind != JsonValueKind.Object || !format.TryGetProperty("type", out var type))
            return default;
        if (type.GetString() == "json_object")
            return JsonElement.Parse("\"json\"");
        return format.TryGetProperty("json_schema", out var wrapper) && wrapper.TryGetProperty("schema", out var schema) ? schema : default;
    }

    private static JsonElement Options(GoFields fields)
    {
        var options = new JsonObject();
        Copy("max_tokens", "num_predict");
        Copy("max_completion_tokens", "num_predict");
        Copy("temperature", "temperature");
        Copy("seed", "seed");
        Copy("top_p", "top_p");
        if (fields.Get("stop") is { ValueKind: JsonValueKind.String } one)
            options["stop"] = new JsonArray(one.GetString());
        else
            Copy("stop", "stop");
        return JsonElement.Parse(options.ToJsonString(WireJson.Go.Options));

        void Copy(string from, string to)
        {
            if (fields.Has(from))
                options[to] = JsonNode.Parse(fields.Get(from).GetRawText());
        }
    }
}
