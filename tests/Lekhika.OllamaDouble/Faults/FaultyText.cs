namespace Lekhika.Doubles;

/// <summary>The faults that lie in the text itself.</summary>
internal static class FaultyText
{
    private const int LargestLine = 8 * 1024 * 1024;

    public static ReplyPlan Apply(ReplyPlan plan, CompletionRequest request, StableRandom random)
    {
        switch (plan.Kind)
        {
            case FaultKind.EmptyReply:
                return plan with { Pieces = [] };
            case FaultKind.EmptyChunks:
                return plan with { Pieces = [.. plan.Pieces.SelectMany(piece => (string[])["", piece])] };
            case FaultKind.Repeat or FaultKind.RepeatError:
                return plan with { Pieces = [.. plan.Pieces.Take(plan.FaultAfter), .. Enumerable.Repeat("\n", plan.Kind == FaultKind.Repeat ? 30 : 100)] };
            case FaultKind.TruncatedJson:
                return plan with { Pieces = [.. plan.Pieces.Take(Math.Max(1, plan.Pieces.Count / 2))], DoneReason = "length" };
            case FaultKind.BadJson:
                return plan with { Pieces = Pieces.Of(plan.Fault!.Message ?? "{\"title\": \"a missing end, \"items\": [1, 2,, }") };
            case FaultKind.FencedJson:
                return plan with { Pieces = Pieces.Of("Here is the JSON you asked for:\n\n```json\n" + string.Concat(plan.Pieces) + "\n```\nI hope that helps.") };
            case FaultKind.BrokenUtf8:
                return plan with { Pieces = [.. plan.Pieces.SelectMany((piece, i) => i % 3 == 1 ? (string[])[piece, "\uFFFD"] : [piece])] };
            case FaultKind.BigLine:
                var size = Math.Clamp(plan.Fault!.Bytes ?? (1024 * 1024), 1, LargestLine);
                return plan with { Pieces = [.. plan.Pieces.Take(plan.FaultAfter), new string('x', size), .. plan.Pieces.Skip(plan.FaultAfter)] };
            case FaultKind.ToolCall or FaultKind.ToolCallFinal:
                return plan with { Pieces = [], ToolCalls = ToolCallFactory.Some(request, 1, random), ToolCallsLast = plan.Kind == FaultKind.ToolCallFinal };
            case FaultKind.ToolCalls:
                return plan with { Pieces = [], ToolCalls = ToolCallFactory.Some(request, 2, random) };
            default:
                return plan;
        }
    }
}
