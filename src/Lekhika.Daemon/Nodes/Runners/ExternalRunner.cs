using System.Collections.Immutable;
using System.Globalization;
using System.Text;
using System.Text.Json;
using Lekhika.Daemon.Nodes.Calls;
using Lekhika.Daemon.Nodes.Secrets;
using Lekhika.Workflows;
using Lekhika.Workflows.Execution;

namespace Lekhika.Daemon.Nodes.Runners;

/// <summary>
/// Runs node types that the operator gave to HTTP endpoints. The endpoint is sent the execution, the node, its rendered configuration and its input,
/// and answers with the output, a JSON object; a member <c>branch</c> that is a text is also the branch taken. An error is
/// <c>{"error": …, "code": …, "retryable": …}</c> with any status; without <c>retryable</c> the status decides.
/// </summary>
internal sealed class ExternalRunner(OutboundHttp http, ImmutableDictionary<string, Uri> endpoints, TimeSpan timeout, SecretVault vault) : INodeRunner
{
    public async ValueTask<NodeOutcome> RunAsync(NodeCall call, CancellationToken cancellationToken)
    {
        var node = call.Step.Node;
        if (!endpoints.TryGetValue(node.Definition.Type, out var endpoint))
        {
            return new NodeFailed(
                ErrorCodes.InvalidWorkflow,
                $"Node '{node.Id}' is of type '{node.Definition.Type}', which has no endpoint any more; the configuration needs [nodes] {node.Definition.Type} = URL.");
        }

        var (secrets, refusal) = SecretUse.Open(call, vault);
        if (secrets is null) return refusal!;
        if (secrets.Objection(endpoint) is { } objection) return new NodeFailed(ErrorCodes.SecretNotAllowed, $"Node '{node.Id}' ({node.Definition.Type}): {objection}.");
        var request = Request(call, endpoint, secrets);
        try
        {
            var reply = await http.SendAsync(request, node.Definition.Timeout ?? timeout, static _ => true, cancellationToken);
            return Outcome(node.Id, request, reply, secrets);
        }
        catch (OutboundException exception)
        {
            return new NodeFailed(exception.Code, $"Node '{node.Id}' ({node.Definition.Type}): {secrets.Redact(exception.Message)}", exception.Retryable);
        }
        catch (Exception exception) when (!secrets.IsEmpty && exception is not OperationCanceledException)
        {
            return new NodeFailed(ErrorCodes.InternalError, $"Node '{node.Id}': fault of the daemon ({exception.GetType().Name}) in a call that sends secrets.");
        }
    }

    private static OutboundRequest Request(NodeCall call, Uri endpoint, SecretUse secrets)
    {
        var headers = ImmutableArray.CreateBuilder<KeyValuePair<string, string>>();
        headers.Add(new("Content-Type", "application/json"));
        headers.Add(new("Accept", "application/json"));
        headers.Add(new("User-Agent", "lekhika-daemon"));
        headers.Add(new("Idempotency-Key", call.IdempotencyKey));
        if (endpoint.UserInfo.Length > 0) headers.Add(new("Authorization", HttpRequestReader.Basic(endpoint)));
        var bare = new UriBuilder(endpoint) { UserName = "", Password = "" }.Uri;
        return new OutboundRequest(HttpMethod.Post, bare, headers.ToImmutable(), Encoding.UTF8.GetBytes(Body(call, secrets).GetRawText()))
        {
            Objection = secrets.IsEmpty ? null : secrets.Objection,
        };
    }

    private static JsonElement Body(NodeCall call, SecretUse secrets) => JsonConstants.Object(writer =>
    {
        writer.WriteStartObject("execution");
        writer.WriteString("id", call.Run.Id);
        writer.WriteNumber("run", call.Run.Run);
        writer.WriteString("userId", call.Run.UserId);
        writer.WriteEndObject();
        writer.WriteString("step", call.Step.Key);
        writer.WriteStartObject("node");
        writer.WriteString("id", call.Step.Node.Id);
        writer.WriteString("type", call.Step.Node.Definition.Type);
        writer.WriteString("name", call.Step.Node.Definition.DisplayName);
        writer.WriteEndObject();
        writer.WritePropertyName("config");
        secrets.Fill(call.Config).WriteTo(writer);
        writer.WritePropertyName("input");
        (call.Machine.PreviousOf(call.Step) ?? call.Run.Inputs).WriteTo(writer);
        writer.WritePropertyName("inputs");
        call.Run.Inputs.WriteTo(writer);
        writer.WriteNumber("attempt", call.Attempt);
        writer.WriteString("idempotencyKey", call.IdempotencyKey);
    });

    private static NodeOutcome Outcome(string node, OutboundRequest request, OutboundReply reply, SecretUse secrets)
    {
        var text = BodyText.Decode(reply.Body, reply.ContentType) ?? "";
        var json = BodyText.Json(text, reply.ContentType);
        var isTransient = reply.Status is 429 or 502 or 503 or 504;
        if (json is { ValueKind: JsonValueKind.Object } answer)
        {
            var output = secrets.Redact(answer);
            if (reply.Status is >= 200 and < 300 && !IsError(output))
                return new NodeSucceeded(output, output.Get("branch") is { ValueKind: JsonValueKind.String } branch ? branch.GetString() : null);
            if (output.Get("error") is { } error)
            {
                var message = error.ValueKind == JsonValueKind.Object ? error.Text("message") ?? error.GetRawText() : NodeConfig.TextOf(error);
                return new NodeFailed(new StepError(
                    output.Text("code") ?? error.Text("code") ?? ErrorCodes.HttpStatus,
                    $"Node '{node}': {message}",
                    output.Get("retryable") is { ValueKind: JsonValueKind.True or JsonValueKind.False } flag ? flag.GetBoolean() : isTransient));
            }
        }

        return reply.Status is >= 200 and < 300
            ? new NodeFailed(ErrorCodes.HttpFailed, $"Node '{node}': {request.Display} answered with something else than a JSON object.")
            : new NodeFailed(new StepError(
                ErrorCodes.HttpStatus,
                string.Create(CultureInfo.InvariantCulture, $"Node '{node}': {request.Display} answered {reply.Status}, expected 2xx."),
                isTransient));
    }

    /// <summary>An output may have a field error too; it is an error if nothing but code, retryable and details stand beside it.</summary>
    private static bool IsError(JsonElement output) =>
        output.Get("error") is not null && output.EnumerateObject().All(static property => property.Name is "error" or "code" or "retryable" or "details");
}
