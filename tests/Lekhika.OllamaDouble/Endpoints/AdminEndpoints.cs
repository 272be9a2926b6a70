using System.Globalization;
using System.Text.Json;

namespace Lekhika.Doubles;

/// <summary>
/// What a test may ask of the double over the wire: <c>GET /double/stats</c>, <c>POST /double/reset</c>, <c>POST /double/script</c>,
/// <c>POST /double/kill-runner|freeze-runner|thaw-runner?model=…</c>.
/// </summary>
internal sealed class AdminEndpoints(ModelStore store, ModelScheduler scheduler, ScriptBook script, FaultBook faults, StatsRecorder stats)
{
    public Task StatsAsync(HttpContext http) => HttpReply.JsonAsync(http, 200, stats.Snapshot(), WireJson.Go.DoubleStats);

    /// <summary>Forgets scripts, counts of faults and statistics; with <c>?models=unload</c> the models leave memory too.</summary>
    public Task ResetAsync(HttpContext http)
    {
        script.Clear();
        faults.Clear();
        stats.Reset();
        if (http.Request.Query["models"] == "unload")
            scheduler.Clear();
        return HttpReply.EmptyAsync(http, 204);
    }

    /// <summary>Adds one rule, or the rules of a list.</summary>
    public async Task ScriptAsync(HttpContext http)
    {
        var body = await GoBody.ReadAsync(http.Request, http.RequestAborted);
        var rules = body.ValueKind == JsonValueKind.Array ? [.. body.EnumerateArray().Select(Rule)] : new[] { Rule(body) };
        foreach (var rule in rules)
            script.Add(rule);
        await HttpReply.EmptyAsync(http, 204);
    }

    public Task KillAsync(HttpContext http) => OnRunnerAsync(http, runner => runner.Kill());

    public Task FreezeAsync(HttpContext http) => OnRunnerAsync(http, runner => runner.Freeze());

    public Task ThawAsync(HttpContext http) => OnRunnerAsync(http, runner => runner.Thaw());

    private static ScriptRule Rule(JsonElement body)
    {
        var fields = GoFields.Of(body, "ScriptRule");
        return new ScriptRule
        {
            Model = Optional(fields, "model"),
            PromptContains = Optional(fields, "prompt_contains"),
            Times = fields.Whole("times"),
            Reply = Optional(fields, "reply"),
            Replies = fields.Has("replies") ? [.. fields.List("replies", "[]string").Select(reply => reply.GetString() ?? "")] : null,
            Thinking = Optional(fields, "thinking"),
            DoneReason = Optional(fields, "done_reason"),
            Tokens = fields.Whole("tokens"),
            Speed = fields.Get("speed") is { ValueKind: JsonValueKind.Number } speed ? speed.GetDouble() : null,
            Fault = Optional(fields, "fault") is { } fault ? PromptMarkers.ReadFault(fault) : null,
            ToolCalls = fields.Has("tool_calls") ? [.. fields.List("tool_calls", "[]ToolCall").Select(Call)] : null,
        };
    }

    private static ScriptToolCall Call(JsonElement call)
    {
        var fields = GoFields.Of(call, "ToolCall");
        return new ScriptToolCall(fields.Text("name"), fields.Has("arguments") ? fields.Get("arguments").GetRawText() : "{}");
    }

    private static string? Optional(GoFields fields, string name) => fields.Has(name) ? fields.Text(name) : null;

    private Task OnRunnerAsync(HttpContext http, Action<Runner> act)
    {
        var name = http.Request.Query["model"].ToString();
        if (store.Find(name) is not { } model || scheduler.Find(model) is not { } runner)
            throw new ApiException(404, string.Create(CultureInfo.InvariantCulture, $"model '{name}' is not loaded; give a loaded one as ?model="));
        act(runner);
        return HttpReply.EmptyAsync(http, 204);
    }
}
