using System.Buffers.Text;
using System.Text;
using System.Text.Json;

namespace Lekhika.Doubles;

/// <summary>Reads the bodies of /api/generate and /api/chat, with the server's errors for what does not fit.</summary>
internal static class RequestReader
{
    /// <exception cref="ApiException">400 in the server's words.</exception>
    public static CompletionRequest Generate(JsonElement body)
    {
        var fields = GoFields.Of(body, "GenerateRequest");
        var prompt = fields.Text("prompt");
        var system = fields.Text("system");
        var template = fields.Text("template");
        var request = Common(fields) with
        {
            Text = system.Length == 0 ? prompt : system + "\n" + prompt,
            IsEmpty = prompt.Length == 0,
            Raw = fields.Flag("raw") ?? false,
            Suffix = fields.Text("suffix"),
            Template = template,
            HasImages = Images(fields.List("images", "[]api.ImageData")),
            DebugRender = fields.Flag("_debug_render_only") ?? false,
        };
        if (request.TopLogprobs is < 0 or > 20)
            throw new ApiException(400, "top_logprobs must be between 0 and 20");
        if (request.Raw && (system.Length > 0 || template.Length > 0 || fields.Has("context")))
            throw new ApiException(400, "raw mode does not support template, system, or context");
        return request;
    }

    /// <exception cref="ApiException">400 in the server's words.</exception>
    public static CompletionRequest Chat(JsonElement body)
    {
        var fields = GoFields.Of(body, "ChatRequest");
        var text = new StringBuilder();
        var last = "user";
        var images = false;
        var messages = fields.List("messages", "[]api.Message");
        foreach (var message in messages)
        {
            if (message.ValueKind is not (JsonValueKind.Object or JsonValueKind.Null))
                throw fields.Wrong(message, "messages", "api.Alias");
            var inner = new GoFields(message, "ChatRequest");
            if (inner.Get("content") is { ValueKind: not (JsonValueKind.Undefined or JsonValueKind.Null or JsonValueKind.String) } wrong)
                throw fields.Wrong(wrong, "messages.content", "string");
            last = inner.Text("role");
            text.Append(text.Length > 0 ? "\n" : "").Append(inner.Text("content"));
            images |= Images(inner.List("images", "[]api.ImageData"));
        }
        var request = Common(fields) with
        {
            IsChat = true,
            Text = text.ToString(),
            IsEmpty = messages.Count == 0,
            MessageCount = messages.Count,
            Tools = fields.List("tools", "api.Tools"),
            LastRole = last,
            HasImages = images,
        };
        if (request.Model.Length == 0)
            throw new ApiException(400, "model is required");
        return request;
    }

    private static CompletionRequest Common(GoFields fields) => new()
    {
        Model = fields.Text("model"),
        Text = "",
        Stream = fields.Flag("stream") ?? true,
        Format = fields.Get("format"),
        KeepAlive = GoDuration.Read(fields.Get("keep_alive")),
        Options = fields.Map("options", "map[string]interface {}"),
        Think = Think(fields.Get("think")),
        Truncate = fields.Flag("truncate") ?? true,
        Logprobs = fields.Flag("logprobs") ?? false,
        TopLogprobs = fields.Whole("top_logprobs") ?? 0,
    };

    private static bool? Think(JsonElement value) => value.ValueKind switch
    {
        JsonValueKind.Undefined or JsonValueKind.Null => null,
        JsonValueKind.True => true,
        JsonValueKind.False => false,
        JsonValueKind.String when value.GetString() is "low" or "medium" or "high" or "max" => true,
        JsonValueKind.String => throw new ApiException(
            400, $"invalid think value: \"{value.GetString()}\" (must be \"high\", \"medium\", \"low\", \"max\", true, or false)"),
        _ => throw new ApiException(400, "think must be a boolean or string (\"high\", \"medium\", \"low\", \"max\", true, or false)"),
    };

    private static bool Images(IReadOnlyList<JsonElement> images)
    {
        foreach (var image in images)
        {
            var text = image.GetString() ?? "";
            var bad = text.AsSpan().IndexOfAnyExcept(Base64Characters);
            if (bad >= 0 || !Base64.IsValid(text))
                throw new ApiException(400, FormattableString.Invariant($"illegal base64 data at input byte {Math.Max(bad, 0)}"));
        }
        return images.Count > 0;
    }

    private static readonly System.Buffers.SearchValues<char> Base64Characters =
        System.Buffers.SearchValues.Create("ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789+/=");
}
