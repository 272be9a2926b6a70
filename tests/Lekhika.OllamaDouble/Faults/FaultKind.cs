namespace Lekhika.Doubles;

/// <summary>The faults the double knows. In names, options and markers they are written in kebab case.</summary>
public enum FaultKind
{
    /// <summary>None.</summary>
    None,

    /// <summary>200 that ends without a done line; plain: <c>done:false</c> and no counters.</summary>
    Eof,

    /// <summary>The same after one token came more than 30 times.</summary>
    Repeat,

    /// <summary>The later form of the repeat guard: an error, 500 when not streamed.</summary>
    RepeatError,

    /// <summary>An error line in the stream, a clean end; plain: 500.</summary>
    MidstreamError,

    /// <summary>The same, and the runner is gone: the next request loads again.</summary>
    RunnerCrash,

    /// <summary>The connection is reset after some tokens.</summary>
    Reset,

    /// <summary>The connection is closed without the last chunk.</summary>
    Cut,

    /// <summary>Silence after some tokens.</summary>
    Stall,

    /// <summary>Silence before the headers although the model is loaded.</summary>
    SlowFirst,

    /// <summary>A long load.</summary>
    SlowLoad,

    /// <summary>503 with the text of a full queue.</summary>
    Busy,

    /// <summary>Any status with any text, before the stream.</summary>
    Status,

    /// <summary>What a proxy says instead: 502 and HTML.</summary>
    Html,

    /// <summary>A done line and no text at all.</summary>
    EmptyReply,

    /// <summary>Lines with empty text between the others.</summary>
    EmptyChunks,

    /// <summary>The last text comes in the done line.</summary>
    FinalContent,

    /// <summary>Thinking that nobody asked for.</summary>
    Thinking,

    /// <summary>A tool call in a line of its own before the done line.</summary>
    ToolCall,

    /// <summary>A tool call in the done line.</summary>
    ToolCallFinal,

    /// <summary>Two tool calls at once.</summary>
    ToolCalls,

    /// <summary>JSON cut short, <c>done_reason</c> length.</summary>
    TruncatedJson,

    /// <summary>Text that is no JSON although a format was asked for, <c>done_reason</c> stop.</summary>
    BadJson,

    /// <summary>JSON in a Markdown fence with a sentence before it.</summary>
    FencedJson,

    /// <summary>Lines split inside JSON and inside characters.</summary>
    Split,

    /// <summary>Several lines in one write.</summary>
    Coalesce,

    /// <summary>One line of up to eight megabytes.</summary>
    BigLine,

    /// <summary>Fields nobody knows, in every line.</summary>
    ExtraFields,

    /// <summary>A line that is not JSON.</summary>
    GarbageLine,

    /// <summary>Replacement characters in the text.</summary>
    BrokenUtf8,

    /// <summary>No newline after the last line.</summary>
    NoNewline,
}
