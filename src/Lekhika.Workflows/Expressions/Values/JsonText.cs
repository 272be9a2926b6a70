using System.Globalization;
using System.Runtime.InteropServices;
using System.Text;
using System.Text.Encodings.Web;
using System.Text.Json;

namespace Lekhika.Workflows.Expressions;

/// <summary>Reading and writing JSON the way expressions and templates do.</summary>
internal static class JsonText
{
    private const int MaxDepth = 1000;

    /// <summary>Leaves letters of all scripts and quotes as readable as JSON allows: texts go to models and people, not into HTML.</summary>
    public static JavaScriptEncoder Relaxed { get; } = JavaScriptEncoder.UnsafeRelaxedJsonEscaping;

    public static JsonWriterOptions WriterOptions { get; } = new() { Encoder = Relaxed, MaxDepth = MaxDepth };

    /// <summary>An element that owns its memory and needs no disposal.</summary>
    public static JsonElement Parse(ReadOnlySpan<byte> json)
    {
        var reader = new Utf8JsonReader(json, new JsonReaderOptions { MaxDepth = MaxDepth });
        return JsonElement.ParseValue(ref reader);
    }

    /// <summary>Writes an element as it is, but with U+FFFD for lone surrogates, which the writer would refuse halfway.</summary>
    public static void Write(Utf8JsonWriter writer, JsonElement element)
    {
        if (!MayHoldLoneSurrogates(element))
        {
            element.WriteTo(writer);
            return;
        }

        switch (element.ValueKind)
        {
            case JsonValueKind.Object:
                writer.WriteStartObject();
                foreach (var property in element.EnumerateObject())
                {
                    writer.WritePropertyName(NameOf(property));
                    Write(writer, property.Value);
                }

                writer.WriteEndObject();
                break;
            case JsonValueKind.Array:
                writer.WriteStartArray();
                foreach (var item in element.EnumerateArray())
                    Write(writer, item);
                writer.WriteEndArray();
                break;
            default:
                writer.WriteStringValue(StringOf(element));
                break;
        }
    }

    public static bool MayHoldLoneSurrogates(JsonElement element)
    {
        if (element.ValueKind is not (JsonValueKind.Object or JsonValueKind.Array or JsonValueKind.String))
            return false;
        var raw = JsonMarshal.GetRawUtf8Value(element);
        return raw.IndexOf("\\ud"u8) >= 0 || raw.IndexOf("\\uD"u8) >= 0;
    }

    public static string StringOf(JsonElement element)
    {
        try
        {
            return element.GetString()!;
        }
        catch (InvalidOperationException)
        {
            return Unescape(element.GetRawText());
        }
    }

    public static string NameOf(JsonProperty property)
    {
        try
        {
            return property.Name;
        }
        catch (InvalidOperationException)
        {
            var raw = property.ToString();
            var end = 1;
            while (raw[end] != '"')
                end += raw[end] == '\\' ? 2 : 1;
            return Unescape(raw[..(end + 1)]);
        }
    }

    /// <summary>
    /// Takes escapes back that JSON does not need: the writer escapes what is beyond U+FFFF and joiners of some scripts even when relaxed.
    /// </summary>
    public static string Readable(string json)
    {
        var next = json.IndexOf("\\u", StringComparison.Ordinal);
        if (next < 0)
            return json;
        var text = new StringBuilder(json.Length);
        for (var at = 0; at < json.Length;)
        {
            var escape = json.IndexOf('\\', at);
            escape = escape < 0 ? json.Length : escape;
            text.Append(json, at, escape - at);
            at = escape;
            if (at == json.Length)
                break;
            if (json[at + 1] == 'u' && Code(json, at + 2) is >= ' ' and not '"' and not '\\' and var unit)
            {
                text.Append(unit);
                at += 6;
                continue;
            }

            text.Append(json, at, 2);
            at += 2;
        }

        return text.ToString();
    }

    private static char Code(string json, int at) => (char)ushort.Parse(json.AsSpan(at, 4), NumberStyles.AllowHexSpecifier, CultureInfo.InvariantCulture);

    /// <summary>JSON allows escapes of lone surrogates, text does not: they become U+FFFD.</summary>
    private static string Unescape(string raw)
    {
        var text = new StringBuilder(raw.Length);
        for (var i = 1; i < raw.Length - 1; i++)
        {
            if (raw[i] != '\\')
            {
                text.Append(raw[i]);
                continue;
            }

            i++;
            text.Append(raw[i] switch
            {
                'b' => '\b',
                'f' => '\f',
                'n' => '\n',
                'r' => '\r',
                't' => '\t',
                'u' => Code(raw, i + 1),
                var other => other,
            });
            if (raw[i] == 'u')
                i += 4;
        }

        return Encoding.UTF8.GetString(Encoding.UTF8.GetBytes(text.ToString()));
    }
}
