using System.Collections.Immutable;
using System.Globalization;
using System.Text.Json;
using Lekhika.Daemon.Nodes.Calls;
using Lekhika.Daemon.Nodes.Secrets;
using Lekhika.Workflows;
using Lekhika.Workflows.Execution;

namespace Lekhika.Daemon.Nodes.Runners;

/// <summary>Calls an HTTP address of the workflow's choice.</summary>
/// <param name="http">Where calls go out; judges addresses.</param>
/// <param name="timeout">Time limit of calls that name none.</param>
/// <param name="vault">The secrets of the configuration.</param>
internal sealed class HttpRunner(OutboundHttp http, TimeSpan timeout, SecretVault vault) : INodeRunner
{
    private const int ExcerptLength = 500;

    public async ValueTask<NodeOutcome> RunAsync(NodeCall call, CancellationToken cancellationToken)
    {
        var node = call.Step.Node.Id;
        var (secrets, refusal) = SecretUse.Open(call, vault);
        if (secrets is null) return refusal!;
        var (request, problem) = HttpRequestReader.Read(call.Config, call.IdempotencyKey, secrets);
        if (request is null) return new NodeFailed(ErrorCodes.HttpFailed, $"Node '{node}': {problem}.");
        if (secrets.Objection(request.Url) is { } objection) return new NodeFailed(ErrorCodes.SecretNotAllowed, $"Node '{node}': {objection}.");
        if (ExpectedStatus.Read(call.Config.Get("expect_status")) is not { } expected)
        {
            return new NodeFailed(
                ErrorCodes.HttpFailed, $"Node '{node}': config.expect_status must be a status such as 200, \"2xx\", \"200-204\" or a list of those.");
        }

        try
        {
            var reply = await http.SendAsync(request, call.Config.Duration("timeout") ?? timeout, expected.IsExpectedRedirect, cancellationToken);
            return Outcome(node, request, Redacted(reply, secrets), expected, secrets);
        }
        catch (OutboundException exception)
        {
            return new NodeFailed(exception.Code, $"Node '{node}': {secrets.Redact(SensitiveNames.Redact(exception.Message, request.Headers))}", exception.Retryable);
        }
        catch (Exception exception) when (!secrets.IsEmpty && exception is not OperationCanceledException)
        {
            // Nobody promises what the text of another exception holds.
            return new NodeFailed(ErrorCodes.InternalError, $"Node '{node}': fault of the daemon ({exception.GetType().Name}) in a call that sends secrets.");
        }
    }

    private static OutboundReply Redacted(OutboundReply reply, SecretUse secrets)
    {
        if (secrets.IsEmpty) return reply;
        var headers = reply.Headers.ToImmutableSortedDictionary(static header => header.Key, header => secrets.Redact(header.Value), StringComparer.Ordinal);
        return reply with { Headers = headers };
    }

    private static NodeOutcome Outcome(string node, OutboundRequest request, OutboundReply reply, ExpectedStatus expected, SecretUse secrets)
    {
        var text = BodyText.Decode(reply.Body, reply.ContentType);
        if (text is null)
        {
            secrets.Redact(reply.Body);
            return expected.Contains(reply.Status) ? new NodeSucceeded(Output(reply, null, null)) : Unexpected(node, request, reply, null, expected);
        }

        text = secrets.Redact(SensitiveNames.Redact(text, request.Headers));
        var json = BodyText.Json(text, reply.ContentType);
        if (json is { } parsed && !secrets.IsEmpty)
        {
            // JSON has more ways to write a character than are looked for in its text.
            json = secrets.Redact(parsed);
            if (json.Value.GetRawText() != parsed.GetRawText()) text = json.Value.GetRawText();
        }

        return expected.Contains(reply.Status) ? new NodeSucceeded(Output(reply, text, json)) : Unexpected(node, request, reply, text, expected);
    }

    private static JsonElement Output(OutboundReply reply, string? text, JsonElement? json) => JsonConstants.Object(writer =>
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
        if (json is { } parsed) parsed.WriteTo(writer);
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
