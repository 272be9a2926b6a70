using System.Text.Json;
using Lekhika.Inference.Endpoints;

namespace Lekhika.Inference.Ollama;

/// <summary>
/// The reply of one attempt, put together from the lines of the stream. Reads tokens straight from the line; the only strings made are the pieces
/// of text. Unknown fields are skipped wherever they stand.
/// </summary>
internal sealed class OllamaReply(ModelRequest request, IModelSink sink, int maxLength, string label) : ILineConsumer
{
    // Several objects on one line have not been seen, but nothing in the format forbids them.
    private static readonly JsonReaderOptions ReaderOptions = new() { AllowMultipleValues = true };

    private readonly ReplyText _text = new(sink, maxLength);
    private string? _model;
    private string? _doneReason;
    private long _load;
    private long _prompt;
    private long _generation;
    private long _tokensIn;
    private long _tokensOut;

    /// <summary>The last object has come.</summary>
    public bool Done { get; private set; }

    /// <summary>Takes in a line.</summary>
    /// <exception cref="ModelException">It is an error, a tool call, or not what the protocol allows.</exception>
    public void Read(ReadOnlySpan<byte> line)
    {
        try
        {
            var reader = new Utf8JsonReader(line, ReaderOptions);
            while (reader.Read() && !Done)
            {
                if (reader.TokenType != JsonTokenType.StartObject)
                    throw Malformed($"expected an object, found {reader.TokenType}");
                ReadObject(ref reader);
            }
        }
        catch (Exception exception) when (exception is JsonException or InvalidOperationException)
        {
            throw Malformed(exception.Message);
        }
    }

    /// <summary>The complete reply.</summary>
    public ModelReply Finish(TimeSpan total)
    {
        if (!Done)
        {
            throw new ModelException(
                ModelFailure.Broken,
                $"Endpoint {label}, model '{request.Model}': the reply ended without its last line (no \"done\": true). Ollama ends a reply so when the "
                + "model repeats itself, or when it stops.");
        }

        var reason = _doneReason is null or "" ? "stop" : _doneReason;
        if (reason is "load" or "unload")
            throw new ModelException(ModelFailure.Broken, $"Endpoint {label}, model '{request.Model}': the server only did a {reason} and generated nothing.");
        return new ModelReply
        {
            Text = _text.Finish(request, reason, label),
            Thinking = _text.ThinkingText(),
            Model = _model ?? request.Model,
            DoneReason = reason,
            Endpoint = label,
            TokensIn = (int)Math.Min(_tokensIn, int.MaxValue),
            TokensOut = (int)Math.Min(_tokensOut, int.MaxValue),
            LoadTime = Nanoseconds(_load),
            PromptTime = Nanoseconds(_prompt),
            GenerationTime = Nanoseconds(_generation),
            TotalTime = total,
        };
    }

    private static TimeSpan Nanoseconds(long nanoseconds) => TimeSpan.FromTicks(nanoseconds / 100);

    private void ReadObject(ref Utf8JsonReader reader)
    {
        string? text = null;
        string? thinking = null;
        string? tool = null;
        string? error = null;
        var done = false;
        while (reader.Read() && reader.TokenType == JsonTokenType.PropertyName)
        {
            if (reader.ValueTextEquals("message"u8))
            {
                reader.Read();
                ReadMessage(ref reader, ref text, ref thinking, ref tool);
            }
            else if (reader.ValueTextEquals("done"u8))
            {
                reader.Read();
                done = reader.TokenType == JsonTokenType.True;
                reader.Skip();
            }
            else if (reader.ValueTextEquals("error"u8))
            {
                reader.Read();
                if (reader.TokenType != JsonTokenType.Null)
                    error = JsonPieces.ErrorText(ref reader) ?? "(no text)";
            }
            else if (_model is null && reader.ValueTextEquals("model"u8))
            {
                reader.Read();
                _model = JsonPieces.Text(ref reader);
            }
            else
                ReadCounter(ref reader);
        }

        if (error is not null)
            throw OllamaErrors.FromText(error, request.Model, label, status: null);
        if (thinking is { Length: > 0 })
            _text.Thinking(thinking);
        if (text is { Length: > 0 })
            _text.Text(text);
        if (tool is not null)
        {
            throw new ModelException(
                ModelFailure.ToolCall,
                $"Model '{request.Model}' at {label} asked to call the tool '{tool}', but no tools are offered. Tell it in the prompt to answer in "
                + "text, or use a model without tool use.");
        }

        Done = done;
    }

    private void ReadCounter(ref Utf8JsonReader reader)
    {
        if (reader.ValueTextEquals("done_reason"u8))
        {
            reader.Read();
            _doneReason = JsonPieces.Text(ref reader);
        }
        else if (reader.ValueTextEquals("load_duration"u8))
            _load = Next(ref reader);
        else if (reader.ValueTextEquals("prompt_eval_duration"u8))
            _prompt = Next(ref reader);
        else if (reader.ValueTextEquals("eval_duration"u8))
            _generation = Next(ref reader);
        else if (reader.ValueTextEquals("prompt_eval_count"u8))
            _tokensIn = Next(ref reader);
        else if (reader.ValueTextEquals("eval_count"u8))
            _tokensOut = Next(ref reader);
        else
            reader.Skip();

        static long Next(ref Utf8JsonReader reader)
        {
            reader.Read();
            return JsonPieces.Number(ref reader);
        }
    }

    private static void ReadMessage(ref Utf8JsonReader reader, ref string? text, ref string? thinking, ref string? tool)
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
                text = JsonPieces.Text(ref reader);
            }
            else if (reader.ValueTextEquals("thinking"u8))
            {
                reader.Read();
                thinking = JsonPieces.Text(ref reader);
            }
            else if (reader.ValueTextEquals("tool_calls"u8))
            {
                reader.Read();
                tool ??= ToolCalls.FirstName(ref reader);
            }
            else
                reader.Skip();
        }
    }

    private ModelException Malformed(string problem) => new(
        ModelFailure.Broken, $"Endpoint {label}, model '{request.Model}': a line of the reply is not the JSON it should be: {problem}");
}
