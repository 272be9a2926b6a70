using System.Collections.Immutable;
using System.Globalization;
using System.Text.Json;
using Lekhika.Daemon.Configuration;
using Lekhika.Daemon.Nodes.Calls;
using Lekhika.Workflows;
using Lekhika.Workflows.Execution;

namespace Lekhika.Daemon.Nodes.Runners;

/// <summary>Makes images at an OpenAI-compatible endpoint; without one it is passed over, with a warning in its output.</summary>
internal sealed class ImageRunner(OutboundHttp http, OpenAiOptions openAi, TimeSpan timeout) : INodeRunner
{
    private const int MostImages = 10;

    public async ValueTask<NodeOutcome> RunAsync(NodeCall call, CancellationToken cancellationToken)
    {
        var node = call.Step.Node.Id;
        if (openAi.Url is not { } url)
        {
            return new NodeSucceeded(JsonConstants.Object(static writer =>
            {
                writer.WriteStartArray("images");
                writer.WriteEndArray();
                writer.WriteBoolean("skipped", true);
                writer.WriteString("warning", "No image was made: no images endpoint is configured ([openai] url).");
            }));
        }

        if (call.Config.Text("prompt") is not { Length: > 0 } prompt)
            return new NodeFailed(ErrorCodes.InvalidWorkflow, $"Node '{node}' has nothing to draw: config.prompt is empty.");
        var request = Request(call, url, prompt);
        try
        {
            var reply = await http.SendAsync(request, call.Step.Node.Definition.Timeout ?? timeout, static _ => true, cancellationToken);
            var text = BodyText.Decode(reply.Body, reply.ContentType) ?? "";
            if (reply.Status is >= 200 and < 300 && BodyText.Json(text, reply.ContentType)?.Get("data") is { ValueKind: JsonValueKind.Array } data)
                return new NodeSucceeded(Output(data, call.Config));
            var said = BodyText.Json(text, reply.ContentType)?.Get("error") is { } error ? error.Text("message") ?? NodeConfig.TextOf(error) : "no images";
            return new NodeFailed(new StepError(
                ErrorCodes.HttpStatus,
                string.Create(
                    CultureInfo.InvariantCulture,
                    $"Node '{node}': {request.Display} answered {reply.Status}: {SensitiveNames.Redact(said, request.Headers)}"),
                Retryable: reply.Status is 429 or 502 or 503 or 504));
        }
        catch (OutboundException exception)
        {
            return new NodeFailed(exception.Code, $"Node '{node}': {exception.Message}", exception.Retryable);
        }
    }

    private OutboundRequest Request(NodeCall call, Uri url, string prompt)
    {
        var config = call.Config;
        var body = JsonConstants.Object(writer =>
        {
            if (config.Text("model") is { Length: > 0 } model) writer.WriteString("model", model);
            writer.WriteString("prompt", config.Text("negative_prompt") is { Length: > 0 } negative ? $"{prompt}\n\nIt must not show: {negative}" : prompt);
            writer.WriteNumber("n", Math.Clamp(config.Integer("count") ?? 1, 1, MostImages));
            writer.WriteString("size", config.Text("size") ?? "1024x1024");
        });
        var headers = ImmutableArray.CreateBuilder<KeyValuePair<string, string>>();
        headers.Add(new("Content-Type", "application/json"));
        headers.Add(new("User-Agent", "lekhika-daemon"));
        headers.Add(new("Idempotency-Key", call.IdempotencyKey));
        if (openAi.ApiKey is { } key) headers.Add(new("Authorization", $"Bearer {key.Reveal()}"));
        else if (url.UserInfo.Length > 0) headers.Add(new("Authorization", HttpRequestReader.Basic(url)));
        var path = url.AbsolutePath.TrimEnd('/');
        if (!path.EndsWith("/v1", StringComparison.Ordinal)) path += "/v1";
        var address = new UriBuilder(url) { UserName = "", Password = "", Path = path + "/images/generations" }.Uri;
        return new OutboundRequest(HttpMethod.Post, address, headers.ToImmutable(), System.Text.Encoding.UTF8.GetBytes(body.GetRawText()));
    }

    private static JsonElement Output(JsonElement data, JsonElement config) => JsonConstants.Object(writer =>
    {
        writer.WriteStartArray("images");
        foreach (var image in data.EnumerateArray())
        {
            writer.WriteStartObject();
            if (image.Text("url") is { } url) writer.WriteString("url", url);
            if (image.Text("b64_json") is { } base64)
            {
                writer.WriteString("data", base64);
                writer.WriteString("media_type", MediaType(base64));
            }

            writer.WriteEndObject();
        }

        writer.WriteEndArray();
        writer.WriteBoolean("skipped", false);
        writer.WriteString("purpose", config.Text("purpose") ?? "image");
    });

    /// <summary>By the first bytes, which are the same for every image of a kind.</summary>
    private static string MediaType(string base64) =>
        base64.StartsWith("/9j/", StringComparison.Ordinal) ? "image/jpeg"
        : base64.StartsWith("UklGR", StringComparison.Ordinal) ? "image/webp"
        : "image/png";
}
