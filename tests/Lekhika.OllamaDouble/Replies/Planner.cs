using System.Text.Json;

namespace Lekhika.Doubles;

/// <summary>Decides what is said: scripted, demanded by a format, a tool call, or prose; then cut by stop words and length, then spoilt by a fault.</summary>
internal sealed class Planner(OllamaDoubleOptions options, ScriptBook script, FaultBook faults)
{
    public ReplyPlan Plan(CompletionRequest request, RunOptions run, DoubleModel model)
    {
        var rule = PromptMarkers.Read(request.Text) ?? script.Take(request.Model, request.Text);
        var random = new StableRandom(StableRandom.Seed(request.Text, (ulong)(uint)run.Seed));
        var fault = rule?.Fault ?? run.Fault ?? model.Fault;
        if (fault is not null && !faults.Strikes(fault, model.FullName))
            fault = null;
        var plan = new ReplyPlan
        {
            Fault = fault,
            Speed = rule?.Speed ?? run.Speed ?? model.TokensPerSecond ?? options.TokensPerSecond,
            PromptTokens = Pieces.Count(request.Text.Length) + (request.IsChat ? 8 * request.MessageCount : 0),
            Thinking = Thinking(request, model, rule, fault, random),
            ToolCalls = [.. (rule?.ToolCalls ?? []).Select((call, index) => ToolCallFactory.Of(call.Name, call.Arguments, index, random))],
        };
        plan = plan.ToolCalls.Count > 0 && rule?.Reply is null ? plan : Text(plan, request, run, model, rule, random);
        plan = FaultyText.Apply(plan, request, random);
        return rule?.DoneReason is { } reason ? plan with { DoneReason = reason } : plan;
    }

    private ReplyPlan Text(ReplyPlan plan, CompletionRequest request, RunOptions run, DoubleModel model, ScriptRule? rule, StableRandom random)
    {
        var wanted = rule?.Tokens ?? run.Tokens ?? model.ReplyTokens ?? options.ReplyTokens;
        var pieces = rule?.Reply is { } reply ? Pieces.Of(reply)
            : request.Format.ValueKind == JsonValueKind.Object ? Pieces.Of(SchemaReply.Write(request.Format, random))
            : request.Format.ValueKind == JsonValueKind.String && request.Format.GetString() == "json" ? Pieces.Of(SchemaReply.WriteAny(random))
            : null;
        if (request.Tools.Count > 0 && plan.ToolCalls.Count == 0)
        {
            var calls = pieces is not null
                ? ToolCallFactory.FromText(string.Concat(pieces), request.Tools, random)
                : ToolCallFactory.FromPrompt(request, random);
            if (calls is not null)
                return plan with { ToolCalls = calls };
        }
        pieces ??= TextSource.Prose(random, wanted);
        plan = plan with { Pieces = Stopped(pieces, run.Stop) };
        var limit = run.NumPredict ?? model.NumPredict ?? -1;
        return limit > 0 ? Limited(plan, limit) : plan;
    }

    private static IReadOnlyList<string> Thinking(CompletionRequest request, DoubleModel model, ScriptRule? rule, DoubleFault? fault, StableRandom random)
    {
        if (rule?.Thinking is { } text)
            return Pieces.Of(text);
        if (fault?.Kind == FaultKind.Thinking)
            return TextSource.Prose(random, 12);
        return model.ThinkingTokens > 0 && request.Think != false ? TextSource.Prose(random, model.ThinkingTokens) : [];
    }

    private static IReadOnlyList<string> Stopped(IReadOnlyList<string> pieces, IReadOnlyList<string> stops)
    {
        if (stops.Count == 0)
            return pieces;
        var text = string.Concat(pieces);
        var first = stops.Select(stop => text.IndexOf(stop, StringComparison.Ordinal)).Where(at => at >= 0).DefaultIfEmpty(-1).Min();
        return first < 0 ? pieces : Pieces.Of(text[..first]);
    }

    private static ReplyPlan Limited(ReplyPlan plan, int limit)
    {
        var cost = 0;
        for (var i = 0; i < plan.Pieces.Count; i++)
        {
            cost += Pieces.Cost(plan.Pieces[i]);
            if (cost > limit)
                return plan with { Pieces = [.. plan.Pieces.Take(Math.Max(i, 1))], DoneReason = "length" };
            if (cost == limit && i + 1 < plan.Pieces.Count)
                return plan with { Pieces = [.. plan.Pieces.Take(i + 1)], DoneReason = "length" };
        }
        return plan;
    }
}
