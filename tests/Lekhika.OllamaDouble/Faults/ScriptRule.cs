namespace Lekhika.Doubles;

/// <summary>What to answer to the requests that match. Rules are tried in the order they were given.</summary>
public sealed record ScriptRule
{
    /// <value>Matches requests for this model (as sent, tag or not); none matches all.</value>
    public string? Model { get; init; }

    /// <value>Matches prompts, system texts and messages that contain this; none matches all.</value>
    public string? PromptContains { get; init; }

    /// <value>How many requests it serves before it is used up; none is all.</value>
    public int? Times { get; init; }

    /// <value>The exact text of the reply.</value>
    public string? Reply { get; init; }

    /// <value>Exact replies one after the other; the last one repeats.</value>
    public IReadOnlyList<string>? Replies { get; init; }

    /// <value>The exact thinking before the reply.</value>
    public string? Thinking { get; init; }

    /// <value>The tools to call: a name and arguments as a JSON object.</value>
    public IReadOnlyList<ScriptToolCall>? ToolCalls { get; init; }

    /// <value>The <c>done_reason</c>, where it is not what follows from the text.</value>
    public string? DoneReason { get; init; }

    /// <value>Tokens of the reply when no text is given.</value>
    public int? Tokens { get; init; }

    /// <value>Tokens a second; 0 is unlimited.</value>
    public double? Speed { get; init; }

    /// <value>The fault to show, by its written name in JSON.</value>
    public DoubleFault? Fault { get; init; }
}

/// <summary>A tool call of a scripted reply.</summary>
/// <param name="Name">The function.</param>
/// <param name="Arguments">Its arguments, a JSON object as text.</param>
public sealed record ScriptToolCall(string Name, string Arguments);
