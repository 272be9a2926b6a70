using System.Globalization;
using System.Text.Json;
using Lekhika.Daemon.Nodes.Calls;
using Lekhika.Workflows;
using Lekhika.Workflows.Execution;

namespace Lekhika.Daemon.Nodes.Runners;

/// <summary>Calls an HTTP address of the workflow's choice.</summary>
/// <param name="http">Where calls go out; judges addresses.</param>
/// <param name="timeout">Time limit of calls that name none.</param>
internal sealed class HttpRunner(OutboundHttp http, TimeSpan timeout) : INodeRunner
{
    private const int ExcerptLength = 500;

    public async ValueTask<NodeOutcome> RunAsync(NodeCall call, CancellationToken cancellationToken)
    {
        var node = call.Step.Node.Id;
        var (request, problem) = HttpRequestReader.Read(call.Config, call.IdempotencyKey);
        if (request is null) return new NodeFailed(ErrorCodes.HttpFailed, $"Node '{node}': {problem}.");
        if (ExpectedStatus.Read(call.Config.Get("expect_status")) is not { } expected)
        {
            return new NodeFailed(
                ErrorCodes.HttpFailed, $"Node '{node}': config.expect_status must be a status such as 200, \"2xx\", \"200-204\" or a list of those.");
        }

        try
        {
            var reply = await http.SendAsync(request, call.Config.Duration("timeout") ?? timeout, expected.IsExpectedRedirect, cancellationToken);
            var text = BodyText.Decode(reply.Body, reply.ContentType);
            if (text is not null) text = SensitiveNames.Redact(text, request.Headers);
            return expected.Contains(reply.Status) ? new NodeSucceeded(Output(reply, text)) : Unexpected(node, request, reply, text, expected);
        }
        catch (OutboundException exception)
        {
            return new NodeFailed(exception.Code, $"Node '{node}': {SensitiveNames.Redact(exception.Message, request.Headers)}", exception.Retryable);
        }
    }

    private static JsonElement Output(OutboundReply reply, string? text) => JsonConstants.Object(writer =>
    {
        writer.WriteNumber("status", reply.Status);
        writer.WriteStartObject("headers");
        foreach (var (name, value) in reply.Headers) writer.WriteString(name, value);
        writer.WriteEndObject();
        if (text is null)
        {
            writer.WriteBase64String("body", reply.Body);
            writer.WriteString("body_encoding", "base64");
        }
        else
        {
            writer.WriteString("body", text);
        }

        writer.WritePropertyName("json");
        if (text is not null && BodyText.Json(text, reply.ContentType) is { } json) json.WriteTo(writer);
        else writer.WriteNullValue();
    });

    private static NodeFailed Unexpected(string node, OutboundRequest request, OutboundReply reply, string? text, ExpectedStatus expected)
    {
        var excerpt = text is null ? "" : text.Length <= ExcerptLength ? text : text[..ExcerptLength] + "…";
        var details = JsonConstants.Object(writer =>
        {
            writer.WriteNumber("status", reply.Status);
            if (excerpt.Length > 0) writer.WriteString("body", excerpt);
            if (reply.Headers.TryGetValue("retry-after", out var after)) writer.WriteString("retry_after", after);
        });
        var said = excerpt.Length == 0 ? "" : ": " + excerpt.ReplaceLineEndings(" ").Trim();
        return new NodeFailed(new StepError(
            ErrorCodes.HttpStatus,
            string.Create(CultureInfo.InvariantCulture, $"Node '{node}': {request.Display} answered {reply.Status}, expected {expected.Text}{said}"),
            Retryable: reply.Status is 429 or 502 or 503 or 504,
            details));
    }
}
