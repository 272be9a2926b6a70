using System.Buffers;
using System.Text;
using System.Text.Json;

namespace Lekhika.Inference.Endpoints;

/// <summary>The text of one attempt as it grows; tells the sink of each piece and keeps to the bound.</summary>
internal sealed class ReplyText(IModelSink sink, int maxLength)
{
    private readonly StringBuilder _text = new();
    private StringBuilder? _thinking;

    /// <summary>Nothing has come yet.</summary>
    public bool IsEmpty => _text.Length == 0 && _thinking is null;

    /// <summary>A piece of the text.</summary>
    public void Text(string piece)
    {
        Bound(piece);
        _text.Append(piece);
        sink.Text(piece);
    }

    /// <summary>A piece of thinking.</summary>
    public void Thinking(string piece)
    {
        Bound(piece);
        (_thinking ??= new()).Append(piece);
        sink.Thinking(piece);
    }

    /// <summary>The text, checked to be JSON where that was asked for.</summary>
    public string Finish(ModelRequest request, string doneReason, string label)
    {
        var text = _text.ToString();
        if (request.FormatIsAdvice || !AsksForJson(request) || IsJson(text, out var problem))
            return text;
        var why = doneReason == "length"
            ? "it was cut off at the token limit; raise max_tokens or num_ctx, or ask for less"
            : $"it is not valid JSON ({problem})";
        throw new ModelException(
            ModelFailure.InvalidOutput,
            $"Model '{request.Model}' at {label} was asked for JSON, but {why}. The text begins with: {Head(text)}");
    }

    /// <summary>All the thinking.</summary>
    public string ThinkingText() => _thinking?.ToString() ?? "";

    /// <summary>Whether the reply has to be JSON; null and the empty string ask for nothing, as on the wire.</summary>
    public static bool AsksForJson(ModelRequest request) => request.Format is { } format && format.ValueKind switch
    {
        JsonValueKind.Undefined or JsonValueKind.Null => false,
        JsonValueKind.String => !format.ValueEquals(""),
        _ => true,
    };

    private static bool IsJson(string text, out string problem)
    {
        var bytes = ArrayPool<byte>.Shared.Rent(Encoding.UTF8.GetMaxByteCount(text.Length));
        try
        {
            var length = Encoding.UTF8.GetBytes(text, bytes);
            var reader = new Utf8JsonReader(bytes.AsSpan(0, length));
            while (reader.Read())
            {
                // Reading to the end is the check.
            }

            problem = "";
            return true;
        }
        catch (JsonException exception)
        {
            problem = exception.Message;
            return false;
        }
        finally
        {
            ArrayPool<byte>.Shared.Return(bytes);
        }
    }

    private static string Head(string text) => text.Length <= 120 ? text : string.Concat(text.AsSpan(0, 120), "…");

    private void Bound(string piece)
    {
        if (_text.Length + (_thinking?.Length ?? 0) + piece.Length > maxLength)
            throw new ModelException(ModelFailure.InvalidOutput, $"The reply is longer than {maxLength} characters, the most that is accepted.");
    }
}
