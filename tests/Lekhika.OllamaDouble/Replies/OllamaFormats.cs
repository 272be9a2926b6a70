using System.Text.Json;

namespace Lekhika.Doubles;

/// <summary>What /api/generate and /api/chat have in common.</summary>
internal abstract class OllamaFormat(CompletionRequest request, TimeProvider time) : IWireFormat
{
    protected CompletionRequest Request => request;

    protected string Now => GoTime.Now(time);

    public string StreamType => "application/x-ndjson";

    public string PlainType => "application/json; charset=utf-8";

    public byte[] Error(int status, string message) => WireJson.Bytes(new WireError(message), WireJson.Go.WireError);

    public byte[] ErrorLine(string message) => WireJson.Line(new WireError(message), WireJson.Go.WireError);

    public abstract byte[] Piece(ReplyPiece piece, bool extraFields);

    public abstract byte[] Final(ReplySummary summary, ReplyPiece last, bool extraFields);

    public abstract byte[] Whole(ReplyPiece whole, IReadOnlyList<string> pieces, ReplySummary? summary, bool extraFields);

    public abstract byte[] Idle(string reason);

    protected static Dictionary<string, JsonElement>? Extra(bool wanted) => !wanted ? null : new Dictionary<string, JsonElement>(StringComparer.Ordinal)
    {
        ["x_double_note"] = JsonElement.Parse("\"a field of a later version\""),
        ["x_double_nested"] = JsonElement.Parse("""{"a":[1,2,{"b":null}],"done":true}"""),
    };

    protected IReadOnlyList<WireLogprob>? Logprobs(IEnumerable<string> pieces) => !request.Logprobs ? null :
        [.. pieces.Where(piece => piece.Length > 0).Select(piece => Logprob(piece, -0.125) with
        {
            TopLogprobs = request.TopLogprobs == 0 ? null : [.. Enumerable.Range(0, request.TopLogprobs).Select(i => Logprob(piece, -0.125 - i))],
        })];

    private static WireLogprob Logprob(string piece, double value) =>
        new(piece, value, [.. System.Text.Encoding.UTF8.GetBytes(piece).Select(unit => (int)unit)]);
}

/// <summary>The lines of /api/generate.</summary>
internal sealed class GenerateFormat(CompletionRequest request, TimeProvider time) : OllamaFormat(request, time)
{
    public override byte[] Piece(ReplyPiece piece, bool extraFields) => WireJson.Line(
        Line(piece) with { Logprobs = Logprobs([piece.Text]), Extra = Extra(extraFields) }, WireJson.Go.GenerateLine);

    public override byte[] Final(ReplySummary summary, ReplyPiece last, bool extraFields) => WireJson.Line(Done(Line(last), summary, extraFields), WireJson.Go.GenerateLine);

    public override byte[] Whole(ReplyPiece whole, IReadOnlyList<string> pieces, ReplySummary? summary, bool extraFields)
    {
        var line = Line(whole) with { Logprobs = Logprobs(pieces), Extra = Extra(extraFields) };
        return WireJson.Bytes(summary is null ? line : Done(line, summary, extraFields), WireJson.Go.GenerateLine);
    }

    public override byte[] Idle(string reason) => WireJson.Bytes(Line(default) with { Done = true, DoneReason = reason }, WireJson.Go.GenerateLine);

    public byte[] Rendered() => WireJson.Bytes(Line(default) with { DebugInfo = new WireDebugInfo(Request.Text) }, WireJson.Go.GenerateLine);

    private GenerateLine Line(ReplyPiece piece) => new()
    {
        Model = Request.Model,
        CreatedAt = Now,
        Response = piece.Text ?? "",
        Thinking = piece.Thinking,
        ToolCalls = piece.ToolCalls,
    };

    private GenerateLine Done(GenerateLine line, ReplySummary summary, bool extraFields) => line with
    {
        Done = true,
        DoneReason = summary.DoneReason,
        Context = Request.Raw ? null : [.. Enumerable.Range(260, summary.PromptTokens + summary.Tokens)],
        TotalDuration = summary.Total,
        LoadDuration = summary.Load,
        PromptEvalCount = summary.PromptTokens,
        PromptEvalDuration = summary.PromptTime,
        EvalCount = summary.Tokens,
        EvalDuration = summary.Time,
        Extra = Extra(extraFields),
    };
}

/// <summary>The lines of /api/chat.</summary>
internal sealed class ChatFormat(CompletionRequest request, TimeProvider time) : OllamaFormat(request, time)
{
    public override byte[] Piece(ReplyPiece piece, bool extraFields) => WireJson.Line(
        Line(piece) with { Logprobs = Logprobs([piece.Text]), Extra = Extra(extraFields) }, WireJson.Go.ChatLine);

    public override byte[] Final(ReplySummary summary, ReplyPiece last, bool extraFields) => WireJson.Line(Done(Line(last), summary, extraFields), WireJson.Go.ChatLine);

    public override byte[] Whole(ReplyPiece whole, IReadOnlyList<string> pieces, ReplySummary? summary, bool extraFields)
    {
        var line = Line(whole) with { Logprobs = Logprobs(pieces), Extra = Extra(extraFields) };
        return WireJson.Bytes(summary is null ? line : Done(line, summary, extraFields), WireJson.Go.ChatLine);
    }

    public override byte[] Idle(string reason) => WireJson.Bytes(Line(default) with { Done = true, DoneReason = reason }, WireJson.Go.ChatLine);

    private ChatLine Line(ReplyPiece piece) => new()
    {
        Model = Request.Model,
        CreatedAt = Now,
        Message = new WireMessage("assistant", piece.Text ?? "", piece.Thinking, piece.ToolCalls),
    };

    private static ChatLine Done(ChatLine line, ReplySummary summary, bool extraFields) => line with
    {
        Done = true,
        DoneReason = summary.DoneReason,
        TotalDuration = summary.Total,
        LoadDuration = summary.Load,
        PromptEvalCount = summary.PromptTokens,
        PromptEvalDuration = summary.PromptTime,
        EvalCount = summary.Tokens,
        EvalDuration = summary.Time,
        Extra = Extra(extraFields),
    };
}
