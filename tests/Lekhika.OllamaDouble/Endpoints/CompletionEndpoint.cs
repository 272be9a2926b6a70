using System.Text.Json;

namespace Lekhika.Doubles;

/// <summary>/api/generate, /api/chat and /v1/chat/completions: checks in the server's order, then a runner, then the reply.</summary>
internal sealed class CompletionEndpoint(OllamaDoubleOptions options, ModelStore store, ModelScheduler scheduler, Planner planner, StatsRecorder stats)
{
    public Task GenerateAsync(HttpContext http) =>
        AnswerAsync(http, RequestReader.Generate, request => new GenerateFormat(request, options.TimeProvider));

    public Task ChatAsync(HttpContext http) =>
        AnswerAsync(http, RequestReader.Chat, request => new ChatFormat(request, options.TimeProvider));

    public async Task OpenAiAsync(HttpContext http)
    {
        try
        {
            await AnswerAsync(http, OpenAiRequestReader.Read, request => new OpenAiFormat(request, options.TimeProvider));
        }
        catch (ApiException error) when (!http.Response.HasStarted)
        {
            stats.Error();
            await HttpReply.JsonAsync(http, error.Status, OpenAiError.Of(error.Status, error.Message), WireJson.Go.OpenAiErrorBody, HttpReply.BareJson);
        }
    }

    private async Task AnswerAsync(HttpContext http, Func<JsonElement, CompletionRequest> read, Func<CompletionRequest, IWireFormat> formatOf)
    {
        var started = options.TimeProvider.GetTimestamp();
        var gone = http.RequestAborted;
        var body = await GoBody.ReadAsync(http.Request, gone);
        var request = read(body);
        stats.Completion(http.Request.Method, http.Request.Path, request.Model, body.GetRawText());
        stats.InFlight.Enter();
        try
        {
            await AnswerAsync(http, request, formatOf(request), started, gone);
        }
        catch (OperationCanceledException) when (gone.IsCancellationRequested)
        {
            stats.Cancelled();
        }
        finally
        {
            stats.InFlight.Leave();
        }
    }

    private async Task AnswerAsync(HttpContext http, CompletionRequest request, IWireFormat format, long started, CancellationToken gone)
    {
        var model = Find(request);
        if (request.IsEmpty && request.KeepAlive == TimeSpan.Zero)
        {
            scheduler.Unload(model);
            await HttpReply.WriteAsync(http, 200, HttpReply.Json, format.Idle("unload"), gone);
            return;
        }
        CheckCapabilities(request, model);
        var run = RunOptions.Read(request.Options);
        var plan = request.IsEmpty ? null : planner.Plan(request, run, model);
        if (plan?.Fault is not null)
            stats.Fault();
        if (plan is not null && await StrikesFirstAsync(http, plan, gone))
            return;
        if (plan?.Kind == FaultKind.SlowLoad)
            await Task.Delay(plan.Fault!.Delay ?? TimeSpan.FromSeconds(2), options.TimeProvider, gone);
        var context = Math.Clamp(run.NumCtx ?? options.ContextLength, 4, Math.Max(model.ContextLength, 4));
        using var lease = await ScheduledAsync(model, context, request.KeepAlive, gone);
        var scheduled = options.TimeProvider.GetTimestamp();
        if (plan is null)
        {
            await HttpReply.WriteAsync(http, 200, HttpReply.Json, format.Idle("load"), gone);
            return;
        }
        if (request.DebugRender && format is GenerateFormat generate)
        {
            await HttpReply.WriteAsync(http, 200, HttpReply.Json, generate.Rendered(), gone);
            return;
        }
        CheckTemplate(request);
        plan = await FittedAsync(http, request, plan, lease.Runner.Context, format, gone);
        if (plan is null)
            return;
        await new ReplyRun(http, request, plan, format, options, stats).SayAsync(lease.Runner, started, scheduled, gone);
    }

    private async Task<RunnerLease> ScheduledAsync(DoubleModel model, int context, TimeSpan? keepAlive, CancellationToken gone)
    {
        stats.Waiting.Enter();
        try
        {
            return await scheduler.AcquireAsync(model, context, keepAlive, gone);
        }
        finally
        {
            stats.Waiting.Leave();
        }
    }

    private DoubleModel Find(CompletionRequest request)
    {
        if (request.Model.Length > 0 && !ModelName.IsWellFormed(request.Model))
            throw new ApiException(400, "invalid model name");
        if (ModelName.IsCloud(request.Model))
            throw new ApiException(403, "ollama cloud is disabled: remote model is unavailable");
        return (request.Model.Length == 0 ? null : store.Find(request.Model)) ?? throw ApiException.NotFound(request.Model);
    }

    private static void CheckCapabilities(CompletionRequest request, DoubleModel model)
    {
        if (request.Think == true && !model.Can("thinking"))
            throw new ApiException(400, $"\"{request.Model}\" does not support thinking");
        var full = "registry.ollama.ai/library/" + ModelName.WithTag(request.Model);
        if (request.Suffix.Length > 0 && !model.Can("insert"))
            throw new ApiException(400, full + " does not support insert");
        if (request.Tools.Count > 0 && !model.Can("tools"))
            throw new ApiException(400, full + " does not support tools");
        if (!model.Can("completion"))
            throw new ApiException(400, $"\"{request.Model}\" does not support {(request.IsChat ? "chat" : "generate")}");
        if (request.HasImages && !model.Can("vision"))
        {
            throw request.IsChat
                ? RunnerErrors.Nested(500, "server_error", "image input is not supported - hint: if this is unexpected, you may need to provide the mmproj")
                : RunnerErrors.Nested(400, "invalid_request_error", "Multimodal data provided, but model does not support multimodal requests.");
        }
    }

    private static void CheckTemplate(CompletionRequest request)
    {
        var open = request.Template.LastIndexOf("{{", StringComparison.Ordinal);
        if (open >= 0 && request.Template.IndexOf("}}", open, StringComparison.Ordinal) < 0)
            throw new ApiException(500, "template: :1: unclosed action");
        if (request.Format.ValueKind is JsonValueKind.Undefined or JsonValueKind.Null or JsonValueKind.Object)
            return;
        var text = request.Format.GetRawText();
        if (text is "\"\"" or "\"json\"")
            return;
        throw new ApiException(500, $"invalid format: {JsonSerializer.Serialize(text, WireJson.Go.String)}; expected \"json\" or a valid JSON Schema object");
    }

    /// <summary>Cuts an over-long prompt or refuses it. What the runner refuses while a stream was asked for has another framing.</summary>
    private async Task<ReplyPlan?> FittedAsync(
        HttpContext http, CompletionRequest request, ReplyPlan plan, int context, IWireFormat format, CancellationToken gone)
    {
        try
        {
            if (request.Format.ValueKind == JsonValueKind.Object)
                SchemaCheck.Check(request.Format);
            if (plan.PromptTokens <= context)
                return plan;
            if (request.IsChat || !request.Truncate)
                throw RunnerErrors.TooLong(plan.PromptTokens, context);
            return plan with { PromptTokens = Math.Max(context - 1, 1) };
        }
        catch (ApiException error) when (request.Stream && format is GenerateFormat)
        {
            stats.Error();
            http.Response.StatusCode = error.Status;
            http.Response.ContentType = HttpReply.BareJson;
            await http.Response.Body.WriteAsync(format.ErrorLine(error.Message), gone);
            return null;
        }
    }

    /// <summary>Faults that come before a model is even asked for.</summary>
    private async Task<bool> StrikesFirstAsync(HttpContext http, ReplyPlan plan, CancellationToken gone)
    {
        var fault = plan.Fault;
        switch (plan.Kind)
        {
            case FaultKind.Busy:
                throw ApiException.Busy();
            case FaultKind.Status:
                throw new ApiException(fault!.Status ?? 500, fault.Message ?? "something went wrong");
            case FaultKind.Html:
                await HttpReply.TextAsync(http, fault!.Status ?? 502, "text/html", "<html><head><title>502 Bad Gateway</title></head><body>502 Bad Gateway</body></html>\n");
                return true;
            case FaultKind.Reset or FaultKind.Cut when fault!.After == 0:
                if (plan.Kind == FaultKind.Reset)
                    Connection.Reset(http);
                else
                    Connection.Cut(http);
                return true;
            case FaultKind.Stall when fault!.After == 0:
                await Task.Delay(fault.Delay ?? Timeout.InfiniteTimeSpan, options.TimeProvider, gone);
                return false;
            default:
                return false;
        }
    }
}
