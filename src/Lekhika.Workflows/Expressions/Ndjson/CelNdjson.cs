using System.Buffers;
using System.Text;
using System.Text.Json;

namespace Lekhika.Workflows.Expressions;

/// <summary>Evaluates expressions that come one a line as JSON, for conformance checks and other tools.</summary>
public static class CelNdjson
{
    private static readonly JsonDocumentOptions s_options = new() { MaxDepth = 1000 };

    /// <summary>
    /// Evaluates a line such as <c>{"expr":"a + 1","bindings":[["a",{"int":"1"}]]}</c>, with values as <see cref="CelTaggedValue"/> has them.
    /// Also reads <c>container</c> (a namespace for names) and <c>disable_macros</c>; other properties are passed over.
    /// </summary>
    /// <param name="line">One JSON object.</param>
    /// <returns><c>{"value":…}</c>, or <c>{"error":"…"}</c>, also if the line itself cannot be read.</returns>
    public static string EvaluateLine(string line)
    {
        ArgumentNullException.ThrowIfNull(line);
        try
        {
            using var document = JsonDocument.Parse(line, s_options);
            var value = Evaluate(document.RootElement);
            return Write(writer =>
            {
                writer.WritePropertyName("value");
                CelTaggedValue.Write(writer, value);
            });
        }
        catch (Exception error) when (error is CelSyntaxException or CelEvaluationException or JsonException or FormatException)
        {
            return Write(writer => writer.WriteString("error", error.Message));
        }
    }

    private static CelValue Evaluate(JsonElement request)
    {
        if (request.ValueKind != JsonValueKind.Object || !request.TryGetProperty("expr", out var text) || text.ValueKind != JsonValueKind.String)
            throw new FormatException("the line needs a string 'expr', such as {\"expr\":\"1 + 1\"}");
        var bindings = new CelBindings();
        if (request.TryGetProperty("bindings", out var pairs) && pairs.ValueKind != JsonValueKind.Null)
            Bind(pairs, bindings);
        var options = new CelCompileOptions
        {
            QualifiedNames = true,
            CheckFunctions = false,
            Container = request.TryGetProperty("container", out var container) && container.ValueKind == JsonValueKind.String ? container.GetString()! : "",
            Macros = !(request.TryGetProperty("disable_macros", out var off) && off.ValueKind == JsonValueKind.True),
        };
        return CelExpression.Compile(JsonText.StringOf(text), options).Evaluate(bindings);
    }

    private static void Bind(JsonElement pairs, CelBindings bindings)
    {
        const string Expected = "'bindings' is a list of pairs, such as [[\"a\",{\"int\":\"1\"}]]";
        if (pairs.ValueKind != JsonValueKind.Array)
            throw new FormatException(Expected);
        foreach (var pair in pairs.EnumerateArray())
        {
            if (pair.ValueKind != JsonValueKind.Array || pair.GetArrayLength() != 2 || pair[0].ValueKind != JsonValueKind.String)
                throw new FormatException(Expected);
            bindings[JsonText.StringOf(pair[0])] = CelTaggedValue.Read(pair[1]);
        }
    }

    private static string Write(Action<Utf8JsonWriter> content)
    {
        var buffer = new ArrayBufferWriter<byte>();
        using (var writer = new Utf8JsonWriter(buffer, new JsonWriterOptions { Encoder = JsonText.Relaxed, MaxDepth = 4000 }))
        {
            writer.WriteStartObject();
            content(writer);
            writer.WriteEndObject();
        }

        return Encoding.UTF8.GetString(buffer.WrittenSpan);
    }
}
