using System.Diagnostics;
using System.Security.Cryptography;
using System.Text.Json;
using Lekhika.Daemon.Nodes;
using Lekhika.Inference;
using Lekhika.Postgres.Queue;
using Lekhika.Workflows.Execution;

namespace Lekhika.Daemon.Diagnostics.Tracing;

// An execution is a trace, whichever daemons work on it: its id comes from the traceparent that POST /execute was given, else it is the execution's
// own id. Each stay of it at a daemon (from claim to end, park or release) is a span, each attempt of a node a span in that, each call of a model
// one in the node's, named by OpenTelemetry's conventions for generative models. While nobody listens to the source nothing of this is made.

/// <summary>The span of one execution while this daemon holds it.</summary>
internal sealed class ExecutionTrace : IDisposable
{
    public const string SourceName = "Lekhika.Daemon";

    /// <summary>The member of an execution's request that holds the caller's context.</summary>
    public const string RequestMember = "traceparent";

    private static readonly ActivitySource Source = new(SourceName);
    private readonly Activity _span;

    private ExecutionTrace(Activity span) => _span = span;

    /// <summary>Begins a span; null while nobody listens.</summary>
    public static ExecutionTrace? Begin(ClaimedExecution claim, string? workflow, DateTimeOffset startedAt)
    {
        if (!Source.HasListeners()) return null;
        var span = Source.StartActivity(
            workflow is { Length: > 0 } ? $"execution {workflow}" : "execution", ActivityKind.Consumer, ContextOf(claim), tags: null, links: null,
            claim.Fence.Epoch == 1 ? startedAt : default);
        if (span is null) return null;
        span.SetTag("lekhika.execution.id", claim.Id.ToString("D"));
        span.SetTag("lekhika.execution.run", claim.Fence.Run);
        span.SetTag("lekhika.execution.epoch", claim.Fence.Epoch);
        if (claim.WorkflowId is { } id) span.SetTag("lekhika.workflow.id", id.ToString("D"));
        if (claim.UserId is { } user) span.SetTag("enduser.id", user);
        return new ExecutionTrace(span);
    }

    /// <summary>Begins the span of an attempt of a node; it is the current one for what the node does.</summary>
    public Activity? Node(StepRef step, int attempt)
    {
        var span = Source.StartActivity(step.Node.Definition.DisplayName, ActivityKind.Internal, _span.Context);
        span?.SetTag("lekhika.execution.id", _span.GetTagItem("lekhika.execution.id"));
        span?.SetTag("lekhika.node.id", step.Node.Id);
        span?.SetTag("lekhika.node.type", step.Node.Definition.Type);
        span?.SetTag("lekhika.step.key", step.Key);
        span?.SetTag("lekhika.step.attempt", attempt);
        return span;
    }

    /// <summary>What became of an attempt.</summary>
    public static void End(Activity? span, NodeOutcome outcome)
    {
        if (span is null || outcome is not NodeFailed failed) return;
        span.SetTag("error.type", failed.Error.Code);
        span.SetStatus(ActivityStatusCode.Error, failed.Error.Message);
    }

    /// <summary>The execution ended.</summary>
    public void Ended(string status, StepError? error)
    {
        _span.SetTag("lekhika.execution.status", status);
        if (error is null) return;
        _span.SetTag("error.type", error.Code);
        _span.SetStatus(ActivityStatusCode.Error, error.Message);
    }

    /// <summary>Begins the span of a model call inside the node's.</summary>
    public static Activity? ModelCall(ModelRequest request)
    {
        if (Activity.Current is null) return null;
        var span = Source.StartActivity($"chat {request.Model}", ActivityKind.Client);
        span?.SetTag("gen_ai.operation.name", "chat");
        span?.SetTag("gen_ai.request.model", request.Model);
        if (request.Temperature is { } temperature) span?.SetTag("gen_ai.request.temperature", temperature);
        if (request.MaxTokens is { } tokens) span?.SetTag("gen_ai.request.max_tokens", tokens);
        return span;
    }

    /// <summary>The model answered.</summary>
    public static void Answered(Activity? span, ModelReply reply)
    {
        if (span is null) return;
        span.SetTag("gen_ai.provider.name", reply.Endpoint);
        span.SetTag("gen_ai.response.model", reply.Model);
        span.SetTag("gen_ai.response.finish_reasons", new[] { reply.DoneReason });
        span.SetTag("gen_ai.usage.input_tokens", reply.TokensIn);
        span.SetTag("gen_ai.usage.output_tokens", reply.TokensOut);
        span.SetTag("lekhika.model.queue_ms", reply.QueueTime.TotalMilliseconds);
        span.SetTag("lekhika.model.load_ms", reply.LoadTime.TotalMilliseconds);
    }

    /// <summary>The model did not answer.</summary>
    public static void Failed(Activity? span, string code, string message)
    {
        span?.SetTag("error.type", code);
        span?.SetStatus(ActivityStatusCode.Error, message);
    }

    public void Dispose() => _span.Dispose();

    /// <summary>The caller's context, else one made of the execution's id: the same on every daemon.</summary>
    internal static ActivityContext ContextOf(ClaimedExecution claim)
    {
        if (claim.Request is { } request && request.Contains(RequestMember, StringComparison.Ordinal))
        {
            try
            {
                using var document = JsonDocument.Parse(request, new JsonDocumentOptions { MaxDepth = 512 });
                if (document.RootElement.ValueKind == JsonValueKind.Object && document.RootElement.TryGetProperty(RequestMember, out var member)
                    && member.ValueKind == JsonValueKind.String && ActivityContext.TryParse(member.GetString(), null, isRemote: true, out var given))
                {
                    return given;
                }
            }
            catch (JsonException)
            {
                // A backend wrote the column with something of its own: no context to be found there.
            }
        }

        Span<byte> id = stackalloc byte[16];
        claim.Id.TryWriteBytes(id, bigEndian: true, out _);
        Span<byte> hash = stackalloc byte[32];
        SHA256.HashData(id, hash);
        if (id.IndexOfAnyExcept((byte)0) < 0) id[15] = 1; // all zeros is no trace id
        return new ActivityContext(
            ActivityTraceId.CreateFromBytes(id), ActivitySpanId.CreateFromBytes(hash[..8]), ActivityTraceFlags.Recorded, traceState: null, isRemote: true);
    }
}
