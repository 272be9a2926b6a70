using System.Collections.Immutable;
using System.Text.Json;
using Lekhika.Daemon.Nodes.Documents;
using Lekhika.Daemon.Nodes.Models;
using Lekhika.Inference;
using Lekhika.Workflows;

namespace Lekhika.Daemon.Nodes.Runners;

/// <summary>Asks a model. Its text streams to whoever looks on; what is recorded is the whole reply with the server's own counters.</summary>
internal sealed class LlmRunner(ModelCalls models) : INodeRunner
{
    /// <inheritdoc/>
    public bool HoldsSlot => false;

    public async ValueTask<NodeOutcome> RunAsync(NodeCall call, CancellationToken cancellationToken)
    {
        var messages = Messages(call, out var problem);
        if (messages.IsEmpty) return new NodeFailed(ErrorCodes.InvalidWorkflow, problem);
        var format = Format(call.Config);
        var (reply, failed) = await models.AskAsync(call, messages, format, call.Config.Integer("max_tokens"), cancellationToken);
        return reply is null ? failed! : Output(reply, format is not null);
    }

    private static ImmutableArray<ModelMessage> Messages(NodeCall call, out string problem)
    {
        problem = "";
        var config = call.Config;
        var messages = ImmutableArray.CreateBuilder<ModelMessage>();
        if (config.Text("system") is { Length: > 0 } system) messages.Add(new ModelMessage("system", system));
        if (config.Get("messages") is { ValueKind: JsonValueKind.Array } given)
        {
            foreach (var message in given.EnumerateArray())
            {
                if (message.Text("role") is not { } role || message.Text("content") is not { } content)
                {
                    problem = $"Node '{call.Step.Node.Id}': each of config.messages must be {{\"role\": …, \"content\": …}}.";
                    return [];
                }

                messages.Add(new ModelMessage(role, content));
            }
        }

        if (config.Text("prompt") is { Length: > 0 } prompt) messages.Add(new ModelMessage("user", prompt));
        if (messages.Count == 0) problem = $"Node '{call.Step.Node.Id}' has nothing to ask: config.prompt is empty, and there are no messages.";
        return messages.ToImmutable();
    }

    private static NodeSucceeded Output(ModelReply reply, bool isJson)
    {
        var output = JsonConstants.Object(writer =>
        {
            writer.WriteString("text", reply.Text);
            if (isJson)
            {
                writer.WritePropertyName("json");
                writer.WriteRawValue(reply.Text);
            }

            if (reply.Thinking.Length > 0) writer.WriteString("thinking", reply.Thinking);
            writer.WriteString("model", reply.Model);
            writer.WriteNumber("tokens_in", reply.TokensIn);
            writer.WriteNumber("tokens_out", reply.TokensOut);
            writer.WriteString("done_reason", reply.DoneReason);
            writer.WriteStartObject("durations");
            ModelCalls.WriteDurations(writer, reply);
            writer.WriteEndObject();
        });
        return new NodeSucceeded(output, Metrics: ModelCalls.Metrics(reply, Words.Count(reply.Text)));
    }

    private static JsonElement? Format(JsonElement config) =>
        config.Get("format") is { } format
        && (format.ValueKind == JsonValueKind.Object || (format.ValueKind == JsonValueKind.String && format.GetString() == "json"))
            ? format : null;
}
