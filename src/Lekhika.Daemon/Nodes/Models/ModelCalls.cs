using System.Collections.Immutable;
using System.Text.Json;
using Lekhika.Daemon.Diagnostics.Metrics;
using Lekhika.Daemon.Diagnostics.Tracing;
using Lekhika.Daemon.Dispatch;
using Lekhika.Daemon.Live;
using Lekhika.Inference;
using Lekhika.Workflows;
using Lekhika.Workflows.Execution;

namespace Lekhika.Daemon.Nodes.Models;

/// <summary>Calls of models by nodes: the fields that all such nodes share, what is told meanwhile, and what a failure means for the step.</summary>
internal sealed class ModelCalls(IModelCaller models, Func<string?, string?> resolveModel, int? defaultContext)
{
    /// <summary>Asks a model what <paramref name="messages"/> say, with the model and options of the node's configuration.</summary>
    /// <returns>A reply, or the failure of the attempt.</returns>
    /// <exception cref="OperationCanceledException">The token was cancelled.</exception>
    public async Task<(ModelReply? Reply, NodeFailed? Failed)> AskAsync(
        NodeCall call, ImmutableArray<ModelMessage> messages, JsonElement? format, int? maxTokens, CancellationToken cancellationToken)
    {
        var config = call.Config;
        if (resolveModel(config.Text("model")) is not { } model)
        {
            return (null, new NodeFailed(
                ErrorCodes.InvalidWorkflow, $"Node '{call.Step.Node.Id}' names no model, and the configuration has no default (models.default)."));
        }

        var request = new ModelRequest
        {
            Model = model,
            Messages = Instruct(call, messages),
            Format = format,
            Temperature = config.Number("temperature"),
            MaxTokens = maxTokens,
            ContextTokens = config.Integer("num_ctx") ?? defaultContext,
            Stop = config.Get("stop") is { ValueKind: JsonValueKind.Array } stop ? [.. stop.EnumerateArray().Select(static text => text.ToString())] : [],
            Think = config.Get("think"),
            Options = config.Get("options") is { ValueKind: JsonValueKind.Object } options ? options : null,
            Priority = call.Run.Priority,
            Timeout = call.Step.Node.Definition.Timeout,
        };
        using var span = ExecutionTrace.ModelCall(request);
        try
        {
            var reply = await models.RunAsync(request, new LiveSink(call), cancellationToken);
            Instruments.Answered(reply);
            ExecutionTrace.Answered(span, reply);
            return (reply, null);
        }
        catch (ModelException exception)
        {
            ExecutionTrace.Failed(span, CodeOf(exception.Failure), exception.Message);
            return (null, new NodeFailed(
                new StepError(CodeOf(exception.Failure), $"Node '{call.Step.Node.Id}': {exception.Message}", exception.Retryable)));
        }
    }

    /// <summary>Puts the instruction that a run was begun again with behind the last question. What only helps, such as a summary, is left as it is.</summary>
    private static ImmutableArray<ModelMessage> Instruct(NodeCall call, ImmutableArray<ModelMessage> messages)
    {
        if (call.Step.Node.Definition.Type == NodeExpansion.SummaryType || call.Run.InstructionFor(call.Step.Key) is not { } instruction) return messages;
        for (var i = messages.Length - 1; i >= 0; i--)
        {
            if (messages[i].Role != "user") continue;
            return messages.SetItem(i, messages[i] with { Content = $"{messages[i].Content}\n\nThis is another attempt. Follow this instruction: {instruction}" });
        }

        return messages.Add(new ModelMessage("user", instruction));
    }

    /// <summary>What a call cost.</summary>
    /// <param name="reply">The reply.</param>
    /// <param name="words">Words that count as written; null if the reply is no part of the result.</param>
    public static JsonElement Metrics(ModelReply reply, int? words) => JsonConstants.Object(writer =>
    {
        writer.WriteNumber(Usage.TokensIn, reply.TokensIn);
        writer.WriteNumber(Usage.TokensOut, reply.TokensOut);
        if (words is { } count) writer.WriteNumber(Usage.Words, count);
        writer.WriteString("model", reply.Model);
        writer.WriteString("endpoint", reply.Endpoint);
        writer.WriteNumber("calls", reply.Attempts);
        WriteDurations(writer, reply);
    });

    public static void WriteDurations(Utf8JsonWriter writer, ModelReply reply)
    {
        writer.WriteNumber("queue_ms", Math.Round(reply.QueueTime.TotalMilliseconds, 3));
        writer.WriteNumber("load_ms", Math.Round(reply.LoadTime.TotalMilliseconds, 3));
        writer.WriteNumber("prompt_ms", Math.Round(reply.PromptTime.TotalMilliseconds, 3));
        writer.WriteNumber("generation_ms", Math.Round(reply.GenerationTime.TotalMilliseconds, 3));
        writer.WriteNumber("total_ms", Math.Round(reply.TotalTime.TotalMilliseconds, 3));
    }

    public static string CodeOf(ModelFailure failure) => failure switch
    {
        ModelFailure.NotFound => ErrorCodes.ModelNotFound,
        ModelFailure.Unavailable or ModelFailure.TimedOut => ErrorCodes.ModelUnavailable,
        ModelFailure.Refused => ErrorCodes.ModelRefused,
        ModelFailure.Broken => ErrorCodes.ModelFailed,
        ModelFailure.ToolCall => ErrorCodes.ModelToolCall,
        _ => ErrorCodes.ModelInvalidOutput,
    };

    /// <summary>Passes what happens on to the live picture.</summary>
    private sealed class LiveSink(NodeCall call) : IModelSink
    {
        public void Queued(int position) => call.Live.StepQueued(call.Step.Key, position);

        public ValueTask MayBeginAsync(CancellationToken cancellationToken) =>
            call.Deadline?.MayBeginAsync(cancellationToken) ?? ValueTask.CompletedTask;

        public void Started(string endpoint, int attempt) => call.Live.StepTurn(call.Step.Key, endpoint, attempt);

        public void Text(string piece) => call.Live.StepText(call.Step.Key, piece, thinking: false);

        public void Thinking(string piece) => call.Live.StepText(call.Step.Key, piece, thinking: true);

        public void Restarted(string reason) => call.Live.StepRestarted(call.Step.Key, reason);
    }
}
