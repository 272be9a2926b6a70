using System.Globalization;

namespace Lekhika.Doubles;

/// <summary>The /v1/chat/completions surface: server-sent events with a <c>[DONE]</c>, or one object.</summary>
internal sealed class OpenAiFormat(CompletionRequest request, TimeProvider time) : IWireFormat
{
    private readonly string _id = "chatcmpl-" + (time.GetTimestamp() % 1000).ToString(CultureInfo.InvariantCulture);
    private bool _began;

    public string StreamType => "text/event-stream";

    public string PlainType => "application/json";

    public byte[] Piece(ReplyPiece piece, bool extraFields)
    {
        var delta = Message(piece, _began ? null : "assistant");
        _began = true;
        return Event(Body("chat.completion.chunk", [new OpenAiChoice(0, null, delta, null)]));
    }

    public byte[] Final(ReplySummary summary, ReplyPiece last, bool extraFields)
    {
        var delta = string.IsNullOrEmpty(last.Text) && last.ToolCalls is null ? new OpenAiMessage() : Message(last, null);
        byte[] done = Event(Body("chat.completion.chunk", [new OpenAiChoice(0, null, delta, Reason(summary, last.ToolCalls is not null))]));
        byte[] usage = request.IncludeUsage ? Event(Body("chat.completion.chunk", []) with { Usage = Usage(summary) }) : [];
        return [.. done, .. usage, .. "data: [DONE]\n\n"u8];
    }

    public byte[] Whole(ReplyPiece whole, IReadOnlyList<string> pieces, ReplySummary? summary, bool extraFields)
    {
        var reason = summary is null ? null : Reason(summary, whole.ToolCalls is not null);
        var body = Body("chat.completion", [new OpenAiChoice(0, Message(whole, "assistant"), null, reason)]);
        return WireJson.Bytes(body with { Usage = summary is null ? new OpenAiUsage(0, 0, 0) : Usage(summary) }, WireJson.Go.OpenAiCompletion);
    }

    public byte[] Idle(string reason) => Whole(new ReplyPiece(""), [], null, false);

    public byte[] Error(int status, string message) => WireJson.Bytes(OpenAiError.Of(status, message), WireJson.Go.OpenAiErrorBody);

    public byte[] ErrorLine(string message) =>
        [.. "data: "u8, .. WireJson.Bytes(OpenAiError.Of(500, message), WireJson.Go.OpenAiErrorBody), .. "\n\n"u8];

    private static byte[] Event(OpenAiCompletion body) => [.. "data: "u8, .. WireJson.Bytes(body, WireJson.Go.OpenAiCompletion), .. "\n\n"u8];

    private OpenAiCompletion Body(string kind, IReadOnlyList<OpenAiChoice> choices) =>
        new(_id, kind, time.GetUtcNow().ToUnixTimeSeconds(), request.Model, "fp_ollama", choices);

    private static OpenAiMessage Message(ReplyPiece piece, string? role) => new(
        role,
        piece.Text ?? "",
        piece.Thinking,
        piece.ToolCalls is null
            ? null
            : [.. piece.ToolCalls.Select(call => new OpenAiToolCall(
                call.Id, call.Function.Index, "function", new OpenAiFunction(call.Function.Name, call.Function.Arguments.GetRawText())))]);

    private static string Reason(ReplySummary summary, bool called) => called ? "tool_calls" : summary.DoneReason;

    private static OpenAiUsage Usage(ReplySummary summary) => new(summary.PromptTokens, summary.Tokens, summary.PromptTokens + summary.Tokens);
}
