using System.Collections.Frozen;

namespace Lekhika.Workflows.Dialects;

/// <summary>Node types of SynthralOS and what becomes of their config.</summary>
internal static partial class SynthralNodes
{
    private static readonly FrozenSet<string> Types = new[]
    {
        "trigger", "manual_trigger", "http_request", "code", "ai_prompt", "ai-prompt", "condition", "if", "switch", "loop", "for", "while", "repeat",
        "break", "continue", "delay", "wait", "try", "catch", "finally", "map", "filter", "reduce", "merge", "split", "set_variable", "get_variable",
        "sub_workflow", "sub-workflow", "human_approval", "notification", "storage", "connector", "agent", "scraping", "browser", "rag_switch",
        "ocr_switch", "social_monitoring", "osint",
    }.ToFrozenSet(StringComparer.Ordinal);

    public static bool Knows(string type) => Types.Contains(type);
}
