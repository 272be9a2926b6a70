using System.Text;
using System.Text.RegularExpressions;
using Lekhika.Doubles;

namespace Lekhika.Inference.Tests.Double;

/// <summary>Puts a double into the state the real server had when an exchange was recorded.</summary>
public static partial class ReplaySetting
{
    private const string Digest = "sha256:c4ad9077a8bb6b831c99474001dd0cdad506291f441c3597503f77527ea50097";

    /// <summary>The replies the tiny models gave and another text would not reproduce: the end of the output by its own repeat guard, a stop word.</summary>
    private static readonly Dictionary<string, ScriptRule> Scripts = new(StringComparer.Ordinal)
    {
        ["A-default/15-format-json-nonstream"] = GuardRule(),
        ["A-default/15-format-json-stream"] = GuardRule(),
        ["H-extra/00-repeat-guard-generate-nonstream"] = GuardRule(),
        ["J-repeat-guard/10-chat-template-model-nonstream"] = GuardRule(),
        ["J-repeat-guard/10-chat-template-model-stream"] = GuardRule(),
        ["J-repeat-guard/11-v1-chat-template-model"] = GuardRule(),
        ["J-repeat-guard/12-v1-chat-template-model-stream"] = GuardRule(),
        ["A-default/14-stop-sequence-nonstream"] = new() { Reply = "There was a girl. She lived" },
        ["A-default/14-stop-sequence-stream"] = new() { Reply = "There was a girl. She lived" },
    };

    /// <summary>Which model is loaded when the exchange begins; listings of what is loaded depend on it.</summary>
    private static readonly Dictionary<string, (string Model, string KeepAlive)> Loaded = new(StringComparer.Ordinal)
    {
        ["A-default/11-ps-loaded"] = ("stories260K", "\"5m\""),
        ["A-default/21-ps-10m"] = ("stories260K", "\"10m\""),
        ["A-default/21-ps-30s"] = ("stories260K", "30"),
        ["A-default/21-ps-forever"] = ("stories260K", "-1"),
        ["A-default/33-ps-after-num-ctx"] = ("stories260K", "\"5m\""),
        ["H-extra/30-ps"] = ("stories260K", "\"5m\""),
        ["H-extra/34-ps"] = ("stories260K", "\"5m\""),
        ["G-misc/01-ps"] = ("stories260K", "\"2s\""),
        ["B-max-loaded-1/10-ps"] = ("stories260K", "\"5m\""),
        ["B-max-loaded-1/11-ps"] = ("stories260K", "\"5m\""),
        ["B-max-loaded-1/12-ps"] = ("stories260K-b", "\"5m\""),
        ["B-max-loaded-1/13-ps"] = ("stories260K-b", "\"5m\""),
        ["B-max-loaded-1/14-ps"] = ("stories260K", "\"5m\""),
        ["B-max-loaded-1/15-ps"] = ("stories260K", "\"5m\""),
        ["B-max-loaded-1/16-ps"] = ("stories260K", "\"5m\""),
    };

    private static readonly HashSet<string> EmptyStore = ["A-default/02-tags-empty", "A-default/03-ps-empty", "A-default/04-blob-head-missing"];

    public static DoubleModel Tiny(string name, string blob) => new()
    {
        Name = name,
        Blob = blob,
        ContextLength = 512,
        ParameterSize = "293K",
        Quantization = "unknown",
    };

    public static OllamaDoubleOptions Options(string name)
    {
        var tiny = Tiny("stories260K", "a");
        return new OllamaDoubleOptions
        {
            TokensPerSecond = 0,
            ReplyTokens = 600,
            LoadTime = TimeSpan.FromMilliseconds(5),
            SwapTime = TimeSpan.Zero,
            Models = EmptyStore.Contains(name) ? [] :
            [
                tiny,
                Tiny("stories260K-b", "b"),
                Tiny("slow", "slow"),
                tiny with { Name = "alias260K" },
                tiny with { Name = "tmp1" },
                tiny with
                {
                    Name = "story-chat",
                    ParentModel = "stories260K:latest",
                    System = "Once upon a time",
                    NumPredict = 40,
                    Parameters = "num_predict                    40",
                },
                .. name.StartsWith("A-default/", StringComparison.Ordinal) ? (DoubleModel[])[] :
                [
                    tiny with { Name = "thinky", Capabilities = ["completion", "thinking"] },
                    tiny with { Name = "tooly", Capabilities = ["completion", "tools"] },
                    tiny with { Name = "inserty", Capabilities = ["completion", "insert"] },
                    tiny with { Name = "jsony" },
                ],
            ],
        };
    }

    /// <summary>Loads what was loaded, posts the blobs that were there, scripts what the weights decided.</summary>
    public static async Task ArrangeAsync(OllamaDouble ollama, string name, CancellationToken cancellationToken)
    {
        using var client = new HttpClient { BaseAddress = ollama.BaseAddress };
        if (Scripts.TryGetValue(name, out var rule))
            ollama.Script(rule);
        if (Loaded.TryGetValue(name, out var loaded))
            await PostAsync(client, "/api/generate", $$"""{"model":"{{loaded.Model}}","keep_alive":{{loaded.KeepAlive}}}""", cancellationToken);
        if (name.Contains("/08-delete-unknown", StringComparison.Ordinal))
            await SendAsync(client, HttpMethod.Delete, "/api/delete", """{"model":"tmp1"}"""u8.ToArray(), cancellationToken);
        if (name.Contains("04-blob-head-present", StringComparison.Ordinal) || NeedsModelFile().IsMatch(name))
            await SendAsync(client, HttpMethod.Post, "/api/blobs/" + Digest, await File.ReadAllBytesAsync(Recordings.ModelFile, cancellationToken), cancellationToken);
        if (name.Contains("32-create-not-gguf", StringComparison.Ordinal))
        {
            var blob = Recordings.Get("H-extra/32-blob-not-gguf");
            await SendAsync(client, HttpMethod.Post, blob.Path, Body(blob), cancellationToken);
        }
    }

    /// <summary>The request's body; long ones were cut in the recording and are made again from what is known of them.</summary>
    public static byte[] Body(RecordedExchange exchange)
    {
        var cut = CutBody().Match(exchange.RequestBody);
        if (!cut.Success)
            return Encoding.UTF8.GetBytes(exchange.RequestBody);
        if (exchange.RequestBody.StartsWith("GGUF", StringComparison.Ordinal))
            return File.ReadAllBytes(Recordings.ModelFile);
        if (exchange.RequestBody.StartsWith("hello world", StringComparison.Ordinal))
            return Encoding.UTF8.GetBytes(string.Concat(Enumerable.Repeat("hello world, not a model", 50)));
        var sentence = string.Concat(Enumerable.Repeat("Lily and Tim went to the park. ", 200));
        var refusesCut = exchange.Name.Contains("truncate-false", StringComparison.Ordinal) ? ", \"truncate\": false" : "";
        var plain = exchange.Name.Contains("stream", StringComparison.Ordinal) ? "" : ", \"stream\": false";
        return Encoding.UTF8.GetBytes(exchange.Path == "/api/chat"
            ? $$$"""{"model": "stories260K", "messages": [{"role": "user", "content": "{{{sentence}}}"}]{{{refusesCut}}}{{{plain}}} }"""
            : $$$"""{"model": "stories260K", "prompt": "{{{sentence}}}"{{{refusesCut}}}{{{plain}}}, "options": {"num_predict": 5}}""");
    }

    public static async Task PostAsync(HttpClient client, string path, string body, CancellationToken cancellationToken) =>
        await SendAsync(client, HttpMethod.Post, path, Encoding.UTF8.GetBytes(body), cancellationToken);

    private static ScriptRule GuardRule() => new() { Reply = "{ \n\"Hello\": \"I'm sorry,\"", Fault = new DoubleFault { Kind = FaultKind.Repeat, After = 8 } };

    private static async Task SendAsync(HttpClient client, HttpMethod method, string path, byte[] body, CancellationToken cancellationToken)
    {
        using var request = new HttpRequestMessage(method, path) { Content = new ByteArrayContent(body) };
        using var response = await client.SendAsync(request, cancellationToken);
        if (!response.IsSuccessStatusCode)
        {
            var text = await response.Content.ReadAsStringAsync(cancellationToken);
            throw new InvalidOperationException($"{method} {path} answered {response.StatusCode}: {text}");
        }
    }

    [GeneratedRegex("/05-create-(nonstream|stream)$", RegexOptions.ExplicitCapture, 1000)]
    private static partial Regex NeedsModelFile();

    [GeneratedRegex("…\\([0-9]+ bytes\\)$", RegexOptions.None, 1000)]
    private static partial Regex CutBody();
}
