using System.Text.Json.Serialization;

namespace Lekhika.Doubles;

// The OpenAI-compatible surface. finish_reason is written even when null; the rest is left out when null.

internal sealed record OpenAiCompletion(
    string Id, string Object, long Created, string Model, string SystemFingerprint, IReadOnlyList<OpenAiChoice> Choices, OpenAiUsage? Usage = null);

internal sealed record OpenAiChoice(
    int Index,
    OpenAiMessage? Message,
    OpenAiMessage? Delta,
    [property: JsonIgnore(Condition = JsonIgnoreCondition.Never)] string? FinishReason);

internal sealed record OpenAiMessage(
    string? Role = null, string? Content = null, string? Reasoning = null, IReadOnlyList<OpenAiToolCall>? ToolCalls = null);

internal sealed record OpenAiToolCall(string Id, int Index, string Type, OpenAiFunction Function);

internal sealed record OpenAiFunction(string Name, string Arguments);

internal sealed record OpenAiUsage(int PromptTokens, int CompletionTokens, int TotalTokens);

internal sealed record OpenAiErrorBody(OpenAiError Error);

internal sealed record OpenAiError(
    string Message,
    string Type,
    [property: JsonIgnore(Condition = JsonIgnoreCondition.Never)] string? Param = null,
    [property: JsonIgnore(Condition = JsonIgnoreCondition.Never)] string? Code = null)
{
    public static OpenAiErrorBody Of(int status, string message) => new(new OpenAiError(message, status switch
    {
        400 => "invalid_request_error",
        404 => "not_found_error",
        _ => "api_error",
    }));
}

internal sealed record OpenAiModels(string Object, IReadOnlyList<OpenAiModel> Data);

internal sealed record OpenAiModel(string Id, string Object, long Created, string OwnedBy);
