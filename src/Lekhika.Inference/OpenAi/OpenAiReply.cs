using System.Text.Json;
using Lekhika.Inference.Endpoints;

namespace Lekhika.Inference.OpenAi;

/// <summary>The reply of one attempt, put together from the data lines of the event stream.</summary>
internal sealed class OpenAiReply(ModelRequest request, IModelSink sink, int maxLength, string label) : ILineConsumer
{
    private readonly ReplyText _text = new(sink, maxLength);
    private string? _model;
    private string? _finish;
    private long _tokensIn;
    private long _tokensOut;

    /// <summary><c>data: [DONE]</c> has come.</summary>
    public bool Done { get; private set; }

    /// <summary>Takes in a line of the event stream. Comments, empty lines and fields other than data are nothing to us.</summary>
    public void Read(ReadOnlySpan<byte> line)
    {
        // Some servers send an error in the middle as bare JSON.
        var data = line is [(byte)'{', ..] ? line : line.StartsWith("data:"u8) ? line["data:"u8.Length..].TrimStart((byte)' ') : default;
        if (data.IsEmpty)
            return;
        if (data.TrimEnd((byte)' ').SequenceEqual("[DONE]"u8))
        {
            Done = true;
            return;
        }

        try
        {
            var reader = new Utf8JsonReader(data);
            reader.Read();
            ReadChunk(ref reader);
        }
        catch (Exception exception) when (exception is JsonException or InvalidOperationException)
        {
            throw Broken($"a line of the reply is not the JSON it should be: {exception.Message}");
        }
    }

    /// <summary>The complete reply.</summary>
    public ModelReply Finish(TimeSpan total)
    {
        if (!Done)
            throw Broken("the reply ended without its last line (data: [DONE])");
        if (_finish is null)
            throw Broken("the reply ended without a finish_reason");
        if (_finish is "tool_calls" or "function_call")
            throw ToolCall("");
        if (_finish is "content_filter")
            throw new ModelException(ModelFailure.InvalidOutput, $"Model '{request.Model}' at {label}: the reply was cut by the server's content filter.");
        var reason = _finish is "length" or "max_tokens" ? "length" : "stop";
        return new ModelReply
        {
            Text = _text.Finish(request, reason, label),
            Thinking = _text.ThinkingText(),
            Model = _model ?? request.Model,
            DoneReason = reason,
            Endpoint = label,
            TokensIn = (int)Math.Min(_tokensIn, int.MaxValue),
            TokensOut = (int)Math.Min(_tokensOut, int.MaxValue),
            TotalTime = total,
        };
    }

    private void ReadChunk(ref Utf8JsonReader reader)
    {
        if (reader.TokenType != JsonTokenType.StartObject)
            throw Broken($"a line of the reply is {reader.TokenType}, expected an object");
        while (reader.Read() && reader.TokenType == JsonTokenType.PropertyName)
        {
            if (reader.ValueTextEquals("choices"u8))
            {
                reader.Read();
                ReadChoices(ref reader);
            }
            else if (reader.ValueTextEquals("error"u8))
            {
                reader.Read();
                if (reader.TokenType != JsonTokenType.Null)
                    throw Broken($"the server failed in the middle of the reply: {JsonPieces.ErrorText(ref reader) ?? "(no text)"}");
            }
            else if (reader.ValueTextEquals("usage"u8))
            {
                reader.Read();
                ReadUsage(ref reader);
            }
            else if (_model is null && reader.ValueTextEquals("model"u8))
            {
                reader.Read();
                _model = JsonPieces.Text(ref reader);
            }
            else
                reader.Skip();
        }
    }

    private void ReadChoices(ref Utf8JsonReader reader)
    {
        if (reader.TokenType != JsonTokenType.StartArray)
        {
            reader.Skip();
            return;
        }

        while (reader.Read() && reader.TokenType == JsonTokenType.StartObject)
        {
            while (reader.Read() && reader.TokenType == JsonTokenType.PropertyName)
            {
                if (reader.ValueTextEquals("delta"u8) || reader.ValueTextEquals("message"u8))
                {
                    reader.Read();
                    ReadDelta(ref reader);
                }
                else if (reader.ValueTextEquals("finish_reason"u8))
                {
                    reader.Read();
                    _finish = JsonPieces.Text(ref reader) ?? _finish;
                }
                else
                    reader.Skip();
            }
        }
    }

    private void ReadDelta(ref Utf8JsonReader reader)
    {
        if (reader.TokenType != JsonTokenType.StartObject)
        {
            reader.Skip();
            return;
        }

        while (reader.Read() && reader.TokenType == JsonTokenType.PropertyName)
        {
            if (reader.ValueTextEquals("content"u8))
            {
                reader.Read();
                if (JsonPieces.Text(ref reader) is { Length: > 0 } text)
                    _text.Text(text);
            }
            else if (reader.ValueTextEquals("reasoning_content"u8) || reader.ValueTextEquals("reasoning"u8))
            {
                reader.Read();
                if (JsonPieces.Text(ref reader) is { Length: > 0 } thinking)
                    _text.Thinking(thinking);
            }
            else if (reader.ValueTextEquals("refusal"u8))
            {
                reader.Read();
                if (JsonPieces.Text(ref reader) is { Length: > 0 } refusal)
                    throw new ModelException(ModelFailure.Refused, $"Model '{request.Model}' at {label} refuses to answer: {refusal}");
            }
            else if (reader.ValueTextEquals("tool_calls"u8))
            {
                reader.Read();
                if (ToolCalls.FirstName(ref reader) is { } tool)
                    throw ToolCall(tool);
            }
            else
                reader.Skip();
        }
    }

    private void ReadUsage(ref Utf8JsonReader reader)
    {
        if (reader.TokenType != JsonTokenType.StartObject)
        {
            reader.Skip();
            return;
        }

        while (reader.Read() && reader.TokenType == JsonTokenType.PropertyName)
        {
            var prompt = reader.ValueTextEquals("prompt_tokens"u8);
            var completion = reader.ValueTextEquals("completion_tokens"u8);
            reader.Read();
            if (prompt)
                _tokensIn = JsonPieces.Number(ref reader);
            else if (completion)
                _tokensOut = JsonPieces.Number(ref reader);
            else
                reader.Skip();
        }
    }

    private ModelException Broken(string what) => new(ModelFailure.Broken, $"Endpoint {label}, model '{request.Model}': {what}.");

    private ModelException ToolCall(string tool) => new(
        ModelFailure.ToolCall,
        $"Model '{request.Model}' at {label} asked to call {(tool.Length == 0 ? "a tool" : $"the tool '{tool}'")}, but no tools are offered. Tell it in the "
        + "prompt to answer in text, or use a model without tool use.");
}
