using System.Buffers;
using System.Globalization;
using System.Text;
using System.Text.Json;

namespace Lekhika.Workflows.Expressions;

/// <content>Values from and to JSON, in the manner of protobuf's JSON mapping.</content>
public readonly partial struct CelValue
{
    private const long SafeInteger = 9_007_199_254_740_991;

    /// <summary>
    /// A view of a JSON value. Objects and arrays are not copied: the document must outlive the value. A number written as an integer
    /// that fits 64 bits becomes an <c>int</c>; any other, and one written with a point or an exponent, a <c>double</c>.
    /// </summary>
    /// <param name="element">The JSON value; undefined becomes <c>null</c>.</param>
    public static CelValue FromJson(JsonElement element) => element.ValueKind switch
    {
        JsonValueKind.Object => From(new CelJsonMap(element)),
        JsonValueKind.Array => From(new CelJsonList(element)),
        JsonValueKind.String => From(JsonText.StringOf(element)),
        JsonValueKind.Number => element.TryGetInt64(out var integer) ? From(integer) : From(element.GetDouble()),
        JsonValueKind.True => True,
        JsonValueKind.False => False,
        _ => Null,
    };

    /// <summary>The value as JSON that owns its memory. See <see cref="WriteTo"/> for how each kind is written.</summary>
    public JsonElement ToJson()
    {
        JsonElement? view = _object switch { CelJsonMap map => map.Element, CelJsonList list => list.Element, _ => null };
        if (view is { } element && !JsonText.MayHoldLoneSurrogates(element))
            return element.Clone();
        var buffer = new ArrayBufferWriter<byte>();
        using (var writer = new Utf8JsonWriter(buffer, JsonText.WriterOptions))
            WriteTo(writer);
        return JsonText.Parse(buffer.WrittenSpan);
    }

    /// <summary>
    /// Writes the value as JSON: timestamps in RFC 3339, durations such as <c>"1.5s"</c>, bytes in base64, types by name, map keys as
    /// strings, NaN and infinities as strings, a <c>uint</c> beyond 2^53 as a string.
    /// </summary>
    /// <param name="writer">Where to.</param>
    public void WriteTo(Utf8JsonWriter writer)
    {
        ArgumentNullException.ThrowIfNull(writer);
        switch (_kind)
        {
            case CelKind.Null:
                writer.WriteNullValue();
                break;
            case CelKind.Bool:
                writer.WriteBooleanValue(IsTrue);
                break;
            case CelKind.Int:
                writer.WriteNumberValue(_bits);
                break;
            case CelKind.UInt when UIntValue <= SafeInteger:
                writer.WriteNumberValue(UIntValue);
                break;
            case CelKind.Double when double.IsFinite(DoubleValue):
                writer.WriteNumberValue(DoubleValue);
                break;
            case CelKind.Bytes:
                writer.WriteBase64StringValue(BytesValue);
                break;
            case CelKind.List:
                WriteList(writer);
                break;
            case CelKind.Map:
                WriteMap(writer);
                break;
            default:
                writer.WriteStringValue(ToText());
                break;
        }
    }

    /// <summary>
    /// The value as it stands inside a text: strings as they are, numbers shortest, <c>true</c> or <c>false</c>, nothing for null,
    /// timestamps and durations as <c>string()</c> gives them, bytes in base64, lists and maps as compact JSON.
    /// </summary>
    public string ToText() => _kind switch
    {
        CelKind.Null => "",
        CelKind.Bool => IsTrue ? "true" : "false",
        CelKind.Int => _bits.ToString(CultureInfo.InvariantCulture),
        CelKind.UInt => UIntValue.ToString(CultureInfo.InvariantCulture),
        CelKind.Double => CelNumber.Shortest(DoubleValue),
        CelKind.String => StringValue,
        CelKind.Bytes => Convert.ToBase64String(BytesValue),
        CelKind.Timestamp => TimeValue.ToTimestampText(),
        CelKind.Duration => TimeValue.ToDurationText(),
        CelKind.Type => TypeValue.Name,
        CelKind.List or CelKind.Map => ToJsonText(),
        _ => ErrorValue.Describe(),
    };

    private string ToJsonText()
    {
        var buffer = new ArrayBufferWriter<byte>();
        using (var writer = new Utf8JsonWriter(buffer, JsonText.WriterOptions))
            WriteTo(writer);
        return JsonText.Readable(Encoding.UTF8.GetString(buffer.WrittenSpan));
    }

    private void WriteList(Utf8JsonWriter writer)
    {
        if (_object is CelJsonList json)
        {
            JsonText.Write(writer, json.Element);
            return;
        }

        writer.WriteStartArray();
        var cursor = default(CelCursor);
        while (ListValue.Next(ref cursor, out var item))
            item.WriteTo(writer);
        writer.WriteEndArray();
    }

    private void WriteMap(Utf8JsonWriter writer)
    {
        if (_object is CelJsonMap json)
        {
            JsonText.Write(writer, json.Element);
            return;
        }

        writer.WriteStartObject();
        var cursor = default(CelCursor);
        while (MapValue.Next(ref cursor, out var key, out var value))
        {
            writer.WritePropertyName(key.ToText());
            value.WriteTo(writer);
        }

        writer.WriteEndObject();
    }
}
