using System.Text.Json;
using System.Text.Json.Serialization;

namespace Lekhika.Doubles;

// The lines of /api/generate and /api/chat. Field order is the server's; counters that are zero are left out, as Go's omitempty does.

internal record CounterFields
{
    [JsonPropertyOrder(10)]
    public bool Done { get; init; }

    [JsonPropertyOrder(11)]
    public string? DoneReason { get; init; }

    [JsonPropertyOrder(12)]
    public IReadOnlyList<int>? Context { get; init; }

    [JsonPropertyOrder(13), JsonIgnore(Condition = JsonIgnoreCondition.WhenWritingDefault)]
    public long TotalDuration { get; init; }

    [JsonPropertyOrder(14), JsonIgnore(Condition = JsonIgnoreCondition.WhenWritingDefault)]
    public long LoadDuration { get; init; }

    [JsonPropertyOrder(15), JsonIgnore(Condition = JsonIgnoreCondition.WhenWritingDefault)]
    public int PromptEvalCount { get; init; }

    [JsonPropertyOrder(16), JsonIgnore(Condition = JsonIgnoreCondition.WhenWritingDefault)]
    public long PromptEvalDuration { get; init; }

    [JsonPropertyOrder(17), JsonIgnore(Condition = JsonIgnoreCondition.WhenWritingDefault)]
    public int EvalCount { get; init; }

    [JsonPropertyOrder(18), JsonIgnore(Condition = JsonIgnoreCondition.WhenWritingDefault)]
    public long EvalDuration { get; init; }

    [JsonPropertyOrder(20)]
    public IReadOnlyList<WireLogprob>? Logprobs { get; init; }

    [JsonPropertyOrder(21), JsonPropertyName("_debug_info")]
    public WireDebugInfo? DebugInfo { get; init; }

    [JsonExtensionData, JsonPropertyOrder(30)]
    public Dictionary<string, JsonElement>? Extra { get; set; }
}

internal sealed record GenerateLine : CounterFields
{
    [JsonPropertyOrder(1)]
    public required string Model { get; init; }

    [JsonPropertyOrder(2)]
    public required string CreatedAt { get; init; }

    [JsonPropertyOrder(3)]
    public string Response { get; init; } = "";

    [JsonPropertyOrder(4)]
    public string? Thinking { get; init; }

    [JsonPropertyOrder(19)]
    public IReadOnlyList<WireToolCall>? ToolCalls { get; init; }
}

internal sealed record ChatLine : CounterFields
{
    [JsonPropertyOrder(1)]
    public required string Model { get; init; }

    [JsonPropertyOrder(2)]
    public required string CreatedAt { get; init; }

    [JsonPropertyOrder(3)]
    public required WireMessage Message { get; init; }
}

internal sealed record WireMessage(string Role, string Content, string? Thinking = null, IReadOnlyList<WireToolCall>? ToolCalls = null);

internal sealed record WireToolCall(string Id, WireFunction Function);

internal sealed record WireFunction(int Index, string Name, JsonElement Arguments);

internal sealed record WireLogprob(string Token, double Logprob, IReadOnlyList<int> Bytes, IReadOnlyList<WireLogprob>? TopLogprobs = null);

internal sealed record WireDebugInfo(string RenderedTemplate);

internal sealed record WireError(string Error);

internal sealed record WireStatus(string Status, string? Digest = null, long? Total = null, long? Completed = null);
