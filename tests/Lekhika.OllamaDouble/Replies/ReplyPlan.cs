namespace Lekhika.Doubles;

/// <summary>What will be said to one request, before anything is said.</summary>
internal sealed record ReplyPlan
{
    public IReadOnlyList<string> Thinking { get; init; } = [];

    public IReadOnlyList<string> Pieces { get; init; } = [];

    public IReadOnlyList<WireToolCall> ToolCalls { get; init; } = [];

    /// <value>Tool calls come in the done line.</value>
    public bool ToolCallsLast { get; init; }

    /// <value>Tokens that make up the tool calls: they take time and are counted, but nothing of them is seen before the end.</value>
    public int SilentTokens => ToolCalls.Sum(call => 8 + (call.Function.Arguments.GetRawText().Length / 4));

    public string DoneReason { get; init; } = "stop";

    /// <value>Tokens a second, 0 for no waiting.</value>
    public double Speed { get; init; }

    public int PromptTokens { get; init; }

    public DoubleFault? Fault { get; init; }

    public FaultKind Kind => Fault?.Kind ?? FaultKind.None;

    /// <value>Pieces before a fault strikes.</value>
    public int FaultAfter => Fault?.After ?? 5;
}

/// <summary>The counters of a finished reply; durations in nanoseconds.</summary>
internal sealed record ReplySummary(
    string DoneReason, long Total, long Load, int PromptTokens, long PromptTime, int Tokens, long Time);

/// <summary>One piece of a reply on its way out.</summary>
/// <param name="Text">Text, perhaps empty.</param>
/// <param name="Thinking">Thinking instead of text.</param>
/// <param name="ToolCalls">Tool calls instead of text.</param>
/// <param name="Flush">Nothing follows for a while: send it.</param>
internal readonly record struct ReplyPiece(string Text, string? Thinking = null, IReadOnlyList<WireToolCall>? ToolCalls = null, bool Flush = false);
