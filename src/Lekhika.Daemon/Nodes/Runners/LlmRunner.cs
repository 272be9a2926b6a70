using System.Collections.Immutable;
using System.Text.Json;
using Lekhika.Daemon.Configuration;
using Lekhika.Daemon.Dispatch;
using Lekhika.Daemon.Live;
using Lekhika.Inference;
using Lekhika.Workflows;
using Lekhika.Workflows.Execution;

namespace Lekhika.Daemon.Nodes.Runners;

/// <summary>Asks a model. Its text streams to whoever looks on; what is recorded is the whole reply with the server's own counters.</summary>
internal sealed class LlmRunner(IModelCaller models, Func<string?, string?> resolveModel, int? defaultContext) : INodeRunner
{
    /// <inheritdoc/>
    public bool HoldsSlot => false;

    public async ValueTask<NodeOutcome> RunAsync(NodeCall call, CancellationToken cancellationToken)
    {
        if (!TryBuild(call, out var request, out var problem)) return new NodeFailed(new StepError(ErrorCodes.InvalidWorkflow, problem));
        try
        {
            var reply = await models.RunAsync(request, new LiveSink(call.Live, call.Step.Key), cancellationToken);
            return Output(reply, request.Format is not null);
        }
        catch (ModelException exception)
        {
            return new NodeFailed(new StepError(CodeOf(exception.Failure), $"Node '{call.Step.Node.Id}': {exception.Message}", exception.Retryable));
        }
    }

    private bool TryBuild(NodeCall call, out ModelRequest request, out string problem)
    {
        (request, problem) = (null!, "");
        var config = call.Config;
        var model = resolveModel(Text(config, "model"));
        if (model is null)
        {
            problem = $"Node '{call.Step.Node.Id}' names no model, and the configuration has no default (models.default).";
            return false;
        }

        var messages = Messages(config, call, out problem);
        if (messages.IsEmpty) return false;
        request = new ModelRequest
        {
            Model = model,
            Messages = messages,
            Format = Format(config),
            Temperature = Number(config, "temperature"),
            MaxTokens = (int?)Number(config, "max_tokens"),
            ContextTokens = (int?)Number(config, "num_ctx") ?? defaultContext,
            Stop = config.TryGetProperty("stop", out var stop) && stop.ValueKind == JsonValueKind.Array
                ? [.. stop.EnumerateArray().Select(static text => text.ToString())] : [],
            Think = config.TryGetProperty("think", out var think) && think.ValueKind != JsonValueKind.Null ? think : null,
            Options = config.TryGetProperty("options", out var options) && options.ValueKind == JsonValueKind.Object ? options : null,
            Priority = call.Run.Priority,
            Timeout = call.Step.Node.Definition.Timeout,
        };
        return true;
    }

    private static ImmutableArray<ModelMessage> Messages(JsonElement config, NodeCall call, out string problem)
    {
        problem = "";
        var messages = ImmutableArray.CreateBuilder<ModelMessage>();
        if (Text(config, "system") is { Length: > 0 } system) messages.Add(new ModelMessage("system", system));
        if (config.TryGetProperty("messages", out var given) && given.ValueKind == JsonValueKind.Array)
        {
            foreach (var message in given.EnumerateArray())
            {
                if (message.ValueKind != JsonValueKind.Object || Text(message, "role") is not { } role || Text(message, "content") is not { } content)
                {
                    problem = $"Node '{call.Step.Node.Id}': each of config.messages must be {{\"role\": …, \"content\": …}}.";
                    return [];
                }

                messages.Add(new ModelMessage(role, content));
            }
        }

        if (Text(config, "prompt") is { Length: > 0 } prompt) messages.Add(new ModelMessage("user", prompt));
        if (messages.Count == 0) problem = $"Node '{call.Step.Node.Id}' has nothing to ask: config.prompt is empty, and there are no messages.";
        return messages.ToImmutable();
    }

    private static NodeSucceeded Output(ModelReply reply, bool isJson)
    {
        var words = CountWords(reply.Text);
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
            WriteDurations(writer, reply);
            writer.WriteEndObject();
        });
        var metrics = JsonConstants.Object(writer =>
        {
            writer.WriteNumber(Usage.TokensIn, reply.TokensIn);
            writer.WriteNumber(Usage.TokensOut, reply.TokensOut);
            writer.WriteNumber(Usage.Words, words);
            writer.WriteString("model", reply.Model);
            writer.WriteString("endpoint", reply.Endpoint);
            writer.WriteNumber("calls", reply.Attempts);
            WriteDurations(writer, reply);
        });
        return new NodeSucceeded(output, Metrics: metrics);
    }

    private static void WriteDurations(Utf8JsonWriter writer, ModelReply reply)
    {
        writer.WriteNumber("queue_ms", Math.Round(reply.QueueTime.TotalMilliseconds, 3));
        writer.WriteNumber("load_ms", Math.Round(reply.LoadTime.TotalMilliseconds, 3));
        writer.WriteNumber("prompt_ms", Math.Round(reply.PromptTime.TotalMilliseconds, 3));
        writer.WriteNumber("generation_ms", Math.Round(reply.GenerationTime.TotalMilliseconds, 3));
        writer.WriteNumber("total_ms", Math.Round(reply.TotalTime.TotalMilliseconds, 3));
    }

    private static int CountWords(ReadOnlySpan<char> text)
    {
        var words = 0;
        var inside = false;
        foreach (var character in text)
        {
            var blank = char.IsWhiteSpace(character);
            if (!blank && !inside) words++;
            inside = !blank;
        }

        return words;
    }

    private static JsonElement? Format(JsonElement config) =>
        config.TryGetProperty("format", out var format)
        && (format.ValueKind == JsonValueKind.Object || (format.ValueKind == JsonValueKind.String && format.GetString() == "json"))
            ? format : null;

    private static string CodeOf(ModelFailure failure) => failure switch
    {
        ModelFailure.NotFound => ErrorCodes.ModelNotFound,
        ModelFailure.Unavailable or ModelFailure.TimedOut => ErrorCodes.ModelUnavailable,
        ModelFailure.Refused => ErrorCodes.ModelRefused,
        ModelFailure.Broken => ErrorCodes.ModelFailed,
        ModelFailure.ToolCall => ErrorCodes.ModelToolCall,
        _ => ErrorCodes.ModelInvalidOutput,
    };

    private static string? Text(JsonElement config, string name) =>
        config.TryGetProperty(name, out var value)
            ? value.ValueKind switch
            {
                JsonValueKind.String => value.GetString(),
                JsonValueKind.Null => null,
                _ => value.GetRawText(),
            }
            : null;

    private static double? Number(JsonElement config, string name) =>
        config.TryGetProperty(name, out var value) && value.ValueKind == JsonValueKind.Number ? value.GetDouble() : null;

    /// <summary>Passes what happens on to the live picture.</summary>
    private sealed class LiveSink(LiveExecution live, string key) : IModelSink
    {
        public void Queued(int position) => live.StepQueued(key, position);

        public void Started(string endpoint, int attempt) => live.StepTurn(key, endpoint, attempt);

        public void Text(string piece) => live.StepText(key, piece, thinking: false);

        public void Thinking(string piece) => live.StepText(key, piece, thinking: true);

        public void Restarted(string reason) => live.StepRestarted(key, reason);
    }
}
