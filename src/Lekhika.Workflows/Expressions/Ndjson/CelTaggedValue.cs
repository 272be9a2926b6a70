using System.Globalization;
using System.Text.Json;

namespace Lekhika.Workflows.Expressions;

/// <summary>
/// The notation of values that keeps their kind, used by conformance data: <c>{"int":"1"}</c>, <c>{"uint":"1"}</c>,
/// <c>{"double":"0.5"|"nan"|"inf"|"-inf"}</c>, <c>{"string":"…"}</c>, <c>{"bytes":[0,255]}</c>, <c>{"bool":true}</c>, <c>{"null":null}</c>,
/// <c>{"list":[…]}</c>, <c>{"map":[[key,value],…]}</c>, <c>{"type":"int"}</c>, and here also <c>{"timestamp":"…"}</c> in RFC 3339 and
/// <c>{"duration":"1.5s"}</c>.
/// </summary>
public static class CelTaggedValue
{
    /// <summary>Reads a tagged value.</summary>
    /// <param name="element">The value in the notation above.</param>
    /// <exception cref="FormatException">It is not in that notation.</exception>
    public static CelValue Read(JsonElement element)
    {
        if (element.ValueKind != JsonValueKind.Object || element.GetPropertyCount() != 1)
            throw new FormatException($"expected one tagged value such as {{\"int\":\"1\"}}, found {Shown(element)}");
        var property = element.EnumerateObject().First();
        try
        {
            return Read(property.Name, property.Value);
        }
        catch (Exception error) when (error is InvalidOperationException or OverflowException)
        {
            throw new FormatException($"{Shown(element)} is no value of its tag", error);
        }
    }

    /// <summary>Writes a tagged value.</summary>
    /// <param name="writer">Where to.</param>
    /// <param name="value">The value.</param>
    public static void Write(Utf8JsonWriter writer, CelValue value)
    {
        ArgumentNullException.ThrowIfNull(writer);
        writer.WriteStartObject();
        switch (value.Kind)
        {
            case CelKind.Null:
                writer.WriteNull("null");
                break;
            case CelKind.Bool:
                writer.WriteBoolean("bool", value.IsTrue);
                break;
            case CelKind.Bytes:
                writer.WriteStartArray("bytes");
                foreach (var item in value.BytesValue)
                    writer.WriteNumberValue(item);
                writer.WriteEndArray();
                break;
            case CelKind.List:
                writer.WriteStartArray("list");
                foreach (var item in value.Items)
                    Write(writer, item);
                writer.WriteEndArray();
                break;
            case CelKind.Map:
                writer.WriteStartArray("map");
                foreach (var (key, entry) in value.Entries)
                {
                    writer.WriteStartArray();
                    Write(writer, key);
                    Write(writer, entry);
                    writer.WriteEndArray();
                }

                writer.WriteEndArray();
                break;
            case CelKind.Double:
                writer.WriteString("double", DoubleText(value.DoubleValue));
                break;
            default:
                writer.WriteString(TagOf(value.Kind), value.ToText());
                break;
        }

        writer.WriteEndObject();
    }

    private static CelValue Read(string tag, JsonElement value) => tag switch
    {
        "int" => CelValue.From(long.Parse(Digits(value), NumberStyles.AllowLeadingSign, CultureInfo.InvariantCulture)),
        "uint" => CelValue.From(ulong.Parse(Digits(value), NumberStyles.None, CultureInfo.InvariantCulture)),
        "double" => CelValue.From(ReadDouble(Digits(value))),
        "string" => CelValue.From(value.ValueKind == JsonValueKind.String ? JsonText.StringOf(value) : throw new FormatException("a string is expected")),
        "bytes" => CelValue.From(value.EnumerateArray().Select(static item => item.GetByte()).ToArray()),
        "bool" => CelValue.From(value.GetBoolean()),
        "null" => CelValue.Null,
        "list" => CelValue.FromList(value.EnumerateArray().Select(Read).ToArray()),
        "map" => ReadMap(value),
        "type" => CelType.Named(value.GetString() ?? ""),
        "timestamp" => CelTime.TryParseTimestamp(value.GetString() ?? "", out var time)
            ? CelValue.From(CelKind.Timestamp, time)
            : throw new FormatException("the timestamp is not in RFC 3339"),
        "duration" => CelTime.TryParseDuration(value.GetString() ?? "", out var length)
            ? CelValue.From(CelKind.Duration, length)
            : throw new FormatException("the duration is not like 1.5s"),
        _ => throw new FormatException($"the tag '{CelError.Shorten(tag)}' is not known"),
    };

    private static CelValue ReadMap(JsonElement value)
    {
        var entries = value.EnumerateArray().Select(static pair => pair.GetArrayLength() == 2
            ? (Key: Read(pair[0]), Value: Read(pair[1]))
            : throw new FormatException("a map is a list of pairs")).ToArray();
        var map = CelEntryMap.Create(Array.ConvertAll(entries, static entry => entry.Key), Array.ConvertAll(entries, static entry => entry.Value));
        return map.IsError ? throw new FormatException(map.ErrorValue.Describe()) : map;
    }

    private static string Digits(JsonElement value) => value.ValueKind == JsonValueKind.Number ? value.GetRawText() : value.GetString() ?? "";

    private static double ReadDouble(string text) => text.ToUpperInvariant() switch
    {
        "NAN" => double.NaN,
        "INF" or "+INF" or "INFINITY" or "+INFINITY" => double.PositiveInfinity,
        "-INF" or "-INFINITY" => double.NegativeInfinity,
        _ => double.Parse(text, NumberStyles.Float, CultureInfo.InvariantCulture),
    };

    private static string DoubleText(double value) =>
        double.IsNaN(value) ? "nan" : double.IsInfinity(value) ? (value > 0 ? "inf" : "-inf") : CelNumber.Shortest(value);

    private static string TagOf(CelKind kind) => kind switch
    {
        CelKind.Int => "int",
        CelKind.UInt => "uint",
        CelKind.String => "string",
        CelKind.Timestamp => "timestamp",
        CelKind.Duration => "duration",
        _ => "type",
    };

    private static string Shown(JsonElement element) => element.ValueKind == JsonValueKind.Undefined ? "nothing" : CelError.Shorten(element.GetRawText());
}
